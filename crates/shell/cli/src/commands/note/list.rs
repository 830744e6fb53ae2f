//! `symbolon note ls` and `search`

use serde_json::{Value, json};
use symbolon_codec::time::rfc3339;
use symbolon_vault::Replica;
use symbolon_vault::item::{Kind, TagName};
use symbolon_vault::replica::{Filter, Overview, Within};

use super::{Ctx, find};
use crate::failure::Failure;
use crate::vaults::{Ask, Which, short};
use crate::{local_time, out};

/// List notes: pinned first, then the latest
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon note ls
  symbolon note ls --folder Work --tag idea
  symbolon note ls --trash")]
pub struct Ls {
    /// In this folder alone
    #[arg(long, value_name = "PATH")]
    folder: Option<String>,
    /// With this tag
    #[arg(long, value_name = "TAG")]
    tag: Option<TagName>,
    /// What is in the trash instead
    #[arg(long)]
    trash: bool,
    #[command(flatten)]
    which: Which,
}

/// Find notes by their words; case and accents do not count
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples\n  symbolon note search apples\n  symbolon note search \"two words\" --limit 5"
)]
pub struct Search {
    /// Words, or how they begin
    #[arg(required = true)]
    words: Vec<String>,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
    #[command(flatten)]
    which: Which,
}

impl Ls {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let vault = self.which.open(ctx, Ask::Person)?;
        let replica = vault.replica();
        let within = match &self.folder {
            Some(path) => find::existing_folder(replica, path)?,
            None => Within::All,
        };
        let filter = Filter {
            kind: Some(Kind::Note),
            within,
            tag: self.tag,
            trashed: self.trash,
            templates: false,
        };
        let all = replica.list(&filter);
        if ctx.json {
            let rows: Vec<Value> = all.iter().map(|it| overview_json(replica, it)).collect();
            return out::json(&rows);
        }
        if all.is_empty() {
            out::say(if self.trash { "The trash is empty." } else { "No notes." });
            if !self.trash {
                out::say_next("symbolon note new \"First note\"");
            }
            return Ok(());
        }
        let rows: Vec<_> = all.iter().map(|it| row(replica, it)).collect();
        out::table(&["ID", "TITLE", "FOLDER", "TAGS", "CHANGED", "IS"], &rows)?;
        if let Some(copy) = all.iter().find(|it| it.conflict_of.is_some()) {
            let conflicts = all.iter().filter(|it| it.conflict_of.is_some()).count();
            out::say(&format!(
                "{conflicts} other version(s) of notes that were changed in two places."
            ));
            out::say_next(&format!("symbolon note show {}", short(&copy.id.to_string())));
        }
        Ok(())
    }
}

impl Search {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let vault = self.which.open(ctx, Ask::Person)?;
        let replica = vault.replica();
        let filter = Filter { kind: Some(Kind::Note), ..Filter::default() };
        let hits = replica.search(&self.words.join(" "), &filter, self.limit);
        if ctx.json {
            let row = |hit: &symbolon_vault::replica::Hit<'_>| {
                let mut row = overview_json(replica, &hit.overview);
                row["snippet"] = hit.snippet.text.clone().into();
                row
            };
            let rows: Vec<Value> = hits.iter().map(row).collect();
            return out::json(&rows);
        }
        if hits.is_empty() {
            out::say("No note has all of these words.");
            return Ok(());
        }
        let row = |hit: &symbolon_vault::replica::Hit<'_>| {
            let id = short(&hit.overview.id.to_string());
            vec![id, hit.overview.title.to_string(), hit.snippet.text.clone()]
        };
        let rows: Vec<_> = hits.iter().map(row).collect();
        out::table(&["ID", "TITLE", "TEXT"], &rows)
    }
}

/// A note for programs.
pub fn overview_json(replica: &Replica, it: &Overview<'_>) -> Value {
    let tags: Vec<&str> = it.marks.tags.iter().map(TagName::as_str).collect();
    json!({
        "id": it.id, "title": it.title.as_str(), "folder": find::path(replica, it.id), "tags": tags,
        "pinned": it.marks.pinned, "template": it.marks.template,
        "created": rfc3339(it.created_unix_ms), "updated": rfc3339(it.updated_unix_ms),
        "waiting": it.is_pending, "conflict_of": it.conflict_of,
    })
}

fn row(replica: &Replica, it: &Overview<'_>) -> Vec<String> {
    let tags: Vec<&str> = it.marks.tags.iter().map(TagName::as_str).collect();
    let marks = [
        (it.marks.pinned, "pinned"),
        (it.marks.template, "template"),
        (it.conflict_of.is_some(), "other version"),
        (it.is_pending, "waiting"),
    ];
    let marks: Vec<&str> = marks.iter().filter(|it| it.0).map(|it| it.1).collect();
    vec![
        short(&it.id.to_string()),
        it.title.to_string(),
        find::path(replica, it.id),
        tags.join(","),
        local_time::shown(it.updated_unix_ms),
        marks.join(", "),
    ]
}
