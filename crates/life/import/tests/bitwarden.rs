//! What a vault writes as Bitwarden's JSON is what is read of it again.

use std::convert::Infallible;

use proptest::prelude::*;
use symbolon_ambient::{ManualClock, SeededRng};
use symbolon_crypto::RecoveryCode;
use symbolon_custody::{Enrol, Opener, Vault};
use symbolon_import::foreign::{Source, read_vault};
use symbolon_secret::Secret;
use symbolon_vault::item::{
    Body, Contents, CustomField, CustomKind, Hidden, Label, Long, Marks, Name, Title,
};
use symbolon_vault::{Item, Keys, Replica, bitwarden};

/// A login, or a note where there is no login.
#[derive(Clone, Debug)]
struct Said {
    title: String,
    body: String,
    is_pinned: bool,
    in_folder: bool,
    login: Option<SaidLogin>,
}

#[derive(Clone, Debug)]
struct SaidLogin {
    username: String,
    uris: Vec<String>,
    password: String,
    totp: String,
    fields: Vec<(String, CustomKind, String)>,
}

fn arb_line(max: usize) -> impl Strategy<Value = String> {
    // Quotes and backslashes often: they are what a format of text breaks on.
    let any = prop_oneof![4 => any::<char>(), 1 => Just('"'), 1 => Just('\\')];
    prop::collection::vec(any, 0..=max)
        .prop_map(|all| all.into_iter().filter(|c| !c.is_control()).collect())
}

fn arb_secret() -> impl Strategy<Value = String> {
    prop_oneof![3 => any::<String>(), 1 => arb_line(40), 1 => Just("true".to_owned())]
}

fn arb_login() -> impl Strategy<Value = SaidLogin> {
    let kind =
        prop_oneof![Just(CustomKind::Text), Just(CustomKind::Hidden), Just(CustomKind::Boolean)];
    let field = (arb_line(20), kind, arb_secret());
    let fields = prop::collection::vec(field, 0..4);
    let uris = prop::collection::vec(arb_line(60), 0..4);
    (arb_line(30), uris, arb_secret(), arb_secret(), fields).prop_map(
        |(username, uris, password, totp, fields)| SaidLogin {
            username,
            uris,
            password,
            totp,
            fields,
        },
    )
}

fn arb_said() -> impl Strategy<Value = Said> {
    let login = prop::option::weighted(0.7, arb_login());
    (arb_line(40), any::<String>(), any::<bool>(), any::<bool>(), login).prop_map(
        |(title, body, is_pinned, in_folder, login)| Said {
            title,
            body,
            is_pinned,
            in_folder,
            login,
        },
    )
}

fn hidden(text: &str) -> Hidden {
    let bytes = text.as_bytes();
    Hidden::new(Secret::<[u8]>::make_slice(bytes.len(), |page| page.copy_from_slice(bytes)))
        .expect("in bounds")
}

fn item(said: &Said) -> Item {
    let contents = match &said.login {
        None => Contents::Note,
        Some(it) => Contents::Login {
            username: Name::new(&it.username).expect("in bounds"),
            uris: it.uris.iter().map(|uri| Long::new(uri).expect("in bounds")).collect(),
            password: hidden(&it.password),
            totp: hidden(&it.totp),
            fields: it
                .fields
                .iter()
                .map(|(name, kind, value)| CustomField {
                    name: Label::new(name).expect("in bounds"),
                    kind: *kind,
                    value: hidden(value),
                })
                .collect(),
        },
    };
    Item {
        title: Title::new(&said.title).expect("in bounds"),
        marks: Marks { pinned: said.is_pinned, ..Marks::default() },
        body: Body::new(&said.body).expect("in bounds"),
        contents,
    }
}

fn text(hidden: &Hidden) -> String {
    String::from_utf8(hidden.secret().expose().to_vec()).expect("text")
}

/// What the import says of an item. How a field is shown is the import's own word: ticks are told by
/// their value, and all else is masked.
fn said(item: &Item, folder: Option<&str>) -> Said {
    let login = match &item.contents {
        Contents::Login { username, uris, password, totp, fields } => Some(SaidLogin {
            username: username.to_string(),
            uris: uris.iter().map(ToString::to_string).collect(),
            password: text(password),
            totp: text(totp),
            fields: fields
                .iter()
                .map(|field| (field.name.to_string(), field.kind, text(&field.value)))
                .collect(),
        }),
        _ => None,
    };
    Said {
        title: item.title.to_string(),
        body: item.body.as_str().to_owned(),
        is_pinned: item.marks.pinned,
        in_folder: folder == Some("Outer/Inner"),
        login,
    }
}

fn as_imported(mut said: Said) -> Said {
    for (_, kind, value) in said.login.iter_mut().flat_map(|login| &mut login.fields) {
        let is_tick = value == "true" || value == "false";
        *kind = if is_tick { CustomKind::Boolean } else { CustomKind::Hidden };
    }
    said
}

fn round_trip(all: &[Said]) -> Vec<Said> {
    let (clock, rng) = (ManualClock::at(1_800_000_000_000), SeededRng::new(3));
    let code = RecoveryCode::make(&rng);
    let enrol = Enrol::new(Opener::Recovery(&code));
    let (_, unlocked) = Vault::create(&enrol, &rng, &clock).expect("a vault");
    let mut replica = Replica::create(Keys::new(&unlocked, 1), &clock);
    let mut folder = |name: &str, within| {
        let folder = Item::folder(Title::new(name).expect("a title"));
        replica.create_item(&folder, within, &clock, &rng).expect("in bounds")
    };
    let outer = folder("Outer", None);
    let inner = folder("Inner", Some(outer));
    for one in all {
        let folder = one.in_folder.then_some(inner);
        replica.create_item(&item(one), folder, &clock, &rng).expect("in bounds");
    }
    let mut file = Vec::new();
    let mut write = |piece: &[u8]| {
        file.extend_from_slice(piece);
        Ok::<_, Infallible>(())
    };
    let done = bitwarden::export(&replica, &mut write).expect("it opens");
    assert_eq!((done.logins + done.notes, done.left_out.len()), (all.len(), 0));
    let page = Secret::<[u8]>::make_slice(file.len(), |page| page.copy_from_slice(&file));
    let read = read_vault(&Source { name: "file", mode: 0o600, bytes: &page }, None);
    let read = read.expect("an export of Bitwarden");
    assert_eq!(read.left_out, []);
    read.items.iter().map(|(item, folder)| said(item, folder.as_deref())).collect()
}

fn sorted(all: impl Iterator<Item = Said>) -> Vec<String> {
    let mut all: Vec<String> = all.map(|said| format!("{said:?}")).collect();
    all.sort_unstable();
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_written_is_read_again(all in prop::collection::vec(arb_said(), 0..5)) {
        let back = round_trip(&all);
        prop_assert_eq!(sorted(back.into_iter()), sorted(all.into_iter().map(as_imported)));
    }
}

#[test]
fn the_longest_of_each_comes_back_whole() {
    let login = SaidLogin {
        username: "\\".repeat(1024),
        uris: vec!["\"".repeat(4096); 32],
        password: "\u{1}".repeat(20 << 10),
        totp: "\n".repeat(10 << 10),
        fields: vec![("\"".repeat(256), CustomKind::Hidden, "v".repeat(64)); 64],
    };
    let title = "ä".repeat(512);
    let said =
        Said { title, body: "\"".into(), is_pinned: true, in_folder: true, login: Some(login) };
    let back = round_trip(std::slice::from_ref(&said));
    assert_eq!(sorted(back.into_iter()), sorted(std::iter::once(as_imported(said))));
}
