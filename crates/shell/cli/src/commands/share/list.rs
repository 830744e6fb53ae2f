//! `symbolon share key`, `ls` and `revoke`

use serde_json::{Value, json};
use symbolon_ambient::{Clock, SystemClock};
use symbolon_codec::time::rfc3339;
use symbolon_holder::OpenVault;
use symbolon_holder::server::{ShareRow, Shares};
use symbolon_vault::fingerprint;
use symbolon_vault::wire::ShareId;

use super::Ctx;
use crate::failure::Failure;
use crate::vaults::{self, Ask, Which, short};
use crate::{out, runtime};

/// Show the fingerprint that others compare before they share with you
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples\n  symbolon share key")]
pub struct Key {
    #[command(flatten)]
    which: Which,
}

/// List what you share, and what is shared with you
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples\n  symbolon share ls\n  symbolon share ls --json")]
pub struct Ls {
    #[command(flatten)]
    which: Which,
}

/// Take a share back: nobody opens it any more
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples\n  symbolon share ls\n  symbolon share revoke 1f2e3d4c")]
pub struct Revoke {
    /// Its id, or how it begins, in `symbolon share ls`
    id: String,
    #[command(flatten)]
    which: Which,
}

impl Key {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let vault = self.which.open(ctx, Ask::Person)?;
        let words = fingerprint(&vault.replica().keys().share_key());
        let handle = vault.card().account.as_ref().map(|it| it.handle.clone());
        if ctx.json {
            return out::json(&json!({ "handle": handle, "fingerprint": words }));
        }
        out::text(&words)
    }
}

impl Ls {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let vault = self.which.open(ctx, Ask::Person)?;
        let Shares { made, received } = listed(&vault)?;
        if ctx.json {
            let made: Vec<Value> = made.iter().map(|it| row_json(&vault, it)).collect();
            let received: Vec<Value> = received.iter().map(|it| row_json(&vault, it)).collect();
            return out::json(&json!({ "made": made, "received": received }));
        }
        if made.is_empty() && received.is_empty() {
            out::say("Nothing is shared.");
            out::say_next("symbolon share with ITEM HANDLE");
            return Ok(());
        }
        let rows: Vec<_> = made
            .iter()
            .map(|it| row(&vault, it, if it.link { "by link" } else { "to an account" }))
            .chain(received.iter().map(|it| row(&vault, it, "to you")))
            .collect();
        out::table(&["ID", "SHARED", "ITEM", "UNTIL", "SEEN", "STATE"], &rows)?;
        if let Some(first) = received.first() {
            out::say_next(&format!("symbolon share open {}", short(&first.id.to_string())));
        }
        Ok(())
    }
}

impl Revoke {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let vault = self.which.open(ctx, Ask::Person)?;
        let id = one(&listed(&vault)?.made, &self.id)?;
        let mut client = vaults::client(&vault)?;
        runtime::single()?.block_on(vault.revoke_share(&mut client, id))?;
        if ctx.json {
            return out::json(&json!({ "revoked": id }));
        }
        out::say("Nobody opens it any more. Who has seen it has it.");
        Ok(())
    }
}

/// What the server lists.
pub fn listed(vault: &OpenVault) -> Result<Shares, Failure> {
    let mut client = vaults::client(vault)?;
    Ok(runtime::single()?.block_on(vault.shares(&mut client))?)
}

/// The share whose id begins so.
pub fn one(rows: &[ShareRow], named: &str) -> Result<ShareId, Failure> {
    let named = named.to_lowercase();
    let is_it = |it: &&ShareRow| named.len() >= 4 && it.id.to_string().starts_with(&named);
    match rows.iter().filter(is_it).collect::<Vec<_>>().as_slice() {
        [one] => Ok(one.id),
        _ => {
            let what = format!("no share, or more than one, has the id {named}");
            Err(Failure::refused("no_share", what).next("symbolon share ls"))
        }
    }
}

fn state(it: &ShareRow) -> &'static str {
    let is_over = it.expires_unix_ms.is_some_and(|at| at <= SystemClock.unix_ms());
    match () {
        () if it.revoked_unix_ms.is_some() => "taken back",
        () if is_over => "over",
        () if it.views_max.is_some_and(|max| it.views >= max) => "seen",
        () => "open",
    }
}

fn title(vault: &OpenVault, it: &ShareRow) -> Option<String> {
    vault.replica().overview(it.item?).map(|it| it.title.to_string())
}

fn row(vault: &OpenVault, it: &ShareRow, shared: &str) -> Vec<String> {
    let seen = match it.views_max {
        Some(max) => format!("{} of {max}", it.views),
        None => it.views.to_string(),
    };
    vec![
        short(&it.id.to_string()),
        shared.to_owned(),
        title(vault, it).unwrap_or_else(|| "-".to_owned()),
        it.expires_unix_ms.map_or_else(|| "-".to_owned(), rfc3339),
        seen,
        state(it).to_owned(),
    ]
}

fn row_json(vault: &OpenVault, it: &ShareRow) -> Value {
    json!({
        "id": it.id, "item": it.item, "title": title(vault, it), "link": it.link,
        "created": rfc3339(it.created_unix_ms), "expires": it.expires_unix_ms.map(rfc3339),
        "views": it.views, "views_max": it.views_max, "state": state(it),
    })
}
