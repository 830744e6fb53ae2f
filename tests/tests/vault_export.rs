//! A vault for another program: in the clear on purpose alone, for its owner alone, whole or not there.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use symbolon_tests::home::Home;
use symbolon_tests::place;

const PASSWORD: &[u8] = b"correct horse battery\n";

/// A vault of this device with a login, an API key, two notes and a tag.
fn home() -> Home {
    let home = Home::empty(place::symbolon());
    let code = home.beside("code");
    let line = ["vault", "create", "--local", "--device", "--from-stdin", "--recovery-file"];
    home.ok_with(&[&line[..], &[code.to_str().unwrap()]].concat(), PASSWORD);
    let login =
        ["item", "new", "login", "Library", "--username", "amelie", "--folder", "Work/Town"];
    let uri = ["--uri", "https://library.example", "--from-stdin"];
    home.ok_with(&[&login[..], &uri].concat(), b"p\"4\\ss\xc3\xa4");
    let key = ["item", "new", "api-key", "Weather", "--service", "weather", "--from-stdin"];
    home.ok_with(&key, b"wx_key_1");
    home.ok_with(
        &["note", "new", "Plan", "--tag", "idea", "--body-from-stdin"],
        b"line\n\"two\"\n",
    );
    home.ok_with(&["note", "new", "Gone", "--body-from-stdin"], b"in the trash");
    home.ok(&["note", "rm", "Gone"]);
    home
}

fn named<'v>(file: &'v Value, name: &str) -> &'v Value {
    let items = file["items"].as_array().expect("a list");
    items.iter().find(|item| item["name"] == name).unwrap_or_else(|| panic!("no {name} in {file}"))
}

#[test]
fn the_file_is_its_owners_alone_and_says_what_the_vault_says() {
    let home = home();
    let path = home.beside("vault.json");
    let name = path.to_str().unwrap();
    // Nobody is at a terminal: it has to be said that it may be in the clear.
    assert_eq!(home.refused(&["vault", "export", "--bitwarden", name]).code, "usage");
    assert!(!path.exists());

    let told = home.json(&["vault", "export", "--bitwarden", name, "--yes"]);
    assert_eq!(
        (&told["folders"], &told["logins"], &told["notes"]),
        (&2.into(), &2.into(), &1.into())
    );
    assert_eq!(told["left_out"], Value::Array(Vec::new()));
    let changed = told["changed"].to_string();
    assert!(changed.contains("Weather") && changed.contains("tags"), "{changed}");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    let text = fs::read_to_string(&path).unwrap();
    let file: Value = serde_json::from_str(&text).expect("JSON");
    let login = named(&file, "Library");
    assert_eq!(login["login"]["password"], "p\"4\\ssä");
    assert_eq!(login["login"]["uris"][0]["uri"], "https://library.example");
    let folder = file["folders"].as_array().unwrap();
    let folder = folder.iter().find(|it| it["id"] == login["folderId"]).expect("its folder");
    assert_eq!(folder["name"], "Work/Town");
    assert_eq!(named(&file, "Weather")["login"]["password"], "wx_key_1");
    assert_eq!(named(&file, "Plan")["notes"], "line\n\"two\"\n");
    assert!(!text.contains("in the trash"));

    // A file that is there stays as it is.
    fs::write(&path, "mine").unwrap();
    let line = ["vault", "export", "--bitwarden", name, "--yes"];
    assert_eq!(home.refused(&line).code, "exists");
    assert_eq!(fs::read(&path).unwrap(), b"mine");
}

#[test]
fn standard_output_takes_the_export_and_nothing_else() {
    let home = home();
    let ran = home.ok(&["vault", "export", "--bitwarden", "-", "--yes"]);
    let file: Value = serde_json::from_str(&ran.stdout()).expect("JSON alone");
    assert_eq!(file["items"].as_array().unwrap().len(), 3);
    assert!(ran.stderr().contains("IN THE CLEAR"), "{}", ran.stderr());
    let line = ["vault", "export", "--bitwarden", "-", "--yes"];
    assert_eq!(home.refused(&line).code, "usage");
}

#[test]
fn a_file_that_did_not_become_whole_is_not_there() {
    let home = home();
    // A device that is always full takes no byte, and is none of ours to remove.
    let line = ["--json", "vault", "export", "--bitwarden", "-", "--yes"];
    assert_eq!(home.run(&line).refused().code, "usage");
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = home.command(&["vault", "export", "--bitwarden", "-", "--yes"]);
    let ended = command.stdout(full).output().unwrap();
    assert_eq!(ended.status.code(), Some(4));
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(said.contains("cannot write the export"), "{said}");

    let name = home.beside("nowhere/vault.json");
    let line = ["vault", "export", "--bitwarden", name.to_str().unwrap(), "--yes"];
    assert_eq!(home.refused(&line).code, "file");
    // Nobody exports a vault who cannot open it.
    let path = home.beside("vault.json");
    let wrong = ["--json", "vault", "export", "--yes", "--from-stdin", "--bitwarden"];
    let wrong = [&wrong[..], &[path.to_str().unwrap()]].concat();
    assert_eq!(home.run_with(&wrong, b"another password").refused().code, "wrong_secret");
    assert!(!path.exists());
}
