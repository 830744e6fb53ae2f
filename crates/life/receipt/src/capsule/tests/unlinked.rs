//! Receipts by execution keys: with and without the opening, and each check of it broken alone.

use std::collections::HashSet;

use symbolon_trust::{Chain, Execution, Head, HeadError, Opening, OpeningError, Run};

use super::*;

/// A run of one operator, with what it would say of itself.
struct Ran {
    execution: Execution,
    operator: SigningKey,
    opening: Opening,
}

/// Run `number` of the component, in a chain with all those before it and one more.
fn run(operator: u64, number: u64) -> Ran {
    let (operator, mut chain) = (key(operator), Chain::new());
    let component = *ComponentDigest::of(COMPONENT).as_bytes();
    for number in 0..=number + 1 {
        chain.append(&Execution::derive(&operator, &component, number));
    }
    let head = chain.head(&operator);
    let execution = Execution::derive(&operator, &component, number);
    let opening = chain.open(number, &execution, &head).unwrap();
    Ran { execution, operator, opening }
}

fn receipt_of(ran: &Ran) -> CapsuleReceipt {
    let operator = ran.operator.verifying_key();
    let (opening, run) = (&ran.opening, ran.execution.run());
    let draft = draft_by(&documents(|_| ()), Some(&Unlinked { operator: &operator, opening, run }));
    let transcript = draft.transcript();
    draft.prove(proof(ran.execution.key(), &transcript)).unwrap()
}

fn held(verdict: &CapsuleVerdict) -> Vec<&'static str> {
    let held = verdict.checks().iter().filter(|it| matches!(it.seen, Seen::Held(_)));
    held.map(|it| it.name).collect()
}

/// What an operator makes that says something else under the same execution key.
fn dishonest_of(ran: &Ran, name: FieldName, value: Value) -> CapsuleReceipt {
    let mut it = receipt_of(ran);
    let place = it.fields.iter_mut().find(|field| field.name() == name).unwrap();
    *place = Field::commit(name, [9; 32], value);
    it.proof = proof(ran.execution.key(), &it.transcript());
    it
}

fn with_identity(ran: &Ran, change: impl FnOnce(&mut Value)) -> CapsuleReceipt {
    let mut value = receipt_of(ran).dangerous_unverified(FieldName::Identity).unwrap().clone();
    change(&mut value);
    dishonest_of(ran, FieldName::Identity, value)
}

#[test]
fn with_its_opening_it_is_the_operators() {
    let it = receipt_of(&run(3, 2));
    let verdict = verify(&it).unwrap();
    let all =
        ["operator", "identity", "chain", "run", "hash", "state", "publisher", "time"].to_vec();
    assert_eq!(held(&verdict), all);
    let address = onion(&key(3).verifying_key());
    assert_eq!(verdict.onion(), Some(&address[..]));
    assert_eq!(verdict.execution(), Some(&run(3, 2).execution.key().verifying_key()));
    assert_eq!(verdict.value(FieldName::Run).unwrap()["number"], 2);
    assert_eq!(CapsuleReceipt::parse(&it.to_json()), Ok(it.clone()));
    // The component is not needed to say whose it is, and then the run is not shown.
    let named = it.disclose(&[FieldName::Identity, FieldName::Time]);
    assert_eq!(held(&verify(&named).unwrap()), ["operator", "identity", "chain", "time"]);
    let text = String::from_utf8(named.to_json()).unwrap();
    assert!(!text.contains(&ComponentDigest::of(COMPONENT).to_string()));
    // Without a key nobody is said to be its operator.
    let unasked = verify_capsule(&it.to_json(), None, None).unwrap();
    assert_eq!(unasked.onion(), None);
    assert!(!held(&unasked).contains(&"operator") && held(&unasked).contains(&"chain"));
    let other = OperatorKey::from(key(8).verifying_key());
    let got = verify_capsule(&it.to_json(), Some(&other), None);
    assert_eq!(got, Err(CapsuleError::Operator));
}

#[test]
fn without_its_opening_it_is_nobodys() {
    let it = receipt_of(&run(3, 0)).disclose(FieldName::STANDARD);
    assert_eq!(verify(&it), Err(CapsuleError::Unlinked));
    let verdict = verify_capsule(&it.to_json(), None, Some(&keys(1).public())).unwrap();
    assert_eq!(held(&verdict), ["identity", "hash", "state", "publisher", "time"]);
    assert_eq!(verdict.onion(), None);
    // The run alone ties it to nobody either.
    let it = receipt_of(&run(3, 0)).disclose(&[FieldName::Run, FieldName::Component]);
    assert_eq!(verify(&it), Err(CapsuleError::Unlinked));
    let verdict = verify_capsule(&it.to_json(), None, None).unwrap();
    assert_eq!(held(&verdict), ["identity"]);
}

#[test]
fn two_of_one_operator_have_nothing_in_common_but_what_every_receipt_has() {
    let withheld = |operator, number, seed| {
        let ran = run(operator, number);
        let mut it = receipt_of(&ran);
        // Salts as a kernel would give them: other ones for each receipt.
        for (at, field) in it.fields.iter_mut().enumerate() {
            let value = field.shown().unwrap().1.clone();
            let salt = symbolon_ambient::Rng::bytes(&SeededRng::new(seed + at as u64));
            *field = Field::commit(field.name(), salt, value);
        }
        let transcript = capsule_statement(&it.transcript());
        it.proof = prove_identity(ran.execution.key(), &transcript, &SeededRng::new(seed));
        it.disclose(&[]).to_json()
    };
    let parts = |json: &[u8]| {
        let it: Value = serde_json::from_slice(json).unwrap();
        let mut texts = vec![it["execution"].clone(), it["verificationKey"]["keyid"].clone()];
        texts.push(it["proof"].clone());
        texts.extend(it["fields"].as_array().unwrap().iter().map(|it| it["commitment"].clone()));
        let bytes = texts.iter().flat_map(|it| hex::decode(it.as_str().unwrap()).unwrap());
        let bytes: Vec<u8> = bytes.collect();
        bytes.windows(16).map(<[u8]>::to_vec).collect::<HashSet<_>>()
    };
    let (one, two) = (withheld(3, 0, 100), withheld(3, 1, 200));
    assert!(parts(&one).is_disjoint(&parts(&two)));
    // What is no key, commitment or proof is the same in a receipt of another operator.
    let constants = |json: &[u8]| {
        let text = String::from_utf8(json.to_vec()).unwrap();
        let is_constant =
            |word: &&str| word.len() < 64 || !word.bytes().all(|b| b.is_ascii_hexdigit());
        text.split('"').filter(is_constant).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(constants(&one), constants(&withheld(8, 0, 300)));
    for json in [&one, &two] {
        let text = String::from_utf8(json.clone()).unwrap();
        let operator = key(3).verifying_key();
        assert!(!text.contains(&onion(&operator)) && !text.contains("onion"));
        assert!(!text.contains(&hex::encode(operator.as_bytes())));
    }
}

#[test]
fn an_opening_of_another_key_operator_or_chain_is_refused() {
    let ran = run(3, 1);
    let value = |ran: &Ran| receipt_of(ran).dangerous_unverified(FieldName::Identity).cloned();
    // The opening of another run of the same operator.
    let it = dishonest_of(&ran, FieldName::Identity, value(&run(3, 0)).unwrap());
    assert_eq!(verify(&it), Err(CapsuleError::Execution));
    // Of another operator, who is then not the one that was asked for.
    let it = dishonest_of(&ran, FieldName::Identity, value(&run(8, 1)).unwrap());
    assert_eq!(verify(&it), Err(CapsuleError::Operator));
    // Another operator's chain under this operator's name.
    let foreign = value(&run(8, 1)).unwrap();
    let it = with_identity(&ran, |it| it["opening"]["head"] = foreign["opening"]["head"].clone());
    let expected = CapsuleError::Opening(HeadError::Signature.into());
    assert_eq!(verify(&it), Err(expected));
    // The key of a stranger, whose owner would like to be taken for this operator.
    let stranger = run(8, 1);
    let it = with_identity(&stranger, |it| {
        *it = value(&ran).unwrap();
        it["opening"]["key"] = json!(stranger.execution.key().verifying_key());
    });
    let got = verify(&it);
    assert!(matches!(got, Err(CapsuleError::Opening(OpeningError::Inclusion(_)))), "{got:?}");
    // A foreign head that this operator signed for somebody else's sake.
    let other = stranger.opening;
    let bytes = serde_json::to_value(&other).unwrap()["head"]["bytes"].clone();
    let bytes = hex::decode(bytes.as_str().unwrap()).unwrap();
    let signature = key(3).sign(&bytes);
    let it = with_identity(&ran, |it| it["opening"]["head"] = json!(Head::new(bytes, signature)));
    assert_eq!(verify(&it), Err(CapsuleError::Opening(HeadError::Root.into())));
    let it = with_identity(&ran, |it| it["onion"] = json!(onion(&key(8).verifying_key())));
    assert_eq!(verify(&it), Err(CapsuleError::Operator));
    let it = with_identity(&ran, |it| it["more"] = json!(1));
    assert_eq!(verify(&it), Err(CapsuleError::Value(FieldName::Identity)));
}

#[test]
fn each_other_check_of_it_is_broken_alone() {
    let ran = run(3, 1);
    let mut it = receipt_of(&ran);
    it.keyid = sha256(key(3).verifying_key().as_bytes());
    assert_eq!(verify(&it), Err(CapsuleError::Key));
    // Proven by the operator's key, or by the key of another run.
    let other = run(3, 0).execution;
    for by in [&key(3), other.key()] {
        let mut it = receipt_of(&ran);
        it.proof = proof(by, &it.transcript());
        assert_eq!(verify(&it), Err(CapsuleError::Identity(IdentityError::Equation)));
    }
    // Somebody else's value where this one's was committed to.
    let mut it = receipt_of(&ran);
    let foreign = receipt_of(&run(8, 1));
    let at = it.fields.len() - 2;
    let shown = foreign.fields[at].shown().map(|(salt, value)| (*salt, value.clone()));
    it.fields[at] = Field::read(FieldName::Identity, *it.fields[at].commitment(), shown);
    assert_eq!(verify(&it), Err(CapsuleError::Field(FieldName::Identity)));
    let Run { number, salt } = ran.execution.run().clone();
    let it = dishonest_of(&ran, FieldName::Run, json!(Run { number: number + 1, salt }));
    assert_eq!(verify(&it), Err(CapsuleError::Run));
    // A transcript of the standard form, over the same fields, is another one.
    let it = receipt_of(&ran);
    let mut standard = it.clone();
    standard.prover = Prover::operator(&ran.execution.key().verifying_key());
    assert_ne!(it.transcript(), standard.transcript());
}

#[test]
fn one_that_is_damaged_at_any_byte_is_refused_or_the_same() {
    let it = receipt_of(&run(3, 1));
    let (json, good) = (it.to_json(), verify(&it).unwrap());
    for at in (0..json.len()).step_by(5) {
        let mut wrong = json.clone();
        wrong[at] ^= 1;
        if let Ok(verdict) = verify_capsule(&wrong, Some(&operator()), Some(&keys(1).public())) {
            assert_eq!(verdict, good, "byte {at}");
        }
    }
}
