//! Google's Wycheproof vectors through our own paths, below the envelope.

use serde_json::Value;
use symbolon_codec::hex;

use crate::gcm::{Gcm, GcmError};
use crate::kdf::expand;
use crate::xchacha::{XChaCha, XChaChaError};

fn bytes(v: &Value) -> Vec<u8> {
    hex::decode(v.as_str().unwrap()).unwrap()
}

#[test]
fn aes_gcm() {
    let all: Value =
        serde_json::from_str(include_str!("../../../../vectors/wycheproof/aes_gcm_test.json"))
            .unwrap();
    let mut run = 0;
    for group in all["testGroups"].as_array().unwrap() {
        // The envelope has one size of key, nonce and authenticator.
        if (&group["keySize"], &group["ivSize"], &group["tagSize"])
            != (&256.into(), &96.into(), &128.into())
        {
            continue;
        }
        for t in group["tests"].as_array().unwrap() {
            let gcm = Gcm::new(&bytes(&t["key"]).try_into().unwrap());
            let nonce = bytes(&t["iv"]).try_into().unwrap();
            let (aad, plain, sealed) = (bytes(&t["aad"]), bytes(&t["msg"]), bytes(&t["ct"]));
            let tag: [u8; 16] = bytes(&t["tag"]).try_into().unwrap();
            let mut out = vec![0; sealed.len()];
            let opened = gcm.open(&nonce, &aad, &sealed, &tag, &mut out);
            if t["result"] == "valid" {
                assert_eq!((opened, &out), (Ok(()), &plain), "{t}");
                let made = gcm.seal(&nonce, &aad, &plain, &mut out).unwrap();
                assert_eq!((made, &out), (tag, &sealed), "{t}");
            } else {
                assert_eq!(opened, Err(GcmError), "{t}");
                assert!(out.iter().all(|b| *b == 0), "plaintext of a forgery was written: {t}");
            }
            run += 1;
        }
    }
    assert_eq!(run, 66);
}

#[test]
fn xchacha20_poly1305() {
    let all: Value = serde_json::from_str(include_str!(
        "../../../../vectors/wycheproof/xchacha20_poly1305_test.json"
    ))
    .unwrap();
    let (mut run, mut refused) = (0, 0);
    for group in all["testGroups"].as_array().unwrap() {
        for t in group["tests"].as_array().unwrap() {
            let Ok(nonce) = <[u8; 24]>::try_from(bytes(&t["iv"])) else {
                // A nonce of another length has no way into the type.
                assert_eq!(t["result"], "invalid", "{t}");
                continue;
            };
            let cipher = XChaCha::new(&bytes(&t["key"]).try_into().unwrap());
            let (aad, plain, sealed) = (bytes(&t["aad"]), bytes(&t["msg"]), bytes(&t["ct"]));
            let tag: [u8; 16] = bytes(&t["tag"]).try_into().unwrap();
            let mut out = vec![0; sealed.len()];
            let opened = cipher.open(&nonce, &aad, &sealed, &tag, &mut out);
            if t["result"] == "valid" {
                assert_eq!((opened, &out), (Ok(()), &plain), "{t}");
                let made = cipher.seal(&nonce, &aad, &plain, &mut out).unwrap();
                assert_eq!((made, &out), (tag, &sealed), "{t}");
            } else {
                assert_eq!(opened, Err(XChaChaError), "{t}");
                assert!(out.iter().all(|b| *b == 0), "plaintext of a forgery was written: {t}");
                refused += 1;
            }
            run += 1;
        }
    }
    assert_eq!((run, refused), (306, 60));
}

#[test]
fn hkdf_sha256() {
    let all: Value =
        serde_json::from_str(include_str!("../../../../vectors/wycheproof/hkdf_sha256_test.json"))
            .unwrap();
    let mut run = 0;
    for group in all["testGroups"].as_array().unwrap() {
        for t in group["tests"].as_array().unwrap() {
            let size = t["size"].as_u64().unwrap() as usize;
            if t["result"] != "valid" {
                // Longer than RFC 5869 gives; no caller can ask for it.
                assert!(size > 255 * 32, "{t}");
                continue;
            }
            let mut out = vec![0; size];
            expand(&bytes(&t["ikm"]), &bytes(&t["salt"]), &bytes(&t["info"]), &mut out);
            assert_eq!(out, bytes(&t["okm"]), "{t}");
            run += 1;
        }
    }
    assert_eq!(run, 83);
}
