//! Exports of Bitwarden in JSON, open or under a passphrase: items with logins and fields of their own.

use symbolon_capability::catalog::Catalog;
use symbolon_secret::Secret;

use super::bitwarden_sealed::Sealed;
use super::error::ForeignError;
use super::findings::{Findings, Severity};
use super::items::{Item, convert};
use super::json;
use super::page::{Text, Value};

/// Reads an export; says whether it was sealed.
pub(super) fn read(
    bytes: &[u8],
    about: &str,
    passphrase: Option<&Secret<[u8]>>,
    catalog: &Catalog,
    found: &mut Findings,
) -> Result<bool, ForeignError> {
    let root = json::read(bytes)?;
    if !root.is_true("encrypted") {
        return items(&root, catalog, found).map(|()| false);
    }
    let sealed = Sealed::read(bytes)?;
    if sealed.is_weak() {
        found.risk(
            Severity::Medium,
            "weak_derivation",
            about,
            "its passphrase is under fewer than 600,000 iterations of PBKDF2: a guess is cheap",
            "export it anew, then delete this file",
        );
    }
    let opened = sealed.open(passphrase.ok_or(ForeignError::Sealed)?)?;
    // EXPOSE: parsed where it lies; what is text stays there.
    items(&json::read(opened.expose())?, catalog, found).map(|()| true)
}

fn items(root: &Value<'_>, catalog: &Catalog, found: &mut Findings) -> Result<(), ForeignError> {
    let Some(Value::List(items)) = root.get("items") else {
        return Err(ForeignError::Format("this is no JSON export of Bitwarden: it has no `items`"));
    };
    for (n, item) in items.iter().enumerate() {
        convert(&read_item(n, item), catalog, found)?;
    }
    Ok(())
}

fn read_item<'p>(n: usize, item: &Value<'p>) -> Item<'p> {
    let title = item.public("name").unwrap_or_default();
    let login = item.get("login");
    let text = |name: &str| login.and_then(|l| l.get(name)).and_then(Value::text);
    let uris = login.and_then(|l| l.get("uris")).map(Value::items).unwrap_or_default();
    let fields = item.get("fields").map(Value::items).unwrap_or_default();
    let field = |one: &Value<'p>| Some((one.public("name")?, one.get("value")?.text()?));
    let fields: Vec<(String, Text<'p>)> = fields.iter().filter_map(field).collect();
    Item {
        from: format!("item {}", n + 1),
        title,
        urls: uris.iter().filter_map(|uri| uri.public("uri")).collect(),
        user: text("username"),
        password: text("password"),
        fields,
        is_api_credential: false,
    }
}
