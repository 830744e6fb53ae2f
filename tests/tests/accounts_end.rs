//! The end of an account: over HTTP, in the command line, and what is left in the database's files.

use std::fs;
use std::path::Path;

use serde_json::json;
use symbolon_codec::hex;
use symbolon_tests::accounts::{Accounts, Holder, Page};
use symbolon_tests::authenticator::Device;
use symbolon_tests::home::Home;
use symbolon_tests::http::Request;
use symbolon_tests::place;

const PASSWORD: &[u8] = b"correct horse battery";

fn signed_up(server: &Accounts) -> (Page, Device, Holder) {
    let (mut page, mut device, holder) = (server.page(), Device::default(), Holder::default());
    page.sign_up(&mut device, &holder).expect(201);
    (page, device, holder)
}

/// Whether bytes stand anywhere in the accounts' database or its write-ahead log.
fn stands(home: &Path, bytes: &[u8]) -> bool {
    ["accounts.db", "accounts.db-wal"].iter().any(|name| {
        let found = fs::read(home.join(name)).unwrap_or_default();
        found.windows(bytes.len()).any(|part| part == bytes)
    })
}

#[test]
fn a_deleted_account_is_gone_from_every_route_and_from_the_disk() {
    let mut server = Accounts::start();
    let (mut page, mut device, holder) = signed_up(&server);
    let (mut friend, _, _) = signed_up(&server);
    let (commit, _) = holder.commit(&[[1; 16]]);
    page.post("/api/vault/commit", &serde_json::to_value(&commit).unwrap()).expect(200);
    let blob = format!("/api/vault/blobs/{}", "ab".repeat(16));
    let marked: Vec<u8> = (0..4096u32).flat_map(u32::to_be_bytes).collect();
    page.request("PUT", &format!("{blob}/0")).bytes(marked.clone()).answer().expect(204);
    let vault = hex::decode(holder.new["id"].as_str().unwrap()).unwrap();
    assert!(stands(&server.home.path(), &marked[..64]) && stands(&server.home.path(), &vault));

    let host = format!("localhost:{}", server.port);
    let refused = |request: Request, status: u16, code: &str| {
        assert_eq!(request.answer().expect(status).json()["code"], code);
    };
    let delete = || Request::new("DELETE", server.port, "/api/account").header("host", &host);
    refused(delete(), 401, "no_session");
    let cookie = page.cookie.clone().unwrap();
    refused(delete().header("cookie", &cookie).header("origin", &page.origin), 403, "bad_csrf");
    page.get("/api/vault").expect(200);

    let answer = page.delete("/api/account").expect(204);
    let cleared = answer.header("set-cookie").expect("the cookie is taken away");
    assert!(cleared.contains("Max-Age=0"), "{cleared}");
    page.cookie = Some(cookie);
    for path in ["/api/vault", "/api/session", "/api/audit", "/api/account/credentials"] {
        assert_eq!(page.get(path).expect(401).json()["code"], "no_session", "{path}");
    }
    server.page().sign_in(&mut device).expect(401);
    friend.get("/api/vault").expect(200);
    assert!(!stands(&server.home.path(), &marked[..64]), "sealed bytes are still on the disk");
    assert!(!stands(&server.home.path(), &vault), "the vault's id is still on the disk");

    server.restart();
    server.page().sign_in(&mut device).expect(401);
    friend.get("/api/vault").expect(200);
    // Whoever it was may come back, as somebody new.
    let mut again = server.page();
    again.sign_up(&mut device, &Holder::default()).expect(201);
    let events = again.get("/api/audit").expect(200).json();
    assert_eq!(events["events"].as_array().unwrap().len(), 1);
}

fn create(home: &Home, server: &str, handle: &str) -> symbolon_tests::home::Ran {
    let code = home.beside("code");
    let code = code.to_str().unwrap();
    let line = ["--json", "vault", "create", "--server", server, "--handle", handle, "--device"];
    home.run_with(&[&line[..], &["--from-stdin", "--recovery-file", code]].concat(), PASSWORD)
}

#[test]
fn the_command_line_deletes_what_is_named_and_keeps_the_local_copy() {
    let mut server = Accounts::start();
    let origin = server.origin();
    let home = Home::empty(place::symbolon());
    assert!(create(&home, &origin, "amelie").is_success());
    home.ok_with(&["note", "new", "Kept", "--body-from-stdin"], b"here");

    let delete = |words: &[&str], password: &[u8]| {
        home.run_with(&[&["--json", "vault", "delete", "--from-stdin"], words].concat(), password)
    };
    let code = |words: &[&str], password: &[u8]| delete(words, password).refused().code;
    assert_eq!(code(&[], PASSWORD), "usage", "its name is asked for");
    assert_eq!(code(&["--confirm", "other"], PASSWORD), "usage");
    assert_eq!(code(&["--confirm", "personal"], b"another horse battery"), "wrong_password");
    home.ok(&["vault", "sync"]);
    server.stop();
    assert_eq!(code(&["--confirm", "personal"], PASSWORD), "server_away");
    server.restart();
    home.ok(&["vault", "sync"]);

    let done = delete(&["--confirm", "personal"], PASSWORD).json();
    assert_eq!((&done["deleted_at"], &done["removed_here"]), (&json!(origin), &json!(false)));
    assert_eq!(home.ok(&["--json", "note", "show", "Kept"]).json()["body"], "here");
    home.ok_with(&["note", "new", "Later", "--body-from-stdin"], b"alone");
    let none = home.run(&["--json", "vault", "sync"]).refused();
    assert_eq!(none.code, "no_server");

    let other = Home::empty(place::symbolon());
    let taken = create(&other, &origin, "amelie").refused();
    assert_eq!(taken.code, "exists", "the handle is retired: {}", taken.message);

    assert_eq!(code(&["--confirm", "personal"], PASSWORD), "no_server");
    let wrong = code(&["--confirm", "personal", "--local-too"], b"another horse battery");
    assert_eq!(wrong, "wrong_secret");
    let done = delete(&["--confirm", "personal", "--local-too"], PASSWORD).json();
    assert_eq!(done["removed_here"], true);
    assert_eq!(fs::read_dir(home.path().join("vaults")).unwrap().count(), 0);
}

#[test]
fn a_deletion_whose_answer_was_lost_is_finished_by_the_next_run() {
    let server = Accounts::start();
    let home = Home::empty(place::symbolon());
    assert!(create(&home, &server.origin(), "amelie").is_success());
    let card = home.path().join("vaults/personal/vault.json");
    let before = fs::read(&card).unwrap();
    let words = ["--json", "vault", "delete", "--confirm", "personal", "--from-stdin"];
    home.ok_with(&words, PASSWORD);
    // As a power cut between the server's work and ours leaves it.
    fs::write(&card, before).unwrap();
    let refused = home.run_with(&words, PASSWORD).refused();
    assert_eq!(refused.code, "wrong_password", "nothing says that a deletion was under way");
    fs::write(home.path().join("vaults/personal/leaving"), b"").unwrap();
    home.ok_with(&words, PASSWORD);
    assert_eq!(home.run(&["--json", "vault", "sync"]).refused().code, "no_server");
    assert!(!home.path().join("vaults/personal/leaving").exists());
}
