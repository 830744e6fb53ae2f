//! Every way to open a vault that a browser has.

use super::tests::{World, enrol, passphrase, same, world};
use super::*;
use crate::method::Chain;
use crate::tap::{SALT_BYTES, WrapKey};
use crate::wallet::{KeyDerivation, Origin};
use symbolon_crypto::Seed;
use symbolon_crypto::opaque::ExportKey;
use symbolon_secret::Secret;

const WORDS: &str = "test test test test test test test test test test test junk";
const OTHER_WORDS: &str =
    "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about";

fn seed(words: &str) -> Seed {
    Seed::parse(&passphrase(words), &passphrase("")).unwrap()
}

fn origin() -> Origin {
    "http://127.0.0.1:7070".parse().unwrap()
}

fn page<const N: usize>(byte: u8) -> Secret<[u8; N]> {
    Secret::<[u8; N]>::make(|b| b.fill(byte))
}

/// What the wallet of a seed signs when a page asks.
fn ethereum(words: &str, origin: &Origin, vault: VaultId) -> Secret<[u8; 65]> {
    seed(words).ethereum_key().sign(&KeyDerivation { origin, vault }.ethereum_digest())
}

fn solana(words: &str, origin: &Origin, vault: VaultId) -> Secret<[u8; 64]> {
    let message = KeyDerivation { origin, vault }.solana_message();
    seed(words).solana_key().sign_secret(message.as_bytes())
}

#[track_caller]
fn add(w: &World, enrol: &Enrol<'_>) -> Vault {
    w.vault.add_wrap(&w.unlocked, enrol, &w.rng, &w.clock).unwrap().vault
}

#[track_caller]
fn refuse(w: &World, enrol: &Enrol<'_>) -> EnrolError {
    match w.vault.add_wrap(&w.unlocked, enrol, &w.rng, &w.clock) {
        Err(WrapError::Enrol(error)) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_input_of_a_passkeys_prf_is_the_specs() {
    let spec = include_str!("../../../../../specs/custody.md");
    assert!(spec.contains(&format!("`{}`", crate::prf_input())));
}

#[test]
fn a_passkey_opens_and_another_passkey_or_output_does_not() {
    let w = world();
    let (prf, other) = (page(1), page(2));
    let mine = Opener::Passkey { credential: b"mine", prf: &prf };
    let vault = add(&w, &enrol(mine));
    assert!(same(&vault.unlock(&mine).unwrap(), &w.unlocked));
    assert_eq!(vault.wraps()[1].passkey(), Some(&b"mine"[..]));

    let wrong = vault.unlock(&Opener::Passkey { credential: b"mine", prf: &other });
    assert!(matches!(wrong, Err(UnlockError::WrongSecret { method: Method::Passkey })));
    let other = vault.unlock(&Opener::Passkey { credential: b"other", prf: &prf });
    assert!(matches!(other, Err(UnlockError::OtherPasskey)));
    for credential in [&[][..], &[0; 1024]] {
        let error = refuse(&w, &enrol(Opener::Passkey { credential, prf: &prf }));
        assert!(matches!(error, EnrolError::Credential), "{error}");
    }
    assert!(
        Vault::create(
            &enrol(Opener::Passkey { credential: &[0; 1023], prf: &prf }),
            &w.rng,
            &w.clock
        )
        .is_ok()
    );
}

#[test]
fn of_several_passkeys_the_error_is_of_the_one_that_was_meant() {
    let w = world();
    let (one, two, wrong) = (page(1), page(2), page(3));
    let first = add(&w, &enrol(Opener::Passkey { credential: b"one", prf: &one }));
    let second = enrol(Opener::Passkey { credential: b"two", prf: &two });
    let vault = first.add_wrap(&w.unlocked, &second, &w.rng, &w.clock).unwrap().vault;
    for credential in [&b"one"[..], b"two"] {
        let error = vault.unlock(&Opener::Passkey { credential, prf: &wrong }).unwrap_err();
        assert!(matches!(error, UnlockError::WrongSecret { .. }), "{error}");
    }
    assert!(vault.unlock(&Opener::Passkey { credential: b"two", prf: &two }).is_ok());
}

#[test]
fn a_password_opens_by_its_export_key() {
    let w = world();
    let (key, other) = (ExportKey::from_secret(page(1)), ExportKey::from_secret(page(2)));
    let vault = add(&w, &enrol(Opener::Password(&key)));
    assert!(same(&vault.unlock(&Opener::Password(&key)).unwrap(), &w.unlocked));
    let wrong = vault.unlock(&Opener::Password(&other));
    assert!(matches!(wrong, Err(UnlockError::WrongSecret { method: Method::Password })));
}

#[test]
fn an_ethereum_wallet_opens_what_it_signed_for() {
    let (w, origin) = (world(), origin());
    let (vault_id, address) = (w.vault.id(), seed(WORDS).ethereum_key().address());
    let (first, again) = (ethereum(WORDS, &origin, vault_id), ethereum(WORDS, &origin, vault_id));
    let vault = add(&w, &Enrol::ethereum(&origin, address, [&first, &again]));
    let wrap = &vault.wraps()[1];
    assert_eq!((wrap.origin(), wrap.account()), (Some(&origin), Some(address.to_string())));
    assert!(same(&vault.unlock(&Opener::Ethereum(&first)).unwrap(), &w.unlocked));

    // Other wallets count `v` from zero.
    // EXPOSE: a test rewrites a signature's last byte.
    let zero = Secret::<[u8; 65]>::make(|b| (*b = *first.expose(), b[64] -= 27).0);
    assert!(vault.unlock(&Opener::Ethereum(&zero)).is_ok());

    let method = Method::Ethereum;
    let elsewhere = "https://evil.example".parse().unwrap();
    for signature in [
        ethereum(OTHER_WORDS, &origin, vault_id),
        ethereum(WORDS, &elsewhere, vault_id),
        ethereum(WORDS, &origin, VaultId::from([0; 16])),
    ] {
        let error = vault.unlock(&Opener::Ethereum(&signature)).unwrap_err();
        assert!(matches!(error, UnlockError::OtherWallet { method: m } if m == method), "{error}");
        let error = refuse(&w, &Enrol::ethereum(&origin, address, [&signature, &signature]));
        assert!(matches!(error, EnrolError::OtherWallet { .. }), "{error}");
        let error = refuse(&w, &Enrol::ethereum(&origin, address, [&first, &signature]));
        assert!(matches!(error, EnrolError::UnstableSignature { .. }), "{error}");
    }
    let nothing = vault.unlock(&Opener::Ethereum(&page(0)));
    assert!(matches!(nothing, Err(UnlockError::Signature { .. })));
    let error = refuse(&w, &Enrol::ethereum(&origin, address, [&page(0), &first]));
    assert!(matches!(error, EnrolError::Signature { .. }), "{error}");
    let error = refuse(&w, &enrol(Opener::Ethereum(&first)));
    assert!(matches!(error, EnrolError::SignTwice { .. }), "{error}");
}

/// The right account and the right message, signed with a nonce that is not RFC 6979's (by Python
/// `cryptography`): a wallet that was changed, or one that never was any good for this.
#[test]
fn a_changed_signature_of_the_right_wallet_is_its_own_error() {
    let (w, origin) = (world(), origin());
    let id = VaultId::from(std::array::from_fn(|i| 0x10 + i as u8));
    let own = seed(WORDS);
    let way = Enrol::seed(&origin, &own, Chain::Ethereum);
    let (vault, _) = Vault::create_as(id, &way, &w.rng, &w.clock).unwrap();
    let other = symbolon_codec::hex::decode(OTHER_NONCE).unwrap();
    let both = [27, 28].map(|v| {
        let signature = Secret::<[u8; 65]>::make(|b| {
            b[..64].copy_from_slice(&other);
            b[64] = v;
        });
        let address = own.ethereum_key().address();
        let good = ethereum(WORDS, &origin, id);
        let enrol = Enrol::ethereum(&origin, address, [&good, &signature]);
        let refused = Vault::create_as(id, &enrol, &w.rng, &w.clock).map(drop);
        assert!(matches!(refused, Err(EnrolError::UnstableSignature { .. })));
        vault.unlock(&Opener::Ethereum(&signature)).map(drop)
    });
    // One of both names the account, the other a stranger.
    let changed = both.iter().filter(|r| matches!(r, Err(UnlockError::ChangedSignature { .. })));
    let stranger = both.iter().filter(|r| matches!(r, Err(UnlockError::OtherWallet { .. })));
    assert_eq!((changed.count(), stranger.count()), (1, 1), "{both:?}");
}

const OTHER_NONCE: &str = "e8f843f92f58bfd6c50b59d5215ab74ac454cffdc0fff9ce3cdb591c0e37535e\
    46081529e523aac02af270549c0b008c1fdbace71b90c8c53df188d602d0d69e";

#[test]
fn a_solana_wallet_opens_what_it_signed_for() {
    let (w, origin) = (world(), origin());
    let (vault_id, key) = (w.vault.id(), seed(WORDS).solana_key().verifying_key());
    let good = solana(WORDS, &origin, vault_id);
    let vault = add(&w, &Enrol::solana(&origin, key, [&good, &good]));
    assert_eq!(vault.wraps()[1].account(), Some(key.to_base58()));
    assert!(same(&vault.unlock(&Opener::Solana(&good)).unwrap(), &w.unlocked));
    let elsewhere = "https://evil.example".parse().unwrap();
    for signature in [
        solana(OTHER_WORDS, &origin, vault_id),
        solana(WORDS, &elsewhere, vault_id),
        solana(WORDS, &origin, VaultId::from([0; 16])),
        page(0),
    ] {
        let error = vault.unlock(&Opener::Solana(&signature)).unwrap_err();
        assert!(matches!(error, UnlockError::OtherWallet { .. }), "{error}");
        let error = refuse(&w, &Enrol::solana(&origin, key, [&signature, &good]));
        assert!(matches!(error, EnrolError::OtherWallet { .. }), "{error}");
        let error = refuse(&w, &Enrol::solana(&origin, key, [&good, &signature]));
        assert!(matches!(error, EnrolError::UnstableSignature { .. }), "{error}");
    }
    let error = refuse(&w, &enrol(Opener::Solana(&good)));
    assert!(matches!(error, EnrolError::SignTwice { .. }), "{error}");
}

#[test]
fn a_seed_opens_the_wraps_of_its_wallets_and_they_its() {
    let (w, origin) = (world(), origin());
    let (own, other, vault_id) = (seed(WORDS), seed(OTHER_WORDS), w.vault.id());
    for chain in [Chain::Ethereum, Chain::Solana] {
        let vault = add(&w, &Enrol::seed(&origin, &own, chain));
        let by_wallet = match chain {
            Chain::Ethereum => vault.unlock(&Opener::Ethereum(&ethereum(WORDS, &origin, vault_id))),
            Chain::Solana => vault.unlock(&Opener::Solana(&solana(WORDS, &origin, vault_id))),
        };
        assert!(same(&by_wallet.unwrap(), &w.unlocked));
        let by_seed = vault.unlock(&Opener::Seed(&own)).unwrap();
        assert!(same(&by_seed, &w.unlocked));
        assert_ne!(by_seed.opened_by().unwrap().1, Method::Seed);
        let error = vault.unlock(&Opener::Seed(&other)).unwrap_err();
        assert!(matches!(error, UnlockError::WrongSecret { method: Method::Seed }), "{error}");
    }
    let nothing = w.vault.unlock(&Opener::Seed(&own));
    assert!(matches!(nothing, Err(UnlockError::NoSuchMethod { method: Method::Seed, .. })));
}

/// Moved, renamed or relabelled, with a checksum made to fit or not: never another key.
#[test]
fn a_wrap_of_each_method_opens_in_its_own_place_alone() {
    let (w, origin) = (world(), origin());
    let (own, prf, key) = (seed(WORDS), page(1), ExportKey::from_secret(page(2)));
    let passkey = Opener::Passkey { credential: b"mine", prf: &prf };
    for (way, opener) in [
        (enrol(passkey), passkey),
        (enrol(Opener::Password(&key)), Opener::Password(&key)),
        (Enrol::seed(&origin, &own, Chain::Ethereum), Opener::Seed(&own)),
        (Enrol::seed(&origin, &own, Chain::Solana), Opener::Seed(&own)),
    ] {
        let wrap = add(&w, &way).wraps()[1].clone();
        assert!(wrap.open(w.vault.id(), &opener).is_ok());
        let text = serde_json::to_string(&wrap).unwrap();
        let renamed = text.replace(&wrap.id().to_string(), &"0".repeat(32));
        let dated = text.replace("\"created_unix_ms\":1000", "\"created_unix_ms\":1001");
        let later = text.replace("\"method\"", "\"epoch\":2,\"method\"");
        for changed in [renamed, dated, later] {
            assert_ne!(changed, text);
            let changed: Wrap = serde_json::from_str(&changed).unwrap();
            for changed in [changed.clone(), changed.fitted(w.vault.id())] {
                let error = changed.open(w.vault.id(), &opener).unwrap_err();
                assert!(matches!(error, UnlockError::Damaged { .. }), "{opener:?}: {error}");
            }
        }
        let other = VaultId::from([9; 16]);
        for moved in [wrap.clone(), wrap.clone().fitted(other)] {
            let error = moved.open(other, &opener).unwrap_err();
            // A wallet signs for a vault by its id, so its key is another one there.
            let is_told =
                matches!(error, UnlockError::Damaged { .. } | UnlockError::ChangedSignature { .. });
            assert!(is_told, "{opener:?}: {error}");
        }
        let kind = format!("\"kind\":\"{}\"", wrap.method().as_str());
        for name in ["recovery", "password"] {
            let named = text.replace(&kind, &format!("\"kind\":\"{name}\""));
            let Ok(named) = serde_json::from_str::<Wrap>(&named) else { continue };
            if named == wrap {
                continue;
            }
            let named = named.fitted(w.vault.id());
            let code = symbolon_crypto::RecoveryCode::from_secret(page(1));
            for opener in [Opener::Recovery(&code), Opener::Password(&key)] {
                assert!(named.open(w.vault.id(), &opener).is_err());
            }
        }
    }
}

#[test]
fn a_wrap_made_by_a_tap_is_the_passkeys_and_opens_by_either() {
    let w = world();
    let (prf, other, salt) = (page(1), page(2), [9; SALT_BYTES]);
    let key = WrapKey::of_passkey(&prf, b"mine", &salt);
    let vault = add(&w, &enrol(Opener::WrapKey(&key)));
    let wrap = vault.wraps().last().unwrap();
    assert_eq!(wrap.passkey().zip(wrap.passkey_salt()), Some((&b"mine"[..], &salt)));
    for opener in [Opener::WrapKey(&key), Opener::Passkey { credential: b"mine", prf: &prf }] {
        assert!(same(&vault.unlock(&opener).unwrap(), &w.unlocked), "{opener:?}");
    }

    let wrong = WrapKey::of_passkey(&other, b"mine", &salt);
    let error = vault.unlock(&Opener::WrapKey(&wrong)).unwrap_err();
    assert!(matches!(error, UnlockError::WrongSecret { method: Method::Passkey }), "{error:?}");
    for key in [
        WrapKey::of_passkey(&prf, b"other", &salt),
        WrapKey::of_passkey(&prf, b"mine", &[8; SALT_BYTES]),
    ] {
        let error = vault.unlock(&Opener::WrapKey(&key)).unwrap_err();
        assert!(matches!(error, UnlockError::OtherPasskey), "{error:?}");
    }
    let none = WrapKey::of_passkey(&prf, b"", &salt);
    assert!(matches!(refuse(&w, &enrol(Opener::WrapKey(&none))), EnrolError::Credential));
}

#[test]
fn the_key_of_one_wrap_opens_no_other_wrap_of_its_passkey() {
    let w = world();
    let prf = page(1);
    let first = add(&w, &enrol(Opener::Passkey { credential: b"mine", prf: &prf }));
    let salt = first.wraps().last().unwrap().passkey_salt().unwrap();
    let key = WrapKey::of_passkey(&prf, b"mine", salt);
    assert!(first.unlock(&Opener::WrapKey(&key)).is_ok());
    let second = add(&w, &enrol(Opener::Passkey { credential: b"mine", prf: &prf }));
    let error = second.unlock(&Opener::WrapKey(&key)).unwrap_err();
    assert!(matches!(error, UnlockError::OtherPasskey), "{error:?}");
}
