//! The first byte chooses: a proof of a hidden binary as it is, or places in one of ours that are changed.

use std::sync::LazyLock;

use symbolon_ambient::SeededRng;
use symbolon_stark::{Context, Proof, prove, verify};

pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    if mode % 2 == 0 { read(rest) } else { changed(rest) }
}

/// A proof has one spelling; whoever wrote it, what it says of itself can be checked.
fn read(bytes: &[u8]) {
    let Ok(proof) = Proof::from_bytes(bytes) else { return };
    assert!(Proof::is_one(bytes));
    assert_eq!(proof.to_bytes().as_deref(), Ok(bytes));
    let said = proof.statement().clone();
    let _ = verify(&proof, &said.digest, &said.context);
}

/// Five bytes a place: where, and what is flipped there. Only the proof as it was made holds.
fn changed(places: &[u8]) {
    let mut file = PROOF.clone();
    for [a, b, c, d, flipped] in places.as_chunks::<5>().0.iter().take(64) {
        let at = u32::from_be_bytes([*a, *b, *c, *d]) as usize % file.len();
        file[at] ^= flipped;
    }
    let holds = Proof::from_bytes(&file).is_ok_and(|proof| {
        let said = proof.statement().clone();
        verify(&proof, &said.digest, &said.context).is_ok()
    });
    assert_eq!(holds, file == *PROOF, "a changed proof holds, or ours does not");
}

static PROOF: LazyLock<Vec<u8>> = LazyLock::new(|| {
    // INFALLIBLE: a short binary, a plain name and the prover's own parameters.
    let context = Context::new("https://auditor.example", [7; 16]).expect("a name");
    let proof = prove(b"\0asm\x01\0\0\0", context, &SeededRng::new(1)).expect("a proof");
    proof.to_bytes().expect("bytes")
});
