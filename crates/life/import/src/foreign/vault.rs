//! Items of Bitwarden's exports as items of a vault: everything that a person kept there, not only what
//! the broker can use. What is secret goes from one page to another.

use symbolon_secret::{MemoryError, Secret};
use symbolon_vault::Item;
use symbolon_vault::item::{
    Body, Contents, CustomField, CustomKind, Hidden, ItemError, Label, Long, Marks, Name, Title,
};

use super::Source;
use super::bitwarden_sealed::Sealed;
use super::error::ForeignError;
use super::json;
use super::page::{Text, Value};

/// What was read of an export.
#[derive(Debug, Default)]
pub struct VaultItems {
    /// The items, each with the name of its folder.
    pub items: Vec<(Item, Option<String>)>,
    /// What was not taken, by its place in the file, with the reason.
    pub left_out: Vec<(String, &'static str)>,
}

/// Reads an export of Bitwarden in JSON, open or under a passphrase, as items of a vault.
///
/// # Errors
/// [`ForeignError`]. Nothing of a file that is refused is given.
pub fn read_vault(
    source: &Source<'_>,
    passphrase: Option<&Secret<[u8]>>,
) -> Result<VaultItems, ForeignError> {
    // EXPOSE: parsed where it lies; what is text stays there.
    let bytes = source.bytes.expose();
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let root = json::read(bytes)?;
    if !root.is_true("encrypted") {
        return items(&root);
    }
    let opened = Sealed::read(bytes)?.open(passphrase.ok_or(ForeignError::Sealed)?)?;
    // EXPOSE: parsed where it lies; what is text stays there.
    items(&json::read(opened.expose())?)
}

fn items(root: &Value<'_>) -> Result<VaultItems, ForeignError> {
    let Some(Value::List(all)) = root.get("items") else {
        return Err(ForeignError::Format("this is no JSON export of Bitwarden: it has no `items`"));
    };
    let folders = root.get("folders").map(Value::items).unwrap_or_default();
    let folder = |id: Option<String>| {
        let id = id?;
        folders.iter().find(|f| f.public("id").as_ref() == Some(&id))?.public("name")
    };
    let mut out = VaultItems::default();
    for (n, value) in all.iter().enumerate() {
        let from = format!("item {}", n + 1);
        if value.get("deletedDate").and_then(Value::text).is_some() {
            out.left_out.push((from, "it is in Bitwarden's trash"));
            continue;
        }
        match item(value) {
            Ok(Some(item)) => out.items.push((item, folder(value.public("folderId")))),
            Ok(None) => out.left_out.push((from, "it is of a kind that is not known")),
            Err(Refused::TooMuch) => out.left_out.push((from, "it is longer than an item is")),
            Err(Refused::File(error)) => return Err(error),
        }
    }
    Ok(out)
}

/// Why an item was not taken.
enum Refused {
    TooMuch,
    File(ForeignError),
}

impl From<MemoryError> for Refused {
    fn from(error: MemoryError) -> Self {
        Self::File(error.into())
    }
}

impl From<ItemError> for Refused {
    fn from(_: ItemError) -> Self {
        Self::TooMuch
    }
}

/// `None` for a kind that is not known. What tells a kind is the member that it has.
fn item(value: &Value<'_>) -> Result<Option<Item>, Refused> {
    let member = |name: &str| value.get(name).filter(|v| matches!(v, Value::Map(_)));
    let mut fields = custom(value)?;
    let contents = if let Some(login) = member("login") {
        let uris = login.get("uris").map(Value::items).unwrap_or_default();
        let uris = uris.iter().filter_map(|uri| uri.public("uri")).take(URIS_MAX);
        Contents::Login {
            username: Name::lossy(&login.public("username").unwrap_or_default()),
            uris: uris.map(|uri| Long::lossy(&uri)).collect(),
            password: hidden(login.get("password"))?,
            totp: hidden(login.get("totp"))?,
            fields,
        }
    } else if let Some(other) = member("card").or_else(|| member("identity")) {
        // Numbers of cards and documents: each member a field that is masked.
        for (name, text) in other.texts() {
            fields.push(field(name, text)?);
        }
        let username = Name::lossy(&other.public("username").unwrap_or_default());
        let (password, totp) = (Hidden::empty(), Hidden::empty());
        Contents::Login { username, uris: Vec::new(), password, totp, fields }
    } else if member("secureNote").is_none() {
        return Ok(None);
    } else if fields.is_empty() {
        Contents::Note
    } else {
        // A note has no fields; with them it is kept whole, as a login without a password.
        let (password, totp) = (Hidden::empty(), Hidden::empty());
        Contents::Login { username: Name::default(), uris: Vec::new(), password, totp, fields }
    };
    let title = Title::lossy(&value.public("name").unwrap_or_default());
    let marks = Marks { pinned: value.is_true("favorite"), ..Marks::default() };
    Ok(Some(Item { title, marks, body: notes(value)?, contents }))
}

/// Fields that the owner named. The file says by a number how each is shown; all are masked here, but
/// for ticks.
fn custom(value: &Value<'_>) -> Result<Vec<CustomField>, Refused> {
    let all = value.get("fields").map(Value::items).unwrap_or_default();
    let mut fields = Vec::new();
    for one in all {
        // A field that leads to another has no value of its own.
        if let Some(text) = one.get("value").and_then(Value::text) {
            fields.push(field(&one.public("name").unwrap_or_default(), text)?);
        }
    }
    Ok(fields)
}

fn field(name: &str, text: Text<'_>) -> Result<CustomField, Refused> {
    let value = Hidden::new(text.secret()?)?;
    let is_tick = [&b"true"[..], b"false"].iter().any(|tick| value.secret().ct_eq_bytes(tick));
    let kind = if is_tick { CustomKind::Boolean } else { CustomKind::Hidden };
    Ok(CustomField { name: Label::lossy(name), kind, value })
}

fn hidden(value: Option<&Value<'_>>) -> Result<Hidden, Refused> {
    match value.and_then(Value::text) {
        Some(text) => Ok(Hidden::new(text.secret()?)?),
        None => Ok(Hidden::empty()),
    }
}

/// The notes of an item: text that people read, as the body of one is.
fn notes(value: &Value<'_>) -> Result<Body, Refused> {
    let Some(text) = value.get("notes").and_then(Value::text) else { return Ok(Body::default()) };
    let page = text.secret()?;
    // EXPOSE: a note is read on the screen; it goes to ordinary memory as other notes do.
    let text = std::str::from_utf8(page.expose()).map_err(|_| Refused::TooMuch)?;
    Body::new(text).map_err(|_| Refused::TooMuch)
}

const URIS_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_vault::item::Kind;

    fn secret(bytes: &[u8]) -> Secret<[u8]> {
        Secret::<[u8]>::make_slice(bytes.len(), |page| page.copy_from_slice(bytes))
    }

    fn read(bytes: &[u8], passphrase: Option<&[u8]>) -> Result<VaultItems, ForeignError> {
        let (page, passphrase) = (secret(bytes), passphrase.map(secret));
        let source = Source { name: "file", mode: 0o600, bytes: &page };
        read_vault(&source, passphrase.as_ref())
    }

    const OPEN: &[u8] = br#"{"encrypted":false,"folders":[{"id":"f1","name":"Work"}],"items":[
        {"type":1,"name":"Web","favorite":true,"folderId":"f1","notes":"line\nline \u00e4","login":{"username":"ada",
         "password":"p4ss","totp":"JBSW","uris":[{"uri":"https://a.example"},{"uri":"https://b.example"}]},
         "fields":[{"name":"pin","value":"1234","type":1},{"name":"on","value":"true","type":2},
                   {"name":"linked","value":null,"type":3}]},
        {"type":2,"name":"Memo","notes":"text","secureNote":{"type":0},"folderId":null},
        {"type":3,"name":"Card","card":{"number":"4111","code":"123","brand":null}},
        {"type":4,"name":"Me","identity":{"username":"ada","passportNumber":"X1"}},
        {"type":1,"name":"Old","deletedDate":"2026-01-01T00:00:00Z","login":{}},
        {"type":9,"name":"New kind"}]}"#;

    fn values(item: &Item) -> Vec<(String, CustomKind, bool)> {
        let Contents::Login { fields, .. } = &item.contents else { panic!("{item:?}") };
        let known = ["1234", "true", "4111", "123", "ada", "X1"];
        let is_known =
            |f: &CustomField| known.iter().any(|k| f.value.secret().ct_eq_bytes(k.as_bytes()));
        fields.iter().map(|f| (f.name.to_string(), f.kind, is_known(f))).collect()
    }

    #[test]
    fn every_kind_is_kept_with_all_that_it_says() {
        let got = read(OPEN, None).expect("an export");
        let titles: Vec<&str> = got.items.iter().map(|(item, _)| item.title.as_str()).collect();
        assert_eq!(titles, ["Web", "Memo", "Card", "Me"]);
        assert_eq!(got.left_out.len(), 2);
        let (web, folder) = &got.items[0];
        assert_eq!((folder.as_deref(), web.marks.pinned), (Some("Work"), true));
        assert_eq!(
            web.body.as_str(),
            "line
line ä"
        );
        let Contents::Login { username, uris, password, totp, .. } = &web.contents else {
            panic!("{web:?}")
        };
        assert_eq!((username.as_str(), uris.len()), ("ada", 2));
        assert!(password.secret().ct_eq_bytes(b"p4ss") && totp.secret().ct_eq_bytes(b"JBSW"));
        let kinds = [("pin", CustomKind::Hidden), ("on", CustomKind::Boolean)];
        assert_eq!(values(web), kinds.map(|(n, k)| (n.to_owned(), k, true)));
        assert_eq!(got.items[1].0.kind(), Kind::Note);
        assert_eq!(values(&got.items[2].0).len(), 2);
        assert!(values(&got.items[3].0).contains(&(
            "passportNumber".into(),
            CustomKind::Hidden,
            true
        )));
    }

    #[test]
    fn a_sealed_export_opens_with_its_passphrase_alone() {
        let few = include_bytes!("../../../../../vectors/bitwarden/few.json");
        let got = read(few, Some(b"correct horse battery")).expect("an export");
        assert_eq!(got.items.len(), 2);
        let Contents::Login { password, .. } = &got.items[0].0.contents else { panic!() };
        assert!(password.secret().ct_eq_bytes(b"ghp_bw_sealed_0001"));
        assert!(matches!(read(few, None), Err(ForeignError::Sealed)));
        assert!(matches!(read(few, Some(b"another")), Err(ForeignError::Cipher(_))));
        assert!(matches!(read(b"{}", None), Err(ForeignError::Format(_))));
        assert!(matches!(read(b"{", None), Err(ForeignError::Syntax { .. })));
    }

    #[test]
    fn an_item_beyond_its_bounds_is_left_out_and_the_rest_taken() {
        let long = "x".repeat(33 << 10);
        let file = format!(
            r#"{{"items":[{{"name":"a","login":{{"password":"{long}"}}}},{{"name":"b","login":{{}}}}]}}"#
        );
        let got = read(file.as_bytes(), None).expect("an export");
        assert_eq!((got.items.len(), got.left_out.len()), (1, 1));
    }
}
