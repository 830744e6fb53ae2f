//! The ceremony's points, the pinned keys, and bytes that are none.

use ff::Field;
use group::{Curve, Group, GroupEncoding};
use midnight_curves::pairing::Engine;
use midnight_curves::{Bls12, G1Affine, G1Projective, G2Affine};
use symbolon_ambient::{Rng, SystemRng};
use symbolon_crypto::sha256;

use super::srs::{TAU, powers::POWERS};
use super::*;
use crate::Fr;
use crate::statements::{
    Statement, age, binding, capsule, claim, identity, key, nationality, returning, validity,
};
use crate::value::{Element, Hidden};

/// Reads every power with all checks: on the curve, canonical, of the subgroup.
fn checked() -> Vec<G1Projective> {
    POWERS
        .chunks(48)
        .map(|bytes| {
            let mut repr = <G1Affine as GroupEncoding>::Repr::default();
            repr.as_mut().copy_from_slice(bytes);
            G1Affine::from_bytes(&repr).expect("a point of the subgroup").into()
        })
        .collect()
}

fn tau() -> G2Affine {
    let mut repr = <G2Affine as GroupEncoding>::Repr::default();
    repr.as_mut().copy_from_slice(TAU);
    G2Affine::from_bytes(&repr).unwrap()
}

/// `e(sum r^i P(i+1), G2) = e(sum r^i P(i), tau G2)` with a random r: each power is the one before
/// it times tau, but for a chance of one in 2^243.
fn in_a_row(powers: &[G1Projective]) -> bool {
    let r = Hidden::make(&SystemRng).element();
    let (mut low, mut high, mut factor) =
        (G1Projective::identity(), G1Projective::identity(), Fr::ONE);
    for two in powers.windows(2) {
        low += two[0] * factor;
        high += two[1] * factor;
        factor *= r;
    }
    let one = G2Affine::from(midnight_curves::G2Projective::generator());
    Bls12::pairing(&high.to_affine(), &one) == Bls12::pairing(&low.to_affine(), &tau())
}

#[test]
fn the_powers_are_powers_of_tau() {
    let mut powers = checked();
    assert_eq!(powers[0], G1Projective::generator());
    assert!(in_a_row(&powers));
    powers[4095] += G1Projective::generator();
    assert!(!in_a_row(&powers), "the last one counts too");
}

/// c-kzg carries the ceremony's file, and commits to a polynomial by its values: our powers commit
/// to the same one by its coefficients, and to the same point. A proof of c-kzg is checked with our
/// tau.
#[test]
fn the_points_are_those_of_ethereums_ceremony() {
    use c_kzg::{Blob, Bytes32, ethereum_kzg_settings};
    let settings = ethereum_kzg_settings(0);
    // f(X) = 5 + 3 X + 7 X^4095.
    let coefficients = [(0usize, 5u64), (1, 3), (4095, 7)];
    let f =
        |x: Fr| -> Fr { coefficients.iter().map(|(i, c)| Fr::from(*c) * x.pow([*i as u64])).sum() };
    // Its values at the roots of unity, in the order of EIP-4844: bits of the index reversed.
    let root = (0..20).fold(<Fr as ff::PrimeField>::ROOT_OF_UNITY, |w, _| w.square());
    let bytes = |x: Fr| -> [u8; 32] {
        let mut big = Element(x).to_bytes();
        big.reverse();
        big
    };
    let mut blob = vec![0; 131_072];
    for (at, out) in blob.chunks_mut(32).enumerate() {
        let place = (at as u64).reverse_bits() >> 52;
        out.copy_from_slice(&bytes(f(root.pow([place]))));
    }
    let blob = Blob::from_bytes(&blob).unwrap();
    let theirs = settings.blob_to_kzg_commitment(&blob).unwrap().to_bytes();

    let powers = checked();
    let ours: G1Projective = coefficients.iter().map(|(i, c)| powers[*i] * Fr::from(*c)).sum();
    assert_eq!(ours.to_affine().to_bytes().as_ref(), theirs.as_ref());

    // e(C - f(z) G, G2) = e(proof, tau - z G2)
    let z = Fr::from(1234);
    let (proof, y) = settings.compute_kzg_proof(&blob, &Bytes32::from(bytes(z))).unwrap();
    assert_eq!(y.as_slice(), bytes(f(z)));
    let mut repr = <G1Affine as GroupEncoding>::Repr::default();
    repr.as_mut().copy_from_slice(proof.to_bytes().as_ref());
    let proof = G1Affine::from_bytes(&repr).unwrap();
    let one = midnight_curves::G2Projective::generator();
    let left = (ours - G1Projective::generator() * f(z)).to_affine();
    let right = (midnight_curves::G2Projective::from(tau()) - one * z).to_affine();
    assert_eq!(Bls12::pairing(&left, &one.to_affine()), Bls12::pairing(&proof, &right));
}

fn pinned<S: Statement>() -> (String, String) {
    let pins = pins::<S>();
    assert_eq!(pins.statement, format!("{}/{}", S::NAME, S::VERSION));
    assert_eq!(S::ID & 0xff, u32::from(S::VERSION));
    assert!(pins.proof_bytes > 0 && pins.proof_bytes <= crate::PROOF_BYTES_MAX);
    VerifyingKey::<S>::pinned().expect("the file is pinned, and of this constraint system");
    (
        hex::encode(VerifyingKey::<S>::sha256()),
        hex::encode(VerifyingKey::<S>::poseidon().to_bytes()),
    )
}

/// Makes the keys again: they are the pinned ones. A circuit that draws one gate otherwise, or a
/// library that does, fails here.
fn remade<S: Statement>() {
    let (key, verifying) = ProvingKey::<S>::make_both().unwrap();
    let pins = pins::<S>();
    assert!(verifying == pins.verifying, "{}: the verifying key", pins.statement);
    let stored = key.write();
    assert_eq!(hex::encode(sha256(&stored).0), hex::encode(pins.proving_sha256));
    assert_eq!(key.proof_bytes(), pins.proof_bytes);

    let again = ProvingKey::<S>::read(&stored).unwrap();
    assert!(again.write() == stored);
    for cut in [0, 1, 4, stored.len() / 2, stored.len() - 1] {
        assert_eq!(ProvingKey::<S>::read(&stored[..cut]).err(), Some(KeyError::NotPinned));
    }
    let mut changed = stored;
    let at = u64::from_le_bytes(SystemRng.bytes()) as usize % changed.len();
    changed[at] ^= 1;
    assert_eq!(ProvingKey::<S>::read(&changed).err(), Some(KeyError::NotPinned), "byte {at}");
}

#[test]
fn keys_made_again_are_the_pinned_ones() {
    remade::<age::Age>();
    remade::<validity::Validity>();
    remade::<nationality::Nationality>();
    remade::<binding::Bound>();
    remade::<key::Key>();
    remade::<claim::Says>();
    remade::<returning::Returning>();
    remade::<identity::Identity>();
    remade::<capsule::Capsule>();
}

#[test]
fn statements_have_keys_of_their_own_and_each_its_number() {
    let keys = [
        pinned::<age::Age>(),
        pinned::<validity::Validity>(),
        pinned::<nationality::Nationality>(),
        pinned::<binding::Bound>(),
        pinned::<key::Key>(),
        pinned::<claim::Says>(),
        pinned::<returning::Returning>(),
        pinned::<identity::Identity>(),
        pinned::<capsule::Capsule>(),
    ];
    let mut hashes: Vec<&String> =
        keys.iter().flat_map(|(sha, poseidon)| [sha, poseidon]).collect();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 18);
    let file = include_str!("../../../../../vectors/circuits/keys.json");
    let listed: Vec<serde_json::Value> = serde_json::from_str(file).unwrap();
    let found: Vec<_> =
        keys.iter().map(|(sha, poseidon)| serde_json::json!([sha, poseidon])).collect();
    let listed: Vec<_> =
        listed.iter().map(|k| serde_json::json!([k["sha256"], k["poseidon"]])).collect();
    assert_eq!(found, listed);
}
