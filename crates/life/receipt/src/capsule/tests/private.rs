//! Receipts that do not say which capsule ran: what they show, what they hide, and each part of them broken alone.

use std::sync::LazyLock;

use symbolon_circuits::{IssuerKey, Proof, ProvingKey, prove};
use symbolon_crypto::RecipientSecret;
use symbolon_secret::Secret;

use super::*;

static PROVING: LazyLock<ProvingKey<symbolon_circuits::capsule::Capsule>> =
    LazyLock::new(|| ProvingKey::make().unwrap());
/// Making one takes a while.
static RECEIPT: LazyLock<CapsuleReceipt> = LazyLock::new(|| receipt_of(&published(|_| ()), 4));

fn statements(seed: u64) -> IssuerKey {
    IssuerKey::make(&SeededRng::new(seed))
}

/// A manifest with its statement, below a certificate that names the key.
fn published(change: impl Fn(&mut Manifest)) -> Documents {
    let digest = ComponentDigest::of(COMPONENT);
    let mut manifest = Manifest::template("hello", digest, COMPONENT.len() as u64);
    change(&mut manifest);
    manifest.sign_statement(Some(&statements(12)), &SeededRng::new(6));
    let mut all = documents(|it| *it = manifest.clone());
    all.certificate = certificate(Some(12));
    all
}

fn certificate(statement_key: Option<u64>) -> Vec<u8> {
    let mut publisher = keys(2).public();
    publisher.jubjub = statement_key.map(|seed| statements(seed).public().into());
    let certificate = Certificate {
        ceiling: Ceiling::plain(),
        keys: publisher,
        not_after_ms: NOW + 1000,
        not_before_ms: NOW - 1000,
        number: 7,
        publisher: "acme".into(),
    };
    Envelope::sign(Kind::Certificate, certificate.to_bytes(), &keys(1)).unwrap().to_json()
}

fn draft_of(documents: &Documents, seed: u64) -> Result<PrivateDraft, DraftError> {
    let admitted = admitted(documents);
    let facts = facts(documents);
    let satisfied = satisfied(&admitted);
    let operator = key(3).verifying_key();
    PrivateDraft::new(&admitted, &satisfied, &facts, &operator, &SeededRng::new(seed))
}

fn receipt_of(documents: &Documents, seed: u64) -> CapsuleReceipt {
    let draft = draft_of(documents, seed).unwrap();
    let shown = prove(&PROVING, &draft.statement(), draft.witness(), &SeededRng::new(7)).unwrap();
    let identity = proof(&key(3), &draft.transcript());
    draft.prove(identity, shown).unwrap()
}

/// The operator's proof again, after its receipt was changed.
fn proven_again(mut it: CapsuleReceipt) -> CapsuleReceipt {
    it.proof = proof(&key(3), &it.transcript());
    it
}

fn changed(name: FieldName, value: Value) -> CapsuleReceipt {
    let mut it = RECEIPT.clone();
    let place = it.fields.iter_mut().find(|field| field.name() == name).unwrap();
    *place = Field::commit(name, [9; 32], value);
    proven_again(it)
}

#[test]
fn it_shows_publisher_and_policy_and_not_the_capsule() {
    let shared = RECEIPT.disclose(FieldName::PRIVATE_SHOWN);
    let verdict = verify(&shared).unwrap();
    let names: Vec<_> = verdict.checks().iter().map(|it| it.name).collect();
    let all = ["operator", "identity", "capsule", "state", "publisher", "time", "inclusion"];
    assert_eq!(names, all);
    assert!(verdict.checks()[..6].iter().all(|it| matches!(it.seen, Seen::Held(_))));
    assert!(verdict.is_private());
    assert_eq!(CapsuleReceipt::parse(&shared.to_json()), Ok(shared.clone()));

    // Nothing of the component, its name or the manifest is in the file, as text or inside of an envelope.
    let text = String::from_utf8(shared.to_json()).unwrap();
    let manifest = published(|_| ()).manifest;
    let manifest: Value = serde_json::from_slice(&manifest).unwrap();
    let digest = ComponentDigest::of(COMPONENT).to_string();
    for secret in ["hello", &digest, manifest["payload"].as_str().unwrap()] {
        assert!(!text.contains(secret), "{secret}");
    }
    for name in ["capsule", "manifest", "publisher", "identity", "run"] {
        assert!(!shared.has(name.parse().unwrap()), "{name}");
    }
    for name in [FieldName::Component, FieldName::Input, FieldName::Output, FieldName::Use] {
        assert!(shared.has(name) && verdict.value(name).is_none(), "{name}");
    }
    // Its input can be shown; the component cannot, and what the proof is about cannot be withheld.
    let more = RECEIPT.disclose(&[FieldName::Input, FieldName::Component]);
    let verdict = verify(&more).unwrap();
    assert_eq!(verdict.value(FieldName::Input), Some(&json!(sha256(b"in"))));
    assert!(verdict.value(FieldName::Certificate).is_some());
    assert!(verdict.value(FieldName::Policy).is_some());
    assert_eq!(verdict.value(FieldName::Component), None);
}

/// Of two capsules of one publisher, and of two runs of one capsule, two receipts look alike.
#[test]
fn two_receipts_have_in_common_what_every_such_receipt_has() {
    let texts = |it: &CapsuleReceipt| {
        let json: Value = serde_json::from_slice(&it.disclose(&[]).to_json()).unwrap();
        let fields = json["fields"].as_array().unwrap().clone();
        let mut all: Vec<Value> = fields.into_iter().map(|it| it["commitment"].clone()).collect();
        all.extend([json["proof"].clone(), json["statement"]["proof"].clone()]);
        all
    };
    let again = receipt_of(&published(|_| ()), 400);
    let other = receipt_of(&published(|it| it.version = "7.0.0".into()), 500);
    let (one, again, other) = (texts(&RECEIPT), texts(&again), texts(&other));
    for two in [&again, &other] {
        assert!(one.iter().all(|it| !two.contains(it)));
    }
}

#[test]
fn a_receipt_without_a_statement_to_prove_is_not_drafted() {
    let plain = documents(|_| ());
    assert_eq!(draft_of(&plain, 4).unwrap_err(), DraftError::NoStatement);
    // The envelope of another certificate, which names no key, or another key.
    let mut mixed = published(|_| ());
    let admitted = admitted(&mixed);
    mixed.certificate = certificate(None);
    let facts = Facts {
        manifest: &mixed.manifest,
        certificate: &mixed.certificate,
        started_ms: NOW,
        completed_ms: NOW,
        input: b"",
        output: b"",
        fuel: 0,
        memory_bytes: 0,
    };
    let (satisfied, operator) = (satisfied(&admitted), key(3).verifying_key());
    let rng = SeededRng::new(4);
    let got = PrivateDraft::new(&admitted, &satisfied, &facts, &operator, &rng);
    assert_eq!(got.unwrap_err(), DraftError::NoStatement);
    let certificate = certificate(Some(13));
    let facts = Facts { certificate: &certificate, ..facts };
    let draft = PrivateDraft::new(&admitted, &satisfied, &facts, &operator, &rng).unwrap();
    assert!(prove(&PROVING, &draft.statement(), draft.witness(), &rng).is_err());
}

#[test]
fn a_draft_takes_the_proofs_of_its_own_receipt_alone() {
    let documents = published(|_| ());
    let (draft, other) = (draft_of(&documents, 4).unwrap(), draft_of(&documents, 5).unwrap());
    let of = |draft: &PrivateDraft| {
        prove(&PROVING, &draft.statement(), draft.witness(), &SeededRng::new(7)).unwrap()
    };
    let (shown, others) = (of(&draft), of(&other));
    let identity = proof(&key(3), &draft.transcript());
    assert_eq!(draft.prove(identity, others).unwrap_err(), DraftError::Statement);
    let draft = draft_of(&documents, 4).unwrap();
    let wrong = proof(&key(8), &draft.transcript());
    let expected = DraftError::Identity(IdentityError::Equation);
    assert_eq!(draft.prove(wrong, shown).unwrap_err(), expected);
}

/// What the operator's own proof covers, and the statement's does not take.
#[test]
fn each_public_input_of_the_statement_counts() {
    // Another policy, which is easier to satisfy, and one that is the same but for nothing that was asked of it.
    let mut policy = symbolon_capsule::Policy::strict();
    policy.landlock_abi = 0;
    assert_eq!(verify(&changed(FieldName::Policy, json!(policy))), Err(CapsuleError::NotShown));
    // Another certificate of the same publisher, with another key of statements, and with none.
    let value = |seed| serde_json::from_slice(&certificate(seed)).unwrap();
    let it = changed(FieldName::Certificate, value(Some(13)));
    assert_eq!(verify(&it), Err(CapsuleError::NotShown));
    let it = changed(FieldName::Certificate, value(None));
    assert_eq!(verify(&it), Err(CapsuleError::NoStatementKey));
    // Another commitment, and one that is no element.
    let hidden = |bytes| {
        let mut it = RECEIPT.clone();
        it.fields[1] = Field::read(FieldName::Component, Digest32(bytes), None);
        proven_again(it)
    };
    assert_eq!(verify(&hidden([1; 32])), Err(CapsuleError::NotShown));
    let expected = CapsuleError::Value(FieldName::Component);
    assert_eq!(verify(&hidden([0xff; 32])), Err(expected));
    // Another receipt: time, output, and the salt of any field are in its transcript.
    let time = json!({ "started_ms": NOW + 1, "completed_ms": NOW + 5 });
    assert_eq!(verify(&changed(FieldName::Time, time)), Err(CapsuleError::NotShown));
    let it = changed(FieldName::Output, json!(sha256(b"another")));
    assert_eq!(verify(&it), Err(CapsuleError::NotShown));
    // The same receipt by another operator, who has its statement's proof.
    let mut it = RECEIPT.clone();
    it.prover = Prover::private(&key(8).verifying_key());
    it.keyid = sha256(key(8).verifying_key().as_bytes());
    it.proof = proof(&key(8), &it.transcript());
    let thief = OperatorKey::from(key(8).verifying_key());
    let got = verify_capsule(&it.to_json(), Some(&thief), Some(&keys(1).public()));
    assert_eq!(got, Err(CapsuleError::NotShown));
}

#[test]
fn each_other_check_is_broken_alone() {
    let mut it = RECEIPT.clone();
    it.proof = proof(&key(8), &it.transcript());
    assert_eq!(verify(&it), Err(CapsuleError::Identity(IdentityError::Equation)));
    let json = RECEIPT.to_json();
    assert_eq!(verify_capsule(&json, None, None), Err(CapsuleError::NoKey));
    let other = OperatorKey::from(key(8).verifying_key());
    assert_eq!(verify_capsule(&json, Some(&other), None), Err(CapsuleError::Operator));
    let got = verify_capsule(&json, Some(&operator()), Some(&keys(8).public()));
    assert!(matches!(got, Err(CapsuleError::Publisher(_))));
    // Without a root, or a time, nobody says that the publisher is one to believe.
    let verdict = verify_capsule(&json, Some(&operator()), None).unwrap();
    let publisher = verdict.checks().iter().find(|it| it.name == "publisher").unwrap();
    assert!(matches!(publisher.seen, Seen::Withheld(_)));
    assert!(verify(&RECEIPT.disclose(&[])).is_ok());

    // The state gate, by a receipt that an operator would make of a process that was not shut in.
    let mut found = measured();
    found.no_dumps = false;
    let it = changed(FieldName::Measured, json!(found));
    // The statement's proof is of another receipt then; a new one is made as the operator could.
    assert_eq!(verify(&it), Err(CapsuleError::NotShown));
    let expected = CapsuleError::State(PolicyError::Dumps);
    assert_eq!(verify(&reproven(it)), Err(expected));
    let ended = changed(FieldName::Time, json!({ "started_ms": NOW + 2, "completed_ms": NOW }));
    assert_eq!(verify(&reproven(ended)), Err(CapsuleError::Time));
    let late = json!({ "started_ms": NOW + 5000, "completed_ms": NOW + 5001 });
    let got = verify(&reproven(changed(FieldName::Time, late)));
    assert!(matches!(got, Err(CapsuleError::Publisher(_))), "{got:?}");
}

/// The statement's proof again, for a receipt that its operator changed: they know the salt.
fn reproven(mut it: CapsuleReceipt) -> CapsuleReceipt {
    let draft = draft_of(&published(|_| ()), 4).unwrap();
    let receipt = symbolon_circuits::capsule::Capsule::receipt(&it.transcript().0);
    let statement = symbolon_circuits::capsule::Capsule { receipt, ..draft.statement() };
    it.shown_by = Some(prove(&PROVING, &statement, draft.witness(), &SeededRng::new(7)).unwrap());
    it
}

#[test]
fn forms_are_not_mixed() {
    let form = |change: &dyn Fn(&mut Value)| {
        let mut value: Value = serde_json::from_slice(&RECEIPT.to_json()).unwrap();
        change(&mut value);
        CapsuleReceipt::parse(value.to_string().as_bytes()).unwrap_err()
    };
    // A component that is shown, whatever is said to open it; certificate or policy that is not.
    let shown = form(&|it| {
        it["fields"][1]["salt"] = json!("00".repeat(32));
        it["fields"][1]["value"] = json!(ComponentDigest::of(COMPONENT));
    });
    assert_eq!(shown, CapsuleFormError::Mixed);
    for at in [2, 3] {
        let gone = form(&|it| {
            let field = it["fields"][at].as_object_mut().unwrap();
            field.remove("salt");
            field.remove("value");
        });
        assert_eq!(gone, CapsuleFormError::Mixed);
    }
    // The names of the other forms on it, the fields of the standard one, the key of the unlinked one, no proof.
    for name in [CAPSULE_MEDIA_TYPE, UNLINKED_MEDIA_TYPE] {
        let got = form(&|it| it["mediaType"] = json!(name));
        assert!(matches!(got, CapsuleFormError::Form(_)), "{got:?}");
    }
    let standard: Value = serde_json::from_slice(&super::receipt().to_json()).unwrap();
    assert_eq!(form(&|it| it["fields"] = standard["fields"].clone()), CapsuleFormError::Fields);
    let keyed = form(&|it| it["execution"] = it["operator"].clone());
    assert!(matches!(keyed, CapsuleFormError::Form(_)));
    let bare = form(&|it| drop(it.as_object_mut().unwrap().remove("statement")));
    assert!(matches!(bare, CapsuleFormError::Form(_)));
    // And the other way round: a standard receipt with the proof of a private one.
    let private: Value = serde_json::from_slice(&RECEIPT.to_json()).unwrap();
    let mut both = standard.clone();
    both["statement"] = private["statement"].clone();
    let got = CapsuleReceipt::parse(both.to_string().as_bytes());
    assert!(matches!(got, Err(CapsuleFormError::Form(_))));
    let mut renamed = standard;
    renamed["mediaType"] = json!(PRIVATE_MEDIA_TYPE);
    assert!(CapsuleReceipt::parse(renamed.to_string().as_bytes()).is_err());
    // Another version of the statement, another key of it, a proof that is too long, none at all.
    for (name, value) in [
        ("name", json!("capsule/2")),
        ("keyid", json!("00".repeat(32))),
        ("proof", json!("")),
        ("proof", json!("AAAA".repeat(2000))),
        ("proof", json!("not base64")),
    ] {
        let got = form(&|it| it["statement"][name] = value.clone());
        assert!(matches!(got, CapsuleFormError::Form(_) | CapsuleFormError::Json(_)), "{got:?}");
    }
    assert!(matches!(form(&|it| it["statement"]["more"] = json!(1)), CapsuleFormError::Form(_)));
}

/// A spread of the bytes of the statement's proof; `symbolon-circuits` tries more of them.
#[test]
fn a_changed_byte_of_the_statements_proof_is_refused() {
    let bytes = RECEIPT.shown_by.as_ref().unwrap().as_bytes().to_vec();
    for at in (0..bytes.len()).step_by(61) {
        let mut wrong = bytes.clone();
        wrong[at] ^= 1 << (at % 8);
        let mut it = RECEIPT.clone();
        it.shown_by = Some(Proof::from_bytes(&wrong).unwrap());
        assert_eq!(verify(&it), Err(CapsuleError::NotShown), "byte {at}");
    }
    for length in [1, bytes.len() - 1] {
        let mut it = RECEIPT.clone();
        it.shown_by = Some(Proof::from_bytes(&bytes[..length]).unwrap());
        assert_eq!(verify(&it), Err(CapsuleError::NotShown));
    }
}

#[test]
fn one_that_is_damaged_at_any_byte_is_refused_or_the_same() {
    let shared = RECEIPT.disclose(FieldName::PRIVATE_SHOWN);
    let (json, good) = (shared.to_json(), verify(&shared).unwrap());
    for at in (0..json.len()).step_by(3) {
        let mut wrong = json.clone();
        wrong[at] ^= 1;
        if let Ok(verdict) = verify_capsule(&wrong, Some(&operator()), Some(&keys(1).public())) {
            assert_eq!(verdict, good, "byte {at}");
        }
    }
}

/// Sealed to a peer it shows publisher and policy still, and the input to the peer alone.
#[test]
fn facts_of_it_are_sealed_for_a_peer() {
    let peer = RecipientSecret::derive(&Secret::<[u8; 32]>::make(|page| page.fill(1)));
    let terms = Terms { threshold: 1, not_before_ms: 0, holders: vec![peer.public()] };
    let rng = SeededRng::new(6);
    let sealed = Disclosure::seal(&RECEIPT, &[FieldName::Input], terms.clone(), &rng).unwrap();
    let read = Disclosure::parse(&sealed.to_json()).unwrap();
    let opened = read.open(&peer, 0).unwrap();
    assert_eq!(opened, RECEIPT.disclose(&[FieldName::Input]));
    assert!(verify(&opened).unwrap().value(FieldName::Input).is_some());
    let never = Disclosure::seal(&RECEIPT.disclose(&[]), &[FieldName::Component], terms, &rng);
    assert_eq!(never.err(), Some(SealError::Withheld(FieldName::Component)));
}
