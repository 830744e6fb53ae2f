//! What is kept, and what damage costs.

use std::fs;

use symbolon_ambient::{SystemClock, SystemRng};
use symbolon_crypto::RecoveryCode;
use symbolon_custody::{Method, UnlockError};
use symbolon_holder::{
    ClosedVault, Condition, Draft, HolderError, OpenVault, Protect, Unlocking, VaultName,
};
use symbolon_secret::Secret;
use symbolon_vault::Item;
use symbolon_vault::replica::{Filter, SnapshotError};

const PASSWORD: &[u8] = b"correct horse battery";

fn secret(bytes: &[u8]) -> Secret<[u8]> {
    Secret::<[u8]>::make_slice(bytes.len(), |page| page.copy_from_slice(bytes))
}

fn make(home: &std::path::Path, name: &str) -> VaultName {
    let (name, password) = (name.parse().unwrap(), secret(PASSWORD));
    let draft = Draft::begin(home, &name).unwrap();
    let code = RecoveryCode::make(&SystemRng);
    let ways = [Protect::Password(&password)];
    let local = draft.create(&code, &ways, &SystemRng, &SystemClock).unwrap();
    draft.publish(local, None, &SystemRng).unwrap();
    name
}

fn open(home: &std::path::Path, name: &VaultName) -> Result<OpenVault, HolderError> {
    let closed = ClosedVault::find(home, name)?;
    let unlocked = closed.unlock(&Unlocking::Password(&secret(PASSWORD)))?;
    closed.open(unlocked)
}

fn write(vault: &mut OpenVault, title: &str) {
    let note = Item::note(title.parse().unwrap(), "text".parse().unwrap());
    vault.replica_mut().create_item(&note, None, &SystemClock, &SystemRng).unwrap();
    vault.save(&SystemRng).unwrap();
}

fn count(vault: &OpenVault) -> usize {
    vault.replica().list(&Filter::default()).len()
}

#[test]
fn what_was_saved_is_there_and_a_second_command_waits() {
    let home = tempfile::tempdir().unwrap();
    let name = make(home.path(), "personal");
    let mut vault = open(home.path(), &name).unwrap();
    write(&mut vault, "one");
    drop(vault);
    let vault = open(home.path(), &name).unwrap();
    assert_eq!((count(&vault), vault.condition()), (1, Condition::Whole));
    assert!(matches!(Draft::begin(home.path(), &name), Err(HolderError::Exists { .. })));
    assert_eq!(ClosedVault::all(home.path()).unwrap(), [name]);
}

#[test]
fn a_draft_is_no_vault() {
    let home = tempfile::tempdir().unwrap();
    let name: VaultName = "personal".parse().unwrap();
    drop(Draft::begin(home.path(), &name).unwrap());
    assert_eq!(ClosedVault::all(home.path()).unwrap(), []);
    let missing = ClosedVault::find(home.path(), &name);
    assert!(matches!(missing, Err(HolderError::Missing { .. })));
}

#[test]
fn each_byte_of_a_damaged_replica_is_noticed_and_its_copy_opens() {
    let home = tempfile::tempdir().unwrap();
    let name = make(home.path(), "personal");
    let mut vault = open(home.path(), &name).unwrap();
    write(&mut vault, "one");
    let replica = home.path().join("vaults/personal/replica");
    let whole = fs::read(&replica).unwrap();
    let unlocked = vault.close();
    let mut unlocked = Some(unlocked);
    for at in (0..whole.len()).step_by(whole.len() / 16) {
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        fs::write(&replica, bytes).unwrap();
        let closed = ClosedVault::find(home.path(), &name).unwrap();
        let mut vault = closed.open(unlocked.take().unwrap()).unwrap();
        assert_eq!((count(&vault), vault.condition()), (1, Condition::FromCopy), "byte {at}");
        vault.save(&SystemRng).unwrap();
        assert_eq!(vault.condition(), Condition::Whole);
        unlocked = Some(vault.close());
    }
    let copy = home.path().join("vaults/personal/replica.copy");
    for file in [&replica, &copy] {
        fs::write(file, &whole[..whole.len() - 1]).unwrap();
    }
    assert!(matches!(open(home.path(), &name), Err(HolderError::Lost)));
    assert!(replica.exists() && copy.exists(), "nothing is thrown away");
}

#[test]
fn another_vault_s_replica_is_refused_and_stays() {
    let home = tempfile::tempdir().unwrap();
    let (one, two) = (make(home.path(), "one"), make(home.path(), "two"));
    let of = |name: &str| home.path().join("vaults").join(name).join("replica");
    fs::copy(of("two"), of("one")).unwrap();
    let refused = open(home.path(), &one);
    assert!(matches!(refused, Err(HolderError::Snapshot(SnapshotError::OtherVault))));
    assert_eq!(fs::read(of("one")).unwrap(), fs::read(of("two")).unwrap());
    assert!(open(home.path(), &two).is_ok());
}

#[test]
fn a_wrong_password_is_told_apart_from_a_damaged_card() {
    let home = tempfile::tempdir().unwrap();
    let name = make(home.path(), "personal");
    let closed = ClosedVault::find(home.path(), &name).unwrap();
    let wrong = closed.unlock(&Unlocking::Password(&secret(b"another horse battery")));
    let is_wrong = |it| matches!(it, Err(HolderError::Unlock(UnlockError::WrongSecret { .. })));
    assert!(is_wrong(wrong));
    let card = home.path().join("vaults/personal/vault.json");
    fs::write(&card, b"{}").unwrap();
    let damaged = ClosedVault::find(home.path(), &name);
    assert!(matches!(damaged, Err(HolderError::Damaged { .. })));
}

#[test]
fn a_server_gets_no_wrap_of_this_device_and_takes_none_away() {
    let home = tempfile::tempdir().unwrap();
    let name = make(home.path(), "personal");
    let closed = ClosedVault::find(home.path(), &name).unwrap();
    let card = closed.card();
    let methods: Vec<Method> = card.elsewhere().iter().map(|wrap| wrap.method()).collect();
    assert_eq!(methods, [Method::Recovery]);
    let theirs = card.elsewhere().into_iter().cloned().collect();
    let merged = card.with_wraps(theirs, Vec::new()).unwrap();
    assert_eq!(merged.custody.methods(), card.custody.methods());
    let none = card.with_wraps(Vec::new(), Vec::new()).unwrap();
    assert_eq!(none.custody.methods(), card.custody.methods(), "a server that leaves them out");
}
