//! API keys that a device proves, at rest.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::{Value, json};
use symbolon_ambient::{Rng, SystemRng};
use symbolon_codec::b64url;
use symbolon_crypto::SigningKey;
use symbolon_holder::possession::{KeyCard, KeyRing, RingError};
use symbolon_possession::{
    Audience, Domain, Enrolling, KeyAccount, PossessedKey, PossessionKeys, StrongKey,
};
use symbolon_secret::Secret;

const KEY: &str = "sk_live_9f86d081884c7d659a2feaa0c55ad015";

fn strong() -> StrongKey {
    let text = KEY.as_bytes();
    StrongKey::of(Secret::<[u8]>::make_slice(text.len(), |b| b.copy_from_slice(text))).unwrap()
}

fn possessed() -> PossessedKey {
    let secret = Secret::<[u8; 32]>::make(|b| b.fill(1));
    let server = PossessionKeys::from_secret(secret, "https://keys.example");
    let domain = Domain {
        issuer: "https://keys.example".into(),
        service: [2; 16].into(),
        audience: Audience::parse("https://api.example").unwrap(),
        account: KeyAccount::default(),
    };
    let enrolling = Enrolling::start(&strong(), &SystemRng).unwrap();
    let evaluated = server.evaluate(domain.service, enrolling.element()).unwrap();
    enrolling.finish(&strong(), &evaluated, &domain).unwrap()
}

fn seed() -> (Secret<[u8; 32]>, String) {
    let bytes: [u8; 32] = SystemRng.bytes();
    let secret = || Secret::<[u8; 32]>::make(|b| *b = bytes);
    let public = b64url::encode(SigningKey::from_seed(secret()).verifying_key().as_bytes());
    (secret(), public)
}

fn card(public: &str) -> KeyCard {
    let card: Value = json!({ "audience": "https://api.example", "account": "",
        "issuer": "https://keys.example", "service": "02".repeat(16), "key_name": "customer-7",
        "key": "03".repeat(16), "device": "04".repeat(16), "device_name": "laptop",
        "scopes": "read", "public": public, "enrolled_unix_ms": 1, "sealed": "" });
    serde_json::from_value(card).unwrap()
}

#[test]
fn a_key_opens_where_it_was_sealed_and_as_it_was() {
    let home = tempfile::tempdir().unwrap();
    let ring = KeyRing::of(home.path());
    assert_eq!(ring.all().unwrap(), []);
    let (seed, public) = seed();
    let key = possessed();
    let kept = ring.keep(card(&public), &strong(), &key, &seed, &SystemRng).unwrap();
    assert_eq!(ring.all().unwrap(), std::slice::from_ref(&kept));
    let (audience, account) =
        (Audience::parse("https://api.example").unwrap(), KeyAccount::default());
    assert_eq!(ring.find(&audience, &account).unwrap(), kept);
    let open = ring.open(&kept).unwrap();
    assert_eq!(open.possessed.point(), key.point());
    assert_eq!(b64url::encode(open.device.verifying_key().as_bytes()), public);

    // What stands in the clear, and is believed, is bound to what is sealed.
    for (name, value) in [
        ("audience", json!("https://other.example")),
        ("account", json!("x")),
        ("issuer", json!("https://other.example")),
        ("service", json!("05".repeat(16))),
        ("public", json!(self::seed().1)),
    ] {
        let mut changed = serde_json::to_value(&kept).unwrap();
        changed[name] = value;
        let changed: KeyCard = serde_json::from_value(changed).unwrap();
        assert!(matches!(ring.open(&changed), Err(RingError::Damaged { .. })), "{name}");
    }
    // Another device's key file.
    let elsewhere = tempfile::tempdir().unwrap();
    let other = KeyRing::of(elsewhere.path());
    other.keep(card(&public), &strong(), &key, &seed, &SystemRng).unwrap();
    assert!(matches!(other.open(&kept), Err(RingError::Damaged { .. })));

    ring.forget(&kept).unwrap();
    assert!(matches!(ring.find(&audience, &account), Err(RingError::Missing { .. })));
}

#[test]
fn nothing_readable_is_on_the_disk_and_others_are_kept_out() {
    let home = tempfile::tempdir().unwrap();
    let ring = KeyRing::of(home.path());
    let (seed, public) = seed();
    ring.keep(card(&public), &strong(), &possessed(), &seed, &SystemRng).unwrap();
    let folder = home.path().join("api-keys");
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(KEY.len()).any(|part| part == KEY.as_bytes()), "{path:?}");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o077, 0, "{path:?}");
    }
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(ring.all(), Err(RingError::TooOpen { .. })));
}
