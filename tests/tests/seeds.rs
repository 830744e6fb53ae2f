//! Seed phrases in the command line: the same words as in the page and in the wallet, and never in an argument.

use std::fs;

use serde_json::Value;
use symbolon_tests::accounts::Accounts;
use symbolon_tests::browser;
use symbolon_tests::home::Home;
use symbolon_tests::place;

const PHRASE: &[u8] = b"test test test test test test test test test test test junk\n";
const OTHER: &[u8] =
    b"abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about\n";
const PASSWORD: &[u8] = b"correct horse battery\n";

fn create<'a>(server: &'a [&'a str], code: &'a str) -> Vec<&'a str> {
    let how = ["--seed", "--from-stdin", "--recovery-file", code];
    [&["vault", "create"], server, &how].concat()
}

fn created(server: &str) -> Home {
    let home = Home::empty(place::symbolon());
    let code = home.beside("code");
    let server = ["--server", server, "--handle", "amelie", "--device"];
    home.ok_with(&create(&server, code.to_str().unwrap()), PHRASE);
    home
}

fn titles(home: &Home, stdin: &[u8]) -> Vec<String> {
    home.ok_with(&["vault", "sync", "--from-stdin", "--seed"], stdin);
    let all = home.ok(&["--json", "note", "ls"]).json();
    all.as_array().unwrap().iter().map(|it| it["title"].as_str().unwrap().to_owned()).collect()
}

fn join(home: &Home, server: &str, handle: &str, words: &[u8]) -> bool {
    let line = ["vault", "join", "--server", server, "--handle", handle, "--device", "--seed"];
    home.run_with(&[&line[..], &["--from-stdin"]].concat(), words).is_success()
}

fn methods(home: &Home) -> Vec<String> {
    let all = home.ok(&["--json", "vault", "methods"]).json();
    let method = |it: &Value| it["method"].as_str().unwrap().to_owned();
    let mut all: Vec<String> = all.as_array().unwrap().iter().map(method).collect();
    all.sort_unstable();
    all
}

#[test]
fn one_phrase_opens_a_vault_on_every_device_and_another_does_not() {
    let server = Accounts::start();
    let origin = server.origin();
    let home = created(&origin);
    assert_eq!(methods(&home), ["device", "ethereum", "recovery"]);
    home.ok_with(&["note", "new", "Plan", "--body-from-stdin"], b"first");

    let second = Home::empty(place::symbolon());
    assert!(!join(&second, &origin, "amelie", OTHER), "a stranger's phrase joins");
    assert!(!second.path().join("vaults/personal").exists(), "half a vault is left");
    assert!(join(&second, &origin, "amelie", PHRASE));
    assert_eq!(titles(&second, PHRASE), ["Plan"]);
    // The words, and not this device: the device's wrap is not asked where a phrase is named.
    let wrong = second.run_with(&["--json", "vault", "sync", "--from-stdin", "--seed"], OTHER);
    assert_eq!(wrong.refused().code, "wrong_secret");

    // Nothing of the words is on the disk of either.
    for home in [&home, &second] {
        let found = search(&home.path(), b"test test");
        assert!(found.is_empty(), "{found:?}");
    }
    // Whoever signs in by it ends the account by it.
    let line = ["vault", "delete", "--confirm", "personal", "--from-stdin", "--local-too"];
    assert_eq!(
        home.run_with(&[&["--json"], &line[..]].concat(), OTHER).refused().code,
        "bad_proof"
    );
    home.ok_with(&line, PHRASE);
    assert!(!join(&Home::empty(place::symbolon()), &origin, "amelie", PHRASE));
}

#[test]
fn a_phrase_is_added_beside_a_password_and_both_open() {
    let server = Accounts::start();
    let origin = server.origin();
    let home = Home::empty(place::symbolon());
    let code = home.beside("code");
    let line = ["vault", "create", "--server", &origin, "--handle", "amelie", "--device"];
    let how = ["--from-stdin", "--recovery-file", code.to_str().unwrap()];
    home.ok_with(&[&line[..], &how].concat(), PASSWORD);
    home.ok_with(&["note", "new", "Plan", "--body-from-stdin"], b"first");

    let add = ["--json", "vault", "add", "seed", "--from-stdin"];
    let both = [PASSWORD, PHRASE].concat();
    let wrong = [b"another password\n", PHRASE].concat();
    assert_eq!(home.run_with(&add, &wrong).refused().code, "wrong_secret");
    let added = home.ok_with(&add, &both).json();
    assert_eq!(added["address"], "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266");
    let by_phrase = Home::empty(place::symbolon());
    assert!(join(&by_phrase, &origin, "amelie", PHRASE));
    assert_eq!(titles(&by_phrase, PHRASE), ["Plan"]);
    let by_password = Home::empty(place::symbolon());
    let line = ["vault", "join", "--server", &origin, "--handle", "amelie", "--from-stdin"];
    by_password.ok_with(&line, PASSWORD);
    // The same again, as a run that was cut short before the wallet could sign in would.
    home.ok_with(&add, &both);

    // A wallet that signs in to another account is not one of this.
    let other = Home::empty(place::symbolon());
    let code = other.beside("code");
    let place = ["--server", &origin, "--handle", "robin"];
    other.ok_with(&create(&place, code.to_str().unwrap()), OTHER);
    let foreign = [PASSWORD, OTHER].concat();
    assert_eq!(home.run_with(&add, &foreign).refused().code, "exists");
}

#[test]
fn a_vault_of_this_device_alone_opens_by_its_phrase_and_its_passphrase() {
    let home = Home::empty(place::symbolon());
    let code = home.beside("code");
    let with = [PHRASE, b"25th word\n"].concat();
    home.ok_with(&create(&["--local"], code.to_str().unwrap()), &with);
    assert_eq!(methods(&home), ["ethereum", "recovery"]);
    let add = ["--json", "vault", "add", "device", "--from-stdin"];
    assert_eq!(home.run_with(&add, PHRASE).refused().code, "wrong_secret");
    home.ok_with(&add, &with);
    home.ok_with(&["note", "new", "Plan", "--body-from-stdin"], b"first");

    // Another data key: the phrase that was typed opens it, and the device.
    let again = home.beside("again");
    let line = ["vault", "rotate-key", "--from-stdin", "--recovery-file", again.to_str().unwrap()];
    home.ok_with(&line, &with);
    assert_eq!(methods(&home), ["device", "ethereum", "recovery"]);
    home.ok_with(&["vault", "methods"], b"");
    let all = home.ok(&["--json", "note", "ls"]).json();
    assert_eq!(all[0]["title"], "Plan");
}

#[test]
fn a_rotation_keeps_the_phrase_that_was_typed() {
    let server = Accounts::start();
    let origin = server.origin();
    let home = created(&origin);
    home.ok_with(&["note", "new", "Plan", "--body-from-stdin"], b"first");
    let again = home.beside("again");
    let line = ["vault", "rotate-key", "--from-stdin", "--recovery-file", again.to_str().unwrap()];
    home.ok_with(&line, PHRASE);
    assert_eq!(methods(&home), ["device", "ethereum", "recovery"]);
    let second = Home::empty(place::symbolon());
    assert!(join(&second, &origin, "amelie", PHRASE));
    assert_eq!(titles(&second, PHRASE), ["Plan"]);
}

#[test]
fn words_that_are_no_phrase_or_stand_on_the_command_line_are_refused() {
    let home = Home::empty(place::symbolon());
    let code = home.beside("code");
    let code = code.to_str().unwrap();
    let local = create(&["--local"], code);
    for (words, why) in [
        (&b"test test test\n"[..], "12, 15, 18, 21 or 24 words"),
        (
            b"test test test test test test test test test test test test\n",
            "do not belong together",
        ),
        (b"test test test test test test test test test test test jump5\n", "word 12"),
        (b"a\nb\nc\n", "one line"),
    ] {
        let refusal = home.run_with(&[&["--json"], &local[..]].concat(), words).refused();
        assert_eq!(refusal.code, "usage");
        assert!(refusal.message.contains(why), "{}", refusal.message);
    }
    for line in [
        &["vault", "create", "--local", "--seed", "test", "test", "junk"][..],
        &["vault", "create", "--local", "--seed-phrase", "test test junk"],
        &["vault", "join", "--server", "http://localhost:1", "--handle", "a", "--seed", "test"],
        &["vault", "add", "seed", "test", "junk"],
    ] {
        let refusal = home.refused(line);
        assert!(refusal.message.contains("is not an argument"), "{}", refusal.message);
        assert!(!refusal.message.contains("junk"), "{}", refusal.message);
    }
    // Nobody is shown a new phrase where nobody looks.
    let line = ["vault", "create", "--local", "--seed", "--generate", "--recovery-file", code];
    assert!(home.refused(&line).message.contains("no terminal"));
    assert!(!home.path().join("vaults/personal").exists());
}

#[test]
fn the_page_and_the_command_line_open_each_others_vault_by_one_seed() {
    let server = Accounts::start();
    let origin = server.origin();
    let home = created(&origin);
    home.ok_with(&["note", "new", "From the command line", "--body-from-stdin"], b"first");
    browser::drive("seed_cli.mjs", &server.home, &origin, &[]);
    let second = Home::empty(place::symbolon());
    assert!(join(&second, &origin, "robin", OTHER));
    // Its device signs for the account, and writes what the page would read.
    let written = second.ok_with(&["--json", "note", "new", "Back", "--body-from-stdin"], b"x");
    assert_eq!(written.json()["on_server"], true);
}

/// Files below a folder that hold these bytes.
fn search(folder: &std::path::Path, bytes: &[u8]) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(search(&path, bytes));
        } else if fs::read(&path).unwrap().windows(bytes.len()).any(|it| it == bytes) {
            found.push(path);
        }
    }
    found
}
