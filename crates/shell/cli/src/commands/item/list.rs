//! `symbolon item ls` and `show`

use serde_json::{Value, json};
use symbolon_codec::time::rfc3339;
use symbolon_vault::Item;
use symbolon_vault::item::{Contents, Details, Hidden, TagName};
use symbolon_vault::replica::Overview;
use symbolon_vault::wire::ItemId;

use super::{Ctx, find};
use crate::failure::Failure;
use crate::vaults::{Ask, Which, short};
use crate::{local_time, out};

/// List logins and API keys, without their secrets
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples\n  symbolon item ls\n  symbolon item ls --tag work --json")]
pub struct Ls {
    /// With this tag alone
    #[arg(long)]
    tag: Option<TagName>,
    /// What is in the trash
    #[arg(long)]
    trash: bool,
    #[command(flatten)]
    which: Which,
}

/// Show a login or an API key; its secret only where it is asked for
///
/// With --reveal the secret alone goes to standard output, for a person who reads it or a program that is handed
/// it; nothing else keeps a copy.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon item show Library
  symbolon item show Library --reveal
  symbolon item show Weather --reveal | wl-copy --trim-newline")]
pub struct Show {
    /// Title, or how the id begins
    item: String,
    /// Print the secret, and nothing else
    #[arg(long)]
    reveal: bool,
    #[command(flatten)]
    which: Which,
}

impl Ls {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let vault = self.which.open(ctx, Ask::Person)?;
        let has_tag =
            |it: &Overview<'_>| self.tag.as_ref().is_none_or(|tag| it.marks.tags.contains(tag));
        let all: Vec<_> =
            find::all(vault.replica(), self.trash).into_iter().filter(has_tag).collect();
        if ctx.json {
            return out::json(&all.iter().map(overview_json).collect::<Vec<_>>());
        }
        if all.is_empty() {
            out::say("No logins and no API keys here.");
            out::say_next("symbolon item new login TITLE --username NAME");
            return Ok(());
        }
        let row = |it: &Overview<'_>| {
            let (kind, who, place) = described(it.details);
            vec![short(&it.id.to_string()), kind.to_owned(), it.title.to_string(), who, place]
        };
        let rows: Vec<_> = all.iter().map(row).collect();
        out::table(&["ID", "KIND", "TITLE", "FOR", "WHERE"], &rows)
    }
}

impl Show {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let vault = self.which.open(ctx, Ask::Person)?;
        let id = find::item(vault.replica(), &self.item)?;
        let item = vault.replica().open(id)?;
        if self.reveal {
            return reveal(ctx, id, &item);
        }
        let Some(it) = vault.replica().overview(id) else { return Ok(()) };
        if ctx.json {
            let mut row = overview_json(&it);
            row["notes"] = item.body.as_str().into();
            row["has_secret"] = secret(&item).is_some_and(|it| !it.is_empty()).into();
            return out::json(&row);
        }
        let (kind, who, place) = described(it.details);
        let tags: Vec<&str> = it.marks.tags.iter().map(TagName::as_str).collect();
        let masked = match secret(&item) {
            Some(hidden) if !hidden.is_empty() => "kept (shown with --reveal)",
            _ => "none",
        };
        let rows = [
            ("title", it.title.to_string()),
            ("kind", kind.to_owned()),
            ("for", who),
            ("where", place),
            ("secret", masked.to_owned()),
            ("tags", tags.join(", ")),
            ("changed", local_time::shown(it.updated_unix_ms)),
            ("notes", item.body.as_str().trim_end().to_owned()),
        ];
        let rows: Vec<_> = rows.into_iter().filter(|(_, value)| !value.is_empty()).collect();
        out::pairs(&rows)
    }
}

/// The secret alone: from its page to the descriptor.
fn reveal(ctx: &Ctx, id: ItemId, item: &Item) -> Result<(), Failure> {
    if ctx.json {
        let what = "a secret stands in no JSON, where programs keep what they read";
        return Err(Failure::usage(what).next("the same command without --json"));
    }
    match secret(item).filter(|hidden| !hidden.is_empty()) {
        Some(hidden) => out::secret("", hidden.secret(), "\n"),
        None => {
            let next = format!("symbolon item edit {} --new-secret", short(&id.to_string()));
            Err(Failure::refused("no_secret", "this item has no secret").next(next))
        }
    }
}

fn secret(item: &Item) -> Option<&Hidden> {
    match &item.contents {
        Contents::Login { password, .. } => Some(password),
        Contents::ApiKey { key, .. } => Some(key),
        _ => None,
    }
}

/// The kind, for whom or what, and where it is used.
fn described(details: &Details) -> (&'static str, String, String) {
    match details {
        Details::Login { username, uris } => {
            let uris: Vec<&str> = uris.iter().map(|uri| uri.as_str()).collect();
            ("login", username.to_string(), uris.join(" "))
        }
        Details::ApiKey { service, scopes, .. } => {
            let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
            ("api-key", service.to_string(), scopes.join(" "))
        }
        _ => ("", String::new(), String::new()),
    }
}

fn overview_json(it: &Overview<'_>) -> Value {
    let tags: Vec<&str> = it.marks.tags.iter().map(TagName::as_str).collect();
    let mut row = json!({
        "id": it.id, "title": it.title.as_str(), "tags": tags, "pinned": it.marks.pinned,
        "created": rfc3339(it.created_unix_ms), "updated": rfc3339(it.updated_unix_ms),
        "on_server": !it.is_pending,
    });
    match it.details {
        Details::Login { username, uris } => {
            row["kind"] = "login".into();
            row["username"] = username.as_str().into();
            row["uris"] = uris.iter().map(|uri| uri.as_str()).collect::<Vec<_>>().into();
        }
        Details::ApiKey { service, scopes, expires_unix_ms } => {
            row["kind"] = "api-key".into();
            row["service"] = service.as_str().into();
            row["scopes"] = scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().into();
            row["expires"] = expires_unix_ms.map(rfc3339).into();
        }
        _ => {}
    }
    row
}
