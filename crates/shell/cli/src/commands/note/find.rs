//! Which note is meant, and which folder.

use symbolon_ambient::{SystemClock, SystemRng};
use symbolon_vault::item::{Kind, Title};
use symbolon_vault::replica::{Filter, Within};
use symbolon_vault::wire::ItemId;
use symbolon_vault::{Item, Replica};

use crate::failure::Failure;
use crate::named;

/// The note of a title, or of an id that begins so. `trashed` looks in the trash.
pub fn note(replica: &Replica, name: &str, trashed: bool) -> Result<ItemId, Failure> {
    let filter = Filter { kind: Some(Kind::Note), trashed, ..Filter::default() };
    if let Some(id) = named::one(&replica.list(&filter), name, "note")? {
        return Ok(id);
    }
    let place = if trashed { " in the trash" } else { "" };
    let next = if trashed { "symbolon note ls --trash" } else { "symbolon note ls" };
    Err(Failure::refused("no_note", format!("there is no note `{name}`{place}")).next(next))
}

/// The folder of a path such as `Work/Ideas`; `/` is none. What is missing of it is made.
pub fn folder(replica: &mut Replica, path: &str) -> Result<Option<ItemId>, Failure> {
    let mut at = None;
    for name in path.split('/').filter(|name| !name.is_empty()) {
        at = match child(replica, at, name) {
            Some(id) => Some(id),
            None => {
                let item = Item::folder(title(name)?);
                Some(replica.create_item(&item, at, &SystemClock, &SystemRng)?)
            }
        };
    }
    Ok(at)
}

/// The folder of a path that is there.
pub fn existing_folder(replica: &Replica, path: &str) -> Result<Within, Failure> {
    let mut at = None;
    for name in path.split('/').filter(|name| !name.is_empty()) {
        let Some(id) = child(replica, at, name) else {
            let what = format!("there is no folder `{path}`");
            return Err(Failure::refused("no_folder", what).next("symbolon note ls"));
        };
        at = Some(id);
    }
    Ok(at.map_or(Within::Root, Within::Folder))
}

/// The path of an item's folder, or nothing.
pub fn path(replica: &Replica, id: ItemId) -> String {
    let names = replica.path(id).into_iter().filter_map(|folder| replica.overview(folder));
    names.map(|it| it.title.to_string()).collect::<Vec<_>>().join("/")
}

/// A title that was typed.
pub fn title(text: &str) -> Result<Title, Failure> {
    Title::new(text).map_err(|error| Failure::usage(format!("this is no title: {error}")))
}

fn child(replica: &Replica, within: Option<ItemId>, name: &str) -> Option<ItemId> {
    let within = within.map_or(Within::Root, Within::Folder);
    let filter = Filter { kind: Some(Kind::Folder), within, ..Filter::default() };
    replica.list(&filter).into_iter().find(|it| it.title.as_str() == name).map(|it| it.id)
}
