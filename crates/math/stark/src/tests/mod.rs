//! Proofs, and what is no proof.

mod constraints;
mod hiding;
mod refused;
mod security;

use symbolon_ambient::SeededRng;

use crate::{BINARY_BYTES_MAX, Context, Proof, Statement, prove, verify};

pub(super) fn binary(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 131 + at / 7 + length) as u8).collect()
}

pub(super) fn context() -> Context {
    Context::new("https://auditor.example", [7; 16]).unwrap()
}

pub(super) fn proven(length: usize, seed: u64) -> Proof {
    prove(&binary(length), context(), &SeededRng::new(seed)).unwrap()
}

#[test]
fn a_holder_shows_a_hash_and_keeps_the_binary() {
    let binary = binary(500);
    let proof = proven(500, 1);
    let file = proof.to_bytes().unwrap();
    assert!(Proof::is_one(&file));

    let read = Proof::from_bytes(&file).unwrap();
    let digest = symbolon_crypto::sha3_512(&binary);
    let shown = verify(&read, &digest, &context()).unwrap();
    assert_eq!(*shown, Statement { digest, blocks: 7, context: context() });
    assert!(shown.fits(500) && shown.fits(503) && !shown.fits(504) && !shown.fits(431));
    assert!(!file.windows(16).any(|run| binary.windows(16).any(|hidden| hidden == run)));
}

#[test]
fn a_proof_is_made_at_every_border_of_a_block() {
    for length in [0, 1, 71, 72, 73, 143, 144, 145] {
        let proof = proven(length, length as u64);
        let digest = symbolon_crypto::sha3_512(&binary(length));
        let shown = verify(&proof, &digest, &context());
        assert_eq!(shown.map(|shown| shown.blocks), Ok(length / 72 + 1), "of {length} bytes");
    }
}

#[test]
fn a_binary_over_the_bound_is_refused_before_anything_is_computed() {
    let binary = vec![0; BINARY_BYTES_MAX + 1];
    assert!(prove(&binary, context(), &SeededRng::new(1)).is_err());
    assert!(crate::Cost::of(binary.len()).is_err());
    assert!(crate::Cost::of(BINARY_BYTES_MAX).unwrap().memory_bytes > 10 << 30);
}
