//! Credentials taken over from files that other programs wrote.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use symbolon_tests::canary::{Canaries, assert_clean};
use symbolon_tests::home::Home;
use symbolon_tests::httpbin::Httpbin;
use symbolon_tests::random;

/// Files of 0nMCP that 0nMCP wrote (`vectors/legacy-0n`).
fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/legacy-0n")
}

/// A folder as 0nMCP leaves it, files of mode 0644.
fn legacy(home: &Home) -> String {
    let folder = home.beside("dot-0n");
    std::fs::create_dir_all(folder.join("connections")).expect("a folder");
    for name in
        ["connections/stripe.0n", "connections/jira.0n", "connections/github.0n", "deed.0nv"]
    {
        let to = folder.join(name);
        std::fs::copy(vectors().join(name), &to).expect("a file");
        std::fs::set_permissions(&to, PermissionsExt::from_mode(0o644)).expect("a mode");
    }
    text(&folder)
}

fn text(path: &Path) -> String {
    path.to_str().expect("a plain path").to_owned()
}

fn names(home: &Home) -> Vec<String> {
    let all = home.json(&["connections"]);
    let name = |one: &Value| one["name"].as_str().expect("a name").to_owned();
    all.as_array().expect("a list").iter().map(name).collect()
}

fn secrets() -> Canaries {
    let plant = |all: Canaries, secret: &str| all.plant("credential", secret.as_bytes());
    [
        "sk_test_legacy_stripe_0001",
        "jira-legacy-token-0001",
        "ghp_legacy_sealed_0001",
        "xoxb-legacy-deed-0001",
        "sk-legacy-deed-openai-0001",
    ]
    .into_iter()
    .fold(Canaries::new(), plant)
}

#[test]
fn a_folder_of_0nmcp_is_taken_over_whole() {
    let home = Home::new();
    let folder = legacy(&home);
    let import = |more: &[&str]| {
        let given = ["--json", "import", "0n", &folder, "--passphrase-from-stdin"];
        home.ok_with(&[&given[..], more].concat(), b"correct horse battery\n").json()
    };
    let dry = import(&["--dry-run"]);
    assert_eq!(dry["written"], false);
    assert!(names(&home).is_empty(), "a dry run makes nothing");
    let made = import(&[]);
    assert_eq!(made["connections"].as_array().map(Vec::len), Some(5), "{made:#}");
    assert_eq!(names(&home), ["github", "jira", "openai", "slack", "stripe"]);
    let codes: Vec<&str> = made["risks"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|r| r["code"].as_str())
        .collect();
    for code in ["plaintext_open", "weak_derivation", "binding_in_the_clear", "fresh_signer"] {
        assert!(codes.contains(&code), "{code}: {codes:?}");
    }
    // A second import keeps what is there, and says so.
    let again = import(&[]);
    let states = again["connections"].as_array().expect("a list").iter().map(|c| &c["state"]);
    assert!(states.into_iter().all(|state| state == "kept"), "{again:#}");
    let one = import(&["--only", "stripe", "--replace"]);
    assert_eq!(one["connections"][0]["state"], "replaced");
    assert_eq!(one["connections"].as_array().map(Vec::len), Some(1));
    // For people: the plan, the report, no value.
    let said = home
        .ok_with(&["import", "0n", &folder, "--passphrase-from-stdin"], b"correct horse battery\n");
    assert!(said.stderr().contains("security report"), "{}", said.all());
    assert!(said.stderr().contains(&format!("rm {folder}/connections/stripe.0n")));
    let canaries = secrets();
    assert_clean(&canaries.find_in("what was said", &home.said()));
    assert_clean(&canaries.find_below(&home.path()).expect("the home is readable"));
}

#[test]
fn what_cannot_be_opened_is_refused_and_nothing_is_made() {
    let home = Home::new();
    let sealed = text(&vectors().join("connections/github.0n"));
    assert_eq!(home.refused(&["import", "0n", &sealed]).code, "sealed");
    let wrong = home
        .run_with(&["--json", "import", "0n", &sealed, "--passphrase-from-stdin"], b"another\n")
        .refused();
    assert_eq!(wrong.code, "sealed");
    let escrow = text(&vectors().join("escrow.0nv"));
    assert_eq!(home.refused(&["import", "0n", &escrow]).code, "legacy_escrow");
    let mut changed = std::fs::read(vectors().join("deed.0nv")).expect("a file");
    changed[200] ^= 1;
    let file = home.beside("changed.0nv");
    std::fs::write(&file, changed).expect("a file");
    assert_eq!(home.refused(&["import", "0n", &text(&file)]).code, "signature");
    let file = home.beside(".env");
    std::fs::write(&file, "GITHUB_TOKEN=ghp_000000001\nbroken line\n").expect("a file");
    let refused = home.refused(&["import", "env", &text(&file)]);
    assert!(refused.message.contains("line 2, column 8"), "{refused:?}");
    let bomb = "a: &a [x, x]\nb: [*a, *a]\n";
    let file = home.beside("bomb.0n");
    std::fs::write(&file, bomb).expect("a file");
    let refused = home.refused(&["import", "0n", &text(&file)]);
    assert!(refused.message.contains("line 1, column 4"), "{refused:?}");
    assert!(names(&home).is_empty());
}

#[test]
fn one_that_the_broker_refuses_keeps_out_the_others() {
    let home = Home::new();
    let file = home.beside(".env");
    // A credential with a line end in it cannot stand in a header.
    let text_of = "GITHUB_TOKEN=ghp_000000001\nLINEAR_API_KEY=\"lin_00000\\n0001\"\n";
    std::fs::write(&file, text_of).expect("a file");
    let refused = home.refused(&["import", "env", &text(&file)]);
    assert!(refused.message.starts_with("linear: "), "{refused:?}");
    assert!(names(&home).is_empty());
    home.ok(&["import", "env", &text(&file), "--only", "github"]);
    assert_eq!(names(&home), ["github"]);
}

#[test]
fn an_imported_credential_is_what_goes_out() {
    let httpbin = Httpbin::start();
    let home = Home::new();
    home.add_service("services/httpbin.toml");
    let credential = random::secret(40);
    let url = format!("http://127.0.0.1:{}", httpbin.plain_port);
    let file = json!({"$0n": {"type": "connection", "version": "1.0.0"}, "service": "httpbin",
        "auth": {"type": "bearer", "credentials": {"token": credential}},
        "options": {"base_url": url}});
    let at = home.beside("httpbin.0n");
    std::fs::write(&at, file.to_string()).expect("a file");
    let refused = home.refused(&["import", "0n", &text(&at)]);
    assert_eq!(refused.code, "base_url", "{refused:?}");
    home.ok(&["import", "0n", &text(&at), "--allow-loopback"]);
    home.grant("cli", "httpbin.*");
    let reply = home.json(&["call", "httpbin.bearer"]);
    assert_eq!((&reply["status"], &reply["body"]["authenticated"]), (&200.into(), &true.into()));
    let canaries = Canaries::new().plant("credential", credential.as_bytes());
    assert_clean(&canaries.find_in("what was said", &home.said()));
}

#[test]
fn exports_of_password_managers() {
    let home = Home::new();
    let export = json!({"encrypted": false, "folders": [], "items": [
        {"type": 1, "name": "GitHub token", "login": {"username": "me", "password": "ghp_bw_000001",
            "uris": [{"match": null, "uri": "https://github.com"}]}},
        {"type": 1, "name": "Web", "login": {"password": "hunter2-web-login",
            "uris": [{"uri": "https://gitlab.com"}]}}]});
    let file = home.beside("bitwarden.json");
    std::fs::write(&file, export.to_string()).expect("a file");
    let made = home.json(&["import", "bitwarden", &text(&file)]);
    assert_eq!(made["connections"][0]["service"], "github");
    assert!(made["left_out"][0]["why"].as_str().is_some_and(|why| why.contains("web login")));
    // The same export under a passphrase, by whatever derivation.
    for name in ["pbkdf2", "argon2id"] {
        let sealed = vectors().join(format!("../bitwarden/{name}.json"));
        let sealed = text(&sealed);
        assert_eq!(home.refused(&["import", "bitwarden", &sealed]).code, "sealed");
        let given =
            ["--json", "import", "bitwarden", &sealed, "--passphrase-from-stdin", "--replace"];
        assert_eq!(home.run_with(&given, b"another\n").refused().code, "sealed");
        let made = home.ok_with(&given, b"correct horse battery\n").json();
        assert_eq!(made["connections"][0]["state"], "replaced", "{name}: {made:#}");
        assert_eq!(made["risks"].as_array().map(Vec::len), Some(0), "{name}: {made:#}");
    }
    let file = home.beside("1password.csv");
    let csv =
        "Title,Url,Username,Password\nNotion API token,https://www.notion.so,,ntn_op_000001\n";
    std::fs::write(&file, csv).expect("a file");
    home.ok(&["import", "1password", &text(&file)]);
    assert_eq!(names(&home), ["github", "notion"]);
}
