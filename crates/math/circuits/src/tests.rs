//! Proofs: made, checked, changed, and taken for others.

use std::sync::LazyLock;

use proptest::prelude::*;
use symbolon_ambient::{SeededRng, SystemRng};

use crate::statements::{
    Binding, Facts, Statement, age, binding, capsule, claim, identity, key, nationality,
    relation::Circuit, returning, validity,
};
use crate::testing::{Person, at, day, off, person, secret};
use crate::{
    BatchError, ClaimType, Claimed, Fr, Hidden, Nonce, PROOF_BYTES_MAX, Proof, ProveError,
    ProvingKey, Session, VerifyError, VerifyingKey, WitnessError, prove, verify, verify_batch,
};

/// A statement with its proof and its keys.
struct Proven<S: Statement> {
    proving: ProvingKey<S>,
    verifying: VerifyingKey<S>,
    statement: S,
    proof: Proof,
}

impl<S: Statement> Proven<S> {
    fn make(statement: S, witness: S::Witness<'_>) -> Self {
        let proving = ProvingKey::make().unwrap();
        let verifying = VerifyingKey::pinned().unwrap();
        let proof = prove(&proving, &statement, witness, &SystemRng).unwrap();
        Self { proving, verifying, statement, proof }
    }

    fn check(&self, statement: &S, proof: &Proof) -> Result<(), VerifyError> {
        verify(&self.verifying, statement, proof)
    }
}

static PERSON: LazyLock<Person> = LazyLock::new(|| person("2000-05-17", "DEU", "2030-01-31"));

fn facts() -> Facts {
    Facts { date: day("2026-11-22"), years: 18, group: "EU/1".parse().unwrap() }
}

fn bound(session: &Session) -> Binding {
    Binding::of(session, &PERSON.holder, &PERSON.claims)
}

fn aged(session: Session) -> age::Age {
    age::Age { session, binding: bound(&session), date: day("2026-11-22"), years: 18 }
}

static AGE: LazyLock<Proven<age::Age>> = LazyLock::new(|| {
    let witness = age::Witness { claims: &PERSON.claims, holder: &PERSON.holder };
    Proven::make(aged(at("https://shop.example")), witness)
});

fn identified(session: Session) -> identity::Identity {
    let nullifier = identity::Nullifier::of(&session, &PERSON.holder, 3);
    identity::Identity {
        session,
        binding: bound(&session),
        facts: facts(),
        issuer: PERSON.issuer.public(),
        unique: Some(identity::Uniqueness { epoch: 3, nullifier }),
    }
}

static IDENTITY: LazyLock<Proven<identity::Identity>> = LazyLock::new(|| {
    let Person { claims, holder, signature, .. } = &*PERSON;
    let witness = identity::Witness { claims, holder, signature };
    Proven::make(identified(at("https://shop.example")), witness)
});

/// Each public input changed is refused, by the verifier and before the prover.
fn changed_inputs<S: Statement>(of: &Proven<S>, witness: &S::Opened) {
    let publics = of.statement.publics();
    let claimed = Claimed::new(&of.verifying, &of.statement, &of.proof);
    assert_eq!(claimed.check(), Ok(()));
    for at in 0..publics.len() {
        let mut claimed = Claimed::new(&of.verifying, &of.statement, &of.proof);
        claimed.publics[at] = off(claimed.publics[at]);
        assert_eq!(claimed.check(), Err(VerifyError::Refused), "public input {at}");
    }
    for length in [0, publics.len() - 1] {
        let mut claimed = Claimed::new(&of.verifying, &of.statement, &of.proof);
        claimed.publics.truncate(length);
        assert_eq!(claimed.check(), Err(VerifyError::Refused));
        assert_eq!(S::broken(&claimed.publics, witness), [0]);
    }
    let mut claimed = Claimed::new(&of.verifying, &of.statement, &of.proof);
    claimed.publics.push(Fr::from(0));
    assert_eq!(claimed.check(), Err(VerifyError::Refused), "one more");
}

/// Changed bytes of a proof, at each `step`th place.
fn changed_bytes<S: Statement>(of: &Proven<S>, step: usize) {
    for at in (0..of.proof.0.len()).step_by(step) {
        let mut proof = of.proof.clone();
        proof.0[at] ^= 1 << (at % 8);
        assert_eq!(of.check(&of.statement, &proof), Err(VerifyError::Refused), "byte {at}");
    }
}

#[test]
fn every_statement_is_proven_and_each_public_input_counts() {
    let session = at("https://shop.example");
    let (claims, holder) = (&PERSON.claims, &PERSON.holder);
    let binding = bound(&session);
    let date = day("2026-11-22");

    let witness = age::Witness { claims, holder };
    changed_inputs(&*AGE, &AGE.statement.open(witness).unwrap());

    let statement = validity::Validity { session, binding, date };
    let witness = validity::Witness { claims, holder };
    let proven = Proven::make(statement, witness);
    changed_inputs(&proven, &statement.open(witness).unwrap());
    changed_bytes(&proven, 97);

    let statement = nationality::Nationality { session, binding, group: facts().group };
    let witness = nationality::Witness { claims, holder };
    let proven = Proven::make(statement, witness);
    changed_inputs(&proven, &statement.open(witness).unwrap());
    changed_bytes(&proven, 97);

    let statement = binding::Bound { session, binding, date };
    let witness = binding::Witness { claims, holder };
    let proven = Proven::make(statement, witness);
    changed_inputs(&proven, &statement.open(witness).unwrap());
    changed_bytes(&proven, 97);

    let kind = ClaimType::DOCUMENT_NUMBER;
    let predicate = claim::Predicate::equals(kind, b"L898902C3").unwrap();
    let statement = claim::Says { session, binding, kind, predicate };
    let witness = claim::Witness { claims, holder };
    let proven = Proven::make(statement, witness);
    changed_inputs(&proven, &statement.open(witness).unwrap());
    changed_bytes(&proven, 97);

    let api = key::ApiKey::new(&secret("sk_live_0123456789abcdef")).unwrap();
    let blind = Hidden::make(&SeededRng::new(3));
    let commitment = api.commitment(&blind, &session);
    let statement = key::Key { session, commitment, device: key::Key::device(b"device") };
    let witness = key::Witness { key: &api, blind: &blind };
    let proven = Proven::make(statement, witness);
    changed_inputs(&proven, &statement.open(witness).unwrap());
    changed_bytes(&proven, 97);

    let statement = returning::Returning { session, binding, facts: facts() };
    let witness = returning::Witness { claims, holder };
    let proven = Proven::make(statement, witness);
    changed_inputs(&proven, &statement.open(witness).unwrap());
    changed_bytes(&proven, 97);
}

#[test]
fn an_identity_is_proven_and_every_input_and_a_spread_of_bytes_count() {
    let Person { claims, holder, signature, .. } = &*PERSON;
    let witness = identity::Witness { claims, holder, signature };
    changed_inputs(&*IDENTITY, &IDENTITY.statement.open(witness).unwrap());
    changed_bytes(&*IDENTITY, 13);
}

#[test]
fn a_capsule_is_proven_and_every_input_and_a_spread_of_bytes_count() {
    let publisher = crate::IssuerKey::make(&SeededRng::new(1));
    let description = capsule::Description::new(&[7; 64], "hello/1.0.0", b"{}");
    let (salt, rng) = (Hidden::make(&SeededRng::new(3)), SeededRng::new(2));
    let signature = description.sign(&publisher, &rng);
    let statement = capsule::Capsule {
        receipt: capsule::Capsule::receipt(&[4; 32]),
        policy: description.policy(),
        publisher: publisher.public(),
        commitment: description.commit(&salt),
    };
    let witness =
        capsule::Witness { description: &description, salt: &salt, signature: &signature };
    let proven = Proven::make(statement, witness);
    changed_inputs(&proven, &statement.open(witness).unwrap());
    changed_bytes(&proven, 13);
    // Nor is it one for another receipt, or of another commitment to the same component.
    let receipt = capsule::Capsule::receipt(&[5; 32]);
    let other = capsule::Capsule { receipt, ..statement };
    assert_eq!(proven.check(&other, &proven.proof), Err(VerifyError::Refused));
    let commitment = description.commit(&Hidden::make(&SeededRng::new(9)));
    let other = capsule::Capsule { commitment, ..statement };
    assert_eq!(proven.check(&other, &proven.proof), Err(VerifyError::Refused));
    let refused = prove(&proven.proving, &other, witness, &SystemRng).err();
    assert_eq!(refused, Some(ProveError::Witness(WitnessError::Constraint(3))));
}

/// All bytes of one proof; of the others a spread.
#[test]
fn every_byte_of_a_proof_counts() {
    changed_bytes(&*AGE, 1);
}

#[test]
fn a_proof_is_for_its_nonce_audience_account_binding_date_and_age_alone() {
    let other = |audience: &str, account: &str, nonce: u8| {
        Session::new(Nonce([nonce; 16]), audience.as_bytes(), account.as_bytes()).unwrap()
    };
    let (shop, own) = ("https://shop.example", "account-1");
    let statement = AGE.statement;
    assert_eq!(AGE.check(&statement, &AGE.proof), Ok(()));
    for session in [other(shop, own, 8), other("https://b", own, 7), other(shop, "account-2", 7)] {
        // The binding as it was, and as it would be there.
        for binding in [statement.binding, bound(&session)] {
            let there = age::Age { session, binding, ..statement };
            assert_eq!(AGE.check(&there, &AGE.proof), Err(VerifyError::Refused));
        }
    }
    for changed in [
        age::Age { date: day("2026-11-23"), ..statement },
        age::Age { years: 17, ..statement },
        age::Age { years: 21, ..statement },
    ] {
        assert_eq!(AGE.check(&changed, &AGE.proof), Err(VerifyError::Refused));
    }
}

/// Statements of one shape, by lengths and kinds of their public inputs, do not take each other's
/// proofs; nor does another version, whose id alone is another.
#[test]
fn a_proof_of_one_statement_is_none_of_another() {
    let session = at("https://shop.example");
    let (claims, holder) = (&PERSON.claims, &PERSON.holder);
    let date = day("2026-11-22");
    let valid = validity::Validity { session, binding: bound(&session), date };
    let proof = Proven::make(valid, validity::Witness { claims, holder }).proof;
    let same = binding::Bound { session, binding: bound(&session), date };
    assert_eq!(valid.publics()[1..], same.publics()[1..]);
    let verifying = VerifyingKey::<binding::Bound>::pinned().unwrap();
    assert_eq!(verify(&verifying, &same, &proof), Err(VerifyError::Refused));
    // With the other's id too.
    let mut claimed = Claimed::new(&verifying, &same, &proof);
    claimed.publics[0] = valid.publics()[0];
    assert_eq!(claimed.check(), Err(VerifyError::Refused));
    // The next version of a statement.
    let mut claimed = Claimed::new(&AGE.verifying, &AGE.statement, &AGE.proof);
    claimed.publics[0] = off(claimed.publics[0]);
    assert_eq!(claimed.check(), Err(VerifyError::Refused));
}

#[test]
fn what_does_not_hold_is_refused_before_it_is_proven() {
    let (claims, holder) = (&PERSON.claims, &PERSON.holder);
    let minor = age::Age { years: 27, ..AGE.statement };
    let witness = age::Witness { claims, holder };
    let refused = prove(&AGE.proving, &minor, witness, &SystemRng).err();
    assert_eq!(refused, Some(ProveError::Witness(WitnessError::Constraint(6))));
}

/// What the library would prove of a false statement is no proof of it.
#[test]
fn a_prover_that_does_not_look_first_gets_nothing_either() {
    let (claims, holder) = (&PERSON.claims, &PERSON.holder);
    let minor = age::Age { years: 27, ..AGE.statement };
    let opened = minor.open(age::Witness { claims, holder }).unwrap();
    let forged = crate::prove::dangerous_prove(&AGE.proving, &minor.publics(), opened, &SystemRng);
    let taken = forged.is_ok_and(|proof| AGE.check(&minor, &proof).is_ok());
    assert!(!taken);
}

#[test]
fn lengths_are_refused_before_anything_is_computed() {
    assert!(Proof::from_bytes(&[]).is_err());
    assert!(Proof::from_bytes(&vec![0; PROOF_BYTES_MAX + 1]).is_err());
    let proof = &AGE.proof.0;
    for length in [1, 47, 48, proof.len() - 1] {
        let short = Proof::from_bytes(&proof[..length]).unwrap();
        let expected = VerifyError::Length { expected: proof.len(), found: length };
        assert_eq!(AGE.check(&AGE.statement, &short), Err(expected));
    }
    let longer = Proof::from_bytes(&[proof, &[0][..]].concat()).unwrap();
    assert!(matches!(AGE.check(&AGE.statement, &longer), Err(VerifyError::Length { .. })));
}

/// A point off the curve, of small order, outside the subgroup, the identity, not canonical, and
/// with other flags, at each place where the proof has a point; scalars at and above the order.
#[test]
fn elements_that_are_none_are_refused_at_each_place() {
    let mut places = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < AGE.proof.0.len() {
        // Points are 48 bytes and have the flag of compression; this proof's scalars do not reach it
        // where they would be read as points, or they do and are then skipped as points.
        if is_point(&AGE.proof.0[at..]) {
            places.0.push(at);
            at += 48;
        } else {
            places.1.push(at);
            at += 32;
        }
    }
    assert_eq!(at, AGE.proof.0.len());
    assert!(places.0.len() > 10 && places.1.len() > 30, "{places:?}");

    // (0, 2) is on the curve and of order three.
    let mut order_three = [0; 48];
    order_three[0] = 0x80;
    let mut identity = [0; 48];
    identity[0] = 0xc0;
    let mut odd_identity = identity;
    odd_identity[47] = 1;
    let mut uncompressed = [0; 48];
    uncompressed[0] = 0x20;
    let over = [0x9f; 48];
    let off_curve = {
        let mut bytes = [0; 48];
        (bytes[0], bytes[47]) = (0x80, 1);
        bytes
    };
    let points =
        [order_three, identity, odd_identity, uncompressed, over, off_curve, [0; 48], [0xff; 48]];
    for place in places.0 {
        for point in points {
            let mut proof = AGE.proof.clone();
            proof.0[place..place + 48].copy_from_slice(&point);
            assert_eq!(AGE.check(&AGE.statement, &proof), Err(VerifyError::Refused), "{place}");
        }
    }
    for place in places.1 {
        // The same scalar again, with the order added: another encoding of the same number.
        let mut proof = AGE.proof.clone();
        add_order(&mut proof.0[place..place + 32]);
        assert_eq!(AGE.check(&AGE.statement, &proof), Err(VerifyError::Refused), "{place}");
        proof.0[place..place + 32].fill(0xff);
        assert_eq!(AGE.check(&AGE.statement, &proof), Err(VerifyError::Refused), "{place}");
        // Columns that this circuit leaves empty open to zero anyway.
        proof.0[place..place + 32].fill(0);
        let same = proof == AGE.proof;
        assert_eq!(AGE.check(&AGE.statement, &proof).is_ok(), same, "{place}");
    }
}

fn is_point(bytes: &[u8]) -> bool {
    use group::GroupEncoding;
    let Some(bytes) = bytes.get(..48) else { return false };
    let mut repr = <midnight_curves::G1Affine as GroupEncoding>::Repr::default();
    repr.as_mut().copy_from_slice(bytes);
    midnight_curves::G1Affine::from_bytes(&repr).is_some().into()
}

fn add_order(scalar: &mut [u8]) {
    let order = crate::Element(-Fr::from(1)).to_bytes();
    let mut carry = 1u16;
    for (byte, add) in scalar.iter_mut().zip(order) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = sum as u8;
        carry = sum >> 8;
    }
    assert_eq!(carry, 0, "it fits into 32 bytes");
}

#[test]
fn a_batch_is_taken_whole_or_says_which_is_not_good() {
    assert_eq!(verify_batch(&[]), Err(BatchError::Empty));
    let mut bad = AGE.proof.clone();
    bad.0[100] ^= 1;
    let short = Proof::from_bytes(&AGE.proof.0[1..]).unwrap();
    let good = || Claimed::new(&AGE.verifying, &AGE.statement, &AGE.proof);
    let other = || Claimed::new(&IDENTITY.verifying, &IDENTITY.statement, &IDENTITY.proof);
    let wrong = age::Age { years: 19, ..AGE.statement };

    assert_eq!(verify_batch(&[good()]), Ok(()));
    assert_eq!(verify_batch(&[good(), other(), good(), other()]), Ok(()));
    let batch = [
        good(),
        Claimed::new(&AGE.verifying, &AGE.statement, &bad),
        other(),
        Claimed::new(&AGE.verifying, &wrong, &AGE.proof),
        Claimed::new(&AGE.verifying, &AGE.statement, &short),
        good(),
    ];
    assert_eq!(verify_batch(&batch), Err(BatchError::Refused(vec![1, 3, 4])));
    assert_eq!(verify_batch(&batch[1..2]), Err(BatchError::Refused(vec![0])));
    let many: Vec<_> = (0..1025).map(|_| good()).collect();
    assert_eq!(verify_batch(&many), Err(BatchError::TooMany));
}

/// Two bad proofs whose errors would cancel out if a batch were a plain sum.
#[test]
fn proofs_that_were_exchanged_do_not_make_each_other_good() {
    let a = aged(at("https://a.example"));
    let b = aged(at("https://b.example"));
    let (claims, holder) = (&PERSON.claims, &PERSON.holder);
    let witness = age::Witness { claims, holder };
    let of = |s: &age::Age| prove(&AGE.proving, s, witness, &SystemRng).unwrap();
    let (proof_a, proof_b) = (of(&a), of(&b));
    let claimed = |s, p| Claimed::new(&AGE.verifying, s, p);
    assert_eq!(verify_batch(&[claimed(&a, &proof_a), claimed(&b, &proof_b)]), Ok(()));
    let crossed = verify_batch(&[claimed(&a, &proof_b), claimed(&b, &proof_a)]);
    assert_eq!(crossed, Err(BatchError::Refused(vec![0, 1])));
}

#[test]
fn proofs_of_one_statement_are_never_the_same_bytes() {
    let (claims, holder) = (&PERSON.claims, &PERSON.holder);
    let witness = age::Witness { claims, holder };
    let again = prove(&AGE.proving, &AGE.statement, witness, &SystemRng).unwrap();
    assert_eq!(AGE.check(&AGE.statement, &again), Ok(()));
    // What is the same is zero: what columns open to that this circuit leaves empty.
    let same = again.0.chunks(16).zip(AGE.proof.0.chunks(16)).filter(|(a, b)| a == b);
    let (zero, other): (Vec<_>, Vec<_>) = same.partition(|(a, _)| a.iter().all(|b| *b == 0));
    assert_eq!((zero.len(), other.len()), (6, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Bytes of a stranger are refused, and nothing panics.
    #[test]
    fn strangers_bytes_are_refused(
        start in 0usize..2900,
        noise in prop::collection::vec(any::<u8>(), 1..200),
    ) {
        let mut proof = AGE.proof.clone();
        for (byte, by) in proof.0.iter_mut().skip(start).zip(&noise) {
            *byte ^= by;
        }
        let good = proof == AGE.proof;
        prop_assert_eq!(AGE.check(&AGE.statement, &proof).is_ok(), good);
    }
}
