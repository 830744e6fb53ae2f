//! Vectors that another implementation made (`vectors/circuits/README.md`).

use serde_json::Value;
use symbolon_crypto::labels;
use symbolon_secret::Secret;

use crate::claim::{Claim, ClaimSet, ClaimType, Holder, document};
use crate::group::{Group, GroupName};
use crate::issuer::{IssuerKey, IssuerPublicKey, Signature};
use crate::statements::capsule::{Capsule, Description};
use crate::statements::identity::Nullifier;
use crate::statements::key::ApiKey;
use crate::statements::{Binding, Statement};
use crate::testing::{day, secret};
use crate::value::{Element, Hidden, Nonce, Session, hash};

fn file(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn bytes<const N: usize>(value: &Value) -> [u8; N] {
    hex::decode(value.as_str().unwrap()).unwrap().try_into().unwrap()
}

fn element(value: &Value) -> Element {
    Element::from_bytes(&bytes(value)).unwrap()
}

fn hidden(value: &Value) -> Hidden {
    Hidden::from_secret(Secret::make(|b| *b = bytes(value))).unwrap()
}

#[test]
fn hash_to_field_is_that_of_rfc_9380() {
    let cases = file(include_str!("../../../../vectors/circuits/hash-to-field.json"));
    let known = [
        labels::FIELD_AUDIENCE,
        labels::FIELD_ACCOUNT,
        labels::FIELD_TEXT,
        labels::FIELD_DOCUMENT,
        labels::FIELD_KEY,
        labels::FIELD_DEVICE,
        labels::FIELD_CAPSULE,
        labels::FIELD_POLICY,
        labels::FIELD_RECEIPT,
    ];
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), known.len() * 4);
    for case in cases {
        let label = known.iter().find(|l| l.as_str() == case["label"]).unwrap();
        let text = hex::decode(case["text"].as_str().unwrap()).unwrap();
        assert_eq!(Element::hash(label, &text), element(&case["element"]), "{case}");
    }
}

#[test]
fn poseidon_is_that_of_its_paper() {
    let cases = file(include_str!("../../../../vectors/circuits/poseidon.json"));
    let cases = cases.as_array().unwrap();
    assert!(cases.len() >= 9);
    for case in cases {
        let input: Vec<_> =
            case["input"].as_array().unwrap().iter().map(|e| element(e).0).collect();
        assert_eq!(Element(hash(&input)), element(&case["output"]), "{case}");
    }
}

#[test]
fn groups_have_these_roots() {
    let cases = file(include_str!("../../../../vectors/circuits/groups.json"));
    let cases = cases.as_array().unwrap();
    assert_eq!(cases.len(), GroupName::all().len());
    for case in cases {
        let name: GroupName = case["group"].as_str().unwrap().parse().unwrap();
        assert_eq!(Group::of(name).root(), element(&case["root"]), "{name}");
    }
}

/// A holder with everything that is computed of them, from the bytes of names to a signature.
#[test]
fn a_holder_from_end_to_end() {
    let of = file(include_str!("../../../../vectors/circuits/holder.json"));
    let text = |name: &str| of[name].as_str().unwrap();
    let (audience, account) = (text("audience").as_bytes(), text("account").as_bytes());
    let session = Session::new(Nonce([0; 16]), audience, account).unwrap();
    assert_eq!(Element(session.audience()), element(&of["audience_element"]));
    assert_eq!(Element(session.account()), element(&of["account_element"]));

    let document = document(&secret(text("state")), &secret(text("number")));
    assert_eq!(Element(document.element()), element(&of["document"]));
    let holder = Holder::new(hidden(&of["custody_secret"]), day(text("until")));
    assert_eq!(holder.commitment().0, element(&of["holder"]));

    let mut claims: Vec<Claim> = Vec::new();
    for case in of["claims"].as_array().unwrap() {
        let kind = ClaimType::new(case["type"].as_u64().unwrap() as u32).unwrap();
        let value = secret(case["value"].as_str().unwrap());
        let claim = Claim::with_salt(kind, &value, hidden(&case["salt"])).unwrap();
        assert_eq!(Element(claim.hash(document.element())), element(&case["claim"]), "{case}");
        claims.push(claim);
    }
    let others = claims.split_off(3);
    let first = claims.try_into().unwrap();
    let claims = ClaimSet::new(document, first, holder.commitment(), others).unwrap();
    assert_eq!(claims.root().0, element(&of["root"]));
    assert_eq!(Binding::of(&session, &holder, &claims).0, element(&of["binding"]));
    let epoch = of["epoch"].as_u64().unwrap() as u32;
    assert_eq!(Nullifier::of(&session, &holder, epoch).0, element(&of["nullifier"]));

    let key = ApiKey::new(&secret(text("key"))).unwrap();
    let commitment = key.commitment(&hidden(&of["blind"]), &session);
    assert_eq!(commitment.0, element(&of["key_commitment"]));

    let issuer =
        IssuerKey::from_secret(&Secret::make(|b| *b = bytes(&of["issuer_secret"]))).unwrap();
    let public = IssuerPublicKey::from_bytes(&bytes(&of["issuer"])).unwrap();
    assert_eq!(issuer.public(), public);
    let signature = Signature::from_bytes(&bytes(&of["signature"])).unwrap();
    assert_eq!(signature.verify(&public, &claims.root()), Ok(()));
}

/// A capsule from its component to the public inputs of a private receipt.
#[test]
fn a_capsule_from_end_to_end() {
    let of = file(include_str!("../../../../vectors/circuits/capsule.json"));
    let text = |name: &str| of[name].as_str().unwrap();
    let policy = text("policy").as_bytes();
    let description = Description::new(&bytes(&of["component"]), text("capsule"), policy);
    assert_eq!(description.policy(), element(&of["policy_element"]));
    assert_eq!(description.element(), element(&of["description"]));
    let name = Element::hash(&labels::FIELD_CAPSULE, text("capsule").as_bytes());
    assert_eq!(name, element(&of["capsule_element"]));
    let commitment = description.commit(&hidden(&of["salt"]));
    assert_eq!(commitment.0, element(&of["commitment"]));

    let secret = Secret::make(|b| *b = bytes(&of["publisher_secret"]));
    let publisher = IssuerPublicKey::from_bytes(&bytes(&of["publisher"])).unwrap();
    assert_eq!(IssuerKey::from_secret(&secret).unwrap().public(), publisher);
    let signature = Signature::from_bytes(&bytes(&of["signature"])).unwrap();
    assert_eq!(description.verify(&publisher, &signature), Ok(()));

    let receipt = Capsule::receipt(&bytes(&of["transcript"]));
    assert_eq!(receipt, element(&of["receipt_element"]));
    let policy = Capsule::policy(policy);
    let statement = Capsule { receipt, policy, publisher, commitment };
    let listed: Vec<_> = of["public_inputs"].as_array().unwrap().iter().map(element).collect();
    assert_eq!(statement.public_inputs(), listed);
}
