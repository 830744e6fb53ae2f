//! `symbolon note show` and `history`

use serde_json::{Value, json};
use symbolon_codec::time::rfc3339;
use symbolon_holder::OpenVault;
use symbolon_vault::item::TagName;
use symbolon_vault::replica::Past;
use symbolon_vault::wire::{ItemId, State};

use super::{Ctx, find, list};
use crate::failure::Failure;
use crate::vaults::{self, Ask, Which, short};
use crate::{local_time, out, runtime};

/// Show a note: its text on standard output, the rest beside it
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon note show Groceries
  symbolon note show 1f2e3d4c --revision 3")]
pub struct Show {
    /// Title, or how the id begins
    note: String,
    /// As it was then, from the server's history
    #[arg(long, value_name = "N")]
    revision: Option<u64>,
    /// From the trash
    #[arg(long)]
    trash: bool,
    #[command(flatten)]
    which: Which,
}

/// List a note's older revisions, each checked against the signed head
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples\n  symbolon note history Groceries\n  symbolon note show Groceries --revision 3"
)]
pub struct History {
    /// Title, or how the id begins
    note: String,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    which: Which,
}

impl Show {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let vault = self.which.open(ctx, Ask::Person)?;
        let id = find::note(vault.replica(), &self.note, self.trash)?;
        if let Some(number) = self.revision {
            return show_past(ctx, &vault, id, number);
        }
        let replica = vault.replica();
        let body = replica.body(id)?;
        let Some(it) = replica.overview(id) else { return Ok(()) };
        let leading: Vec<String> = replica
            .backlinks(id)
            .into_iter()
            .filter_map(|id| replica.overview(id))
            .map(|it| it.title.to_string())
            .collect();
        if ctx.json {
            let mut row = list::overview_json(replica, &it);
            row["body"] = body.as_str().into();
            row["backlinks"] = leading.into();
            return out::json(&row);
        }
        let tags: Vec<&str> = it.marks.tags.iter().map(TagName::as_str).collect();
        let folder = find::path(replica, id);
        out::say(&format!("{} ({})", it.title, short(&id.to_string())));
        for (name, value) in [
            ("changed", local_time::shown(it.updated_unix_ms)),
            ("folder", folder),
            ("tags", tags.join(", ")),
            ("linked from", leading.join(", ")),
        ] {
            if !value.is_empty() {
                out::say(&format!("{name}: {value}"));
            }
        }
        if let Some(other) = it.conflict_of {
            let other = short(&other.to_string());
            out::say(&format!(
                "another version of {other}: keep what is right in one, then `symbolon note rm` the other"
            ));
        }
        out::say("");
        out::text(body.as_str().trim_end_matches('\n'))
    }
}

impl History {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let vault = self.which.open(ctx, Ask::Person)?;
        let id = find::note(vault.replica(), &self.note, false)?;
        let past = past(&vault, id, self.limit)?;
        if ctx.json {
            let rows: Vec<Value> = past.iter().map(past_json).collect();
            return out::json(&rows);
        }
        if past.is_empty() {
            out::say("It was not changed since it was first sent.");
            return Ok(());
        }
        let rows: Vec<_> = past.iter().map(row).collect();
        out::table(&["N", "CHANGED", "TITLE", "CHARACTERS", "IS"], &rows)?;
        out::say_next(&format!(
            "symbolon note show {} --revision {}",
            short(&id.to_string()),
            past[0].number
        ));
        Ok(())
    }
}

fn show_past(ctx: &Ctx, vault: &OpenVault, id: ItemId, number: u64) -> Result<(), Failure> {
    let found = revision(vault, id, number)?;
    if ctx.json {
        let mut row = past_json(&found);
        row["body"] = found.item.body.as_str().into();
        return out::json(&row);
    }
    let when = local_time::shown(found.updated_unix_ms);
    out::say(&format!("{} (revision {number}, {when})\n", found.item.title));
    out::text(found.item.body.as_str().trim_end_matches('\n'))
}

/// One older revision.
pub fn revision(vault: &OpenVault, id: ItemId, number: u64) -> Result<Past, Failure> {
    let found = past(vault, id, HISTORY_MAX)?.into_iter().find(|it| it.number == number);
    found.ok_or_else(|| {
        let what = format!("the server keeps no older revision {number} of this note");
        let next = format!("symbolon note history {}", short(&id.to_string()));
        Failure::refused("no_revision", what).next(next)
    })
}

fn past(vault: &OpenVault, id: ItemId, max: usize) -> Result<Vec<Past>, Failure> {
    if vault.card().account.is_none() {
        let what = "a vault of this device alone keeps no older revisions: a server does";
        return Err(Failure::refused("no_history", what).next("symbolon vault status"));
    }
    let mut client = vaults::client(vault)?;
    Ok(runtime::single()?.block_on(vault.past(&mut client, id, max))?)
}

fn row(it: &Past) -> Vec<String> {
    vec![
        it.number.to_string(),
        local_time::shown(it.updated_unix_ms),
        it.item.title.to_string(),
        it.item.body.as_str().chars().count().to_string(),
        state(it.state).to_owned(),
    ]
}

fn past_json(it: &Past) -> Value {
    json!({
        "revision": it.number, "title": it.item.title.as_str(),
        "updated": rfc3339(it.updated_unix_ms), "state": state(it.state),
    })
}

fn state(state: State) -> &'static str {
    match state {
        State::Live => "live",
        State::Trashed => "in the trash",
        State::Erased => "erased",
    }
}

/// As many as a server keeps.
const HISTORY_MAX: usize = 100;
