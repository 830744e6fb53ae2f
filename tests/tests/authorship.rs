//! A note that its author registers: by the command line, at a server, checked by anybody with the operator's key.

use std::fs;

use serde_json::{Value, json};
use symbolon_tests::accounts::Accounts;
use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::home::Home;
use symbolon_tests::http::Request;
use symbolon_tests::place;

const PASSWORD: &str = "correct horse battery";
const TEXT: &str = "# A plan\n\nFirst the word, then the deed, and between them a whole night of kq9x7vbm2ztr4wplhd.\n";

fn write(home: &Home, title: &str, text: &str) {
    home.ok_with(&["note", "new", title, "--body-from-stdin"], text.as_bytes());
}

fn at(home: &Home, name: &str) -> String {
    home.beside(name).to_str().unwrap().to_owned()
}

#[test]
fn a_note_is_registered_certified_and_checked_by_anybody() {
    let server = Accounts::start();
    let home = server.person("amelie");
    write(&home, "Plan", TEXT);
    let file = at(&home, "plan.json");

    // The commitment alone, then the digest: one registration.
    let held = at(&home, "held.json");
    let held_back = home.json(&["note", "prove", "Plan", "--hold-back", "--out", &held]);
    assert_eq!((&held_back["digest"], &held_back["handle"]), (&Value::Null, &Value::Null));
    let proven = home.json(&["note", "prove", "Plan", "--show-handle", "--out", &file]);
    assert_eq!(proven["authorship"], held_back["authorship"]);
    assert_eq!(proven["handle"], "amelie");
    let digest = proven["digest"].as_str().unwrap();

    // Anybody: with the operator's key from elsewhere, and the text or not.
    let key = server.home.path().join("operator.pub");
    let key = key.to_str().unwrap();
    let text = at(&home, "plan.md");
    fs::write(&text, TEXT.replace('\n', "\r\n")).unwrap();
    let said = home.json(&["verify", &file, "--key", key, "--text", &text]);
    assert_eq!((&said["verified"], &said["of_text"]), (&json!(true), &json!(true)));
    assert_eq!(said["digest"], digest);
    let plain = home.ok(&["verify", &held, "--key", key]);
    assert!(plain.stdout().contains("not shown yet"), "{}", plain.stdout());
    fs::write(&text, TEXT.replace("whole", "half")).unwrap();
    let other = home.refused(&["verify", &file, "--key", key, "--text", &text]);
    assert_eq!((other.code.as_str(), other.exit), ("other_text", 1));

    // Anybody who has the digest, and nothing else.
    let found = Request::get(server.port, &format!("/api/authorship/{digest}")).send().unwrap();
    let found = found.json();
    assert_eq!((&found["handle"], &found["index"]), (&json!("amelie"), &proven["authorship"]));
    assert!(found["certificate"].get("salt").is_none());

    // A changed byte of the certificate.
    let whole = fs::read_to_string(&file).unwrap();
    let index = format!("\"index\": {}", proven["authorship"]);
    let forged = at(&home, "forged.json");
    assert!(whole.contains(&index));
    fs::write(&forged, whole.replacen(&index, "\"index\": 9", 1)).unwrap();
    let refused = home.refused(&["verify", &forged, "--key", key]);
    assert_eq!(refused.code, "certificate_inclusion");

    // What is in the log stays one thing: a receipt it is not.
    let number = proven["authorship"].to_string();
    assert_eq!(server.home.refused(&["receipts", "show", &number]).code, "no_receipt");
}

#[test]
fn a_note_that_changed_is_another_text_and_the_server_never_sees_either() {
    let server = Accounts::start();
    let home = server.person("amelie");
    write(&home, "Plan", TEXT);
    let one = home.json(&["note", "prove", "Plan", "--out", &at(&home, "one.json")]);
    let again = home.json(&["note", "prove", "Plan", "--out", &at(&home, "again.json")]);
    assert_eq!(one["commitment"], again["commitment"], "once");
    assert_eq!(
        home.refused(&["note", "prove", "Plan", "--out", &at(&home, "one.json")]).code,
        "exists"
    );
    home.ok_with(
        &["note", "edit", "Plan", "--body-from-stdin"],
        b"Another night, another plan altogether.",
    );
    let two =
        home.json(&["note", "prove", "Plan", "--without-salt", "--out", &at(&home, "two.json")]);
    assert_ne!(one["commitment"], two["commitment"]);
    assert!(one["authorship"].as_u64() < two["authorship"].as_u64());
    assert_eq!(two["handle"], Value::Null, "nobody is named who did not choose it");
    assert!(!fs::read_to_string(at(&home, "two.json")).unwrap().contains("\"salt\""));
    let key = server.home.path().join("operator.pub");
    let text = at(&home, "text.md");
    fs::write(&text, "Another night, another plan altogether.").unwrap();
    let two = at(&home, "two.json");
    let unsalted = ["verify", &two, "--key", key.to_str().unwrap(), "--text", &text];
    assert_eq!(home.refused(&unsalted).code, "no_salt");
    // The records of both stand in the vault.
    let items = home.json(&["item", "ls"]);
    let titles = items.as_array().unwrap().iter().filter(|it| it["title"] == "Authorship of Plan");
    assert_eq!(titles.count(), 2);
    // Neither the text nor a salt is anywhere in what the server keeps.
    let certificate = fs::read_to_string(at(&home, "one.json")).unwrap();
    let certificate: Value = serde_json::from_str(&certificate).unwrap();
    let salt = certificate["salt"].as_str().unwrap();
    let salt = symbolon_codec::hex::decode(salt).unwrap();
    let planted = Canaries::new().plant("the text", b"kq9x7vbm2ztr4wplhd").plant("the salt", &salt);
    assert_clean(&planted.find_below(&server.home.path()).unwrap());
}

/// The owner hands a registration to somebody who asked for it, whose it is alone from then on.
#[test]
fn an_authorship_is_handed_over_by_two_signatures() {
    let server = Accounts::start();
    let ann = server.person("amelie");
    let bob = server.person("bob");
    write(&ann, "Plan", TEXT);
    write(&bob, "Her plan", TEXT);
    write(&bob, "Another", "Something else.");
    let proven = ann.json(&["note", "prove", "Plan", "--out", &at(&ann, "plan.json")]);
    let index = &proven["authorship"];

    let invitation = at(&bob, "bob.json");
    bob.json(&["note", "transfer", "invite", "--out", &invitation]);
    let said = fs::read_to_string(&invitation).unwrap();
    assert!(!said.contains("bob"), "an invitation names nobody");
    write(&ann, "Unregistered", "Nobody asked.");
    let offer = at(&ann, "offer.json");
    let to = ["note", "transfer", "offer", "Unregistered", "--to", &invitation, "--out", &offer];
    assert_eq!(ann.refused(&to).code, "not_registered");
    let to = ["note", "transfer", "offer", "Plan", "--to", &invitation, "--out", &offer];
    assert_eq!(&ann.json(&to)["authorship"], index);

    // Nobody else can take it, not for another text, and not with a byte changed.
    let accept = |home: &Home, offer: &str, more: &[&str]| {
        let line = ["note", "transfer", "accept", offer];
        home.refused(&[&line[..], more].concat()).code
    };
    assert_eq!(accept(&ann, &offer, &[]), "no_invitation");
    assert_eq!(accept(&bob, &offer, &["--note", "Another"]), "other_text");
    assert_eq!(accept(&bob, &invitation, &[]), "unreadable");
    let whole: Value = serde_json::from_slice(&fs::read(&offer).unwrap()).unwrap();
    let mut forged = whole.clone();
    forged["signature"] = json!("00".repeat(64));
    let forged_at = at(&bob, "forged.json");
    fs::write(&forged_at, forged.to_string()).unwrap();
    assert_eq!(accept(&bob, &forged_at, &[]), "offer");

    let mine = at(&bob, "mine.json");
    let line = ["note", "transfer", "accept", &offer, "--note", "Her plan", "--show-handle"];
    let taken = bob.json(&[&line[..], &["--out", &mine]].concat());
    assert_eq!((&taken["authorship"], &taken["digest"]), (index, &proven["digest"]));
    let digest = proven["digest"].as_str().unwrap();
    let found = Request::get(server.port, &format!("/api/authorship/{digest}")).send().unwrap();
    let found = found.json();
    assert_eq!((&found["handle"], &found["owner"]), (&json!("bob"), &taken["owner"]));

    // Anybody checks it; ann's key signs nothing of it any more; and bob hands it back.
    let key = server.home.path().join("operator.pub");
    let text = at(&bob, "plan.md");
    fs::write(&text, TEXT).unwrap();
    let line = ["verify", &mine, "--key", key.to_str().unwrap(), "--text", &text];
    assert_eq!(bob.json(&line)["of_text"], true);
    let again = at(&ann, "again.json");
    let to = ["note", "transfer", "offer", "Plan", "--to", &invitation, "--out", &again];
    assert_eq!(ann.refused(&to).code, "handed_over");
    let invitation = at(&ann, "ann.json");
    ann.json(&["note", "transfer", "invite", "--out", &invitation]);
    let back = at(&bob, "back.json");
    bob.json(&["note", "transfer", "offer", "Her plan", "--to", &invitation, "--out", &back]);
    let line = ["note", "transfer", "accept", &back, "--note", "Plan", "--out", &again];
    assert_eq!(&ann.json(&line)["authorship"], index);
    assert_eq!(accept(&ann, &back, &[]), "no_invitation", "an invitation is good once");
}

#[test]
fn near_copies_are_found_where_the_texts_are() {
    let home = Home::empty(place::symbolon());
    let code = at(&home, "code");
    let line = ["vault", "create", "--local", "--from-stdin", "--device", "--recovery-file", &code];
    home.ok_with(&line, PASSWORD.as_bytes());
    let words: Vec<String> = (0..200).map(|n| format!("word{}", n * 7 % 200)).collect();
    write(&home, "Original", &words.join(" "));
    let mut copy = words.clone();
    copy[100] = "changed".to_owned();
    write(&home, "Copy", &copy.join(" "));
    write(&home, "Other", "Of something else entirely, with no word in common but few.");
    let found = home.json(&["note", "compare", "Original"]);
    assert_eq!(found["compared"], 2);
    let alike = found["alike"].as_array().unwrap();
    assert_eq!((alike.len(), &alike[0]["title"]), (1, &json!("Copy")));
    let one = home.json(&["note", "compare", "Original", "Copy"]);
    let (estimate, counted) = (one["jaccard"].as_f64().unwrap(), one["counted"].as_f64().unwrap());
    assert!((estimate - counted).abs() < 0.06, "{estimate} for {counted}");
    assert_eq!(one["likeness"], "same");

    let sketch = at(&home, "sketch.json");
    home.ok(&["note", "sketch", "Copy", "--out", &sketch]);
    let handed = home.json(&["note", "compare", "Original", "--sketch", &sketch]);
    assert_eq!((&handed["likeness"], handed.get("counted")), (&json!("same"), None));
    assert!(!fs::read_to_string(&sketch).unwrap().contains("word"), "no text is in it");

    // A vault without a server registers nothing.
    let alone = home.refused(&["note", "prove", "Original", "--out", &at(&home, "c.json")]);
    assert_eq!(alone.code, "no_server");
    assert!(!home.beside("c.json").exists());
}
