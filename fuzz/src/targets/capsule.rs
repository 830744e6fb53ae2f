//! The first byte chooses: a manifest, a certificate, a revocation list or an envelope as it is, or a
//! place in a signed manifest of our own that is changed.

use std::sync::LazyLock;

use symbolon_capsule::{
    Ceiling, Certificate, Certified, Checked, ComponentDigest, Envelope, Kind, Manifest,
    Revocations, SigningKeys,
};
use symbolon_crypto::SigningKey;
use symbolon_secret::Secret;

pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    match mode % 5 {
        0 => manifest(rest),
        1 => certificate(rest),
        2 => revocations(rest),
        3 => envelope(rest),
        _ => changed(rest),
    }
}

/// A document has one spelling: what is read is written back as it was.
fn manifest(bytes: &[u8]) {
    if let Ok(read) = Manifest::parse(bytes) {
        assert_eq!(read.to_bytes(), bytes);
    }
    if let Ok(draft) = Manifest::parse_draft(bytes) {
        assert_eq!(Manifest::parse(&draft.to_bytes()), Ok(draft));
    }
}

fn certificate(bytes: &[u8]) {
    let Ok(read) = Certificate::parse(bytes) else { return };
    assert_eq!(read.to_bytes(), bytes);
    assert!(read.check().is_ok());
}

fn revocations(bytes: &[u8]) {
    let Ok(read) = Revocations::parse(bytes) else { return };
    assert_eq!(read.to_bytes(), bytes);
}

fn envelope(bytes: &[u8]) {
    for kind in [Kind::Manifest, Kind::Certificate, Kind::Revocations] {
        let Ok(read) = Envelope::parse(kind, bytes) else { continue };
        assert_eq!(Envelope::parse(kind, &read.to_json()), Ok(read));
    }
}

/// Two bytes for the place, one for the change; what is left is put in there.
fn changed(rest: &[u8]) {
    let [high, low, change, inserted @ ..] = rest else { return };
    let (whole, certified, checked) = &*OURS;
    let at = usize::from(u16::from_be_bytes([*high, *low])) % whole.len();
    let mut bytes = whole.clone();
    bytes[at] ^= change;
    bytes.splice(at..at, inserted.iter().copied());
    // Refused, or read as what was signed: no change gives another manifest.
    if let Ok(read) = Checked::check(&bytes, certified) {
        assert_eq!(read, *checked, "a manifest was changed at {at}");
    }
}

static OURS: LazyLock<(Vec<u8>, Certified, Checked)> = LazyLock::new(|| {
    let certificate = Certificate {
        ceiling: Ceiling::plain(),
        keys: signer(8).public(),
        not_after_ms: 2,
        not_before_ms: 0,
        number: 1,
        publisher: "acme".into(),
    };
    let sign = |kind, bytes, seed| {
        Envelope::sign(kind, bytes, &signer(seed)).expect("no context is used").to_json()
    };
    let envelope = sign(Kind::Certificate, certificate.to_bytes(), 7);
    let root = signer(7).public();
    let certified = Certified::check(&envelope, &root, None, 1).expect("our own certificate");
    let manifest = Manifest::template("hello", ComponentDigest::of(b"component"), 9);
    let envelope = sign(Kind::Manifest, manifest.to_bytes(), 8);
    let checked = Checked::check(&envelope, &certified).expect("our own manifest");
    (envelope, certified, checked)
});

/// The same keys in every run.
fn signer(seed: u8) -> SigningKeys {
    SigningKey::from_seed(Secret::<[u8; 32]>::make(|page| page.fill(seed))).into()
}
