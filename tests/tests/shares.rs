//! Shares in the command line, between two accounts and by a link: fingerprints, ends, views, taking back.

use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};
use symbolon_tests::accounts::Accounts;
use symbolon_tests::home::Home;
use symbolon_tests::place;

const PASSWORD: &[u8] = b"correct horse battery";

fn person(server: &Accounts, handle: &str) -> Home {
    let home = Home::empty(place::symbolon());
    let (origin, code) = (server.origin(), home.beside("code"));
    let line = ["vault", "create", "--server", &origin, "--handle", handle, "--device"];
    let more = ["--from-stdin", "--recovery-file", code.to_str().unwrap()];
    home.ok_with(&[&line[..], &more].concat(), PASSWORD);
    home
}

fn fingerprint(home: &Home) -> String {
    home.ok(&["share", "key"]).stdout().trim().to_owned()
}

fn listed(home: &Home, which: &str) -> Vec<Value> {
    home.ok(&["--json", "share", "ls"]).json()[which].as_array().unwrap().clone()
}

fn code(home: &Home, words: &[&str], stdin: &[u8]) -> String {
    home.run_with(&[&["--json", "share"], words].concat(), stdin).refused().code
}

#[test]
fn a_copy_goes_to_the_account_whose_fingerprint_was_compared() {
    let server = Accounts::start();
    let (amelie, berta, carl) =
        (person(&server, "amelie"), person(&server, "berta"), person(&server, "carl"));
    amelie.ok_with(&["note", "new", "Plan", "--body-from-stdin"], b"as it is now");
    let words = fingerprint(&berta);
    assert_eq!(words.split(' ').count(), 8, "{words}");

    let with = |fingerprint: &str| {
        amelie.run(&["--json", "share", "with", "Plan", "berta", "--fingerprint", fingerprint])
    };
    assert_eq!(with(&fingerprint(&carl)).refused().code, "other_key");
    assert_eq!(code(&amelie, &["with", "Plan", "berta"], b""), "usage", "nobody compared it");
    assert_eq!(code(&amelie, &["with", "Plan", "nobody", "--fingerprint", &words], b""), "missing");
    assert_eq!(listed(&amelie, "made"), Vec::<Value>::new());
    let made = with(&words.to_uppercase()).json();
    assert_eq!(made["fingerprint"], words.as_str());
    amelie.ok_with(&["note", "edit", "Plan", "--body-from-stdin"], b"changed later");

    let id = made["share"].as_str().unwrap();
    assert_eq!(code(&carl, &["open", id], b""), "no_share", "it is not for everybody");
    let received = listed(&berta, "received");
    assert_eq!((&received[0]["id"], &received[0]["state"]), (&made["share"], &json!("open")));
    let shown = berta.ok(&["--json", "share", "open", &id[..8]]).json();
    assert_eq!((&shown["title"], &shown["body"]), (&json!("Plan"), &json!("as it is now")));
    berta.ok(&["share", "open", &id[..8], "--keep"]);
    assert_eq!(berta.ok(&["--json", "note", "show", "Plan"]).json()["body"], "as it is now");

    let row = &listed(&amelie, "made")[0];
    assert_eq!((&row["title"], &row["link"]), (&json!("Plan"), &json!(false)));
    amelie.ok(&["share", "revoke", &id[..8]]);
    assert_eq!(listed(&berta, "received"), Vec::<Value>::new());
    assert_eq!(code(&berta, &["open", id], b""), "no_share");
    assert_eq!(listed(&amelie, "made")[0]["state"], "taken back");
}

#[test]
fn a_link_is_opened_so_often_by_whoever_has_all_of_it() {
    let server = Accounts::start();
    let (amelie, stranger) = (person(&server, "amelie"), Home::empty(place::symbolon()));
    let secret = symbolon_tests::random::secret(30);
    amelie.ok_with(
        &["item", "new", "login", "Door", "--username", "guest", "--from-stdin"],
        secret.as_bytes(),
    );
    let made =
        amelie.ok(&["--json", "share", "link", "Door", "--for", "1h", "--views", "2"]).json();
    let url = made["url"].as_str().unwrap().to_owned();
    assert!(url.starts_with(&format!("{}/s/", server.origin())) && url.contains('#'), "{url}");

    assert_eq!(code(&stranger, &["open", &url], b""), "usage", "a link is no argument");
    let half = url.split('#').next().unwrap();
    assert_eq!(code(&stranger, &["open", "--from-stdin"], half.as_bytes()), "usage");
    let open = |words: &[&str]| {
        stranger.run_with(&[&["share", "open", "--from-stdin"], words].concat(), url.as_bytes())
    };
    let shown = open(&[]).succeeded();
    assert!(shown.all().contains("Door") && !shown.all().contains(&secret), "masked by default");
    assert_eq!(open(&["--reveal"]).succeeded().stdout(), format!("{secret}\n"));
    assert_eq!(code(&stranger, &["open", "--from-stdin"], url.as_bytes()), "missing", "seen twice");
    let row = &listed(&amelie, "made")[0];
    assert_eq!(
        (&row["views"], &row["state"], &row["link"]),
        (&json!(2), &json!("seen"), &json!(true))
    );

    // A link in a person's own words, without --json: the secret goes to standard output alone.
    let ran = amelie.ok(&["share", "link", "Door"]);
    let second = ran.stdout().trim().to_owned();
    let fragment = second.split('#').nth(1).unwrap();
    assert!(fragment.len() == 43 && !ran.stderr().contains(fragment));
    // Another's secret behind this share's id opens nothing.
    let mixed = format!("{}#{}", second.split('#').next().unwrap(), url.split('#').nth(1).unwrap());
    assert_eq!(code(&stranger, &["open", "--from-stdin"], mixed.as_bytes()), "share");
    let id = listed(&amelie, "made")[0]["id"].as_str().unwrap().to_owned();
    amelie.ok(&["share", "revoke", &id[..8]]);
    assert_eq!(code(&stranger, &["open", "--from-stdin"], second.as_bytes()), "missing");
    assert_eq!(code(&amelie, &["link", "Door", "--for", "100d"], b""), "usage");
    // The server never has what stands behind the #.
    for name in ["accounts.db", "accounts.db-wal"] {
        let bytes = std::fs::read(server.home.path().join(name)).unwrap_or_default();
        assert!(!bytes.windows(43).any(|part| part == fragment.as_bytes()), "{name}");
    }
}

/// A person at a terminal is asked, and nothing is shared unless they say so.
#[test]
fn a_fingerprint_is_asked_for_at_a_terminal() {
    let server = Accounts::start();
    let (amelie, berta) = (person(&server, "amelie"), person(&server, "berta"));
    amelie.ok_with(&["note", "new", "Plan", "--body-from-stdin"], b"text");
    let typed = |answer: &str| {
        let program = amelie.command(&["share", "with", "Plan", "berta"]);
        let words: Vec<String> = std::iter::once(program.get_program())
            .chain(program.get_args())
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        let mut script = std::process::Command::new("script");
        script.args(["-qec", &words.join(" "), "/dev/null"]);
        for (name, value) in program.get_envs() {
            if let Some(value) = value {
                script.env(name, value);
            }
        }
        let mut child =
            script.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("script");
        let mut stdin = child.stdin.take().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(300));
        writeln!(stdin, "{answer}").unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let (done, said) = typed("no");
    assert!(!done && said.contains(&fingerprint(&berta)), "{said}");
    assert_eq!(listed(&berta, "received").len(), 0);
    let (done, said) = typed("yes");
    assert!(done, "{said}");
    assert_eq!(listed(&berta, "received").len(), 1);
}
