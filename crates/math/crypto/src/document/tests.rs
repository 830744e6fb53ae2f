//! Signatures that OpenSSL made, on certificates of its own.

use serde::Deserialize;
use symbolon_codec::hex;

use super::*;

#[derive(Deserialize)]
struct Vectors {
    good: Vec<Case>,
    refused: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    #[serde(deserialize_with = "bytes")]
    key: Vec<u8>,
    #[serde(deserialize_with = "bytes")]
    algorithm: Vec<u8>,
    #[serde(deserialize_with = "bytes")]
    message: Vec<u8>,
    #[serde(deserialize_with = "bytes")]
    signature: Vec<u8>,
}

fn bytes<'de, D: serde::Deserializer<'de>>(text: D) -> Result<Vec<u8>, D::Error> {
    String::deserialize(text).and_then(|text| hex::decode(text).map_err(serde::de::Error::custom))
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../../../../vectors/document/signatures.json")).unwrap()
}

#[derive(Debug, PartialEq)]
enum Refused {
    Key(DocumentKeyError),
    Signature,
}

fn judge(case: &Case) -> Result<&'static str, Refused> {
    let scheme = DocumentScheme::from_der(&case.algorithm, None).map_err(Refused::Key)?;
    let key = DocumentKey::from_spki(&case.key).map_err(Refused::Key)?;
    key.verify(scheme, &case.message, &case.signature).map_err(|_| Refused::Signature)?;
    Ok(key.kind())
}

#[test]
fn every_algorithm_of_documents_holds_and_a_changed_byte_does_not() {
    for mut case in vectors().good {
        let kind = judge(&case).unwrap_or_else(|e| panic!("{}: {e:?}", case.name));
        assert!(case.name.starts_with(kind), "{} is a {kind}", case.name);
        case.message[20] ^= 1;
        assert_eq!(judge(&case), Err(Refused::Signature), "{}: message", case.name);
        case.message[20] ^= 1;
        for place in [0, case.signature.len() / 2, case.signature.len() - 1] {
            case.signature[place] ^= 1;
            assert_eq!(judge(&case), Err(Refused::Signature), "{}: byte {place}", case.name);
            case.signature[place] ^= 1;
        }
        case.signature.push(0);
        assert_eq!(judge(&case), Err(Refused::Signature), "{}: a byte more", case.name);
    }
}

#[test]
fn what_proves_nothing_has_its_own_error() {
    let refused = vectors().refused;
    let of =
        |name: &str| judge(refused.iter().find(|case| case.name == name).unwrap()).unwrap_err();
    let unknown = |oid: &str| Refused::Key(DocumentKeyError::Unknown(oid.to_owned()));
    let weak = |what| Refused::Key(DocumentKeyError::Weak(what));
    assert_eq!(of("SHA-1"), weak("SHA-1"));
    assert_eq!(of("PSS sha1"), weak("SHA-1"));
    assert_eq!(of("RSA-1024"), weak("RSA of fewer than 2048 bits"));
    assert_eq!(of("secp256k1"), unknown("1.3.132.0.10"));
    assert_eq!(of("secp256k1 explicit"), Refused::Key(DocumentKeyError::Curve));
    assert_eq!(of("brainpoolP512r1"), unknown("1.3.36.3.3.2.8.1.1.13"));
    assert_eq!(of("Ed25519"), unknown("1.3.101.112"));
    assert_eq!(of("PSS sha256, mask of sha1"), weak("SHA-1"));
}

#[test]
fn a_curve_with_one_number_changed_is_none() {
    let good = vectors().good;
    let case = good.iter().find(|case| case.name == "brainpoolP256r1 explicit sha256").unwrap();
    let named = good.iter().find(|case| case.name == "brainpoolP256r1 named_curve sha256").unwrap();
    let point = case.key.len() - 64;
    // Any byte of the parameters: another version, field, coefficient, generator, order or cofactor.
    for place in 0..point {
        let mut key = case.key.clone();
        key[place] ^= 4;
        assert!(DocumentKey::from_spki(&key).is_err(), "byte {place}");
    }
    // A point off the curve, on both ways to say which curve.
    for case in [case, named] {
        let mut key = case.key.clone();
        *key.last_mut().unwrap() ^= 1;
        assert_eq!(DocumentKey::from_spki(&key).unwrap_err(), DocumentKeyError::Key);
    }
}

#[test]
fn a_cms_may_name_the_hash_apart() {
    let rsa_encryption = [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
    let apart = DocumentScheme::from_der(&rsa_encryption, Some(DocumentHash::Sha384));
    assert_eq!(apart, Ok(DocumentScheme::RsaPkcs1(DocumentHash::Sha384)));
    let unsaid = DocumentScheme::from_der(&rsa_encryption, None);
    assert_eq!(unsaid, Err(DocumentKeyError::Unknown("1.2.840.113549.1.1.1".to_owned())));
}

#[test]
fn a_signature_by_another_kind_of_key_is_none() {
    let good = vectors().good;
    let of = |name: &str| good.iter().find(|case| case.name == name).unwrap();
    let (rsa, point) = (of("RSA-2048 PKCS1 sha256"), of("P-256 named_curve sha256"));
    let key = DocumentKey::from_spki(&rsa.key).unwrap();
    let scheme = DocumentScheme::from_der(&point.algorithm, None).unwrap();
    assert!(key.verify(scheme, &point.message, &point.signature).is_err());
}

proptest::proptest! {
    #[test]
    fn any_bytes(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600)) {
        let _ = DocumentKey::from_spki(&bytes);
        let _ = DocumentScheme::from_der(&bytes, None);
    }

    #[test]
    fn any_change_of_a_key(place in 0_usize..300, bit in 0_u8..8, which in 0_usize..23) {
        let good = vectors().good;
        let mut key = good[which % good.len()].key.clone();
        let place = place % key.len();
        key[place] ^= 1 << bit;
        let _ = DocumentKey::from_spki(&key);
    }
}
