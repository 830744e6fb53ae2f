//! Exports of Bitwarden in JSON: items with logins and fields of their own.

use symbolon_capability::catalog::Catalog;

use super::error::ForeignError;
use super::findings::Findings;
use super::items::{Item, convert};
use super::json;
use super::page::{Text, Value};

pub(super) fn read(
    bytes: &[u8],
    catalog: &Catalog,
    found: &mut Findings,
) -> Result<(), ForeignError> {
    let root = json::read(bytes)?;
    if root.is_true("encrypted") {
        return Err(ForeignError::Format(
            "this export is encrypted; export as `.json` without encryption, into memory (/dev/shm)",
        ));
    }
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
