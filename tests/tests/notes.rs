//! The person's vault in the command line: two devices, one server, and what goes wrong between.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use symbolon_tests::accounts::Accounts;
use symbolon_tests::home::{Home, Ran};
use symbolon_tests::place;

const PASSWORD: &str = "correct horse battery";

/// Ristretto255's base point: a key, and no server's.
const OTHER_SERVER: &str = "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76";

/// A device of somebody: a folder in which nothing but vaults will be.
fn device() -> Home {
    Home::empty(place::symbolon())
}

fn create(home: &Home, server: &str) {
    let code = home.beside("code");
    let code = code.to_str().unwrap();
    let line = [
        "vault",
        "create",
        "--server",
        server,
        "--handle",
        "amelie",
        "--device",
        "--from-stdin",
        "--recovery-file",
        code,
    ];
    home.ok_with(&line, PASSWORD.as_bytes());
    fs::remove_file(home.beside("code")).unwrap();
}

fn create_local(home: &Home, device: bool) -> String {
    let code = home.beside("code");
    let mut line = vec![
        "vault",
        "create",
        "--local",
        "--from-stdin",
        "--recovery-file",
        code.to_str().unwrap(),
    ];
    line.extend(device.then_some("--device"));
    home.ok_with(&line, PASSWORD.as_bytes());
    let words = fs::read_to_string(&code).unwrap();
    fs::remove_file(&code).unwrap();
    words
}

fn join(home: &Home, server: &str, password: &str) -> Ran {
    let line =
        ["vault", "join", "--server", server, "--handle", "amelie", "--device", "--from-stdin"];
    home.run_with(&line, password.as_bytes())
}

fn write(home: &Home, title: &str, body: &str) -> String {
    let line = ["--json", "note", "new", title, "--body-from-stdin"];
    let made = home.ok_with(&line, body.as_bytes()).json();
    made["id"].as_str().unwrap().to_owned()
}

fn rewrite(home: &Home, note: &str, body: &str) -> Value {
    home.ok_with(&["--json", "note", "edit", note, "--body-from-stdin"], body.as_bytes()).json()
}

fn body(home: &Home, note: &str) -> String {
    let shown = home.ok(&["--json", "note", "show", note]).json();
    shown["body"].as_str().unwrap().to_owned()
}

fn titles(home: &Home) -> Vec<String> {
    let all = home.ok(&["--json", "note", "ls"]).json();
    let title = |it: &Value| it["title"].as_str().unwrap().to_owned();
    let mut titles: Vec<String> = all.as_array().unwrap().iter().map(title).collect();
    titles.sort();
    titles
}

#[track_caller]
fn refused(ran: Ran, exit: i32) -> String {
    let refusal = ran.refused();
    assert_eq!(refusal.exit, exit, "{}", refusal.message);
    assert!(refusal.next.is_some(), "no next step: {}", refusal.message);
    refusal.code
}

fn file(home: &Home, name: &str) -> PathBuf {
    home.path().join("vaults/personal").join(name)
}

fn flip(path: &PathBuf, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.len() * at / 100;
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_vault_of_this_device_alone_does_everything_offline() {
    let home = device();
    create_local(&home, true);
    write(&home, "Groceries", "- Äpfel\n- bread");
    write(&home, "Plan", "see [[Groceries]]");
    assert_eq!(titles(&home), ["Groceries", "Plan"]);
    let found = home.ok(&["--json", "note", "search", "apfel"]).json();
    assert_eq!(found[0]["title"], "Groceries");
    assert_eq!(home.ok(&["--json", "note", "search", "nowhere"]).json(), json!([]));

    home.ok(&["note", "tag", "groceries", "home", "weekly"]);
    home.ok(&["note", "tag", "groceries", "--off", "weekly"]);
    home.ok(&["note", "pin", "Groceries"]);
    home.ok(&["note", "mv", "Groceries", "House/Lists"]);
    let first = &home.ok(&["--json", "note", "ls"]).json()[0];
    assert_eq!((&first["title"], &first["pinned"]), (&json!("Groceries"), &json!(true)));
    assert_eq!((&first["tags"], &first["folder"]), (&json!(["home"]), &json!("House/Lists")));

    home.ok(&["note", "edit", "Groceries", "--title", "Shopping"]);
    assert_eq!(body(&home, "Plan"), "see [[Shopping]]", "links follow");
    assert_eq!(
        home.ok(&["--json", "note", "show", "Shopping"]).json()["backlinks"],
        json!(["Plan"])
    );

    home.ok(&["note", "rm", "Plan"]);
    assert_eq!(titles(&home), ["Shopping"]);
    home.ok(&["note", "restore", "Plan"]);
    assert_eq!(titles(&home), ["Plan", "Shopping"]);
    home.ok(&["note", "rm", "Plan"]);
    home.ok(&["note", "rm", "Plan", "--erase"]);
    assert_eq!(refused(home.run(&["--json", "note", "restore", "Plan"]), 1), "no_note");

    home.ok_with(&["note", "today", "--append-from-stdin"], b"- one");
    home.ok_with(&["note", "today", "--append-from-stdin"], b"- two");
    let today = titles(&home).into_iter().find(|it| it.starts_with("20")).expect("a day's note");
    assert_eq!(body(&home, &today), "- one\n- two");

    let folder = home.beside("out");
    home.ok(&["note", "export", folder.to_str().unwrap()]);
    let written = fs::read_to_string(folder.join("House/Lists/Shopping.md")).unwrap();
    assert!(written.contains("Äpfel"), "{written}");
    let again = home.ok(&["--json", "note", "import", folder.to_str().unwrap()]).json();
    assert_eq!((&again["created"], &again["updated"]), (&json!(0), &json!(0)), "{again}");
}

#[test]
fn two_devices_write_offline_and_both_are_kept() {
    let mut server = Accounts::start();
    let (one, two) = (device(), device());
    create(&one, &server.origin());
    let id = write(&one, "Groceries", "- apples");
    assert!(join(&two, &server.origin(), PASSWORD).is_success());
    assert_eq!(body(&two, "Groceries"), "- apples");

    server.stop();
    let said = rewrite(&one, "Groceries", "- apples\n- one");
    assert_eq!(said["on_server"], false);
    let offline = two.run_with(&["note", "edit", &id[..8], "--body-from-stdin"], b"- two");
    assert!(offline.is_success());
    assert!(offline.stderr().contains("1 waiting"), "{}", offline.stderr());
    write(&two, "Alone", "of two");

    server.restart();
    let synced = one.ok(&["--json", "vault", "sync"]).json();
    assert_eq!((&synced["sent"], &synced["conflicts"]), (&json!(1), &json!([])));
    let synced = two.ok(&["--json", "vault", "sync"]).json();
    assert_eq!(synced["conflicts"].as_array().unwrap().len(), 1, "{synced}");
    one.ok(&["vault", "sync"]);
    for home in [&one, &two] {
        assert_eq!(titles(home), ["Alone", "Groceries", "Groceries (other version)"]);
        assert_eq!(body(home, "Groceries"), "- apples\n- one");
        assert_eq!(body(home, "Groceries (other version)"), "- two");
    }

    let past = one.ok(&["--json", "note", "history", "Groceries"]).json();
    assert_eq!(past[0]["revision"], 1, "{past}");
    let was = one.ok(&["--json", "note", "show", "Groceries", "--revision", "1"]).json();
    assert_eq!(was["body"], "- apples");
    one.ok(&["note", "restore", "Groceries", "--revision", "1"]);
    two.ok(&["vault", "sync"]);
    assert_eq!(body(&two, "Groceries"), "- apples");
}

#[test]
fn a_wrong_password_is_told_apart_from_damage() {
    let home = device();
    let words = create_local(&home, false);
    let sync = ["--json", "vault", "add", "device", "--from-stdin"];
    assert_eq!(refused(home.run_with(&sync, b"another horse battery"), 1), "wrong_secret");
    assert_eq!(refused(home.run(&["--json", "note", "ls"]), 3), "locked", "nobody is asked");

    let card = file(&home, "vault.json");
    let whole = fs::read_to_string(&card).unwrap();
    let at = whole.rfind("\"salt\": \"").unwrap() + 9;
    let other = if &whole[at..=at] == "0" { "1" } else { "0" };
    fs::write(&card, format!("{}{other}{}", &whole[..at], &whole[at + 1..])).unwrap();
    assert_eq!(refused(home.run_with(&sync, PASSWORD.as_bytes()), 1), "vault_damaged");
    fs::write(&card, &whole[..whole.len() - 9]).unwrap();
    assert_eq!(refused(home.run_with(&sync, PASSWORD.as_bytes()), 4), "vault_damaged");
    fs::write(&card, whole).unwrap();
    home.ok_with(&sync[1..], PASSWORD.as_bytes());
    assert_eq!(home.ok(&["--json", "note", "ls"]).json(), json!([]));
    assert_eq!(words.split_whitespace().count(), 24);

    let server = Accounts::start();
    let (one, two) = (device(), device());
    create(&one, &server.origin());
    let wrong = two.run_with(
        &[
            "--json",
            "vault",
            "join",
            "--server",
            &server.origin(),
            "--handle",
            "amelie",
            "--from-stdin",
        ],
        b"another horse battery",
    );
    assert_eq!(refused(wrong, 1), "wrong_password");
    assert_eq!(two.ok(&["--json", "vault", "status"]).json(), json!([]), "nothing is left of it");
    assert!(join(&two, &server.origin(), PASSWORD).is_success());

    // A server with another key than the one that this device knows.
    let card = file(&two, "vault.json");
    let mut known: Value = serde_json::from_slice(&fs::read(&card).unwrap()).unwrap();
    known["account"]["opaque_key"] = OTHER_SERVER.into();
    fs::write(&card, known.to_string()).unwrap();
    let again = [
        "--json",
        "vault",
        "join",
        "--vault",
        "again",
        "--server",
        &server.origin(),
        "--handle",
        "amelie",
        "--from-stdin",
    ];
    assert_eq!(refused(two.run_with(&again, PASSWORD.as_bytes()), 1), "other_server");
}

#[test]
fn a_flipped_byte_loses_nothing() {
    let mut server = Accounts::start();
    let home = device();
    create(&home, &server.origin());
    for n in 0..5 {
        write(&home, &format!("Note {n}"), &format!("text {n}"));
    }
    let all = titles(&home);
    assert!(!file(&home, "replica.copy").exists(), "the server has all of it");
    for at in [0, 3, 20, 50, 80, 99] {
        flip(&file(&home, "replica"), at);
        let ran = home.ok(&["--json", "note", "ls"]);
        assert!(ran.stderr().contains("damaged"), "{at}: {}", ran.stderr());
        assert_eq!(ran.json().as_array().unwrap().len(), 5, "{at}");
        assert!(file(&home, "replica.damaged").exists());
    }
    assert_eq!(titles(&home), all);

    // What no server has is here twice.
    server.stop();
    rewrite(&home, "Note 1", "not sent");
    flip(&file(&home, "replica"), 50);
    assert_eq!(body(&home, "Note 1"), "not sent");
    flip(&file(&home, "replica"), 50);
    flip(&file(&home, "replica.copy"), 50);
    let lost = home.run(&["--json", "note", "ls"]);
    assert_eq!(refused(lost, 4), "server_away");
    assert!(file(&home, "replica").exists(), "nothing is thrown away");
    server.restart();
    assert_eq!(titles(&home), all);
}

#[test]
fn a_server_that_goes_back_is_noticed() {
    let mut server = Accounts::start();
    let home = device();
    create(&home, &server.origin());
    write(&home, "Note", "first");
    server.stop();
    let files = ["accounts.db", "accounts.db-wal", "accounts.db-shm"];
    for name in files {
        let own = server.home.path().join(name);
        if own.exists() {
            fs::copy(own, server.home.beside(name)).unwrap();
        }
    }
    server.restart();
    rewrite(&home, "Note", "second");
    server.stop();
    for name in files {
        let _ = fs::remove_file(server.home.path().join(name));
        if server.home.beside(name).exists() {
            fs::copy(server.home.beside(name), server.home.path().join(name)).unwrap();
        }
    }
    server.restart();
    assert_eq!(refused(home.run(&["--json", "vault", "sync"]), 1), "rollback");
    assert_eq!(body(&home, "Note"), "second", "nothing here was changed");

    // Damage here does not help it.
    flip(&file(&home, "replica"), 50);
    assert_eq!(refused(home.run(&["--json", "note", "ls"]), 1), "rollback");
}

#[test]
fn no_word_of_a_note_is_anywhere_in_the_clear() {
    let server = Accounts::start();
    let home = device();
    let words = ["canarytitle7Q", "canarybody8W", "canarytag9E", "canaryfolder1R"];
    create(&home, &server.origin());
    let line =
        ["note", "new", words[0], "--tag", words[2], "--folder", words[3], "--body-from-stdin"];
    home.ok_with(&line, words[1].as_bytes());
    rewrite(&home, words[0], &format!("again {}", words[1]));
    home.ok(&["note", "search", words[1]]);
    home.ok(&["note", "rm", words[0]]);
    let mut files = 0;
    for folder in [home.path(), server.home.path()] {
        look(&folder, &words, &mut files);
    }
    assert!(files > 8, "{files} files were searched");
}

fn look(folder: &PathBuf, words: &[&str], files: &mut usize) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            look(&path, words, files);
        } else if path.is_file() {
            let bytes = fs::read(&path).unwrap();
            for word in words.iter().chain([&PASSWORD]) {
                let found = bytes.windows(word.len()).any(|it| it == word.as_bytes());
                assert!(!found, "{word} in {}", path.display());
            }
            *files += 1;
        }
    }
}
