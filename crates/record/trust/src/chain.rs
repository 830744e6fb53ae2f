//! The chain of an operator's execution keys, and openings of it.

use symbolon_codec::{CodecError, Digest32, Fields, FieldsReader};
use symbolon_crypto::labels::IDENTITY_CHAIN;
use symbolon_crypto::{SigningKey, VerifyingKey, sha256};
use symbolon_log::{ProofError, node_hash, verify_inclusion};

use crate::execution::{Execution, Member};

/// Leaves, in the order in which their keys were made, and the head before the next.
#[derive(Debug, Clone)]
pub struct Chain {
    leaves: Vec<Digest32>,
    before: Digest32,
}

/// What the operator says of its chain at a moment, signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    bytes: Vec<u8>,
    signature: [u8; 64],
}

/// Shows that one execution key is the operator's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    member: Member,
    position: u64,
    path: Vec<Digest32>,
    head: Head,
}

/// Why a head was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// Its bytes are no head.
    #[error("this is no head of a chain: {0}")]
    Form(#[from] CodecError),
    /// The signature is not by the root.
    #[error("the head of the chain is not signed by the operator's key")]
    Signature,
    /// It is a head of another operator's chain.
    #[error("the head is of another operator's chain")]
    Root,
    /// It does not follow the one before.
    #[error("the head does not follow the one that was seen before")]
    Follows,
}

/// Why an opening was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpeningError {
    /// The head.
    #[error("{0}")]
    Head(#[from] HeadError),
    /// The key is not in the chain where the opening says.
    #[error("the execution key is not in the operator's chain: {0}")]
    Inclusion(ProofError),
}

impl Default for Chain {
    fn default() -> Self {
        Self::new()
    }
}

impl Chain {
    /// Without a key.
    pub fn new() -> Self {
        Self { leaves: Vec::new(), before: Digest32([0; 32]) }
    }

    /// Takes a key in; gives its position.
    pub fn append(&mut self, execution: &Execution) -> u64 {
        self.leaves.push(execution.public().leaf());
        self.leaves.len() as u64 - 1
    }

    /// Signs what is in it, as the next head.
    pub fn head(&mut self, root: &SigningKey) -> Head {
        let bytes = Fields::new(IDENTITY_CHAIN.as_str())
            .bytes(root.verifying_key().as_bytes())
            .u64(self.leaves.len() as u64)
            .bytes(tree_root(&self.leaves).as_bytes())
            .bytes(self.before.as_bytes())
            .finish();
        self.before = sha256(&bytes);
        let signature = root.sign(&bytes);
        Head { bytes, signature }
    }

    /// Shows that the key at `position` is in the chain that `head`, its newest, speaks of. `None`
    /// where another key or none is there.
    pub fn open(&self, position: u64, execution: &Execution, head: &Head) -> Option<Opening> {
        let member = execution.public();
        let at = usize::try_from(position).ok()?;
        let held = self.leaves.get(at)? == &member.leaf() && sha256(&head.bytes) == self.before;
        let path = path(&self.leaves, at);
        held.then(|| Opening { member, position, path, head: head.clone() })
    }
}

/// What a head says.
struct Said {
    root: [u8; 32],
    size: u64,
    tree: Digest32,
    before: Digest32,
}

impl Head {
    /// From its bytes and signature.
    pub fn new(bytes: Vec<u8>, signature: [u8; 64]) -> Self {
        Self { bytes, signature }
    }

    /// The bytes that are signed.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The signature over them.
    pub fn signature(&self) -> &[u8; 64] {
        &self.signature
    }

    /// Checks that this head is the root's and comes right after `before`.
    ///
    /// # Errors
    /// [`HeadError`].
    pub fn follows(&self, before: &Self, root: &VerifyingKey) -> Result<(), HeadError> {
        let (mine, theirs) = (self.check(root)?, before.check(root)?);
        let held = mine.before == sha256(&before.bytes) && mine.size >= theirs.size;
        if held { Ok(()) } else { Err(HeadError::Follows) }
    }

    fn check(&self, root: &VerifyingKey) -> Result<Said, HeadError> {
        root.verify(&self.bytes, &self.signature).map_err(|_| HeadError::Signature)?;
        let mut r = FieldsReader::new(IDENTITY_CHAIN.as_str(), &self.bytes)?;
        let (key, size) = (r.array()?, r.u64()?);
        let said =
            Said { root: key, size, tree: Digest32(r.array()?), before: Digest32(r.array()?) };
        r.end()?;
        if said.root == *root.as_bytes() { Ok(said) } else { Err(HeadError::Root) }
    }
}

impl Opening {
    /// The execution key that it opens.
    pub fn key(&self) -> &VerifyingKey {
        &self.member.key
    }

    /// The component that ran under it, and which run that was.
    pub fn run(&self) -> (&[u8; 64], u64) {
        (&self.member.component, self.member.number)
    }

    /// Checks that the key is one of this root's.
    ///
    /// # Errors
    /// [`OpeningError`].
    pub fn verify(&self, root: &VerifyingKey) -> Result<(), OpeningError> {
        let said = self.head.check(root)?;
        let leaf = self.member.leaf();
        verify_inclusion(&leaf, self.position, said.size, &self.path, &said.tree)
            .map_err(OpeningError::Inclusion)
    }
}

/// RFC 6962, section 2.1.
fn tree_root(leaves: &[Digest32]) -> Digest32 {
    match leaves {
        [] => sha256(b""),
        [one] => *one,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&tree_root(left), &tree_root(right))
        }
    }
}

/// RFC 6962, section 2.1.1: from the leaf upwards.
fn path(leaves: &[Digest32], at: usize) -> Vec<Digest32> {
    if leaves.len() < 2 {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(split(leaves.len()));
    let (mut path, sibling) = match at.checked_sub(left.len()) {
        None => (path(left, at), tree_root(right)),
        Some(at) => (path(right, at), tree_root(left)),
    };
    path.push(sibling);
    path
}

/// The largest power of two below `count`, which is at least two.
fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_ambient::SeededRng;

    fn root(seed: u64) -> SigningKey {
        SigningKey::make(&SeededRng::new(seed))
    }

    fn chain_of(root: &SigningKey, count: u64) -> (Chain, Vec<Execution>) {
        let mut chain = Chain::new();
        let all: Vec<_> = (0..count).map(|n| Execution::derive(root, &[1; 64], n)).collect();
        for one in &all {
            chain.append(one);
        }
        (chain, all)
    }

    #[test]
    fn every_key_of_chains_of_every_size_can_be_opened() {
        let root = root(1);
        for count in 1..20 {
            let (mut chain, all) = chain_of(&root, count);
            let head = chain.head(&root);
            for (at, one) in all.iter().enumerate() {
                let opening = chain.open(at as u64, one, &head).unwrap();
                assert_eq!(opening.verify(&root.verifying_key()), Ok(()));
                assert_eq!(opening.key(), &one.key().verifying_key());
                assert_eq!(opening.run(), (&[1; 64], at as u64));
                let elsewhere = chain.open((at as u64 + 1) % count.max(2), one, &head);
                assert_eq!(elsewhere, None);
            }
        }
    }

    #[test]
    fn each_check_of_an_opening_fails_alone() {
        let root = root(1);
        let public = root.verifying_key();
        let (mut chain, all) = chain_of(&root, 5);
        let head = chain.head(&root);
        let good = chain.open(3, &all[3], &head).unwrap();

        let mut it = good.clone();
        it.head.signature[0] ^= 1;
        assert_eq!(it.verify(&public), Err(HeadError::Signature.into()));

        // A head of another operator's chain, signed by this one.
        let other = self::root(2);
        let (mut foreign, _) = chain_of(&other, 5);
        let bytes = foreign.head(&other).bytes;
        let mut it = good.clone();
        it.head = Head::new(bytes.clone(), root.sign(&bytes));
        assert_eq!(it.verify(&public), Err(HeadError::Root.into()));
        assert_eq!(good.verify(&other.verifying_key()), Err(HeadError::Signature.into()));

        let changes: [fn(&mut Opening); 6] = [
            |it| it.member.key = self::root(9).verifying_key(),
            |it| it.member.component[0] ^= 1,
            |it| it.member.number += 1,
            |it| it.member.salt[0] ^= 1,
            |it| it.position = 2,
            |it| it.path[0].0[0] ^= 1,
        ];
        for change in changes {
            let mut it = good.clone();
            change(&mut it);
            assert!(matches!(it.verify(&public), Err(OpeningError::Inclusion(_))));
        }
    }

    #[test]
    fn a_head_follows_the_one_before_it_and_no_other() {
        let root = root(1);
        let public = root.verifying_key();
        let (mut chain, _) = chain_of(&root, 2);
        let first = chain.head(&root);
        chain.append(&Execution::derive(&root, &[2; 64], 0));
        let second = chain.head(&root);
        let third = chain.head(&root);
        assert_eq!(second.follows(&first, &public), Ok(()));
        assert_eq!(third.follows(&second, &public), Ok(()));
        assert_eq!(third.follows(&first, &public), Err(HeadError::Follows));
        assert_eq!(first.follows(&second, &public), Err(HeadError::Follows));
        // A chain that lost a key, though it names the head before.
        let (mut lost, _) = chain_of(&root, 1);
        lost.before = sha256(&second.bytes);
        assert_eq!(lost.head(&root).follows(&second, &public), Err(HeadError::Follows));
    }
}
