use super::terms::Cost;
use super::*;
use crate::method::Chain;
use proptest::prelude::*;
use std::sync::Mutex;
use symbolon_ambient::{ManualClock, Rng, SeededRng};
use symbolon_codec::hex;
use symbolon_crypto::opaque::ExportKey;
use symbolon_crypto::{Params, RecoveryCode, Seed};
use symbolon_secret::Secret;

/// Hands out what it was given, in order.
struct Script(Mutex<Vec<u8>>);

impl Rng for Script {
    fn fill(&self, out: &mut [u8]) {
        let mut left = self.0.lock().unwrap();
        out.copy_from_slice(&left.drain(..out.len()).collect::<Vec<_>>());
    }
}

fn count<const N: usize>(first: u8) -> [u8; N] {
    std::array::from_fn(|i| first + i as u8)
}

fn secret<const N: usize>(bytes: [u8; N]) -> Secret<[u8; N]> {
    Secret::<[u8; N]>::make(|b| *b = bytes)
}

fn passphrase(text: &str) -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(text.len(), |b| b.copy_from_slice(text.as_bytes()))
}

fn cheap() -> Params {
    Params::new(8192, 1, 1).unwrap()
}

/// The bytes of `specs/custody.md`, made there by another implementation (Python `cryptography`).
#[test]
fn worked_bytes() {
    let spec = include_str!("../../../../../specs/custody.md");
    let vault = VaultId::from(count(0x10));
    let code = RecoveryCode::from_secret(secret(count(0x50)));
    let (device, fingerprint) = (secret(count(0x50)), Digest32(count(0x70)));
    let words = passphrase("correct horse battery");
    let export_key = ExportKey::from_secret(secret(count(0x50)));
    let (prf, credential) = (secret(count(0x50)), count::<16>(0x70));
    let seed = passphrase("test test test test test test test test test test test junk");
    let seed = Seed::parse(&seed, &passphrase("")).unwrap();
    let origin = "http://127.0.0.1:7070".parse().unwrap();
    let (wallet, of) = (Opener::Seed(&seed), |chain| Enrol::seed(&origin, &seed, chain));
    let own = |opener| (Enrol::new(opener).with_cost(cheap()), opener);
    let later = NonZeroU32::new(2).unwrap();
    for (name, epoch, (enrol, opener)) in [
        ("recovery, entropy 50", first(), own(Opener::Recovery(&code))),
        (
            "device, secret",
            first(),
            own(Opener::Device { secret: &device, fingerprint: &fingerprint }),
        ),
        ("passphrase \"", first(), own(Opener::Passphrase(&words))),
        ("passkey, PRF", first(), own(Opener::Passkey { credential: &credential, prf: &prf })),
        ("password, export", first(), own(Opener::Password(&export_key))),
        ("ethereum, the first", first(), (of(Chain::Ethereum), wallet)),
        ("solana, the same", first(), (of(Chain::Solana), wallet)),
        ("recovery, entropy as above, of epoch 2", later, own(Opener::Recovery(&code))),
    ] {
        let script = [&count::<16>(0x20)[..], &count::<16>(0x30), &count::<12>(0x40)].concat();
        let (rng, clock) = (Script(Mutex::new(script)), ManualClock::at(1_700_000_000_000));
        let data_key = MasterKey::from_secret(secret(count(0)));
        let wrap = Wrap::make(vault, epoch, &data_key, &enrol, &rng, &clock).unwrap();

        let (_, worked) = spec.rsplit_once(&format!("    {name}")).unwrap();
        let (_, worked) = worked.split_once("envelope   =").unwrap();
        let (envelope, worked) = worked.split_once("check      =").unwrap();
        let envelope: String = envelope.split_whitespace().collect();
        assert_eq!(hex::encode(&wrap.envelope), envelope, "{name}");
        assert_eq!(wrap.check.to_string(), worked.split_whitespace().next().unwrap(), "{name}");
        wrap.open(vault, &opener).unwrap();
    }
}

struct Made {
    vault: VaultId,
    wrap: Wrap,
    code: RecoveryCode,
}

fn made() -> Made {
    let (rng, clock) = (SeededRng::new(1), ManualClock::at(5));
    let code = RecoveryCode::make(&rng);
    let (vault, data_key) = (VaultId::make(&rng), MasterKey::make(&rng));
    let enrol = Enrol::new(Opener::Recovery(&code));
    let wrap = Wrap::make(vault, first(), &data_key, &enrol, &rng, &clock).unwrap();
    Made { vault, wrap, code }
}

impl Made {
    fn open(&self, wrap: &Wrap) -> Result<MasterKey, UnlockError> {
        wrap.open(self.vault, &Opener::Recovery(&self.code))
    }
}

/// With a checksum that somebody made to fit, the authenticated data still refuses.
#[test]
fn a_changed_field_is_damage_even_with_a_fitting_checksum() {
    let made = made();
    let changes: [fn(&mut Wrap); 3] = [
        |w| w.id = WrapId::from([1; 16]),
        |w| w.created_unix_ms += 1,
        |w| *w.envelope.last_mut().unwrap() ^= 1,
    ];
    for change in changes {
        for fit in [false, true] {
            let mut wrap = made.wrap.clone();
            change(&mut wrap);
            if fit {
                wrap.check = wrap.checksum(&made.vault);
            }
            assert!(matches!(made.open(&wrap), Err(UnlockError::Damaged { .. })), "fit {fit}");
        }
    }
}

#[test]
fn a_wrap_of_another_vault_is_damage() {
    let made = made();
    let other = VaultId::from([9; 16]);
    let mut wrap = made.wrap.clone();
    wrap.check = wrap.checksum(&other);
    let opened = wrap.open(other, &Opener::Recovery(&made.code));
    assert!(matches!(opened, Err(UnlockError::Damaged { .. })));
}

#[test]
fn a_wrap_does_not_open_as_another_method() {
    let made = made();
    let mut wrap = made.wrap.clone();
    wrap.method = Terms::Passphrase { salt: [0; 16], cost: cheap().into() };
    wrap.check = wrap.checksum(&made.vault);
    let words = passphrase("correct horse battery");
    let opened = wrap.open(made.vault, &Opener::Passphrase(&words));
    assert!(matches!(opened, Err(UnlockError::WrongSecret { .. })));
    let opened = made.wrap.open(made.vault, &Opener::Passphrase(&words));
    assert!(matches!(opened, Err(UnlockError::WrongSecret { .. })));
}

#[test]
fn a_cost_outside_the_bounds_is_damage_and_is_not_paid() {
    let made = made();
    let mut wrap = made.wrap.clone();
    let cost = Cost { memory_kib: u32::MAX, iterations: u32::MAX, lanes: 1 };
    wrap.method = Terms::Passphrase { salt: [0; 16], cost };
    wrap.check = wrap.checksum(&made.vault);
    let words = passphrase("correct horse battery");
    let opened = wrap.open(made.vault, &Opener::Passphrase(&words));
    assert!(matches!(opened, Err(UnlockError::Damaged { .. })));
}

#[test]
fn the_stored_form_is_the_specs() {
    let made = made();
    let json = serde_json::to_value(&made.wrap).unwrap();
    let keys: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys.len(), 5);
    for key in ["id", "created_unix_ms", "method", "envelope", "check"] {
        assert!(keys.contains(&key), "{key}");
    }
    assert_eq!(json["method"]["kind"], "recovery");
    let back: Wrap = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(back, made.wrap);
    let mut unknown = json;
    unknown["more"] = 1.into();
    assert!(serde_json::from_value::<Wrap>(unknown).is_err());
}

proptest! {
    /// Any byte of the stored text, flipped in any bit: not readable, or damaged. Never another
    /// key, and never "wrong secret".
    #[test]
    fn a_flipped_bit_of_the_stored_form_is_damage(at: prop::sample::Index, bit in 0u8..8) {
        let made = made();
        let mut text = serde_json::to_vec(&made.wrap).unwrap();
        let at = at.index(text.len());
        text[at] ^= 1u8 << bit;
        if let Ok(wrap) = serde_json::from_slice::<Wrap>(&text) {
            // Hex is read in either case, which changes nothing.
            prop_assume!(wrap != made.wrap);
            let is_damage = matches!(made.open(&wrap), Err(UnlockError::Damaged { .. }));
            prop_assert!(is_damage, "byte {at} bit {bit}");
        }
    }
}
