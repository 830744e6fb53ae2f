//! What of a vault is meant by a name that was typed.

use symbolon_vault::replica::Overview;
use symbolon_vault::wire::ItemId;

use crate::failure::Failure;
use crate::vaults::short;

/// The one of a title, or of an id that begins so; a title in other letters is looked at last. `what` is the word for
/// what is looked for, such as `note`.
pub fn one(all: &[Overview<'_>], named: &str, what: &str) -> Result<Option<ItemId>, Failure> {
    let is_id = named.len() >= ID_CHARS_MIN && named.bytes().all(|b| b.is_ascii_hexdigit());
    let lower = named.to_lowercase();
    let tests: [&dyn Fn(&Overview<'_>) -> bool; 3] = [
        &|it| it.title.as_str() == named,
        &|it| is_id && it.id.to_string().starts_with(&lower),
        &|it| it.title.as_str().to_lowercase() == lower,
    ];
    for test in tests {
        match all.iter().filter(|it| test(it)).collect::<Vec<_>>().as_slice() {
            [] => {}
            [one] => return Ok(Some(one.id)),
            many => {
                let ids: Vec<String> = many.iter().map(|it| short(&it.id.to_string())).collect();
                let says = format!("`{named}` are several {what}s: {}", ids.join(", "));
                let next = format!("the same command with {} for the {what}", ids[0]);
                return Err(Failure::usage(says).next(next));
            }
        }
    }
    Ok(None)
}

/// Fewer digits are a title.
const ID_CHARS_MIN: usize = 4;
