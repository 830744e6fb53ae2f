//! The chain of an operator's execution keys.

use symbolon_codec::Digest32;
use symbolon_crypto::{SigningKey, VerifyingKey, sha256};
use symbolon_log::node_hash;

use crate::execution::Execution;
use crate::head::{Head, HeadError};
use crate::opening::Opening;

/// Leaves, in the order in which their keys were made, and the head before the next.
#[derive(Debug, Clone)]
pub struct Chain {
    /// Of each height the roots of its complete subtrees, so that a head and a path cost a few hashes
    /// however long the chain is. The leaves are the first.
    levels: Vec<Vec<Digest32>>,
    before: Digest32,
}

impl Default for Chain {
    fn default() -> Self {
        Self::new()
    }
}

impl Chain {
    /// Without a key.
    pub fn new() -> Self {
        Self { levels: Vec::new(), before: Digest32([0; 32]) }
    }

    /// From what was kept: the leaves in their order, and the newest head where there is one.
    ///
    /// # Errors
    /// [`HeadError`]: the head is not this root's, or not of these leaves.
    pub fn restore(
        leaves: impl IntoIterator<Item = Digest32>,
        head: Option<&Head>,
        root: &VerifyingKey,
    ) -> Result<Self, HeadError> {
        let mut chain = Self::new();
        leaves.into_iter().for_each(|leaf| chain.push(leaf));
        match head {
            None if chain.size() == 0 => return Ok(chain),
            None => return Err(HeadError::Leaves),
            Some(head) => {
                let said = head.check(root)?;
                if said.size != chain.size() as u64 || said.tree != chain.tree() {
                    return Err(HeadError::Leaves);
                }
                chain.before = sha256(head.bytes());
            }
        }
        Ok(chain)
    }

    /// Takes a key in; gives its position.
    pub fn append(&mut self, execution: &Execution) -> u64 {
        self.push(execution.leaf());
        self.size() as u64 - 1
    }

    /// Signs what is in it, as the next head.
    pub fn head(&mut self, root: &SigningKey) -> Head {
        let head = Head::sign(root, self.size() as u64, &self.tree(), &self.before);
        self.before = sha256(head.bytes());
        head
    }

    /// Shows that the key at `position` is in the chain that `head`, its newest, speaks of. `None`
    /// where another key or none is there.
    pub fn open(&self, position: u64, execution: &Execution, head: &Head) -> Option<Opening> {
        let at = usize::try_from(position).ok()?;
        let is_there = self.levels.first()?.get(at)? == &execution.leaf();
        let held = is_there && sha256(head.bytes()) == self.before;
        held.then(|| Opening {
            key: execution.key().verifying_key(),
            run: execution.commitment(),
            position,
            path: self.path(0, self.size(), at),
            head: head.clone(),
        })
    }

    fn size(&self) -> usize {
        self.levels.first().map_or(0, Vec::len)
    }

    fn push(&mut self, leaf: Digest32) {
        let mut node = leaf;
        for height in 0.. {
            if self.levels.len() == height {
                self.levels.push(Vec::new());
            }
            let level = &mut self.levels[height];
            level.push(node);
            match level[..] {
                [.., left, right] if level.len().is_multiple_of(2) => {
                    node = node_hash(&left, &right)
                }
                _ => return,
            }
        }
    }

    fn tree(&self) -> Digest32 {
        if self.size() == 0 { sha256(b"") } else { self.root(0, self.size()) }
    }

    /// RFC 6962, section 2.1: of `count` leaves, at least one, from `start` on, which is a multiple of
    /// the largest power of two in `count`.
    fn root(&self, start: usize, count: usize) -> Digest32 {
        if count.is_power_of_two() {
            let height = count.trailing_zeros() as usize;
            return self.levels[height][start >> height];
        }
        let left = split(count);
        node_hash(&self.root(start, left), &self.root(start + left, count - left))
    }

    /// RFC 6962, section 2.1.1: from the leaf upwards.
    fn path(&self, start: usize, count: usize, at: usize) -> Vec<Digest32> {
        if count < 2 {
            return Vec::new();
        }
        let left = split(count);
        let (mut path, sibling) = match at.checked_sub(left) {
            None => (self.path(start, left, at), self.root(start + left, count - left)),
            Some(at) => (self.path(start + left, count - left, at), self.root(start, left)),
        };
        path.push(sibling);
        path
    }
}

/// The largest power of two below `count`, which is at least two.
fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::OpeningError;
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
                assert_eq!(opening.run(), &one.run().commitment(&[1; 64]));
                assert_eq!(opening.position(), at as u64);
                let json = serde_json::to_vec(&opening).unwrap();
                assert_eq!(serde_json::from_slice::<Opening>(&json).unwrap(), opening);
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
        let mut signature = *head.signature();
        signature[0] ^= 1;
        it.head = Head::new(head.bytes().to_vec(), signature);
        assert_eq!(it.verify(&public), Err(HeadError::Signature.into()));

        // A head of another operator's chain, signed by this one.
        let other = self::root(2);
        let (mut foreign, _) = chain_of(&other, 5);
        let bytes = foreign.head(&other).bytes().to_vec();
        let mut it = good.clone();
        it.head = Head::new(bytes.clone(), root.sign(&bytes));
        assert_eq!(it.verify(&public), Err(HeadError::Root.into()));
        assert_eq!(good.verify(&other.verifying_key()), Err(HeadError::Signature.into()));

        let changes: [fn(&mut Opening); 4] = [
            |it| it.key = self::root(9).verifying_key(),
            |it| it.run.0[0] ^= 1,
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
        lost.before = sha256(second.bytes());
        assert_eq!(lost.head(&root).follows(&second, &public), Err(HeadError::Follows));
    }

    #[test]
    fn a_chain_goes_on_from_what_was_kept_and_from_nothing_else() {
        let root = root(1);
        let public = root.verifying_key();
        let (mut chain, all) = chain_of(&root, 6);
        let head = chain.head(&root);
        let leaves: Vec<_> = all.iter().map(Execution::leaf).collect();
        let mut again = Chain::restore(leaves.clone(), Some(&head), &public).unwrap();
        let next = Execution::derive(&root, &[1; 64], 6);
        let position = again.append(&next);
        let newer = again.head(&root);
        assert_eq!(newer.follows(&head, &public), Ok(()));
        assert_eq!(again.open(position, &next, &newer).unwrap().verify(&public), Ok(()));
        // An older head opens nothing of a newer chain.
        assert_eq!(again.open(position, &next, &head), None);

        let restore = |leaves: &[Digest32], head: Option<&Head>| {
            Chain::restore(leaves.iter().copied(), head, &public).map(|_| ())
        };
        assert_eq!(restore(&[], None), Ok(()));
        assert_eq!(restore(&leaves, None), Err(HeadError::Leaves));
        assert_eq!(restore(&leaves[1..], Some(&head)), Err(HeadError::Leaves));
        let mut other = leaves.clone();
        other.swap(0, 1);
        assert_eq!(restore(&other, Some(&head)), Err(HeadError::Leaves));
        let foreign = self::root(2).verifying_key();
        let got = Chain::restore(leaves, Some(&head), &foreign).map(|_| ());
        assert_eq!(got, Err(HeadError::Signature));
    }
}
