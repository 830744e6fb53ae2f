//! One capsule that may run, and each check broken alone.

use proptest::prelude::*;
use symbolon_ambient::SeededRng;
use symbolon_circuits::IssuerKey;
use symbolon_crypto::{PqSigningKey, SigningKey};

use crate::*;

const NOW: u64 = 1_790_000_000_000;
const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

fn key(seed: u64) -> SigningKeys {
    SigningKey::make(&SeededRng::new(seed)).into()
}

fn hybrid(seed: u64) -> SigningKeys {
    let mut keys = key(seed);
    keys.ml_dsa_65 = Some(PqSigningKey::make(&SeededRng::new(seed + 100)));
    keys
}

fn root() -> SigningKeys {
    key(1)
}

fn certificate() -> Certificate {
    Certificate {
        ceiling: Ceiling {
            calls: vec!["github.issues.*".into(), "stripe.customers.list".into()],
            capabilities: vec![Capability::Call, Capability::Log],
            hosts: vec![HostPattern::new("*.stripe.com"), HostPattern::new("api.github.com")],
            limits: Limits { time_ms: 2000, ..Limits::MOST },
        },
        keys: key(2).public(),
        not_after_ms: NOW + 1000,
        not_before_ms: NOW - 1000,
        number: 7,
        publisher: "acme".into(),
    }
}

fn manifest() -> Manifest {
    Manifest {
        calls: vec!["github.issues.list".into(), "stripe.customers.list".into()],
        capabilities: vec![Capability::Call, Capability::Log],
        deterministic: false,
        hosts: vec!["api.github.com".into(), "api.stripe.com".into()],
        ..Manifest::template("hello", ComponentDigest::of(COMPONENT), COMPONENT.len() as u64)
    }
}

fn sign(kind: Kind, bytes: Vec<u8>, keys: &SigningKeys) -> Vec<u8> {
    Envelope::sign(kind, bytes, keys).unwrap().to_json()
}

fn certified(certificate: &Certificate) -> Result<Certified, CheckError> {
    let envelope = sign(Kind::Certificate, certificate.to_bytes(), &root());
    Certified::check(&envelope, &root().public(), None, NOW)
}

fn check(manifest: &Manifest) -> Result<Checked, CheckError> {
    let envelope = sign(Kind::Manifest, manifest.to_bytes(), &key(2));
    Checked::check(&envelope, &certified(&certificate()).unwrap())
}

fn revocations(
    list: &Revocations,
    known: Option<Known>,
) -> Result<(Revocations, Known), RevocationError> {
    let envelope = sign(Kind::Revocations, list.to_bytes(), &root());
    Revocations::open(&envelope, &root().public(), known, NOW)
}

fn list(number: u64) -> Revocations {
    Revocations { certificates: vec![], components: vec![], issued_ms: NOW, number }
}

#[test]
fn a_capsule_in_order_is_admitted() {
    let admitted = check(&manifest()).unwrap().admit(COMPONENT).unwrap();
    assert_eq!(admitted.manifest(), &manifest());
    assert_eq!((admitted.checked().publisher(), admitted.checked().certificate()), ("acme", 7));
    assert_eq!(admitted.component(), COMPONENT);
}

#[test]
fn a_certificate_of_another_root_is_refused() {
    let envelope = sign(Kind::Certificate, certificate().to_bytes(), &key(9));
    let got = Certified::check(&envelope, &root().public(), None, NOW);
    let expected = CheckError::CertificateEnvelope(EnvelopeError::Unsigned(Algorithm::Ed25519));
    assert_eq!(got, Err(expected));
}

#[test]
fn a_certificate_is_good_in_its_time_alone() {
    let early = Certificate { not_before_ms: NOW + 1, ..certificate() };
    assert_eq!(certified(&early), Err(CheckError::Early));
    let late = Certificate { not_after_ms: NOW, ..certificate() };
    assert_eq!(certified(&late), Err(CheckError::Expired));
}

#[test]
fn what_is_out_of_bounds_in_a_certificate_is_named() {
    let hosts = |pattern: &str| {
        let mut it = certificate();
        it.ceiling.hosts = vec![HostPattern::new(pattern)];
        certified(&it)
    };
    for bad in ["*.com", "*", "API.github.com", "a..b", "-a.com", "a.com:443", ""] {
        let expected = CheckError::Certificate(DocumentError::Field("ceiling.hosts"));
        assert_eq!(hosts(bad), Err(expected), "{bad}");
    }
    let mut upper = certificate();
    upper.publisher = "Acme".into();
    let expected = CheckError::Certificate(DocumentError::Field("publisher"));
    assert_eq!(certified(&upper), Err(expected));
    let mut never = certificate();
    never.not_after_ms = never.not_before_ms;
    let expected = CheckError::Certificate(DocumentError::Field("not_after_ms"));
    assert_eq!(certified(&never), Err(expected));
}

#[test]
fn a_revoked_certificate_is_refused() {
    let (list, _) = revocations(&Revocations { certificates: vec![7], ..list(1) }, None).unwrap();
    let envelope = sign(Kind::Certificate, certificate().to_bytes(), &root());
    let got = Certified::check(&envelope, &root().public(), Some(list), NOW);
    assert_eq!(got, Err(CheckError::CertificateRevoked(7)));
}

#[test]
fn a_revoked_component_is_refused() {
    let components = vec![ComponentDigest::of(COMPONENT)];
    let (list, _) = revocations(&Revocations { components, ..list(1) }, None).unwrap();
    let envelope = sign(Kind::Certificate, certificate().to_bytes(), &root());
    let good = Certified::check(&envelope, &root().public(), Some(list), NOW).unwrap();
    let envelope = sign(Kind::Manifest, manifest().to_bytes(), &key(2));
    assert_eq!(Checked::check(&envelope, &good), Err(CheckError::ComponentRevoked));
}

#[test]
fn an_older_list_another_of_its_number_and_one_of_tomorrow_are_refused() {
    let (_, known) = revocations(&list(5), None).unwrap();
    assert_eq!(revocations(&list(5), Some(known)).map(|it| it.1), Ok(known));
    assert!(revocations(&list(6), Some(known)).is_ok());
    let old = revocations(&list(4), Some(known)).unwrap_err();
    assert_eq!(old, RevocationError::Old { found: 4, newest: 5 });
    let fork = Revocations { certificates: vec![1], ..list(5) };
    assert_eq!(revocations(&fork, Some(known)).unwrap_err(), RevocationError::Forked(5));
    let future = Revocations { issued_ms: NOW + 301_000, ..list(6) };
    assert_eq!(revocations(&future, Some(known)).unwrap_err(), RevocationError::Future);
    let by_other = sign(Kind::Revocations, list(9).to_bytes(), &key(3));
    let got = Revocations::open(&by_other, &root().public(), None, NOW).unwrap_err();
    assert_eq!(got, EnvelopeError::Unsigned(Algorithm::Ed25519).into());
    let unsorted = Revocations { certificates: vec![2, 1], ..list(7) };
    let got = revocations(&unsorted, None).unwrap_err();
    assert_eq!(got, DocumentError::Field("certificates").into());
}

#[test]
fn a_manifest_of_another_publisher_is_refused() {
    let envelope = sign(Kind::Manifest, manifest().to_bytes(), &key(3));
    let got = Checked::check(&envelope, &certified(&certificate()).unwrap());
    let expected = CheckError::ManifestEnvelope(EnvelopeError::Unsigned(Algorithm::Ed25519));
    assert_eq!(got, Err(expected));
}

#[test]
fn one_kind_of_document_is_not_shown_for_another() {
    // The very bytes of a manifest, signed as a certificate.
    let envelope = sign(Kind::Certificate, manifest().to_bytes(), &key(2));
    let got = Checked::check(&envelope, &certified(&certificate()).unwrap());
    assert_eq!(got, Err(CheckError::ManifestEnvelope(EnvelopeError::Kind("manifest"))));
    // And with the type exchanged, the signature is over another text.
    let text = String::from_utf8(envelope).unwrap();
    let swapped = text.replace("capsule-certificate", "capsule-manifest");
    let got = Checked::check(swapped.as_bytes(), &certified(&certificate()).unwrap());
    let expected = CheckError::ManifestEnvelope(EnvelopeError::Signature(Algorithm::Ed25519));
    assert_eq!(got, Err(expected));
}

#[test]
fn with_a_second_key_both_signatures_are_needed() {
    let certificate = Certificate { keys: hybrid(2).public(), ..certificate() };
    let good = certified(&certificate).unwrap();
    let both = sign(Kind::Manifest, manifest().to_bytes(), &hybrid(2));
    assert!(Checked::check(&both, &good).is_ok());
    let one = sign(Kind::Manifest, manifest().to_bytes(), &key(2));
    let got = Checked::check(&one, &good);
    let expected = CheckError::ManifestEnvelope(EnvelopeError::Unsigned(Algorithm::MlDsa65));
    assert_eq!(got, Err(expected));
    // The second signature of another manifest under the first's envelope.
    let other = Manifest { version: "9.9.9".into(), ..manifest() };
    let other = sign(Kind::Manifest, other.to_bytes(), &hybrid(2));
    let second = |bytes: &[u8]| -> serde_json::Value {
        let it: serde_json::Value = serde_json::from_slice(bytes).unwrap();
        it["signatures"][1].clone()
    };
    let mut mixed: serde_json::Value = serde_json::from_slice(&both).unwrap();
    mixed["signatures"][1] = second(&other);
    let got = Checked::check(mixed.to_string().as_bytes(), &good);
    let expected = CheckError::ManifestEnvelope(EnvelopeError::Signature(Algorithm::MlDsa65));
    assert_eq!(got, Err(expected));
}

fn with_statement(certified_by: u64, signed_by: u64) -> (Certificate, Manifest) {
    let key = |seed| IssuerKey::make(&SeededRng::new(seed));
    let mut it = (certificate(), manifest());
    it.0.keys.jubjub = Some(key(certified_by).public().into());
    it.1.sign_statement(Some(&key(signed_by)), &SeededRng::new(5));
    it
}

fn check_by(certificate: &Certificate, manifest: &Manifest) -> Result<Checked, CheckError> {
    let envelope = sign(Kind::Manifest, manifest.to_bytes(), &key(2));
    Checked::check(&envelope, &certified(certificate).unwrap())
}

#[test]
fn a_statement_is_signed_by_the_key_that_the_certificate_names() {
    let (certificate, good) = with_statement(11, 11);
    let checked = check_by(&certificate, &good).unwrap();
    assert_eq!(checked.manifest().statement, good.statement);
    assert_eq!(Manifest::parse(&good.to_bytes()), Ok(good.clone()));
    // Another's key, none, and the same signature over another policy, version or component.
    let (_, other) = with_statement(11, 12);
    assert_eq!(check_by(&certificate, &other), Err(CheckError::Statement));
    let plain = Certificate { keys: key(2).public(), ..certificate.clone() };
    assert_eq!(check_by(&plain, &good), Err(CheckError::Statement));
    let changed = |change: fn(&mut Manifest)| {
        let mut it = good.clone();
        change(&mut it);
        check_by(&certificate, &it)
    };
    assert_eq!(changed(|it| it.policy.landlock_abi = 0), Err(CheckError::Statement));
    assert_eq!(changed(|it| it.version = "0.1.1".into()), Err(CheckError::Statement));
    assert_eq!(changed(|it| it.name = "hell".into()), Err(CheckError::Statement));
    let digest = |it: &mut Manifest| it.component.sha3_512 = ComponentDigest::of(b"another");
    assert_eq!(changed(digest), Err(CheckError::Statement));
    // What the description has nothing of can change below it, signed by the whole manifest's key.
    assert!(changed(|it| it.limits.fuel = 7).is_ok());
    // A publisher with such a key may leave the statement out.
    assert!(changed(|it| it.sign_statement(None, &SeededRng::new(1))).is_ok());
}

#[test]
fn documents_without_a_statement_read_as_they_were_written() {
    let text = String::from_utf8(manifest().to_bytes()).unwrap();
    assert!(!text.contains("statement"));
    let certificate = String::from_utf8(certificate().to_bytes()).unwrap();
    assert!(!certificate.contains("jubjub"));
    // Nothing, where the signature should be, is another spelling.
    let none = text.replacen("\"version\"", "\"statement\":null,\"version\"", 1);
    assert_eq!(Manifest::parse(none.as_bytes()), Err(DocumentError::Spelling));
}

#[test]
fn bytes_that_are_no_signature_or_no_key_are_refused() {
    let (certificate, manifest) = with_statement(11, 11);
    let digits = |it: &str, name: &str| {
        let at = it.find(&format!("\"{name}\":\"")).unwrap() + name.len() + 4;
        at..at + it[at..].find('"').unwrap()
    };
    let text = String::from_utf8(manifest.to_bytes()).unwrap();
    for wrong in ["ff".repeat(64), "0".repeat(126), "g".repeat(128), String::new()] {
        let mut it = text.clone();
        it.replace_range(digits(&text, "statement"), &wrong);
        assert!(matches!(Manifest::parse(it.as_bytes()), Err(DocumentError::Form(_))), "{wrong}");
    }
    let text = String::from_utf8(certificate.to_bytes()).unwrap();
    let changed = |digits_of_key: &str| {
        let mut it = text.clone();
        it.replace_range(digits(&text, "jubjub"), digits_of_key);
        Certificate::parse(it.as_bytes())
    };
    // Above the field's order, and the identity.
    for wrong in ["ff".repeat(32), format!("01{}", "00".repeat(31))] {
        let read = changed(&wrong).unwrap();
        let refused = CheckError::Certificate(DocumentError::Field("keys.jubjub"));
        assert_eq!(certified(&read), Err(refused), "{wrong}");
    }
    assert!(matches!(changed("00"), Err(DocumentError::Form(_))));
    let capitals = text[digits(&text, "jubjub")].to_uppercase();
    assert_eq!(changed(&capitals), Err(DocumentError::Spelling));
}

#[test]
fn each_thing_above_the_ceiling_is_refused_by_name() {
    let refused = |change: fn(&mut Manifest)| {
        let mut it = manifest();
        change(&mut it);
        check(&it).unwrap_err()
    };
    let got = refused(|it| it.capabilities = vec![Capability::Call, Capability::Time]);
    assert_eq!(got, CeilingError::Capability(Capability::Time).into());
    let got = refused(|it| it.calls = vec!["github.repos.delete".into()]);
    assert_eq!(got, CeilingError::Call("github.repos.delete".into()).into());
    let got = refused(|it| it.hosts = vec!["stripe.com".into()]);
    assert_eq!(got, CeilingError::Host("stripe.com".into()).into());
    let got = refused(|it| it.hosts = vec!["evilstripe.com".into()]);
    assert_eq!(got, CeilingError::Host("evilstripe.com".into()).into());
    let got = refused(|it| it.limits.time_ms = 2001);
    assert_eq!(got, CeilingError::Limit { limit: Limit::Time, asked: 2001, most: 2000 }.into());
}

#[test]
fn each_field_out_of_its_bounds_is_refused_by_name() {
    type Change = fn(&mut Manifest);
    let cases: [(&str, Change); 14] = [
        ("name", |it| it.name = "Hello".into()),
        ("version", |it| it.version = "1.0".into()),
        ("version", |it| it.version = "01.0.0".into()),
        ("component.bytes", |it| it.component.bytes = COMPONENT_BYTES_MAX as u64 + 1),
        ("capabilities", |it| it.capabilities.reverse()),
        ("calls", |it| it.calls.reverse()),
        ("calls", |it| it.calls = vec![]),
        ("calls", |it| it.capabilities = vec![Capability::Log]),
        ("hosts", |it| it.hosts = vec![]),
        ("deterministic", |it| it.deterministic = true),
        ("limits.fuel", |it| it.limits.fuel = 0),
        ("limits.memory_bytes", |it| it.limits.memory_bytes = u64::MAX),
        ("policy.cpu_required", |it| it.policy.cpu_required = vec!["magic".into()]),
        ("policy.syscalls", |it| it.policy.syscalls = Some("all".into())),
    ];
    for (field, change) in cases {
        let mut it = manifest();
        change(&mut it);
        let expected = CheckError::Manifest(DocumentError::Field(field));
        assert_eq!(check(&it).unwrap_err(), expected, "{field}");
    }
}

#[test]
fn another_component_is_refused_at_the_hash_gate() {
    let mut other = COMPONENT.to_vec();
    other[7] ^= 1;
    assert_eq!(check(&manifest()).unwrap().admit(&other), Err(CheckError::Hash));
    let got = check(&manifest()).unwrap().admit(&COMPONENT[1..]).unwrap_err();
    assert_eq!(got, CheckError::Length { expected: 8, found: 7 });
}

fn measured() -> Measured {
    Measured {
        cpu: vec!["aes".into(), "avx2".into()],
        landlock_abi: 4,
        no_dumps: true,
        no_new_privileges: true,
        seccomp_mode: 2,
        syscalls: Some(SYSCALL_PROFILE.into()),
    }
}

#[test]
fn the_state_gate_names_the_first_thing_that_was_not_measured() {
    let policy = Policy {
        cpu_required: vec!["aes".into()],
        cpu_forbidden: vec!["avx512f".into()],
        ..Policy::strict()
    };
    assert_eq!(policy.satisfied_by(measured()).unwrap().measured(), &measured());
    let refused = |change: fn(&mut Measured)| {
        let mut it = measured();
        change(&mut it);
        policy.satisfied_by(it).unwrap_err()
    };
    assert_eq!(refused(|it| it.cpu.clear()), PolicyError::CpuMissing("aes".into()));
    let got = refused(|it| it.cpu.push("avx512f".into()));
    assert_eq!(got, PolicyError::CpuForbidden("avx512f".into()));
    let got = refused(|it| it.landlock_abi = 0);
    assert_eq!(got, PolicyError::Landlock { required: 1, found: 0 });
    assert_eq!(refused(|it| it.no_dumps = false), PolicyError::Dumps);
    assert_eq!(refused(|it| it.no_new_privileges = false), PolicyError::NewPrivileges);
    for change in [|it: &mut Measured| it.seccomp_mode = 0, |it: &mut Measured| it.syscalls = None]
    {
        assert!(matches!(refused(change), PolicyError::Syscalls { .. }));
    }
}

#[test]
fn a_manifest_damaged_at_any_byte_is_refused() {
    let envelope = sign(Kind::Manifest, manifest().to_bytes(), &key(2));
    let good = certified(&certificate()).unwrap();
    let checked = Checked::check(&envelope, &good).unwrap();
    for at in 0..envelope.len() {
        let mut wrong = envelope.clone();
        wrong[at] ^= 1;
        // A changed bit never gives another manifest: it is refused, or the same was read.
        if let Ok(it) = Checked::check(&wrong, &good) {
            assert_eq!(it, checked, "byte {at}");
        }
    }
}

#[test]
fn a_manifest_has_one_spelling() {
    let bytes = manifest().to_bytes();
    assert_eq!(Manifest::parse(&bytes).unwrap(), manifest());
    assert_eq!(Manifest::parse_draft(manifest().to_draft().as_bytes()).unwrap(), manifest());
    let draft = manifest().to_draft();
    assert_eq!(Manifest::parse(draft.as_bytes()), Err(DocumentError::Spelling));
}

proptest! {
    #[test]
    fn decoders_take_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        for kind in [Kind::Manifest, Kind::Certificate, Kind::Revocations] {
            prop_assert!(Envelope::parse(kind, &bytes).is_err());
        }
        prop_assert!(Manifest::parse(&bytes).is_err());
        prop_assert!(Certificate::parse(&bytes).is_err());
        prop_assert!(Revocations::parse(&bytes).is_err());
    }
}
