//! The first byte chooses: an entry, a certificate, what is handed over, a text or a sketch as it is, or a place in a
//! certificate of our own that is changed.

use std::sync::LazyLock;

use symbolon_ambient::SeededRng;
use symbolon_authorship::{
    Act, CanonicalText, Certificate, CertificateEntry, Commit, Entry, Invitation, Offer,
    OwnerSecrets, Sketch, VerifiedCertificate, commitment_of, verify,
};
use symbolon_crypto::SigningKey;
use symbolon_log::{Log, MemoryStorage, vkey};
use symbolon_receipt::OperatorKey;

pub fn run(data: &[u8]) {
    let Some((mode, rest)) = data.split_first() else { return };
    match mode % 6 {
        0 => entry(rest),
        1 => certificate(rest),
        2 => handover(rest),
        3 => text(rest),
        4 => sketch(rest),
        _ => changed(rest),
    }
}

/// Entries and acts have one spelling: what is read is written back as it was.
fn entry(bytes: &[u8]) {
    if let Ok(read) = Entry::parse(bytes) {
        assert_eq!(read.write(), bytes);
    }
    if let Ok(read) = Act::parse(bytes) {
        assert_eq!(read.write(), bytes);
    }
}

fn certificate(bytes: &[u8]) {
    let Ok(read) = Certificate::parse(bytes) else { return };
    assert_eq!(Certificate::parse(&read.to_json()), Ok(read));
}

fn handover(bytes: &[u8]) {
    if let Ok(read) = Invitation::parse(bytes) {
        assert!(Invitation::parse(&read.to_json()).is_ok_and(|again| again == read));
    }
    if let Ok(read) = Offer::parse(bytes) {
        assert!(Offer::parse(&read.to_json()).is_ok_and(|again| again == read));
    }
}

/// What is canonical stays as it is.
fn text(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(once) = CanonicalText::of(text) else { return };
    if let Ok(twice) = CanonicalText::of(once.as_str()) {
        assert_eq!(twice.as_str(), once.as_str());
    }
}

fn sketch(bytes: &[u8]) {
    let Ok(read) = Sketch::parse(bytes) else { return };
    assert!(read.compare(&read).is_ok_and(|it| it.jaccard == 1.0));
    assert!(Sketch::parse(&read.to_json()).is_ok_and(|again| again == read));
}

/// Two bytes for the place, one for the change; what is left is put in there.
fn changed(rest: &[u8]) {
    let [high, low, change, inserted @ ..] = rest else { return };
    let (whole, operator, ours) = &*OURS;
    let at = usize::from(u16::from_be_bytes([*high, *low])) % whole.len();
    let mut bytes = whole.clone();
    bytes[at] ^= change;
    bytes.splice(at..at, inserted.iter().copied());
    // Refused, or it says what ours says: no change makes another author, time or place.
    if let Ok(read) = verify(&bytes, operator) {
        assert_eq!(read.standing(), ours.standing(), "a certificate was changed at {at}");
    }
}

static OURS: LazyLock<(Vec<u8>, OperatorKey, VerifiedCertificate)> = LazyLock::new(|| {
    let rng = SeededRng::new(7);
    let key = std::sync::Arc::new(SigningKey::make(&rng));
    let operator = vkey(LOG, &key.verifying_key()).expect("a plain name");
    let log = Log::open(MemoryStorage::new(), LOG, Some(key)).expect("memory");
    log.append(b"a receipt").expect("memory");
    let owner = OwnerSecrets::make(&rng);
    let text = CanonicalText::of("The two halves fit.").expect("a text");
    let commitment = commitment_of(&owner.public(), &owner.salt().digest(&text));
    let holder = owner.holder(&[9; 16]);
    let act = Act::from(Commit { log: LOG.to_owned(), author: owner.public(), holder, commitment });
    let signature = owner.sign(&act);
    let entry = Entry::new(1_000, act, signature, None).expect("our own signature").write();
    let index = log.append(&entry).expect("memory").index();
    log.append(b"another receipt").expect("memory");
    let proof = log.prove(index).expect("memory");
    let entries = vec![CertificateEntry { index, entry, path: proof.path }];
    let checkpoint = proof.checkpoint;
    let whole = Certificate { entries, checkpoint, operator: operator.clone(), salt: None };
    let operator = OperatorKey::parse(&operator).expect("our own key");
    let verified = verify(&whole.to_json(), &operator).expect("our own certificate");
    (whole.to_json(), operator, verified)
});

const LOG: &str = "example.test/log";
