//! Sealing in a real (software) TPM. With the feature `tpm` these tests need `swtpm`.
#![cfg(feature = "tpm")]

mod chip;

use std::process::Command;

use chip::Chip;
use symbolon_ambient::{ManualClock, Rng, SystemRng};
use symbolon_custody::{Enrol, Opener, Sealer, SealerError, UnlockError, Vault};
use symbolon_device::{Facts, PcrMask, Strength, Tpm};
use symbolon_secret::{
    Secret,
    scan::{MASK, Needle, own_memory},
};

fn tpm(chip: &Chip) -> Tpm {
    Tpm::at(&chip.tcti()).unwrap()
}

fn secret() -> Secret<[u8; 32]> {
    Secret::<[u8; 32]>::make(|b| SystemRng.fill(b))
}

#[test]
fn what_was_sealed_comes_back_also_after_a_reboot() {
    let mut chip = Chip::new();
    let secret = secret();
    let blob = tpm(&chip).seal(&secret).unwrap();
    assert!(tpm(&chip).unseal(&blob).unwrap().ct_eq(&secret));
    chip.power_cycle();
    assert!(tpm(&chip).unseal(&blob).unwrap().ct_eq(&secret));
    // Handles are given back: a TPM without a resource manager has three slots.
    let own = tpm(&chip);
    for _ in 0..10 {
        own.unseal(&blob).unwrap();
    }
}

#[test]
fn another_tpm_does_not_unseal() {
    let (chip, other) = (Chip::new(), Chip::new());
    let blob = tpm(&chip).seal(&secret()).unwrap();
    assert!(matches!(tpm(&other).unseal(&blob), Err(SealerError::OtherTpm)));
}

#[test]
fn a_bound_secret_needs_the_state_it_was_sealed_in() {
    let mut chip = Chip::new();
    let (bound, free) = (secret(), secret());
    let registers = PcrMask::of(&[16, 23]).unwrap();
    let bound_blob = tpm(&chip).bound_to(registers).seal(&bound).unwrap();
    let free_blob = tpm(&chip).seal(&free).unwrap();
    // The binding is in the blob: whoever unseals need not name it.
    assert!(tpm(&chip).unseal(&bound_blob).unwrap().ct_eq(&bound));

    extend(&chip, 23);
    let refused = tpm(&chip).unseal(&bound_blob);
    assert!(matches!(refused, Err(SealerError::OtherState)), "{refused:?}");
    assert!(tpm(&chip).unseal(&free_blob).unwrap().ct_eq(&free));

    // To say that it is bound to nothing does not help: the TPM asks for the policy.
    let mut stripped = bound_blob.clone();
    let mask_at = 4 + "symbolon/tpm-sealed/v1".len() + 4;
    stripped[mask_at..mask_at + 8].fill(0);
    assert!(tpm(&chip).unseal(&stripped).is_err());

    chip.power_cycle();
    assert!(tpm(&chip).unseal(&bound_blob).unwrap().ct_eq(&bound));
}

/// By the TCG's own tool, so that the library is not its own witness.
fn extend(chip: &Chip, register: u8) {
    let done = Command::new("tpm2_pcrextend")
        .env("TPM2TOOLS_TCTI", chip.tcti())
        .arg(format!("{register}:sha256={}", "11".repeat(32)))
        .status()
        .unwrap_or_else(|e| panic!("no tpm2_pcrextend ({e}); run: apt-get install -y tpm2-tools"));
    assert!(done.success());
}

#[test]
fn a_changed_blob_is_refused() {
    let chip = Chip::new();
    let own = tpm(&chip);
    let blob = own.seal(&secret()).unwrap();
    for at in (0..blob.len()).step_by(3) {
        let mut wrong = blob.clone();
        wrong[at] ^= 1;
        let got = own.unseal(&wrong);
        assert!(got.is_err(), "byte {at} does not count");
    }
    for n in [0, 1, blob.len() / 2, blob.len() - 1] {
        assert!(matches!(own.unseal(&blob[..n]), Err(SealerError::Damaged)), "{n}");
    }
}

#[test]
fn a_vault_opens_with_its_tpm_alone() {
    let (chip, other) = (Chip::new(), Chip::new());
    let own = tpm(&chip);
    let clock = ManualClock::at(1);
    let (vault, unlocked) =
        Vault::create(&Enrol::new(Opener::Tpm(&own)), &SystemRng, &clock).unwrap();
    let again = vault.unlock(&Opener::Tpm(&tpm(&chip))).unwrap();
    assert_eq!(again.state_key().commitment(), unlocked.state_key().commitment());
    let refused = vault.unlock(&Opener::Tpm(&tpm(&other)));
    assert!(matches!(refused, Err(UnlockError::Sealer(SealerError::OtherTpm))));
}

#[test]
fn a_fingerprint_with_a_tpm_is_that_tpms() {
    let (mut chip, other) = (Chip::new(), Chip::new());
    let facts = Facts::read();
    let first = tpm(&chip).fingerprint(&facts).unwrap();
    assert_eq!(first.strength, Strength::Tpm);
    chip.power_cycle();
    assert_eq!(tpm(&chip).fingerprint(&facts).unwrap(), first);
    assert_ne!(tpm(&other).fingerprint(&facts).unwrap().digest, first.digest);
    assert_ne!(facts.fingerprint(facts.set()).unwrap().digest, first.digest);
}

#[test]
fn no_tpm_is_said_with_its_place() {
    let port = chip::two_ports();
    let place = format!("swtpm:host=127.0.0.1,port={port}");
    let error = Tpm::at(&place).unwrap().seal(&secret()).unwrap_err();
    assert!(matches!(&error, SealerError::Absent { place: p, .. } if *p == place), "{error}");
}

/// The C library and its buffers are in ordinary memory: nothing of the secret may stay there.
#[test]
fn ordinary_memory_keeps_nothing_of_the_secret() {
    let chip = Chip::new();
    let own = tpm(&chip);
    let secret = secret();
    let mut masked = [0u8; 32];
    symbolon_secret::on_stack(|| {
        // EXPOSE: masked for the search.
        for (m, b) in masked.iter_mut().zip(secret.expose()) {
            *m = b ^ MASK;
        }
    });
    let needle = Needle::masked(&masked);
    let search = |when: &str| {
        let found = own_memory(&needle).unwrap();
        assert!(found.bytes > 1 << 20, "the search reads memory");
        assert_eq!(found.hits, [], "{when}");
    };
    search("before");
    let blob = own.seal(&secret).unwrap();
    search("after sealing");
    let unsealed = own.unseal(&blob).unwrap();
    search("after unsealing");

    // The search finds what is there to be found.
    // EXPOSE: put into ordinary memory on purpose.
    let copy = std::hint::black_box(unsealed.expose().to_vec());
    assert_ne!(own_memory(&needle).unwrap().hits, []);
    drop(copy);
}
