//! `symbolon doctor`: what is broken is named, with the command that mends it.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;
use symbolon_tests::accounts::{Accounts, Holder};
use symbolon_tests::authenticator::Device;
use symbolon_tests::home::Home;
use symbolon_tests::service::free_port;

/// What it finds of one thing: state and next step; and whether it found all well.
fn finding(home: &Home, words: &[&str], what: &str) -> (String, String, bool) {
    let free = format!("127.0.0.1:{}", free_port());
    let listen = if words.contains(&"--listen") { vec![] } else { vec!["--listen", &free] };
    let ran = home.run(&[&["doctor", "--json"], words, &listen].concat());
    let said: Value = serde_json::from_str(&ran.stdout()).expect("JSON");
    assert_eq!(said["well"] == true, ran.is_success(), "the exit code says it too");
    let all = said["findings"].as_array().expect("findings");
    let found = all.iter().find(|one| one["what"] == what);
    let found = found.unwrap_or_else(|| panic!("nothing of {what}: {said}"));
    let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
    (text("state"), text("next"), said["well"] == true)
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("ours");
}

#[test]
fn a_home_that_is_whole_is_well_and_what_is_broken_is_named() {
    let home = Home::new();
    assert_eq!(finding(&home, &[], "home"), ("good".into(), String::new(), true));

    mode(&home.path().join("state.db"), 0o644);
    let (state, next, _) = finding(&home, &[], "home");
    assert_eq!(state, "bad");
    assert!(next.starts_with("chmod ") && next.contains("state.db"), "{next}");
    let mended = std::process::Command::new("sh").args(["-c", &next]).status().expect("sh");
    assert!(mended.success());
    assert_eq!(finding(&home, &[], "home").0, "good", "its command mends it");

    home.ok(&["lock", "--stop"]);
    std::fs::write(home.path().join("state.db"), b"not a database, but long enough").expect("ours");
    assert_eq!(finding(&home, &[], "database").0, "bad");
    std::fs::write(home.path().join("home.json"), b"{}").expect("ours");
    assert_eq!(finding(&home, &[], "manifest").0, "bad");
    let nowhere = Home::empty(symbolon_tests::place::symbolon());
    assert_eq!(finding(&nowhere, &[], "home"), ("bad".into(), "symbolon init".into(), false));
}

#[test]
fn what_a_server_would_be_refused_for_is_said_before() {
    let home = Home::new();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("bound").to_string();
    assert_eq!(finding(&home, &["--listen", &address], "port").0, "bad");
    let open = ["--listen", "0.0.0.0:0"];
    assert_eq!(finding(&home, &open, "TLS").0, "bad");
    assert_eq!(finding(&home, &open, "origin").0, "bad");
    for (origin, state) in [
        ("https://vault.example", "good"),
        ("http://vault.example", "bad"),
        ("https://192.0.2.1", "bad"),
    ] {
        let (found, next, _) = finding(&home, &["--origin", origin], "origin");
        assert_eq!(found, state, "{origin}");
        assert_eq!(next.is_empty(), state == "good");
    }
    let none = ["--tls-cert", "none.pem", "--tls-key", "none.pem"];
    assert_eq!(finding(&home, &none, "TLS").0, "bad");
}

#[test]
fn every_row_of_the_accounts_is_read_also_while_they_are_served() {
    let server = Accounts::start();
    server.page().sign_up(&mut Device::default(), &Holder::default()).expect(201);
    assert_eq!(finding(&server.home, &[], "accounts").0, "good");
    let key = server.home.path().join("server.key");
    let mut bytes = std::fs::read(&key).expect("ours");
    *bytes.last_mut().expect("a key") ^= 1;
    std::fs::write(&key, bytes).expect("ours");
    assert_eq!(finding(&server.home, &[], "accounts").0, "bad", "another key");
}
