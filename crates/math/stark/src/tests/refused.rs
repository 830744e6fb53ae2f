//! Proofs for others, and damaged ones.

use std::sync::LazyLock;

use super::{binary, context, proven};
use crate::config::Inner;
use crate::verify::holds as library_holds;
use crate::{Context, FILE_BYTES_MAX, Proof, ProofError, VerifyError, verify};

static FILE: LazyLock<Vec<u8>> = LazyLock::new(|| proven(300, 3).to_bytes().unwrap());

fn digest() -> [u8; 64] {
    symbolon_crypto::sha3_512(&binary(300))
}

/// Whether anybody would take it: as what it says of itself. A panic of the library is none of its refusals here.
fn holds(file: &[u8]) -> bool {
    Proof::from_bytes(file).is_ok_and(|proof| library_holds(proof.statement(), proof.inner()))
}

/// Where the proof system's part begins.
fn mathematics() -> usize {
    let tag = 4 + "symbolon/sha3-proof/v1".len();
    tag + 4 + context().audience().len() + 4 + 16 + 4 + 64 + 4 + 8 + 4
}

#[test]
fn a_proof_for_another_digest_audience_or_nonce_is_refused() {
    let proof = Proof::from_bytes(&FILE).unwrap();
    let other = symbolon_crypto::sha3_512(&binary(301));
    assert_eq!(verify(&proof, &other, &context()), Err(VerifyError::Digest));
    for (audience, nonce) in [("https://other.example", [7; 16]), (context().audience(), [8; 16])] {
        let context = Context::new(audience, nonce).unwrap();
        assert_eq!(verify(&proof, &digest(), &context), Err(VerifyError::Context));
    }
}

#[test]
fn a_proof_that_is_relabelled_is_refused() {
    // Each byte of what it says of itself: the digest, the context and the blocks are in the transcript.
    for at in 0..mathematics() {
        let mut file = FILE.clone();
        file[at] ^= 1;
        assert!(!holds(&file), "with byte {at} changed");
    }
}

#[test]
fn a_proof_with_a_changed_byte_is_refused() {
    assert!(holds(&FILE));
    let from = mathematics();
    let steps = (from..from + 400).step_by(37);
    let sampled = steps.chain((from..FILE.len()).step_by(FILE.len() / 150)).chain([FILE.len() - 1]);
    for at in sampled {
        for change in [1, 0x80] {
            let mut file = FILE.clone();
            file[at] ^= change;
            assert!(!holds(&file), "with byte {at} changed by {change:#x}");
        }
    }
}

#[test]
fn a_proof_that_is_cut_or_has_more_is_refused() {
    for length in (0..FILE.len()).step_by(FILE.len() / 40) {
        assert!(Proof::from_bytes(&FILE[..length]).is_err(), "cut to {length}");
    }
    let mut longer = FILE.clone();
    longer.push(0);
    assert_eq!(Proof::from_bytes(&longer).unwrap_err(), ProofError::Form);
    longer.resize(FILE_BYTES_MAX + 1, 0);
    assert!(matches!(Proof::from_bytes(&longer), Err(ProofError::Long { .. })));
}

#[test]
fn a_trace_of_another_height_is_another_shape() {
    // The same bytes with more blocks than the trace has room for.
    let mut file = FILE.clone();
    let blocks = mathematics() - 4 - 8;
    file[blocks..blocks + 8].copy_from_slice(&11_u64.to_be_bytes());
    assert_eq!(Proof::from_bytes(&file).unwrap_err(), ProofError::Shape);
    file[blocks..blocks + 8].copy_from_slice(&2846_u64.to_be_bytes());
    assert_eq!(Proof::from_bytes(&file).unwrap_err(), ProofError::Statement);
}

#[test]
fn a_length_that_is_spelled_in_more_bytes_is_refused() {
    // The last number is the trace's height, then four bytes: 9 as one byte, and as two.
    let at = FILE.len() - 5;
    assert_eq!(FILE[at], 9, "the height of 300 bytes, masked");
    let mut file = FILE[..at].to_vec();
    file.extend([0x89, 0x00]);
    file.extend(&FILE[at + 1..]);
    let field = mathematics() - 4;
    let length = (FILE.len() - mathematics() + 1) as u32;
    file[field..field + 4].copy_from_slice(&length.to_be_bytes());
    assert_eq!(Proof::from_bytes(&file).unwrap_err(), ProofError::Spelling);
}

/// Changes one part of a proof.
type Change = fn(&mut Inner);

fn fewer<T>(parts: &mut Vec<T>) {
    parts.pop();
}

/// A part too few, and one too many, of everything that has parts.
const PARTS: &[(&str, Change)] = &[
    ("random commitment", |it| it.commitments.random = None),
    ("trace, fewer", |it| fewer(&mut it.opened_values.trace_local)),
    ("trace, more", |it| it.opened_values.trace_local.push(Default::default())),
    ("next row", |it| it.opened_values.trace_next = None),
    ("next row, fewer", |it| fewer(it.opened_values.trace_next.as_mut().unwrap())),
    ("quotient", |it| fewer(&mut it.opened_values.quotient_chunks)),
    ("quotient's part", |it| fewer(&mut it.opened_values.quotient_chunks[0])),
    ("quotient, none", |it| it.opened_values.quotient_chunks.clear()),
    ("random, none", |it| it.opened_values.random = None),
    ("random, fewer", |it| fewer(it.opened_values.random.as_mut().unwrap())),
    ("height, less", |it| it.degree_bits -= 1),
    ("height, more", |it| it.degree_bits += 1),
    ("height, none", |it| it.degree_bits = 0),
    ("height, most", |it| it.degree_bits = usize::MAX),
    ("masks, fewer", |it| fewer(&mut it.opening_proof.0)),
    ("masks of a commitment", |it| fewer(&mut it.opening_proof.0[1])),
    ("masks of a matrix", |it| fewer(&mut it.opening_proof.0[1][0])),
    ("masks of a point", |it| fewer(&mut it.opening_proof.0[1][0][0])),
    ("masks, more", |it| it.opening_proof.0[1][0][0].push(Default::default())),
    ("folds", |it| fewer(&mut it.opening_proof.1.commit_phase_commits)),
    ("folds, none", |it| it.opening_proof.1.commit_phase_commits.clear()),
    ("work", |it| fewer(&mut it.opening_proof.1.commit_pow_witnesses)),
    ("openings", |it| fewer(&mut it.opening_proof.1.input_openings)),
    ("queries", |it| fewer(&mut it.opening_proof.1.input_openings[1].opened_values)),
    ("matrices", |it| fewer(&mut it.opening_proof.1.input_openings[1].opened_values[0])),
    ("row", |it| fewer(&mut it.opening_proof.1.input_openings[1].opened_values[0][0])),
    ("row, more", |it| {
        it.opening_proof.1.input_openings[1].opened_values[0][0].push(Default::default());
    }),
    ("salts", |it| fewer(&mut it.opening_proof.1.input_openings[1].opening_proof.0)),
    ("salts of a query", |it| fewer(&mut it.opening_proof.1.input_openings[1].opening_proof.0[0])),
    ("salt", |it| fewer(&mut it.opening_proof.1.input_openings[1].opening_proof.0[0][0])),
    ("way", |it| {
        fewer(&mut it.opening_proof.1.input_openings[1].opening_proof.1.sibling_hashes);
    }),
    ("way, more", |it| {
        it.opening_proof.1.input_openings[1].opening_proof.1.sibling_hashes.push([0; 32]);
    }),
    ("way, none", |it| {
        it.opening_proof.1.input_openings[0].opening_proof.1.sibling_hashes.clear();
    }),
    ("steps", |it| fewer(&mut it.opening_proof.1.commit_phase_openings)),
    ("siblings", |it| fewer(&mut it.opening_proof.1.commit_phase_openings[0].sibling_values)),
    ("sibling", |it| fewer(&mut it.opening_proof.1.commit_phase_openings[0].sibling_values[0])),
    ("way of a fold", |it| {
        fewer(&mut it.opening_proof.1.commit_phase_openings[0].opening_proof.1.sibling_hashes);
    }),
    ("salt of a fold", |it| {
        it.opening_proof.1.commit_phase_openings[0].opening_proof.0.clear();
    }),
    ("end, none", |it| it.opening_proof.1.final_poly.clear()),
    ("end, more", |it| it.opening_proof.1.final_poly.push(Default::default())),
];

#[test]
fn a_part_too_few_or_too_many_is_refused_and_the_library_does_not_panic() {
    let statement = Proof::from_bytes(&FILE).unwrap().statement().clone();
    let inner = &FILE[mathematics()..];
    for (part, change) in PARTS {
        let mut proof: Inner = postcard::from_bytes(inner).unwrap();
        change(&mut proof);
        assert!(!library_holds(&statement, &proof), "{part}");
        let file = Proof::new(statement.clone(), proof).to_bytes().unwrap();
        assert!(!holds(&file), "{part}");
    }
}
