//! Keys below a seed (SLIP-0010; for secp256k1 the same as BIP-32). Runs on the secret stack.

use k256::Scalar;
use k256::ecdsa::SigningKey;
use k256::elliptic_curve::ff::PrimeField;

use crate::mac::hmac_sha512;

/// A private key and its chain code.
pub(super) struct Node {
    pub(super) key: [u8; 32],
    pub(super) chain: [u8; 32],
}

/// The bit of a hardened index.
pub(super) const HARD: u32 = 1 << 31;

/// Every index is hardened: the curve has no other.
pub(super) fn derive_ed25519(seed: &[u8], path: &[u32]) -> Node {
    let mut node = split(b"ed25519 seed", &[seed]);
    for index in path {
        node = split(&node.chain, &[&[0], &node.key, &(HARD | index).to_be_bytes()]);
    }
    node
}

/// Where a hash is no key of the group, which nobody has seen, it is hashed again.
pub(super) fn derive_secp256k1(seed: &[u8], path: &[u32]) -> Node {
    let mut node = split(CURVE, &[seed]);
    while SigningKey::from_slice(&node.key).is_err() {
        node = split(CURVE, &[&node.key, &node.chain]);
    }
    for index in path {
        node = child(&node, *index);
    }
    node
}

fn child(parent: &Node, index: u32) -> Node {
    let number = index.to_be_bytes();
    let mut next = if index & HARD != 0 {
        split(&parent.chain, &[&[0], &parent.key, &number])
    } else {
        split(&parent.chain, &[&public(&parent.key), &number])
    };
    loop {
        if let Some(key) = add(&next.key, &parent.key) {
            return Node { key, chain: next.chain };
        }
        next = split(&parent.chain, &[&[1], &next.chain, &number]);
    }
}

/// The sum modulo the order; `None` where the first is not below it or the sum is zero.
fn add(left: &[u8; 32], parent: &[u8; 32]) -> Option<[u8; 32]> {
    let scalar = |bytes: &[u8; 32]| Option::<Scalar>::from(Scalar::from_repr((*bytes).into()));
    let sum: [u8; 32] = (scalar(left)? + scalar(parent)?).to_repr().into();
    (sum != [0; 32]).then_some(sum)
}

/// The compressed point; of zeros for what is no key, which no node has.
fn public(key: &[u8; 32]) -> [u8; 33] {
    let mut out = [0; 33];
    if let Ok(key) = SigningKey::from_slice(key) {
        out.copy_from_slice(key.verifying_key().to_sec1_point(true).as_bytes());
    }
    out
}

fn split(key: &[u8], parts: &[&[u8]]) -> Node {
    let both = hmac_sha512(key, parts);
    let (mut key, mut chain) = ([0; 32], [0; 32]);
    key.copy_from_slice(&both[..32]);
    chain.copy_from_slice(&both[32..]);
    Node { key, chain }
}

const CURVE: &[u8] = b"Bitcoin seed";
