//! `symbolon backup` while calls are made, `symbolon restore` elsewhere, and files that are refused.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use symbolon_tests::home::Home;
use symbolon_tests::place;
use symbolon_tests::random;
use symbolon_tests::upstream::Upstream;

const LIST: &str = "upstream.notes.list";
const PASSPHRASE: &[u8] = b"five words that nobody guesses";

fn called() -> (Home, Upstream, String) {
    let credential = random::secret(40);
    let upstream = Upstream::api(&credential);
    let home = Home::new();
    home.add_service("upstream/service.toml");
    home.connect("upstream", &upstream, &credential);
    home.json(&["grant", "cli", "upstream.notes.read", "--for", "1h"]);
    home.ok(&["call", LIST]);
    (home, upstream, credential)
}

fn back_up(home: &Home, name: &str) -> PathBuf {
    let file = home.beside(name);
    let words = ["--json", "backup", file.to_str().unwrap(), "--passphrase-from-stdin"];
    let made = home.ok_with(&words, PASSPHRASE).json();
    assert_eq!(made["backup"]["bytes"], fs::metadata(&file).unwrap().len());
    file
}

#[test]
fn a_backup_under_load_restores_elsewhere_and_verifies() {
    let (home, _upstream, credential) = called();
    let stop = AtomicBool::new(false);
    let (files, before) = std::thread::scope(|threads| {
        let calling = threads.spawn(|| {
            let mut calls = 0;
            while !stop.load(Ordering::Relaxed) {
                home.ok(&["call", LIST]);
                calls += 1;
            }
            calls
        });
        let mut files = Vec::new();
        for n in 0..3 {
            let before = home.receipts().len();
            files.push((back_up(&home, &format!("{n}.backup")), before));
        }
        stop.store(true, Ordering::Relaxed);
        assert!(calling.join().unwrap() > 0, "there was load");
        let before = home.receipts().len();
        (files, before)
    });
    // Nothing of what is kept stands in the file.
    for (file, _) in &files {
        let bytes = fs::read(file).unwrap();
        for word in [credential.as_bytes(), b"upstream", b"SQLite format 3", b"symbolon/intent/v1"]
        {
            assert!(!bytes.windows(word.len()).any(|part| part == word));
        }
    }
    home.kill_broker();
    for (file, least) in files {
        let other = Home::empty(place::symbolon());
        let words = ["--json", "restore", file.to_str().unwrap(), "--passphrase-from-stdin"];
        let restored = other.ok_with(&words, PASSPHRASE).json();
        assert!(restored["restored"]["entries"].as_u64().unwrap() >= 2 * least as u64);
        // The device's key is bound to this machine, which this is.
        let receipts = other.receipts();
        assert!(receipts.len() >= least && receipts.len() <= before + 1, "{}", receipts.len());
        // The newest may be of a call that was on its way.
        let oldest = receipts.last().expect("a receipt");
        let receipt = other.export_receipt(oldest["number"].as_u64().unwrap());
        let key = home.operator_key();
        other.ok(&["verify", receipt.to_str().unwrap(), "--key", key.to_str().unwrap()]);
        other.ok(&["call", LIST]);
        let began = Instant::now();
        while !other.run(&["audit", "verify"]).is_success() {
            assert!(began.elapsed() < Duration::from_secs(20), "the log does not verify");
            std::thread::sleep(Duration::from_millis(200));
        }
        assert_eq!(other.receipts().len(), receipts.len() + 1, "it goes on");
        other.kill_broker();
    }
}

#[test]
fn what_is_cut_changed_or_in_the_way_is_refused_and_nothing_is_written() {
    let (home, _upstream, _) = called();
    let file = back_up(&home, "whole.backup");
    let whole = fs::read(&file).unwrap();
    let again = home.run_with(
        &["--json", "backup", file.to_str().unwrap(), "--passphrase-from-stdin"],
        PASSPHRASE,
    );
    assert_eq!(again.refused().code, "exists");

    let other = Home::empty(place::symbolon());
    let bad = other.beside("bad.backup");
    let tries = |bytes: &[u8], passphrase: &[u8]| {
        fs::write(&bad, bytes).unwrap();
        let words = ["--json", "restore", bad.to_str().unwrap(), "--passphrase-from-stdin"];
        let refused = other.run_with(&words, passphrase).refused();
        let left: Vec<_> = fs::read_dir(bad.parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .filter(|name| name != "bad.backup")
            .collect();
        assert!(left.is_empty(), "{left:?}");
        refused.code
    };
    assert_eq!(tries(&whole, b"another passphrase"), "wrong_passphrase");
    for cut in [1, 20, whole.len() / 2, whole.len() - 300] {
        assert_eq!(
            tries(&whole[..whole.len() - cut], PASSPHRASE),
            "backup_damaged",
            "cut by {cut}"
        );
    }
    assert_eq!(tries(&whole[..40], PASSPHRASE), "not_a_backup");
    assert_eq!(tries(b"something else", PASSPHRASE), "not_a_backup");
    for at in [whole.len() - 1, whole.len() / 2, 400] {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        assert_eq!(tries(&changed, PASSPHRASE), "backup_damaged", "changed at {at}");
    }

    // A home that is there is never written over.
    let words = ["--json", "restore", file.to_str().unwrap(), "--passphrase-from-stdin"];
    let refused = home.run_with(&words, PASSPHRASE).refused();
    assert_eq!(refused.code, "exists");
    let folder = other.beside("full");
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("x"), "x").unwrap();
    let words = [&words[..], &["--home", folder.to_str().unwrap()]].concat();
    assert_eq!(other.run_with(&words, PASSPHRASE).refused().code, "not_empty");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
fn a_password_of_a_database_is_refused_on_the_command_line() {
    let home = Home::new();
    let file = home.beside("x.backup");
    let url = "postgres://symbolon:a-password-of-ours@localhost/symbolon";
    let words = ["--json", "backup", file.to_str().unwrap(), "--database", url];
    let ran = home.run(&words);
    assert!(!ran.all().contains("a-password-of-ours"));
    let refused = ran.refused();
    assert!(refused.message.contains("password"), "{}", refused.message);
    assert!(!file.exists());
}
