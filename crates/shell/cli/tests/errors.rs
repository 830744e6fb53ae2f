//! Errors in pairs, with their exit codes, before any broker is needed.

mod common;

use std::os::unix::fs::PermissionsExt;

use common::Place;

#[test]
fn wrong_usage() {
    let place = Place::new();
    insta::assert_snapshot!("usage_unknown_command", place.see(&["conect", "github"]));
    insta::assert_snapshot!("usage_unknown_flag", place.see(&["status", "--verbose"]));
    insta::assert_snapshot!("usage_missing", place.see(&["grant", "claude"]));
    insta::assert_snapshot!("usage_duration", place.see(&["grant", "a", "b", "--for", "soon"]));
    insta::assert_snapshot!("usage_two_ways", place.see(&["init", "--device", "--passphrase"]));
    insta::assert_snapshot!("usage_json", place.see(&["--json", "revoke", "three"]));
    insta::assert_snapshot!("usage_issuer", place.see(&["accounts", "revoke-issuer", "00"]));
}

#[test]
fn no_home() {
    let place = Place::new();
    insta::assert_snapshot!("no_home", place.see(&["status"]));
    insta::assert_snapshot!("no_home_json", place.see(&["connections", "--json"]));
}

#[test]
fn a_home_that_others_can_read_is_refused_with_the_exact_command() {
    let place = Place::new();
    std::fs::create_dir(place.home()).unwrap();
    std::fs::set_permissions(place.home(), std::fs::Permissions::from_mode(0o755)).unwrap();
    insta::assert_snapshot!("home_permissions", place.see(&["status"]));
}

#[test]
fn init_asks_for_what_it_needs_where_nobody_is_at_a_terminal() {
    let place = Place::new();
    insta::assert_snapshot!("init_no_way", place.see(&["init"]));
    insta::assert_snapshot!("init_no_file", place.see(&["init", "--device"]));
    let file = place.file("there");
    std::fs::write(&file, "kept").unwrap();
    let words = ["init", "--device", "--recovery-file", "there"];
    insta::assert_snapshot!("init_file_exists", place.see(&words));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "kept");
    let words = ["init", "--passphrase", "--from-stdin", "--recovery-file", "code"];
    insta::assert_snapshot!("init_short_passphrase", place.see_with(&words, b"short\n"));
    assert!(!place.file("code").exists(), "an empty recovery file is left behind");
    assert!(!place.home().exists(), "a home was begun");
}

#[test]
fn a_secret_on_the_command_line_is_refused_and_not_repeated() {
    let place = Place::new();
    for words in [
        &["connect", "github", "ghp_canary"][..],
        &["connect", "github", "--token", "ghp_canary"],
        &["connect", "github", "--api-key=ghp_canary", "--json"],
        &["unlock", "ghp_canary"],
        &["init", "ghp_canary"],
    ] {
        let output = place.run(words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(said.contains("is not an argument"), "{words:?}: {said}");
        assert!(!said.contains("canary"), "{words:?}: {said}");
    }
    insta::assert_snapshot!("secret_argument", place.see(&["connect", "github", "ghp_…"]));
}

#[test]
fn what_to_paste() {
    let place = Place::new();
    for host in ["claude", "cursor", "vscode"] {
        let words = ["mcp", "--print-config", host];
        insta::assert_snapshot!(format!("print_config_{host}"), place.see(&words));
    }
    let words = ["mcp", "--print-config", "claude", "--agent", "work", "--json"];
    insta::assert_snapshot!("print_config_json", place.see(&words));
}

#[test]
fn a_reader_that_has_enough_is_no_error() {
    let place = Place::new();
    let (read, write) = std::io::pipe().unwrap();
    drop(read);
    let mut command = place.command(&["mcp", "--print-config", "claude", "--json"]);
    let output = command.stdout(write).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
}
