//! Tags that artefacts are recognised by: keys, proofs, lists.

use symbolon_crypto::{Sha256, labels};

/// SHA-256 over the label, the kind of artefact, and its parts, each with its length and all with
/// their number: what one is told apart by, and pinned with. No secret is in it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IntegrityTag(pub [u8; 32]);

impl IntegrityTag {
    /// The tag of an artefact's parts, up to 2^32 of them and of as many bytes.
    pub fn of(kind: &str, parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        hash.field(labels::INTEGRITY.as_str().as_bytes());
        hash.field(kind.as_bytes());
        hash.field(&(parts.len() as u32).to_be_bytes());
        parts.iter().for_each(|part| hash.field(part));
        Self(hash.finish().0)
    }

    /// The tag of a set of artefacts of one kind: the order in which they are given does not count.
    pub fn of_set(kind: &str, members: &[Self]) -> Self {
        let mut sorted = members.to_vec();
        sorted.sort_unstable();
        let parts: Vec<&[u8]> = sorted.iter().map(|tag| tag.0.as_slice()).collect();
        Self::of(kind, &parts)
    }
}

impl std::fmt::Debug for IntegrityTag {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_those_of_another_implementation() {
        let file = include_str!("../../../../../vectors/circuits/integrity.json");
        let cases: Vec<serde_json::Value> = serde_json::from_str(file).unwrap();
        assert!(cases.len() >= 4);
        for case in &cases {
            let parts = case["parts"].as_array().unwrap();
            let parts: Vec<Vec<u8>> =
                parts.iter().map(|p| hex::decode(p.as_str().unwrap()).unwrap()).collect();
            let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
            let tag = IntegrityTag::of(case["kind"].as_str().unwrap(), &parts);
            assert_eq!(hex::encode(tag.0), case["tag"].as_str().unwrap(), "{case}");
        }
    }

    #[test]
    fn borders_kinds_and_numbers_of_parts_count_and_order_in_a_set_does_not() {
        let tag = IntegrityTag::of;
        let all = [
            tag("proof", &[b"ab", b"c"]),
            tag("proof", &[b"a", b"bc"]),
            tag("proof", &[b"abc"]),
            tag("proof", &[b"abc", b""]),
            tag("key", &[b"abc"]),
            tag("proof", &[]),
        ];
        let mut unique = all.to_vec();
        unique.sort_unstable();
        unique.dedup();
        assert_eq!(unique.len(), all.len());
        let (a, b) = (all[0], all[1]);
        assert_eq!(
            IntegrityTag::of_set("proofs", &[a, b]),
            IntegrityTag::of_set("proofs", &[b, a])
        );
        assert_ne!(
            IntegrityTag::of_set("proofs", &[a, b]),
            IntegrityTag::of_set("proofs", &[a, a, b])
        );
    }
}
