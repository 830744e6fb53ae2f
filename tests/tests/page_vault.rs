//! A person's vault in the page, in the system's Chromium: notes, items and shares, two tabs at once, offline, and what
//! of all that stays on the server, on the network and in the browser.

use std::path::Path;

use serde_json::{Map, Value};
use symbolon_tests::accounts::Accounts;
use symbolon_tests::browser;
use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::place;
use symbolon_tests::random;

fn drive(script: &str, at: &Accounts, more: &[(&str, &str)]) {
    browser::drive(script, &at.home, &at.origin(), more);
}

#[test]
fn notes_are_written_found_brought_back_and_kept_by_two_tabs_and_offline() {
    drive("vault.mjs", &Accounts::start(), &[]);
}

#[test]
fn items_are_masked_and_shares_go_to_an_account_or_behind_a_link() {
    drive("vault_share.mjs", &Accounts::start(), &[]);
}

#[test]
fn a_file_goes_up_in_sealed_pieces_and_on_where_it_broke_off() {
    drive("vault_files.mjs", &Accounts::start(), &[]);
}

#[test]
fn a_vault_goes_in_and_out_as_markdown_and_as_bitwardens_json() {
    let sealed = place::fixture("../vectors/bitwarden/few.json");
    let sealed = sealed.to_str().expect("a plain path");
    drive("transfer.mjs", &Accounts::start(), &[("BITWARDEN", sealed)]);
}

/// Each field of each kind has a canary of its own. After use they are looked for in the server's home (database, WAL,
/// logs), in everything that passed over the network, and in the whole profile of the browser, which is closed by then.
#[test]
fn no_field_of_any_item_is_on_the_server_on_the_network_or_in_the_browser() {
    let mut at = Accounts::start();
    let planted: Vec<(&str, String)> = FIELDS.iter().map(|f| (*f, random::secret(32))).collect();
    let control = random::secret(32);
    let all: Map<String, Value> =
        planted.iter().map(|(field, text)| ((*field).to_owned(), text.clone().into())).collect();
    let (profile, transcript) = (at.home.beside("profile"), at.home.beside("transcript"));
    let text = |path: &Path| path.to_str().expect("a plain path").to_owned();
    drive(
        "vault_canary.mjs",
        &at,
        &[
            ("CANARIES", &Value::from(all).to_string()),
            ("CONTROL", &control),
            ("PROFILE", &text(&profile)),
            ("TRANSCRIPT", &text(&transcript)),
        ],
    );
    at.stop();

    // The search sees what is there: on the network, and in the profile as the browser writes it.
    let known = Canaries::new().plant("control", control.as_bytes());
    assert!(!known.find_in_file(&transcript).expect("written").is_empty(), "blind on the network");
    assert!(!known.find_below(&profile).expect("kept").is_empty(), "blind in the profile");
    let file = at.home.path().join("control");
    std::fs::write(&file, &control).expect("a file");
    assert!(!known.find_below(&at.home.path()).expect("kept").is_empty(), "blind at the server");
    assert!(
        std::fs::metadata(at.home.path().join("accounts.db")).is_ok(),
        "the accounts are there"
    );

    let mut canaries = Canaries::new();
    for (field, text) in &planted {
        canaries = canaries.plant(field, text.as_bytes());
    }
    let mut hits = canaries.find_below(&at.home.path()).expect("a home");
    hits.extend(canaries.find_in_file(&transcript).expect("a transcript"));
    hits.extend(canaries.find_below(&profile).expect("a profile"));
    hits.extend(canaries.find_in("what was printed", &at.home.said()));
    assert_clean(&hits);
}

/// Prints how fast 10,000 notes are in Chromium.
#[test]
#[ignore = "a measurement of some minutes, for a release binary: --ignored --nocapture"]
fn how_fast_a_vault_of_ten_thousand_notes_is() {
    let symbolon = place::symbolon();
    drive(
        "vault_speed.mjs",
        &Accounts::start(),
        &[("SYMBOLON", symbolon.to_str().expect("plain"))],
    );
}

/// As `web/tests/vault_canary.mjs` names them, which fails where it does not use each.
const FIELDS: [&str; 30] = [
    "folder",
    "note title",
    "note body",
    "note link",
    "note tag",
    "note revision",
    "search",
    "login name",
    "login user",
    "login user again",
    "login password",
    "login uri",
    "login seed",
    "login field name",
    "login field value",
    "login masked name",
    "login masked value",
    "login notes",
    "login tag",
    "key name",
    "key service",
    "key",
    "key scope",
    "key notes",
    "profile name",
    "profile user",
    "profile mail",
    "profile about",
    "profile picture",
    "picture file name",
];
