use symbolon_ambient::SeededRng;
use symbolon_codec::b64url;
use symbolon_crypto::SigningKey;
use symbolon_secret::Secret;

use super::*;

const BODY: &[u8] = br#"{"hello": "world"}"#;

/// RFC 9421, appendix B.1.4.
fn rfc_key() -> SigningKey {
    let seed = b64url::decode("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU", 32).unwrap();
    SigningKey::from_seed(Secret::<[u8; 32]>::make(|b| b.copy_from_slice(&seed)))
}

fn message<'a>(fields: &'a [(&'a str, &'a str)]) -> Message<'a> {
    Message {
        method: "POST",
        authority: "Example.com:443",
        scheme: "https",
        path: "/foo",
        query: Some("param=Value&Pet=dog"),
        fields,
    }
}

/// RFC 9421, appendix B.2.6. Its input has no nonce, which ours must have, so base and signature are
/// checked without the profile of `read`.
#[test]
fn the_example_of_the_rfc() {
    let params = "(\"date\" \"@method\" \"@path\" \"@authority\" \"content-type\" \"content-length\")\
                  ;created=1618884473;keyid=\"test-key-ed25519\"";
    let signature = "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:";
    let nonce = ";nonce=\"0123456789abcdef\"";
    let read = SignatureInput::read(&format!("sig-b26={params}{nonce}"), signature).unwrap();
    let fields = [
        ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
        ("content-type", "application/json"),
        ("content-length", "18"),
    ];
    let base = message(&fields).base(&read).unwrap();
    let base = base.strip_suffix(nonce).unwrap();
    assert_eq!(
        base,
        format!(
            "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@method\": POST\n\"@path\": /foo\n\
             \"@authority\": example.com\n\"content-type\": application/json\n\"content-length\": 18\n\
             \"@signature-params\": {params}"
        )
    );
    let key = rfc_key();
    let public = b64url::encode(key.verifying_key().as_bytes());
    assert_eq!(public, "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs");
    let wanted = format!("sig-b26=:{}:", symbolon_codec::b64::encode(&key.sign(base.as_bytes())));
    assert_eq!(wanted, signature);
}

#[test]
fn what_was_signed_verifies_and_a_change_anywhere_does_not() {
    let (key, rng) = (rfc_key(), SeededRng::new(1));
    let digest = digest_of(BODY);
    let fields = [("content-digest", digest.as_str())];
    let signed = sign(&message(&fields), "key-1", &key, 1_618_884_473, &rng).unwrap();
    let read = SignatureInput::read(&signed.input, &signed.signature).unwrap();
    assert_eq!((read.key_id(), read.created()), ("key-1", 1_618_884_473));
    let verify = |message: &Message<'_>| read.verify(message, true, &key.verifying_key());
    let good = message(&fields);
    assert_eq!(verify(&good), Ok(()));
    assert_eq!(verify(&Message { authority: "example.com", ..good }), Ok(()), "the same authority");

    let other = digest_of(b"{}");
    let changed = [("content-digest", other.as_str())];
    for wrong in [
        Message { method: "PUT", ..good },
        Message { authority: "example.org", ..good },
        Message { scheme: "http", ..good },
        Message { path: "/foo/", ..good },
        Message { query: None, ..good },
        Message { query: Some("param=Value&Pet=cat"), ..good },
        Message { fields: &changed, ..good },
    ] {
        assert_eq!(verify(&wrong), Err(SignatureError::Signature), "{wrong:?}");
    }
    let bare = Message { fields: &[], ..good };
    assert_eq!(verify(&bare), Err(SignatureError::Component), "a covered field is not there");
    let nobody = SigningKey::make(&rng).verifying_key();
    assert_eq!(read.verify(&good, true, &nobody), Err(SignatureError::Signature));
    assert_eq!(content_digest(&digest, BODY), Ok(()));
    assert_eq!(content_digest(&digest, b"{}"), Err(SignatureError::Digest));
}

/// Reads and verifies a signature over an inner list that is written out, made by the right key.
fn take(list: &str) -> Result<(), SignatureError> {
    let key = rfc_key();
    let blank = format!("a=:{}:", symbolon_codec::b64::encode(&[0; 64]));
    let input = format!("a={list}");
    let unsigned = SignatureInput::read(&input, &blank)?;
    let digest = digest_of(BODY);
    let fields = [("content-digest", digest.as_str())];
    let base = message(&fields).base(&unsigned)?;
    let signature = format!("a=:{}:", symbolon_codec::b64::encode(&key.sign(base.as_bytes())));
    SignatureInput::read(&input, &signature)?.verify(&message(&fields), true, &key.verifying_key())
}

#[test]
fn what_a_signature_must_cover_and_say() {
    use SignatureError::{Component, Malformed, Missing, Parameter, Uncovered};
    let all = r#"("@method" "@authority" "@path" "@query" "content-digest")"#;
    let said = r#"created=1;nonce="0123456789abcdef";keyid="k""#;
    assert_eq!(take(&format!("{all};{said}")), Ok(()));
    assert_eq!(take(&format!("{all};{said};alg=\"ed25519\";tag=\"t\";expires=9")), Ok(()));
    for name in ["@method", "@authority", "@path", "@query", "content-digest"] {
        let list = all.replace(&format!("\"{name}\""), "").replace("( ", "(").replace(" )", ")");
        let list = list.replace("  ", " ");
        assert_eq!(take(&format!("{list};{said}")), Err(Uncovered(name)), "{list}");
    }
    for name in ["created", "nonce", "keyid"] {
        let kept: Vec<_> = said.split(';').filter(|one| !one.starts_with(name)).collect();
        assert_eq!(take(&format!("{all};{}", kept.join(";"))), Err(Missing(name)));
    }
    for (said, wanted) in [
        (r#"created=1.5;nonce="0123456789abcdef";keyid="k""#, Parameter("created")),
        (r#"created=-1;nonce="0123456789abcdef";keyid="k""#, Parameter("created")),
        (r#"created=1;nonce="short";keyid="k""#, Parameter("nonce")),
        (r#"created=1;nonce="0123456789abcdef";keyid="""#, Parameter("keyid")),
        (r#"created=1;nonce="0123456789abcdef";keyid="k";alg="rsa-pss-sha512""#, Parameter("alg")),
        (r#"created=1;nonce="0123456789abcdef";keyid="k";more=1"#, Parameter("unknown parameter")),
    ] {
        assert_eq!(take(&format!("{all};{said}")), Err(wanted), "{said}");
    }
    for list in [
        r#"("@method" "@method" "@authority" "@path" "@query")"#,
        r#"("@method";req "@authority" "@path" "@query")"#,
        r#"("@status" "@authority" "@path" "@query" "@method")"#,
        r#"("X-Upper" "@authority" "@path" "@query" "@method")"#,
        r#"("absent" "@authority" "@path" "@query" "@method")"#,
        r#"(@method)"#,
    ] {
        let found = take(&format!("{list};{said}"));
        assert!(matches!(found, Err(Component | Malformed(_))), "{list}: {found:?}");
    }
}

#[test]
fn headers_of_other_forms_are_refused() {
    let zero = symbolon_codec::b64::encode(&[0; 64]);
    let input = r#"a=("@method");created=1;nonce="0123456789abcdef";keyid="k""#;
    let refused =
        |input: &str, signature: &str| SignatureInput::read(input, signature).unwrap_err();
    assert_eq!(refused(input, &format!("b=:{zero}:")), SignatureError::Labels);
    assert_eq!(refused(input, &format!("a=:{zero}:, b=:{zero}:")), SignatureError::Labels);
    assert_eq!(refused(input, ""), SignatureError::Labels);
    assert_eq!(refused(input, "a=:AAAA:"), SignatureError::Malformed("Signature"));
    assert_eq!(refused(input, "a=?1"), SignatureError::Malformed("Signature"));
    assert_eq!(refused(input, "a=:"), SignatureError::Malformed("Signature"));
    assert_eq!(
        refused("a=1", &format!("a=:{zero}:")),
        SignatureError::Malformed("Signature-Input")
    );
    let long = format!("a=:{}:", "A".repeat(4096));
    assert_eq!(refused(input, &long), SignatureError::TooLong("Signature"));
    for bad in ["", "sha-256=1", "sha-512=:AAAA:", "md5", "sha-256=:!:"] {
        assert_eq!(content_digest(bad, BODY), Err(SignatureError::Malformed("Content-Digest")));
    }
}

#[test]
fn a_signature_is_good_for_a_minute_and_its_nonce_is_kept_as_long() {
    let made = |input: &str| {
        let zero = symbolon_codec::b64::encode(&[0; 64]);
        SignatureInput::read(input, &format!("a=:{zero}:")).unwrap()
    };
    let said = r#"a=("@method");created=1000;nonce="0123456789abcdef";keyid="k""#;
    let signed = made(said);
    let until = signed.timely(1_000_000).unwrap();
    for now in [1_000_000 - 60_000, 1_060_999, until - 1] {
        assert_eq!(signed.timely(now), Ok(until), "{now}");
    }
    for now in [0, 939_999, until, u64::MAX] {
        assert_eq!(signed.timely(now), Err(SignatureError::Stale), "{now}");
    }
    let ends = made(&format!("{said};expires=1010"));
    assert_eq!(ends.timely(1_009_999), Ok(until));
    assert_eq!(ends.timely(1_010_000), Err(SignatureError::Stale));
}
