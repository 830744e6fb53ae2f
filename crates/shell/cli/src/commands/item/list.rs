//! `symbolon item ls` and `show`

use serde_json::{Value, json};
use symbolon_codec::time::rfc3339;
use symbolon_secret::Secret;
use symbolon_vault::Item;
use symbolon_vault::item::{Contents, Details, Hidden, TagName};
use symbolon_vault::replica::Overview;
use symbolon_vault::wire::ItemId;

use super::super::issuer;
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
/// it; nothing else keeps a copy. One that is no text is written as hex digits alone, with --hex.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon item show Library
  symbolon item show Library --reveal
  symbolon item show Weather --reveal | wl-copy --trim-newline
  symbolon item show \"City of Ulm\" --reveal --hex")]
pub struct Show {
    /// Title, or how the id begins
    item: String,
    /// Print the secret, and nothing else
    #[arg(long)]
    reveal: bool,
    /// As hex digits, for a secret that is no text, such as an issuer's key
    #[arg(long, requires = "reveal")]
    hex: bool,
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
            return reveal(ctx, id, &item, self.hex);
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
fn reveal(ctx: &Ctx, id: ItemId, item: &Item, in_hex: bool) -> Result<(), Failure> {
    if ctx.json {
        let what = "a secret stands in no JSON, where programs keep what they read";
        return Err(Failure::usage(what).next("the same command without --json"));
    }
    let short = short(&id.to_string());
    let Some(hidden) = secret(item).filter(|hidden| !hidden.is_empty()) else {
        let next = format!("symbolon item edit {short} --new-secret");
        return Err(Failure::refused("no_secret", "this item has no secret").next(next));
    };
    if in_hex {
        return out::secret("", &hex_of(hidden.secret()), "\n");
    }
    if !is_text(hidden.secret()) {
        let what = format!("{}: a terminal would obey some of its bytes", sort_of(item));
        let next = format!("symbolon item show {short} --reveal --hex");
        return Err(Failure::refused("not_text", what).next(next));
    }
    out::secret("", hidden.secret(), "\n")
}

/// Whether a terminal shows it and does nothing else: lines of text, a PEM file too.
fn is_text(secret: &Secret<[u8]>) -> bool {
    // EXPOSE: looked at for control characters; nothing of it is kept.
    let text = std::str::from_utf8(secret.expose());
    let is_plain = |it: char| !it.is_control() || matches!(it, '\n' | '\r' | '\t');
    text.is_ok_and(|text| text.chars().all(is_plain))
}

/// From one secret page to another.
fn hex_of(secret: &Secret<[u8]>) -> Secret<[u8]> {
    // EXPOSE: written as digits, for its owner, who asked for them.
    let bytes = secret.expose();
    Secret::<[u8]>::make_slice(2 * bytes.len(), |page| {
        for (digits, byte) in page.chunks_exact_mut(2).zip(bytes) {
            digits.copy_from_slice(&[byte >> 4, byte & 15].map(|it| DIGITS[usize::from(it)]));
        }
    })
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// What a secret that is no text is.
fn sort_of(item: &Item) -> &'static str {
    match &item.contents {
        Contents::ApiKey { service, .. } if service.as_str() == issuer::SERVICE => {
            "this is an issuer's private key, which is no text"
        }
        _ => "this secret is no text",
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
