//! Attachments, logins and API keys in the command line: what breaks off goes on, and a secret is shown on purpose alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use symbolon_tests::accounts::Accounts;
use symbolon_tests::home::Home;
use symbolon_tests::place;

const PASSWORD: &[u8] = b"correct horse battery";

fn created(server: &str) -> Home {
    let home = Home::empty(place::symbolon());
    let code = home.beside("code");
    let code = code.to_str().unwrap();
    let line = ["vault", "create", "--server", server, "--handle", "amelie", "--device"];
    home.ok_with(&[&line[..], &["--from-stdin", "--recovery-file", code]].concat(), PASSWORD);
    home
}

fn joined(server: &str) -> Home {
    let home = Home::empty(place::symbolon());
    let line = ["vault", "join", "--server", server, "--handle", "amelie", "--device"];
    home.ok_with(&[&line[..], &["--from-stdin"]].concat(), PASSWORD);
    home
}

/// A file whose every part is another.
fn file(home: &Home, name: &str, bytes: usize) -> PathBuf {
    let path = home.beside(name);
    let mut state = 0x9e37_79b9_7f4a_7c15u64;
    let content: Vec<u8> = std::iter::repeat_with(|| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    })
    .take(bytes)
    .collect();
    fs::write(&path, content).unwrap();
    path
}

fn attached(home: &Home) -> Vec<Value> {
    let all = home.ok(&["--json", "note", "attachments", "Plan"]).json();
    all.as_array().unwrap().clone()
}

fn database(server: &Accounts) -> u64 {
    let size = |name: &str| fs::metadata(server.home.path().join(name)).map_or(0, |it| it.len());
    size("accounts.db") + size("accounts.db-wal")
}

/// Begins the command, and kills it once the server has some of the file.
fn cut_off(server: &Accounts, home: &Home, file: &Path) {
    let before = database(server);
    let mut command = home.command(&["note", "attach", "Plan", file.to_str().unwrap()]);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let began = Instant::now();
    while database(server) < before + (4 << 20) {
        assert!(child.try_wait().unwrap().is_none(), "it was done before it could be cut off");
        assert!(began.elapsed() < Duration::from_secs(60), "nothing was sent");
        thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn an_upload_that_was_killed_goes_on_and_comes_back_as_it_was() {
    let server = Accounts::start();
    let home = created(&server.origin());
    home.ok_with(&["note", "new", "Plan", "--body-from-stdin"], b"Text.");
    let big = file(&home, "big.bin", (60 << 20) + 12_345);
    cut_off(&server, &home, &big);
    assert_eq!(attached(&home), Vec::<Value>::new(), "no note leads to half of a file");

    let line = ["--json", "note", "attach", "Plan", big.to_str().unwrap()];
    let done = home.ok(&line).json();
    let (sent, there) = (done["sent"].as_u64().unwrap(), done["there"].as_u64().unwrap());
    assert!(there >= 3 && sent + there == 61, "{done}");
    let again = home.ok(&line).json();
    assert_eq!((&again["sent"], &again["id"]), (&json!(0), &done["id"]), "it is there already");
    assert_eq!(attached(&home).len(), 1);
    let picture = file(&home, "cat [1].png", 700);
    home.ok(&["note", "attach", "Plan", picture.to_str().unwrap()]);
    let body = home.ok(&["--json", "note", "show", "Plan"]).json();
    let body = body["body"].as_str().unwrap();
    assert!(body.starts_with("Text.\n[big.bin](vault:") && body.contains("\n![cat _1_.png]("));

    // Another device, to a file of its own that replaces none.
    let other = joined(&server.origin());
    let of = |it: &Value| it["name"] == "big.bin" && it["bytes"] == (60 << 20) + 12_345;
    assert!(attached(&other).iter().any(of));
    let to = other.beside("fetched");
    let save = ["note", "save-attachment", "Plan", "big.bin", "--to", to.to_str().unwrap()];
    other.ok(&save);
    assert!(fs::read(&to).unwrap() == fs::read(&big).unwrap(), "every byte of it");
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(other.run(&[&["--json"], &save[..]].concat()).refused().code, "exists");

    // Taken off, its parts are gone from the server, and what else is attached stays.
    home.ok(&["note", "detach", "Plan", "big.bin"]);
    assert_eq!(attached(&home).len(), 1);
    other.ok(&["vault", "sync"]);
    assert_eq!(attached(&other).len(), 1);
    fs::remove_file(&to).unwrap();
    let gone = other.run(&[&["--json"], &save[..]].concat()).refused();
    assert_eq!(gone.code, "no_attachment");
    let small = other.beside("small");
    let line = ["note", "save-attachment", "Plan", "cat [1].png", "--to", small.to_str().unwrap()];
    other.ok(&line);
    assert_eq!(fs::read(&small).unwrap(), fs::read(&picture).unwrap());
}

#[test]
fn what_cannot_be_attached_is_refused_and_changes_nothing() {
    let mut server = Accounts::start();
    let home = created(&server.origin());
    home.ok_with(&["note", "new", "Plan", "--body-from-stdin"], b"Text.");
    let large = home.beside("large");
    fs::File::create(&large).unwrap().set_len((100 << 20) + 1).unwrap();
    let code = |words: &[&str]| home.run(&[&["--json", "note"], words].concat()).refused().code;
    assert_eq!(code(&["attach", "Plan", large.to_str().unwrap()]), "too_long");
    assert_eq!(code(&["attach", "Plan", "/nowhere/file"]), "file");
    let empty = file(&home, "empty", 0);
    home.ok(&["note", "attach", "Plan", empty.to_str().unwrap()]);
    let to = home.beside("to");
    home.ok(&["note", "save-attachment", "Plan", "empty", "--to", to.to_str().unwrap()]);
    assert_eq!(fs::read(&to).unwrap(), b"");
    server.stop();
    let small = file(&home, "small", 10);
    assert_eq!(code(&["attach", "Plan", small.to_str().unwrap()]), "server_away");
    server.restart();
    assert_eq!(attached(&home).len(), 1);
    home.ok(&["note", "attach", "Plan", small.to_str().unwrap()]);
    assert_eq!(attached(&home).len(), 2);
}

#[test]
fn a_secret_of_an_item_is_typed_hidden_and_shown_on_purpose() {
    let server = Accounts::start();
    let home = created(&server.origin());
    let secret = symbolon_tests::random::secret(30);
    let line = [
        "item",
        "new",
        "login",
        "Library",
        "--username",
        "amelie",
        "--uri",
        "https://library.example",
        "--tag",
        "books",
        "--from-stdin",
    ];
    home.ok_with(&line, secret.as_bytes());
    let key = symbolon_tests::random::secret(40);
    let line = [
        "item",
        "new",
        "api-key",
        "Weather",
        "--service",
        "weather",
        "--scope",
        "read",
        "--folder",
        "Work/Keys",
        "--from-stdin",
    ];
    home.ok_with(&line, key.as_bytes());

    let other = joined(&server.origin());
    let all = other.ok(&["--json", "item", "ls"]).json();
    assert_eq!(all.as_array().unwrap().len(), 2);
    let shown = other.ok(&["--json", "item", "show", "library"]).json();
    assert_eq!((&shown["username"], &shown["has_secret"]), (&json!("amelie"), &json!(true)));
    for words in [&["item", "show", "Library"][..], &["item", "ls"], &["note", "ls"]] {
        assert!(!other.ok(words).all().contains(&secret), "{words:?}");
    }
    assert_eq!(other.ok(&["item", "show", "Library", "--reveal"]).stdout(), format!("{secret}\n"));
    assert_eq!(other.ok(&["item", "show", "Weather", "--reveal"]).stdout(), format!("{key}\n"));
    let refused = other.run(&["--json", "item", "show", "Library", "--reveal"]).refused();
    assert_eq!(refused.code, "usage");

    other.ok(&["item", "edit", "Library", "--username", "amelie2", "--title", "City library"]);
    other.ok_with(&["item", "edit", "Weather", "--new-secret", "--from-stdin"], b"another key");
    home.ok(&["vault", "sync"]);
    let shown = home.ok(&["--json", "item", "show", "City library"]).json();
    assert_eq!((&shown["username"], &shown["tags"]), (&json!("amelie2"), &json!(["books"])));
    assert_eq!(
        home.ok(&["item", "show", "City library", "--reveal"]).stdout(),
        format!("{secret}\n")
    );
    assert_eq!(home.ok(&["item", "show", "Weather", "--reveal"]).stdout(), "another key\n");

    let usage = |words: &[&str]| home.run(&[&["--json", "item"], words].concat()).refused();
    assert_eq!(usage(&["edit", "Weather", "--username", "x"]).code, "usage");
    assert_eq!(usage(&["new", "login", "Argued", "--password", "geheim"]).code, "usage");
    assert_eq!(usage(&["show", "Nowhere"]).code, "no_item");
    home.ok(&["item", "rm", "Weather"]);
    assert_eq!(home.ok(&["--json", "item", "ls"]).json().as_array().unwrap().len(), 1);
    // Neither stands in the clear in any file of the device or the server.
    for folder in [home.path(), server.home.path()] {
        for file in files(&folder) {
            let bytes = fs::read(&file).unwrap_or_default();
            let found = [&secret, &key]
                .iter()
                .any(|it| bytes.windows(it.len()).any(|part| part == it.as_bytes()));
            assert!(!found, "{}", file.display());
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match fs::symlink_metadata(&path).unwrap().is_dir() {
            true => all.extend(files(&path)),
            false => all.push(path),
        }
    }
    all
}
