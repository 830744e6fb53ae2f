//! Fingerprints of made-up machines, and the device key file with a vault.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use symbolon_ambient::{ManualClock, SystemRng};
use symbolon_custody::{Enrol, UnlockError, Vault};
use symbolon_device::{DeviceKey, Facts, Fingerprint, FingerprintError, KeyFileError, Strength};
use tempfile::{TempDir, tempdir};

const ID: &str = "3d1219c7c4c5404aaa1f6d2a48adfda4\n";

fn put(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn machine() -> TempDir {
    let root = tempdir().unwrap();
    put(root.path(), "etc/machine-id", ID);
    put(root.path(), "sys/class/dmi/id/product_uuid", "4C4C4544-0042-3510-8051-B4C04F4E3232\n");
    put(root.path(), "sys/class/dmi/id/board_serial", "PF3ABC\n");
    put(root.path(), "sys/class/dmi/id/product_name", "Board 1\n");
    put(root.path(), "proc/cpuinfo", "processor : 0\nmodel name : CPU 9\nmodel name : CPU 9\n");
    root
}

fn of(root: &TempDir) -> Fingerprint {
    let facts = Facts::read_under(root.path());
    facts.fingerprint(facts.set()).unwrap()
}

#[test]
fn each_fact_counts_and_what_changes_by_itself_does_not() {
    let first = of(&machine());
    assert_eq!((first, first.strength), (of(&machine()), Strength::Machine));
    for (name, other) in [
        ("etc/machine-id", "00000000c4c5404aaa1f6d2a48adfda4"),
        ("sys/class/dmi/id/product_uuid", "5C4C4544-0042-3510-8051-B4C04F4E3232"),
        ("sys/class/dmi/id/board_serial", "PF3ABD"),
        ("sys/class/dmi/id/product_name", "Board 2"),
        ("proc/cpuinfo", "model name : CPU 8\n"),
    ] {
        let m = machine();
        put(m.path(), name, other);
        assert_ne!(of(&m).digest, first.digest, "{name}");
    }
    let m = machine();
    put(m.path(), "etc/hostname", "elsewhere");
    put(m.path(), "proc/cpuinfo", "processor : 0\nmodel name : CPU 9\ncpu MHz : 1200.1\n");
    put(m.path(), "proc/meminfo", "MemTotal: 1 kB");
    assert_eq!(of(&m).digest, first.digest);
}

#[test]
fn without_a_number_of_its_own_a_machine_is_a_model() {
    let m = tempdir().unwrap();
    put(m.path(), "etc/machine-id", "uninitialized\n");
    put(m.path(), "sys/class/dmi/id/board_serial", "Default string\n");
    put(m.path(), "proc/cpuinfo", "model name : CPU 9\n");
    assert_eq!(of(&m).strength, Strength::Model);
    put(m.path(), "var/lib/dbus/machine-id", ID);
    assert_eq!(of(&m).strength, Strength::Machine);

    let facts = Facts::read_under(tempdir().unwrap().path());
    assert_eq!(facts.fingerprint(facts.set()), Err(FingerprintError::NoFacts));
}

#[test]
fn this_machine_has_a_fingerprint_and_keeps_it() {
    assert_eq!(Fingerprint::read().unwrap(), Fingerprint::read().unwrap());
}

fn key_in(folder: &TempDir, machine: &TempDir) -> (std::path::PathBuf, DeviceKey) {
    let path = folder.path().join("device.key");
    let facts = Facts::read_under(machine.path());
    let key = DeviceKey::make(&path, &facts, &SystemRng).unwrap();
    (path, key)
}

#[test]
fn a_vault_opens_here_and_not_on_another_machine() {
    let (folder, here) = (tempdir().unwrap(), machine());
    let (path, key) = key_in(&folder, &here);
    let print = of(&here);
    let clock = ManualClock::at(1);
    let enrol = Enrol::new(key.opener(&print));
    let (vault, unlocked) = Vault::create(&enrol, &SystemRng, &clock).unwrap();

    let read = DeviceKey::read(&path).unwrap();
    let print = read.fingerprint(&Facts::read_under(here.path())).unwrap();
    let again = vault.unlock(&read.opener(&print)).unwrap();
    assert_eq!(again.state_key().commitment(), unlocked.state_key().commitment());

    let there = machine();
    put(there.path(), "etc/machine-id", "00000000c4c5404aaa1f6d2a48adfda4");
    let print = read.fingerprint(&Facts::read_under(there.path())).unwrap();
    let moved = vault.unlock(&read.opener(&print));
    assert!(matches!(moved, Err(UnlockError::OtherMachine)), "{moved:?}");

    // Another key file on the same machine is a wrong secret, not another machine.
    let elsewhere = tempdir().unwrap();
    let (_, other) = key_in(&elsewhere, &here);
    let print = of(&here);
    let wrong = vault.unlock(&other.opener(&print));
    assert!(matches!(wrong, Err(UnlockError::WrongSecret { .. })), "{wrong:?}");
}

#[test]
fn a_key_made_as_superuser_says_what_a_user_cannot_read() {
    let (folder, here) = (tempdir().unwrap(), machine());
    let (path, key) = key_in(&folder, &here);
    let whole = key.fingerprint(&Facts::read_under(here.path())).unwrap();
    fs::remove_file(here.path().join("sys/class/dmi/id/product_uuid")).unwrap();
    let read = DeviceKey::read(&path).unwrap();
    let got = read.fingerprint(&Facts::read_under(here.path()));
    assert_eq!(got, Err(FingerprintError::Unreadable { fact: "product-uuid" }));

    // A key made by the user keeps its fingerprint when the superuser reads more.
    let (folder, user) = (tempdir().unwrap(), here);
    let (_, key) = key_in(&folder, &user);
    let less = key.fingerprint(&Facts::read_under(user.path())).unwrap();
    let more = key.fingerprint(&Facts::read_under(machine().path())).unwrap();
    assert_eq!(less, more);
    assert_ne!(less.digest, whole.digest);
}

#[test]
fn a_file_that_others_can_touch_is_refused_with_the_command() {
    let (folder, here) = (tempdir().unwrap(), machine());
    let (path, _) = key_in(&folder, &here);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    for mode in [0o640, 0o604, 0o620, 0o644, 0o601] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let error = DeviceKey::read(&path).unwrap_err();
        assert!(matches!(error, KeyFileError::OpenToOthers { .. }));
        let command = format!("chmod 600 '{}'", path.display());
        assert!(error.to_string().ends_with(&command), "{error}");
    }
}

#[test]
fn links_folders_and_pipes_are_refused() {
    let (folder, here) = (tempdir().unwrap(), machine());
    let (path, _) = key_in(&folder, &here);
    let link = folder.path().join("link");
    symlink(&path, &link).unwrap();
    for bad in [&link, folder.path()] {
        let error = DeviceKey::read(bad).unwrap_err();
        assert!(matches!(error, KeyFileError::NotAFile { .. }), "{error}");
    }
    let missing = DeviceKey::read(&folder.path().join("nothing")).unwrap_err();
    assert!(matches!(missing, KeyFileError::Missing { .. }));
}

#[test]
fn a_key_is_never_replaced() {
    let (folder, here) = (tempdir().unwrap(), machine());
    let (path, _) = key_in(&folder, &here);
    let before = fs::read(&path).unwrap();
    let again = DeviceKey::make(&path, &Facts::read_under(here.path()), &SystemRng);
    assert!(matches!(again, Err(KeyFileError::Exists { .. })));
    assert_eq!(fs::read(&path).unwrap(), before);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left");

    // A draft of a run that was cut short is no obstacle.
    let second = folder.path().join("second.key");
    fs::write(folder.path().join("second.key.new"), b"half").unwrap();
    DeviceKey::make(&second, &Facts::read_under(here.path()), &SystemRng).unwrap();
    DeviceKey::read(&second).unwrap();
}

#[test]
fn every_flipped_or_missing_byte_is_damage() {
    let (folder, here) = (tempdir().unwrap(), machine());
    let (path, _) = key_in(&folder, &here);
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut wrong = whole.clone();
        wrong[at] ^= 1;
        fs::write(&path, &wrong).unwrap();
        assert!(matches!(DeviceKey::read(&path), Err(KeyFileError::Damaged { .. })), "{at}");
    }
    for n in 0..whole.len() {
        fs::write(&path, &whole[..n]).unwrap();
        assert!(matches!(DeviceKey::read(&path), Err(KeyFileError::Damaged { .. })), "{n}");
    }
    for longer in [88, 5000] {
        let mut long = whole.clone();
        long.resize(longer, 0);
        fs::write(&path, &long).unwrap();
        assert!(matches!(DeviceKey::read(&path), Err(KeyFileError::Damaged { .. })), "{longer}");
    }
}

#[test]
fn debug_shows_no_secret() {
    let (folder, here) = (tempdir().unwrap(), machine());
    let (path, key) = key_in(&folder, &here);
    let shown = format!("{key:?}");
    let bytes = fs::read(path).unwrap();
    assert!(shown.contains("Secret<"), "{shown}");
    assert!(!shown.contains(&format!("{}, {}", bytes[40], bytes[41])));
}
