use std::convert::Infallible;

use serde_json::Value;
use symbolon_ambient::{ManualClock, SeededRng};

use super::*;
use crate::item::tests::{hidden, of_each_kind};
use crate::item::{Body, Marks};
use crate::keys::Keys;
use crate::seal::tests::unlocked;

struct Own {
    replica: Replica,
    clock: ManualClock,
    rng: SeededRng,
}

fn own() -> Own {
    let clock = ManualClock::at(1_800_000_000_000);
    let replica = Replica::create(Keys::new(&unlocked(7), 1), &clock);
    Own { replica, clock, rng: SeededRng::new(8) }
}

impl Own {
    fn put(&mut self, item: &Item, folder: Option<ItemId>) -> ItemId {
        self.replica.create_item(item, folder, &self.clock, &self.rng).expect("in bounds")
    }

    fn folder(&mut self, name: &str, folder: Option<ItemId>) -> ItemId {
        self.put(&Item::folder(name.parse().expect("a title")), folder)
    }

    fn export(&self) -> (Value, Exported) {
        let mut out = Vec::new();
        let mut write = |piece: &[u8]| {
            out.extend_from_slice(piece);
            Ok::<_, Infallible>(())
        };
        let done = export(&self.replica, &mut write).expect("it opens");
        (serde_json::from_slice(&out).expect("JSON"), done)
    }
}

fn named<'v>(file: &'v Value, name: &str) -> &'v Value {
    let items = file["items"].as_array().expect("a list");
    items.iter().find(|item| item["name"] == name).unwrap_or_else(|| panic!("no {name}: {file}"))
}

fn words(remarks: &[Remark]) -> Vec<(&str, &str)> {
    remarks.iter().map(|it| (it.what.as_str(), it.why)).collect()
}

#[test]
fn each_kind_is_written_or_named() {
    let mut own = own();
    let work = own.folder("Work", None);
    let inner = own.folder("Servers", Some(work));
    for item in of_each_kind() {
        own.put(&item, Some(inner));
    }
    let (file, done) = own.export();
    assert_eq!(file["encrypted"], false);
    let folders = file["folders"].as_array().expect("a list");
    let inner_id = uuid(inner);
    let path = folders.iter().find(|folder| folder["id"] == *inner_id).expect("the folder");
    assert_eq!(path["name"], "Work/Servers");

    let login = named(&file, "Login");
    assert_eq!((&login["type"], &login["favorite"]), (&1.into(), &true.into()));
    assert_eq!(login["folderId"], *inner_id);
    assert_eq!(login["notes"], "a *body*\n");
    assert_eq!(login["creationDate"], "2027-01-15T08:00:00.000Z");
    let uris: Vec<&Value> =
        login["login"]["uris"].as_array().expect("a list").iter().map(|it| &it["uri"]).collect();
    assert_eq!(uris, ["https://example.com", "https://example.org"]);
    assert_eq!(login["login"]["username"], "ada");
    assert_eq!(login["login"]["password"], "correct horse");
    assert_eq!(login["login"]["totp"], "JBSWY3DPEHPK3PXP");
    let fields: Vec<(&Value, &Value, u64)> = (login["fields"].as_array().expect("a list").iter())
        .map(|it| (&it["name"], &it["value"], it["type"].as_u64().expect("a number")))
        .collect();
    let said = |n: usize| (fields[n].0.as_str(), fields[n].1.as_str(), fields[n].2);
    assert_eq!(said(0), (Some("pin"), Some("1234"), 1));
    assert_eq!(said(1), (Some("shop"), Some("main street"), 0));
    assert_eq!(said(2), (Some("active"), Some("true"), 2));

    let note = named(&file, "Note");
    assert_eq!((&note["type"], &note["secureNote"]["type"]), (&2.into(), &0.into()));
    let key = named(&file, "API key");
    assert_eq!((&key["type"], &key["login"]["password"]), (&1.into(), &"ghp_example".into()));
    let texts: Vec<_> = (key["fields"].as_array().expect("a list").iter())
        .map(|it| (it["name"].as_str(), it["value"].as_str()))
        .collect();
    let text = |name, value| (Some(name), Some(value));
    let expires = text("expires", "1970-01-01T00:00:00.005Z");
    let scopes = [text("scope", "repo"), text("scope", "gist")];
    assert_eq!(texts, [text("service", "github"), scopes[0], scopes[1], expires]);

    assert_eq!((done.folders, done.logins, done.notes), (3, 2, 1));
    let mut left: Vec<&str> = done.left_out.iter().map(|it| it.what.as_str()).collect();
    left.sort_unstable();
    assert_eq!(left, ["Claims", "Connection", "Profile", "picture.png"]);
    let said = words(&done.changed);
    for title in ["Note", "Login", "API key"] {
        assert!(said.iter().any(|it| it.0 == title && it.1.contains("tags")), "{said:?}");
    }
    assert!(said.iter().any(|it| it.0 == "API key" && it.1.contains("password")), "{said:?}");
    let text = file.to_string();
    assert!(!text.contains("ghp_other"), "the credential of a connection is in the file");
}

#[test]
fn what_the_format_cannot_say_is_named() {
    let mut own = own();
    own.folder("Input/Output", None);
    let title = |text: &str| text.parse().expect("a title");
    let long = Body::new(&"x".repeat(NOTES_BYTES_MAX + 1)).expect("in bounds");
    own.put(&Item::note(title("Long"), long), None);
    let fits = Body::new(&"x".repeat(NOTES_BYTES_MAX)).expect("in bounds");
    own.put(&Item::note(title("Fits"), fits), None);
    let marks = Marks { template: true, ..Marks::default() };
    own.put(&Item { marks, ..Item::note(title("Form"), Body::default()) }, None);
    let bytes = Hidden::copy_of(b"\xff\xfe").expect("in bounds");
    let contents = |password| Contents::Login {
        username: Default::default(),
        uris: Vec::new(),
        password,
        totp: Hidden::empty(),
        fields: Vec::new(),
    };
    let login = |name: &str, password| Item {
        title: title(name),
        marks: Marks::default(),
        body: Body::default(),
        contents: contents(password),
    };
    own.put(&login("Bytes", bytes), None);
    let gone = own.put(&login("Gone", hidden("in the trash")), None);
    own.replica.trash(gone, &own.clock, &own.rng).expect("there");

    let (file, done) = own.export();
    assert_eq!(words(&done.left_out), [("Bytes", "a secret of it is no text")]);
    let mut changed = words(&done.changed);
    changed.sort_unstable();
    let template = "that it is a template is not in the file";
    assert_eq!(changed, [("Form", template), ("Input/Output", SLASH), ("Long", TOO_LONG)]);
    assert_eq!((done.logins, done.notes), (0, 3));
    assert!(!file.to_string().contains("in the trash"), "what is in the trash stays there");
}

#[test]
fn what_takes_no_piece_ends_it() {
    let own = own();
    let full = || std::io::Error::from(std::io::ErrorKind::StorageFull);
    let mut pieces = 0;
    let mut write = |_: &[u8]| {
        pieces += 1;
        if pieces == 2 { Err(full()) } else { Ok(()) }
    };
    let failed = export(&own.replica, &mut write);
    assert!(matches!(failed, Err(ExportError::Write(_))), "{failed:?}");
    assert_eq!(pieces, 2);
}
