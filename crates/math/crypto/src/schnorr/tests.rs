use symbolon_ambient::SeededRng;

use super::*;
use crate::labels;

fn key(byte: u8) -> ProvingKey {
    let secret = Secret::<[u8]>::make_slice(32, |b| b.fill(byte));
    let salt = Secret::<[u8; 64]>::make(|b| b.fill(7));
    ProvingKey::derive(&secret, &salt, &labels::POSSESSION_SCALAR, b"context").unwrap()
}

#[test]
fn a_proof_holds_for_its_statement_and_point_alone() {
    let (one, two) = (key(1), key(2));
    let proof = one.prove(b"statement", &SeededRng::new(1));
    assert_eq!(one.point().verify(b"statement", &proof), Ok(()));
    assert_eq!(one.point().verify(b"statemenu", &proof), Err(ProofError::Equation));
    assert_eq!(one.point().verify(b"", &proof), Err(ProofError::Equation));
    assert_eq!(two.point().verify(b"statement", &proof), Err(ProofError::Equation));
    let again = one.prove(b"statement", &SeededRng::new(2));
    assert_ne!(proof[..32], again[..32], "another commitment each time");
}

/// A generator that repeats itself does not make one commitment answer two challenges.
#[test]
fn the_same_entropy_never_commits_alike_for_two_statements_or_keys() {
    let of = |key: &ProvingKey, statement: &[u8]| key.prove_with(statement, &[9; 32]);
    let (one, two) = (key(1), key(2));
    assert_eq!(of(&one, b"a"), of(&one, b"a"));
    assert_ne!(of(&one, b"a")[..32], of(&one, b"b")[..32]);
    assert_ne!(of(&one, b"a")[..32], of(&two, b"a")[..32]);
}

#[test]
fn every_bit_of_a_proof_counts() {
    let key = key(3);
    let proof = key.prove(b"s", &SeededRng::new(3));
    for bit in 0..PROOF_BYTES * 8 {
        let mut wrong = proof;
        wrong[bit / 8] ^= 1 << (bit % 8);
        assert!(key.point().verify(b"s", &wrong).is_err(), "bit {bit}");
    }
}

/// RFC 9496, appendix A.3: encodings that must not decode, one of each kind.
#[test]
fn points_have_one_spelling_and_are_not_the_identity() {
    assert_eq!(Point::from_bytes(&[0; 32]), Err(PointError::Identity));
    for bad in [
        // Not below the prime.
        "00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        // Negative.
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ed57ffd8c914fb201471d1c3d245ce3c746fcbe63a3679d51b6a516ebebe0e20",
        // x squared is no square.
        "26948d35ca62e643e26a83177332e6b6afeb9d08e4268b650f1f5bbd8d81d371",
        // xy is negative.
        "3eb858e78f5a7254d8c9731174a94f76755fd3941c0ac93735c07ba14579630e",
        // s is -1.
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ] {
        let bytes: [u8; 32] = hex::decode(bad).unwrap().try_into().unwrap();
        assert_eq!(Point::from_bytes(&bytes), Err(PointError::Encoding), "{bad}");
    }
    // RFC 9496, appendix A.1: the generator.
    let generator = "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76";
    let bytes: [u8; 32] = hex::decode(generator).unwrap().try_into().unwrap();
    let one = ProvingKey::of(Secret::place(|| Scalar::ONE)).unwrap();
    assert_eq!(Point::from_bytes(&bytes), Ok(one.point()));
    let zero = ProvingKey::of(Secret::place(|| Scalar::ZERO));
    assert_eq!(zero.unwrap_err(), PointError::Identity);
}

#[test]
fn each_half_of_a_proof_is_told_apart() {
    let key = key(4);
    let proof = key.prove(b"s", &SeededRng::new(4));
    let with = |at: usize, half: [u8; 32]| {
        let mut wrong = proof;
        wrong[at..at + 32].copy_from_slice(&half);
        key.point().verify(b"s", &wrong)
    };
    assert_eq!(with(0, [0; 32]), Err(ProofError::Commitment(PointError::Identity)));
    assert_eq!(with(0, [0xff; 32]), Err(ProofError::Commitment(PointError::Encoding)));
    assert_eq!(with(32, [0xff; 32]), Err(ProofError::Scalar));
    // The same response once more around the group.
    let order: [u8; 32] =
        hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
            .unwrap()
            .try_into()
            .unwrap();
    let mut carry = 0;
    let mut more = halves(&proof).1;
    for (s, l) in more.iter_mut().zip(order) {
        let sum = u16::from(*s) + u16::from(l) + carry;
        (*s, carry) = (sum as u8, sum >> 8);
    }
    assert_eq!(with(32, more), Err(ProofError::Scalar));
    assert_eq!(with(32, order), Err(ProofError::Scalar));
    assert_eq!(with(32, [0; 32]), Err(ProofError::Equation));
}

#[test]
fn every_input_changes_the_scalar() {
    let secret = |byte: u8| Secret::<[u8]>::make_slice(32, |b| b.fill(byte));
    let salt = |byte: u8| Secret::<[u8; 64]>::make(|b| b.fill(byte));
    let label = &labels::POSSESSION_SCALAR;
    let of = |s, t, label, context: &[u8]| {
        *ProvingKey::derive(&secret(s), &salt(t), label, context).unwrap().point().as_bytes()
    };
    let base = of(1, 2, label, b"c");
    assert_eq!(base, of(1, 2, label, b"c"));
    for other in [
        of(2, 2, label, b"c"),
        of(1, 3, label, b"c"),
        of(1, 2, label, b"d"),
        of(1, 2, &labels::FIELD, b"c"),
    ] {
        assert_ne!(base, other);
    }
}
