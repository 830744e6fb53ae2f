//! A key that one run of a capsule has.

use symbolon_codec::{Digest32, Fields};
use symbolon_crypto::labels::{CAPSULE_KEY, IDENTITY_LEAF};
use symbolon_crypto::{SigningKey, VerifyingKey};
use symbolon_log::leaf_hash;

/// The key of one run, with what its leaf is salted with.
#[derive(Debug)]
pub struct Execution {
    key: SigningKey,
    salt: [u8; 32],
    component: [u8; 64],
    number: u64,
}

impl Execution {
    /// Run `number` of a component (the SHA3-512 of it). The same each time; nobody without the root's
    /// private half can tell that it is a child of it.
    pub fn derive(root: &SigningKey, component: &[u8; 64], number: u64) -> Self {
        let place = |what| Fields::new(what).bytes(component).u64(number).finish();
        let key = root.derive_child(&CAPSULE_KEY, &place("run"));
        // The public half of a sibling: as random as its seed, and shown in an opening alone.
        let salt = *root.derive_child(&CAPSULE_KEY, &place("salt")).verifying_key().as_bytes();
        Self { key, salt, component: *component, number }
    }

    /// The key.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    pub(crate) fn public(&self) -> Member {
        Member {
            key: self.key.verifying_key(),
            component: self.component,
            number: self.number,
            salt: self.salt,
        }
    }
}

/// What a leaf is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub key: VerifyingKey,
    pub component: [u8; 64],
    pub number: u64,
    pub salt: [u8; 32],
}

impl Member {
    pub fn leaf(&self) -> Digest32 {
        let bytes = Fields::new(IDENTITY_LEAF.as_str())
            .bytes(&self.salt)
            .bytes(self.key.as_bytes())
            .bytes(&self.component)
            .u64(self.number)
            .finish();
        leaf_hash(&bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_ambient::SeededRng;

    #[test]
    fn every_run_has_its_key_and_it_is_the_same_each_time() {
        let (root, other) =
            (SigningKey::make(&SeededRng::new(1)), SigningKey::make(&SeededRng::new(2)));
        let public = |root: &SigningKey, component: u8, number| {
            Execution::derive(root, &[component; 64], number).public()
        };
        assert_eq!(public(&root, 1, 0), public(&root, 1, 0));
        let all = [(&root, 1, 0), (&root, 1, 1), (&root, 2, 0), (&other, 1, 0)];
        let all = all.map(|(root, component, number)| public(root, component, number));
        for (at, one) in all.iter().enumerate() {
            for two in &all[at + 1..] {
                assert!(one.key != two.key && one.salt != two.salt && one.leaf() != two.leaf());
            }
            assert!(one.key != root.verifying_key() && one.salt != *one.key.as_bytes());
        }
    }
}
