//! Accounts in the page, in the system's Chromium: every way to sign in and to open a vault, from end to end, with
//! authenticators of the browser's own making and with wallets that really sign.

use symbolon_tests::accounts::Accounts;
use symbolon_tests::browser;

fn drive(script: &str, server: &Accounts) {
    browser::drive(script, &server.home, &server.origin(), &[]);
}

#[test]
fn every_way_in_makes_and_opens_a_vault() {
    drive("accounts.mjs", &Accounts::start());
}

#[test]
fn ways_in_and_sessions_are_added_and_taken_away() {
    drive("ways.mjs", &Accounts::start());
}

#[test]
fn assistants_ask_and_are_allowed_refused_and_disconnected() {
    drive("assistants.mjs", &Accounts::start());
}

#[test]
fn the_vaults_key_is_lent_for_minutes_and_taken_back() {
    drive("leases.mjs", &Accounts::start());
}

#[test]
fn an_account_is_deleted_and_every_tab_forgets_it() {
    drive("leave.mjs", &Accounts::start());
}

#[test]
fn the_vaults_key_is_changed_and_who_has_it_open_notices() {
    drive("rotate.mjs", &Accounts::start());
}

#[test]
fn a_power_cut_at_any_request_leaves_nothing_half_there() {
    drive("cuts.mjs", &Accounts::start());
}

/// With `SYMBOLON_WRITE_SCHEMA` the file is made anew.
#[test]
fn the_pages_types_are_those_of_the_servers_document() {
    let writes = std::env::var("SYMBOLON_WRITE_SCHEMA").unwrap_or_default();
    let server = Accounts::start();
    browser::drive("schema.mjs", &server.home, &server.origin(), &[("WRITE", &writes)]);
}

#[test]
fn a_certificate_of_authorship_is_checked_by_anybody() {
    let server = Accounts::start();
    let author = server.person("amelie");
    author.ok_with(
        &["note", "new", "Plan", "--body-from-stdin"],
        b"# A plan\n\nFirst the word, then the deed.\n",
    );
    let at = |name: &str| author.beside(name).to_str().unwrap().to_owned();
    let (salted, unsalted) = (at("salted.json"), at("unsalted.json"));
    author.ok(&["note", "prove", "Plan", "--show-handle", "--out", &salted]);
    author.ok(&["note", "prove", "Plan", "--without-salt", "--out", &unsalted]);
    let operator = server.home.path().join("operator.pub");
    let files = [
        ("CERTIFICATE", salted.as_str()),
        ("UNSALTED", &unsalted),
        ("OPERATOR_PUB", operator.to_str().unwrap()),
    ];
    browser::drive("authorship.mjs", &server.home, &server.origin(), &files);
}
