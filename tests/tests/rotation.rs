//! The operator's key gives way to another: the log goes on, and witnesses, monitors and verifiers with it.

use std::path::{Path, PathBuf};

use serde_json::Value;
use symbolon_tests::home::{Home, Ran};
use symbolon_tests::witness::{Witness, serve_log, until};

fn call(home: &Home) -> u64 {
    home.json(&["call", "upstream.notes.list"])["receipt"].as_u64().unwrap()
}

fn rotate(home: &Home) -> Value {
    home.json(&["operator", "rotate", "--yes"])["rotation"].clone()
}

/// `operator.pub` as it is now, kept.
fn key_of_now(home: &Home, name: &str) -> PathBuf {
    let kept = home.beside(name);
    std::fs::copy(home.operator_key(), &kept).unwrap();
    kept
}

/// A receipt as it is handed out now, kept.
fn receipt_of_now(home: &Home, number: u64, name: &str) -> PathBuf {
    let kept = home.beside(name);
    home.ok(&["receipts", "show", &number.to_string(), "--out", kept.to_str().unwrap()]);
    kept
}

fn verify(home: &Home, file: &Path, key: &Path, more: &[&str]) -> Ran {
    let given = ["--json", "verify", file.to_str().unwrap(), "--key", key.to_str().unwrap()];
    home.run(&[&given[..], more].concat())
}

#[test]
fn the_log_goes_on_and_who_watched_it_goes_with_it() {
    let (home, _upstream) = Home::with_upstream("cli");
    let (one, late) = (Witness::of(&home), Witness::of(&home));
    home.ok(&["witnesses", "add", "one", &one.url, &one.key]);
    home.ok(&["witnesses", "add", "late", &late.url, &late.key]);
    let (_served, url) = serve_log(&home);
    let old = key_of_now(&home, "old.pub");
    let before = call(&home);
    ["one", "late"].iter().for_each(|name| until(&home, name, "cosigned", before + 1));
    let (state, proof) = (home.beside("state"), home.beside("fork.json"));
    let watch = || {
        let (state, proof) = (state.to_str().unwrap(), proof.to_str().unwrap());
        let (key, once) = (old.to_str().unwrap(), "--once");
        let given = ["monitor", &url, "--key", key, "--state", state, "--proof", proof, once];
        home.json(&given)
    };
    assert_eq!(watch()["new_key"], false);
    // Asleep while it happens.
    let mut late = late;
    late.service.kill();
    let asked = home.refused(&["operator", "rotate"]);
    assert_eq!((asked.exit, asked.code.as_str()), (2, "usage"), "{}", asked.message);
    assert_eq!(std::fs::read(&old).unwrap(), std::fs::read(home.operator_key()).unwrap());

    let told = rotate(&home);
    let read = |path: &Path| std::fs::read_to_string(path).unwrap().trim().to_owned();
    assert_eq!(
        (&told["before"], &told["key"]),
        (&read(&old).into(), &read(&home.operator_key()).into())
    );
    assert_ne!(told["before"], told["key"]);
    let shown = home.json(&["operator"]);
    assert_eq!(shown["key"], told["key"], "the home is the new key's");
    assert_eq!(shown["log"], told["before"].as_str().unwrap().split('+').next().unwrap());
    // Agents go on, and so do the server of the log, a witness and a monitor that know the old key alone.
    let after = call(&home);
    assert!(after > before);
    until(&home, "one", "cosigned", after + 1);
    let seen = watch();
    assert_eq!((&seen["observed"], &seen["new_key"]), (&"advanced".into(), &true.into()), "{seen}");
    assert_eq!(watch()["new_key"], false);
    // What was seen under one key is not begun anew under another by mistake.
    let (now, kept, given) =
        (home.operator_key(), state.to_str().unwrap(), proof.to_str().unwrap());
    let other = ["monitor", &url, "--key", now.to_str().unwrap(), "--proof", given, "--once"];
    assert_eq!(home.json(&[&other[..], &["--state", kept]].concat())["observed"], "unchanged");
    let began_by_new = home.beside("state-2");
    let began_by_new = ["--state", began_by_new.to_str().unwrap()];
    assert_eq!(home.json(&[&other[..], &began_by_new].concat())["observed"], "advanced");
    let mixed = ["monitor", &url, "--key", old.to_str().unwrap(), "--proof", given, "--once"];
    let refusal = home.refused(&[&mixed[..], &began_by_new].concat());
    assert!(refusal.message.contains("another key"), "{}", refusal.message);
    // One that was not there is shown what it missed.
    let late = late.again(&old);
    until(&home, "late", "cosigned", after + 1);
    let receipt = receipt_of_now(&home, after, "after.json");
    let line = home.path().join("operator.succession");
    let line = ["--succession", line.to_str().unwrap()];
    let both = ["--witness", &one.key, "--witness", &late.key];
    let said = verify(&home, &receipt, &old, &[&line[..], &both].concat()).succeeded().json();
    assert_eq!((&said["final"], &said["retired_at"]), (&true.into(), &Value::Null), "{said}");
    home.ok(&["audit", "verify"]);
    home.ok(&["doctor"]);
}

#[test]
fn a_receipt_stands_under_any_key_of_the_line_and_under_no_other() {
    let (home, _upstream) = Home::with_upstream("cli");
    let mut keys = vec![key_of_now(&home, "0.pub")];
    let (mut receipts, mut numbers) = (Vec::new(), Vec::new());
    for n in 0..3 {
        let number = call(&home);
        receipts.push(receipt_of_now(&home, number, &format!("{n}.json")));
        numbers.push(number);
        if n < 2 {
            rotate(&home);
            keys.push(key_of_now(&home, &format!("{}.pub", n + 1)));
        }
    }
    let line = home.path().join("operator.succession");
    let with = ["--succession", line.to_str().unwrap()];
    for (n, receipt) in receipts.iter().enumerate() {
        for (k, key) in keys.iter().enumerate() {
            let alone = verify(&home, receipt, key, &[]);
            assert_eq!(alone.is_success(), n == k, "{n} {k}");
            let said = verify(&home, receipt, key, &with).succeeded().json();
            assert_eq!(said["retired_at"].is_u64(), n < 2, "{said}");
        }
    }
    // Those of before are handed out under the key of now.
    for (n, number) in numbers.iter().enumerate() {
        let renewed = receipt_of_now(&home, *number, &format!("{n}-again.json"));
        let said = verify(&home, &renewed, &keys[2], &[]).succeeded().json();
        assert_eq!(said["receipt"], *number);
    }
    // Another home's line is none of this one's, nor is one that was changed.
    let other = Home::new();
    rotate(&other);
    let theirs = other.path().join("operator.succession");
    let refusal =
        verify(&home, &receipts[0], &keys[0], &["--succession", theirs.to_str().unwrap()])
            .refused();
    assert_eq!(refusal.code, "other_operator", "{}", refusal.message);
    let text = std::fs::read_to_string(&line).unwrap();
    let bad = home.beside("bad.succession");
    std::fs::write(&bad, text.replacen("successor/v1 ", "successor/v1 A", 1)).unwrap();
    let refusal =
        verify(&home, &receipts[0], &keys[0], &["--succession", bad.to_str().unwrap()]).refused();
    assert_eq!(refusal.code, "succession_form", "{}", refusal.message);
    // A key of the line that is revoked vouches for none behind it; those that are not behind it stand.
    let revocation = home.beside("last.revocation");
    home.ok(&["operator", "export-revocation", "--out", revocation.to_str().unwrap()]);
    let revoked = [&with[..], &["--revocation", revocation.to_str().unwrap()]].concat();
    verify(&home, &receipts[0], &keys[1], &revoked).succeeded();
    for (receipt, key) in [(2, 0), (2, 2), (0, 2)] {
        let refusal = verify(&home, &receipts[receipt], &keys[key], &revoked).refused();
        assert_eq!(refusal.code, "operator_revoked", "{receipt} {key}: {}", refusal.message);
    }
}

#[test]
fn a_home_that_was_put_back_has_the_line_and_one_that_is_revoked_hands_over_nothing() {
    let (home, _upstream) = Home::with_upstream("cli");
    let old = key_of_now(&home, "old.pub");
    let number = call(&home);
    let receipt = receipt_of_now(&home, number, "old.json");
    rotate(&home);
    call(&home);
    let file = home.beside("home.backup");
    let backup = ["backup", file.to_str().unwrap(), "--passphrase-from-stdin"];
    home.ok_with(&backup, b"a long enough passphrase");
    let back = Home::empty(symbolon_tests::place::symbolon());
    let restore = ["restore", file.to_str().unwrap(), "--passphrase-from-stdin"];
    back.ok_with(&restore, b"a long enough passphrase");
    assert_eq!(home.json(&["operator"])["key"], back.json(&["operator"])["key"]);
    let line = back.path().join("operator.succession");
    let with = ["--succession", line.to_str().unwrap()];
    verify(&back, &receipt, &old, &with).succeeded();
    verify(&back, &receipt, &back.operator_key(), &with).succeeded();
    let words = home.beside("always.revocation");
    let words = words.to_str().unwrap();
    home.ok(&["operator", "export-revocation", "--out", words]);
    home.ok(&["operator", "revoke", words, "--yes"]);
    let refusal = home.refused(&["operator", "rotate", "--yes"]);
    assert_eq!(refusal.code, "operator_revoked", "{}", refusal.message);
}

#[test]
fn a_shards_file_of_before_is_checked_with_the_key_of_now_and_the_line() {
    let (home, _upstream) = Home::with_upstream("cli");
    home.ok(&["log", "shard", "--every", "month"]);
    call(&home);
    home.ok(&["log", "shard", "--now"]);
    call(&home);
    let shards = home.json(&["log", "shards"]);
    let name = shards["shards"][0]["name"].as_str().unwrap().to_owned();
    let export = |out: &Path| {
        home.ok(&["log", "export-shard", &name, "--out", out.to_str().unwrap()]);
    };
    let (before, after) = (home.beside("before.shard"), home.beside("after.shard"));
    export(&before);
    let old = key_of_now(&home, "old.pub");
    rotate(&home);
    call(&home);
    export(&after);
    let (now, line) = (home.operator_key(), home.path().join("operator.succession"));
    let with = ["--succession", line.to_str().unwrap()];
    let check = |file: &Path, key: &Path, more: &[&str]| {
        let (file, key) = (file.to_str().unwrap(), key.to_str().unwrap());
        home.run(&[&["--json", "log", "check-shard", file, "--key", key], more].concat())
    };
    for (file, key, other) in [(&before, &old, &now), (&after, &now, &old)] {
        check(file, key, &[]).succeeded();
        assert_eq!(check(file, other, &[]).refused().code, "shard_refused");
        for key in [key, other] {
            assert_eq!(check(file, key, &with).succeeded().json()["verified"], true);
        }
    }
}
