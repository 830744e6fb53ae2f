//! Facts without values, proven in the system's Chromium: the whole way from what somebody typed to the server's outcome,
//! and that nothing of what they typed is anywhere but in the page.

use std::path::Path;

use serde_json::json;
use symbolon_tests::accounts::Accounts;
use symbolon_tests::browser;
use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::home::Home;
use symbolon_tests::place;

const PHRASE: &[u8] = b"test test test test test test test test test test test junk\n";

fn drive(script: &str, at: &Accounts, more: &[(&str, &str)]) {
    browser::drive(script, &at.home, &at.origin(), more);
}

#[test]
fn somebody_proves_their_age_and_the_server_takes_it() {
    drive("prove.mjs", &Accounts::start(), &[]);
}

/// A vault of the command line's has claims; the page proves by them, and shows none of what they say.
#[test]
fn claims_of_the_vault_go_from_worker_to_worker() {
    let server = Accounts::start();
    let origin = server.origin();
    let home = Home::empty(place::symbolon());
    let code = home.beside("code");
    let code = code.to_str().expect("a plain path");
    let line = ["vault", "create", "--server", &origin, "--handle", "amelie", "--device", "--seed"];
    home.ok_with(&[&line[..], &["--from-stdin", "--recovery-file", code]].concat(), PHRASE);
    let known = home.beside("me.json");
    let said = json!({
        "birth_date": "1987-03-14", "nationality": "ISL", "document_expiry": "2031-08-09",
        "document_state": "ISL", "document_number": "C01X00T47",
    });
    std::fs::write(&known, said.to_string()).expect("a file");
    home.ok(&["claims", "demo", "--from", known.to_str().expect("a plain path")]);
    home.ok(&["vault", "sync"]);
    drive("prove_vault.mjs", &server, &[]);
}

/// What is typed is looked for in the server's home (database, WAL, logs), in everything that passed over the network, and in
/// the whole profile of the browser, which is closed by then.
#[test]
fn nothing_of_what_was_typed_is_on_the_server_on_the_network_or_in_the_browser() {
    let mut at = Accounts::start();
    let typed = [
        ("birth", "1987-03-14"),
        ("nationality", "ISL"),
        ("number", "C01X00T47C01X00T47"),
        ("expiry", "2031-08-09"),
    ];
    let control = "CONTROL-5b1c7a90";
    let (profile, transcript) = (at.home.beside("profile"), at.home.beside("transcript"));
    let text = |path: &Path| path.to_str().expect("a plain path").to_owned();
    let planted: serde_json::Map<String, serde_json::Value> =
        typed.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
    drive(
        "prove_canary.mjs",
        &at,
        &[
            ("CANARIES", &json!(planted).to_string()),
            ("CONTROL", control),
            ("PROFILE", &text(&profile)),
            ("TRANSCRIPT", &text(&transcript)),
        ],
    );
    at.stop();

    // The search sees what is there.
    let known = Canaries::new().plant("control", control.as_bytes());
    assert!(!known.find_in_file(&transcript).expect("written").is_empty(), "blind on the network");
    assert!(!known.find_below(&profile).expect("kept").is_empty(), "blind in the profile");
    let asked = Canaries::new().plant("audience", at.origin().as_bytes());
    assert!(
        !asked.find_below(&at.home.path()).expect("kept").is_empty(),
        "the session is at the server, and found there"
    );

    // Three letters are in any text: the nationality is looked for in its requests, by the script.
    let mut canaries = Canaries::new();
    for (name, value) in typed.iter().filter(|(name, _)| *name != "nationality") {
        canaries = canaries.plant(name, value.as_bytes());
    }
    let mut hits = canaries.find_below(&at.home.path()).expect("a home");
    hits.extend(canaries.find_in_file(&transcript).expect("a transcript"));
    hits.extend(canaries.find_below(&profile).expect("a profile"));
    hits.extend(canaries.find_in("what was printed", &at.home.said()));
    assert_clean(&hits);
}
