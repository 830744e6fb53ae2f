//! Which login or API key is meant.

use symbolon_vault::Replica;
use symbolon_vault::item::Kind;
use symbolon_vault::replica::{Filter, Overview};
use symbolon_vault::wire::ItemId;

use crate::failure::Failure;
use crate::named;

/// Logins and API keys, those that are pinned first.
pub fn all(replica: &Replica, trashed: bool) -> Vec<Overview<'_>> {
    let filter = Filter { trashed, ..Filter::default() };
    let is_one = |it: &Overview<'_>| matches!(it.details.kind(), Kind::Login | Kind::ApiKey);
    replica.list(&filter).into_iter().filter(is_one).collect()
}

/// The one of a title, or of an id that begins so.
pub fn item(replica: &Replica, name: &str) -> Result<ItemId, Failure> {
    if let Some(id) = named::one(&all(replica, false), name, "item")? {
        return Ok(id);
    }
    let what = format!("there is no login and no API key `{name}`");
    Err(Failure::refused("no_item", what).next("symbolon item ls"))
}
