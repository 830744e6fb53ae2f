//! GitHub Apps: a token for one installation, asked for with a statement that the App signs
//! (RFC 7519 with RS256, RFC 7518, section 3.3).
//!
//! What is sealed is the App's private key: base64 of its DER, as it stands in the PEM file that
//! GitHub hands out. It is opened for one signature; the provider's own copy is wiped by it.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use symbolon_codec::{b64, b64url};
use symbolon_secret::{Secret, wipe_stack};

use super::TokenError;
use super::text::secret_text;

/// The key of a PEM file (RFC 7468), PKCS#1 or PKCS#8, as it is sealed.
///
/// # Errors
/// [`TokenError::AppKey`] for anything but one RSA key of 2,048 to 8,192 bits.
pub(super) fn read_key(pem: &Secret<[u8]>) -> Result<Secret<[u8]>, TokenError> {
    let key = Secret::<[u8]>::try_make_slice(pem.len(), |out| {
        // EXPOSE: copied from one secret page into another, without its frame.
        let body = body(pem.expose()).ok_or(TokenError::AppKey)?;
        let text = body.iter().filter(|b| !b.is_ascii_whitespace());
        Ok::<_, TokenError>(out.iter_mut().zip(text).map(|(out, byte)| *out = *byte).count())
    })?;
    pair(&key).map(|_| key)
}

/// What the App shows for a token: who it is, signed, good for ten minutes. One minute of that lies
/// in the past, for clocks that differ.
pub(super) fn statement(
    key: &Secret<[u8]>,
    app: &str,
    now_unix_s: u64,
) -> Result<Secret<[u8]>, TokenError> {
    let header = serde_json::json!({ "alg": "RS256", "typ": "JWT" });
    let (from, until) = (now_unix_s.saturating_sub(60), now_unix_s.saturating_add(540));
    let claims = serde_json::json!({ "iat": from, "exp": until, "iss": app });
    let part = |json: serde_json::Value| b64url::encode(json.to_string().as_bytes());
    let signed = format!("{}.{}", part(header), part(claims));
    let pair = pair(key)?;
    let mut signature = vec![0; pair.public_modulus_len()];
    let made =
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature);
    drop(pair);
    wipe_stack();
    made.map_err(|_| TokenError::AppKey)?;
    secret_text(|w| {
        w.plain(&signed);
        w.plain(".");
        w.plain(b64url::encode(&signature));
    })
}

fn pair(key: &Secret<[u8]>) -> Result<RsaKeyPair, TokenError> {
    let der = Secret::<[u8]>::try_make_slice(key.len(), |out| {
        // EXPOSE: decoded from one secret page into another.
        b64::decode_into(key.expose(), out).ok_or(TokenError::AppKey)
    })?;
    // EXPOSE: read into the provider's own key, which lives for one signature.
    let der = der.expose();
    let pair = RsaKeyPair::from_der(der).or_else(|_| RsaKeyPair::from_pkcs8(der));
    wipe_stack();
    pair.map_err(|_| TokenError::AppKey)
}

/// What stands between the lines of a PEM frame.
fn body(pem: &[u8]) -> Option<&[u8]> {
    FRAMES.iter().find_map(|(begin, end)| {
        let from = memchr::memmem::find(pem, begin.as_bytes())? + begin.len();
        let len = memchr::memmem::find(&pem[from..], end.as_bytes())?;
        Some(&pem[from..from + len])
    })
}

const FRAMES: [(&str, &str); 2] = [
    ("-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----"),
    ("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::encoding::AsDer;
    use aws_lc_rs::rsa::{KeyPair, KeySize};
    use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    fn secret(text: &[u8]) -> Secret<[u8]> {
        Secret::<[u8]>::make_slice(text.len(), |out| out.copy_from_slice(text))
    }

    fn pem(der: &[u8]) -> String {
        let text = b64::encode(der);
        let lines: Vec<&str> =
            text.as_bytes().chunks(64).map(|l| std::str::from_utf8(l).unwrap()).collect();
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", lines.join("\r\n"))
    }

    #[test]
    fn a_statement_says_who_and_until_when_and_is_signed() {
        let made = KeyPair::generate(KeySize::Rsa2048).unwrap();
        let der = made.as_der().unwrap();
        let key = read_key(&secret(pem(der.as_ref()).as_bytes())).unwrap();
        let jwt = statement(&key, "12\"3", 1_800_000_000).unwrap();
        // EXPOSE: a test's own key.
        let jwt = String::from_utf8(jwt.expose().to_vec()).unwrap();
        let (signed, signature) = jwt.rsplit_once('.').unwrap();
        let (header, claims) = signed.split_once('.').unwrap();
        let json = |part| -> serde_json::Value {
            serde_json::from_slice(&b64url::decode(part, 1024).unwrap()).unwrap()
        };
        assert_eq!(json(header)["alg"], "RS256");
        let claims = json(claims);
        assert_eq!((&claims["iss"], &claims["iat"]), (&"12\"3".into(), &1_799_999_940u64.into()));
        assert_eq!(claims["exp"], 1_800_000_540u64);
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, made.public_key());
        let signature = b64url::decode(signature, 1024).unwrap();
        public.verify(signed.as_bytes(), &signature).expect("signed by the key");
    }

    #[test]
    fn what_is_no_rsa_key_is_refused() {
        let frame = |body: &str| {
            format!("-----BEGIN RSA PRIVATE KEY-----\n{body}\n-----END RSA PRIVATE KEY-----\n")
        };
        for text in [
            String::new(),
            "ghs_a-token-and-no-key-at-all".to_owned(),
            frame(""),
            frame("AAAA"),
            frame("AAA"),
            frame("A*AA"),
            frame(&b64::encode(&[0x30; 900])),
            "-----BEGIN RSA PRIVATE KEY-----\nAAAA".to_owned(),
            "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----".to_owned(),
        ] {
            assert!(
                matches!(read_key(&secret(text.as_bytes())), Err(TokenError::AppKey)),
                "{text}"
            );
        }
    }
}
