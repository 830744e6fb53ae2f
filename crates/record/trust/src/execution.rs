//! A key that one run of a capsule has.

use serde::{Deserialize, Serialize};
use symbolon_codec::{Digest32, Fields};
use symbolon_crypto::labels::{CAPSULE_KEY, IDENTITY_LEAF, IDENTITY_RUN};
use symbolon_crypto::{SigningKey, VerifyingKey, sha256};
use symbolon_log::leaf_hash;

/// The key of one run, and which run that is.
#[derive(Debug)]
pub struct Execution {
    key: SigningKey,
    component: [u8; 64],
    run: Run,
}

/// Which run of a component a key is of; a reader who has the component too can check it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// How many there were of this component before it.
    pub number: u64,
    /// What it is committed to under.
    pub salt: Digest32,
}

impl Run {
    /// What a leaf says in its place.
    pub fn commitment(&self, component: &[u8; 64]) -> Digest32 {
        let bytes = Fields::new(IDENTITY_RUN.as_str())
            .bytes(self.salt.as_bytes())
            .bytes(component)
            .u64(self.number)
            .finish();
        sha256(&bytes)
    }
}

impl Execution {
    /// Run `number` of a component (the SHA3-512 of it). The same each time; nobody without the root's
    /// private half can tell that it is a child of it.
    pub fn derive(root: &SigningKey, component: &[u8; 64], number: u64) -> Self {
        let place = |what| Fields::new(what).bytes(component).u64(number).finish();
        let key = root.derive_child(&CAPSULE_KEY, &place("run"));
        // The public half of a sibling: as random as its seed, and shown with its run alone.
        let salt = *root.derive_child(&CAPSULE_KEY, &place("salt")).verifying_key().as_bytes();
        Self { key, component: *component, run: Run { number, salt: Digest32(salt) } }
    }

    /// The key.
    pub fn key(&self) -> &SigningKey {
        &self.key
    }

    /// Which run it is of.
    pub fn run(&self) -> &Run {
        &self.run
    }

    /// What the chain keeps of it.
    pub fn leaf(&self) -> Digest32 {
        leaf(&self.key.verifying_key(), &self.commitment())
    }

    pub(crate) fn commitment(&self) -> Digest32 {
        self.run.commitment(&self.component)
    }
}

pub(crate) fn leaf(key: &VerifyingKey, run: &Digest32) -> Digest32 {
    let fields = Fields::new(IDENTITY_LEAF.as_str()).bytes(key.as_bytes()).bytes(run.as_bytes());
    leaf_hash(&fields.finish())
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
            let it = Execution::derive(root, &[component; 64], number);
            (it.key().verifying_key(), it.run().clone(), it.leaf())
        };
        assert_eq!(public(&root, 1, 0), public(&root, 1, 0));
        let all = [(&root, 1, 0), (&root, 1, 1), (&root, 2, 0), (&other, 1, 0)];
        let all = all.map(|(root, component, number)| public(root, component, number));
        for (at, one) in all.iter().enumerate() {
            for two in &all[at + 1..] {
                assert!(one.0 != two.0 && one.1.salt != two.1.salt && one.2 != two.2);
            }
            assert!(one.0 != root.verifying_key() && one.1.salt.as_bytes() != one.0.as_bytes());
        }
    }
}
