use proptest::prelude::*;
use symbolon_ambient::SeededRng;
use symbolon_crypto::{Params, RecipientSecret, SigningKey};
use symbolon_secret::Secret;

use super::*;

fn secret(bytes: &[u8]) -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(bytes.len(), |page| page.copy_from_slice(bytes))
}

fn signer(seed: u64) -> SigningKey {
    SigningKey::make(&SeededRng::new(seed))
}

fn reader(seed: u8) -> RecipientSecret {
    RecipientSecret::derive(&Secret::<[u8; 32]>::make(|b| b.fill(seed)))
}

fn cheap() -> Params {
    Params::new(Params::MEMORY_KIB_MIN, 1, 1).expect("within bounds")
}

const WORKFLOWS: &[u8] = b"one: two";
const CREDENTIALS: &[u8] = b"GITHUB_TOKEN=ghp_00000001\n";

/// For reader 1 both layers, for reader 2 workflows alone.
fn made() -> Vec<u8> {
    let (workflows, credentials) = (secret(WORKFLOWS), secret(CREDENTIALS));
    let passphrase = secret(b"correct horse");
    let plan = Plan {
        layers: vec![(Layer::Credentials, &credentials), (Layer::Workflows, &workflows)],
        recipients: vec![
            (reader(1).public(), vec![Layer::Credentials, Layer::Workflows]),
            (reader(2).public(), vec![Layer::Workflows]),
        ],
        passphrase: Some(&passphrase),
        params: cheap(),
        signer: signer(1).verifying_key(),
        created_unix_ms: 1_700_000_000_000,
    };
    signed(plan.seal(&SeededRng::new(9)).expect("a container"))
}

fn signed(unsigned: Unsigned) -> Vec<u8> {
    let signature = signer(1).sign(&signed_message(&unsigned.digest()));
    unsigned.sign(&signature).expect("the signer's own")
}

/// All stages, to the contents of every layer that the reader is given.
fn open(bytes: &[u8], own: &RecipientSecret) -> Result<Vec<(Layer, Vec<u8>)>, ContainerError> {
    let known = signer(1).verifying_key();
    let trusted = Framed::parse(bytes)?.verify()?.trust(|key| *key == known)?;
    let received = trusted.receive(own.public().as_bytes())?;
    let mut all = Vec::new();
    for layer in received.layers() {
        let key = received.sealed_key(layer)?.open(own)?;
        let opened = received.open(layer, &key)?;
        let content = match layer {
            Layer::Credentials => opened.credentials(&secret(b"correct horse"))?,
            _ => opened.content()?,
        };
        // EXPOSE: a test compares.
        all.push((layer, content.expose().to_vec()));
    }
    Ok(all)
}

#[test]
fn each_reader_opens_what_he_is_given() {
    let bytes = made();
    let both = open(&bytes, &reader(1)).expect("opens");
    let workflows = (Layer::Workflows, WORKFLOWS.to_vec());
    assert_eq!(both, [workflows.clone(), (Layer::Credentials, CREDENTIALS.to_vec())]);
    assert_eq!(open(&bytes, &reader(2)).expect("opens"), [workflows]);
    let stage = |result: Result<_, ContainerError>| result.err().and_then(|e| e.stage());
    assert_eq!(stage(open(&bytes, &reader(3))), Some(Stage::Recipient));
    let trusted = || {
        let signed = Framed::parse(&bytes).expect("framed").verify().expect("signed");
        signed.trust(|_| true).expect("trusted")
    };
    let second = trusted().receive(reader(2).public().as_bytes()).expect("his");
    assert_eq!(
        second.sealed_key(Layer::Credentials).err().and_then(|e| e.stage()),
        Some(Stage::LayerKey)
    );
    assert!(matches!(second.sealed_key(Layer::Audit), Err(ContainerError::NoLayer(_))));
    let unknown = Framed::parse(&bytes).expect("framed").verify().expect("signed").trust(|_| false);
    assert_eq!(unknown.err().and_then(|e| e.stage()), Some(Stage::Signer));
    let first = trusted().receive(reader(1).public().as_bytes()).expect("his");
    let key =
        || first.sealed_key(Layer::Credentials).expect("given").open(&reader(1)).expect("his");
    let opened = || first.open(Layer::Credentials, &key()).expect("opens");
    let wrong = opened().credentials(&secret(b"another"));
    assert_eq!(wrong.err().and_then(|e| e.stage()), Some(Stage::InnerSeal));
    assert_eq!(opened().content().err().and_then(|e| e.stage()), Some(Stage::InnerSeal));
    // Another layer's key does not open this one.
    let other = first.sealed_key(Layer::Workflows).expect("given").open(&reader(1)).expect("his");
    let moved = first.open(Layer::Credentials, &other);
    assert_eq!(moved.err().and_then(|e| e.stage()), Some(Stage::Layer));
}

#[test]
fn every_single_bit_is_refused_at_its_stage() {
    let bytes = made();
    let own = reader(1);
    for bit in 0..bytes.len() * 8 {
        let mut changed = bytes.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let stage = open(&changed, &own).err().and_then(|e| e.stage());
        let byte = bit / 8;
        // What the header's field list cannot be is seen before the signature is.
        let expected: &[Stage] = match byte {
            0..19 => &[Stage::Framing],
            19 => &[Stage::Version],
            _ if byte < bytes.len() - 64 => &[Stage::Framing, Stage::Signature],
            _ => &[Stage::Signature],
        };
        assert!(stage.is_some_and(|stage| expected.contains(&stage)), "bit {bit}: {stage:?}");
    }
    for len in 0..bytes.len() {
        let stage = open(&bytes[..len], &own).err().and_then(|e| e.stage());
        assert!(matches!(stage, Some(Stage::Framing | Stage::Signature)), "{len}: {stage:?}");
    }
}

/// A signer who changes what he signs: each change is refused at a later stage, or changes nothing that
/// is opened.
#[test]
fn a_change_that_is_signed_is_refused_where_it_is_looked_at() {
    let bytes = made();
    let own = reader(1);
    let end = bytes.len() - 64;
    let whole = open(&bytes, &own).expect("opens");
    let mut seen = std::collections::BTreeMap::new();
    for byte in 20..end {
        let mut changed = bytes[..end].to_vec();
        changed[byte] ^= 1;
        let digest = symbolon_crypto::sha256(&changed);
        changed.extend_from_slice(&signer(1).sign(&signed_message(&digest)));
        match open(&changed, &own) {
            // The other reader's own part alone.
            Ok(same) => assert_eq!(same, whole, "byte {byte}"),
            Err(e) => *seen.entry(e.stage().expect("a stage")).or_insert(0) += 1,
        }
    }
    let stages: Vec<Stage> = seen.keys().copied().collect();
    let expected = [
        Stage::Framing,
        Stage::Signature,
        Stage::Recipient,
        Stage::LayerKey,
        Stage::LayerDigest,
        Stage::Layer,
    ];
    assert_eq!(stages, expected, "{seen:?}");
}

#[test]
fn what_a_container_cannot_be_is_not_made() {
    let content = secret(b"x");
    let plan = |layers: Vec<Layer>, given: Vec<Layer>, readers: u8| Plan {
        layers: layers.into_iter().map(|layer| (layer, &content)).collect(),
        recipients: (0..readers).map(|n| (reader(n).public(), given.clone())).collect(),
        passphrase: None,
        params: cheap(),
        signer: signer(1).verifying_key(),
        created_unix_ms: 0,
    };
    let refused = |plan: Plan<'_>| plan.seal(&SeededRng::new(1)).is_err();
    assert!(!refused(plan(vec![Layer::Env], vec![Layer::Env], 8)));
    assert!(refused(plan(vec![Layer::Env], vec![Layer::Env], 9)));
    assert!(refused(plan(vec![Layer::Env], vec![Layer::Env], 0)));
    assert!(refused(plan(vec![Layer::Env], vec![Layer::Audit], 1)));
    assert!(refused(plan(vec![Layer::Env], vec![Layer::Env, Layer::Env], 1)));
    assert!(refused(plan(vec![Layer::Env, Layer::Env], vec![Layer::Env], 1)));
    assert!(refused(plan(vec![Layer::Credentials], vec![Layer::Credentials], 1)));
    let large = secret(&vec![0; LAYER_BYTES_MAX + 1]);
    let mut too_large = plan(vec![Layer::Env], vec![Layer::Env], 1);
    too_large.layers[0].1 = &large;
    assert!(refused(too_large));
    let unsigned = plan(vec![Layer::Env], vec![Layer::Env], 1).seal(&SeededRng::new(1));
    let unsigned = unsigned.expect("a container");
    let signature = signer(2).sign(&signed_message(&unsigned.digest()));
    assert!(matches!(unsigned.sign(&signature), Err(ContainerError::Signature)));
}

proptest! {
    #[test]
    fn nothing_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let whole = [&b"symbolon-container\n\x01"[..], &bytes].concat();
        prop_assert!(Framed::parse(&bytes).is_err());
        drop(Framed::parse(&whole));
    }
}
