//! `symbolon note compare` and `sketch`: near-copies, found where the texts are.

use std::path::PathBuf;

use serde_json::{Value, json};
use symbolon_ambient::SystemRng;
use symbolon_authorship::Sketch;
use symbolon_authorship::sketch::{
    Estimate, Likeness, SKETCH_BYTES_MAX, SketchError, SketchKey, jaccard,
};
use symbolon_vault::Replica;
use symbolon_vault::item::Kind;
use symbolon_vault::replica::Filter;
use symbolon_vault::wire::ItemId;

use super::{Ctx, authorship, find};
use crate::facts::{self, NewFile};
use crate::failure::Failure;
use crate::out;
use crate::vaults::{Ask, Which, short};

/// Find how alike notes are: with another, with a sketch that somebody gave you, or with all
///
/// Compared are sketches of runs of three words, made here: no text leaves the vault. From 0.90 on two texts are the same but
/// for little, from 0.70 on they are alike; the error of the estimate stands beside it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon note compare Plan
  symbolon note compare Plan \"Plan (old)\"
  symbolon note compare Plan --sketch theirs.sketch.json")]
pub struct Compare {
    /// Title, or how the id begins
    note: String,
    /// The other note [default: every other]
    #[arg(conflicts_with = "sketch")]
    other: Option<String>,
    /// A sketch of a text that stays with its holder
    #[arg(long, value_name = "FILE")]
    sketch: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
}

/// Write a sketch of a note, for somebody to compare with theirs
///
/// The text cannot be read from it. Who has it can tell whether a text of theirs is alike, and can try guesses of a short one.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples\n  symbolon note sketch Plan --out plan.sketch.json")]
pub struct MakeSketch {
    /// Title, or how the id begins
    note: String,
    /// Where it is written
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    which: Which,
}

impl Compare {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let vault = self.which.open(ctx, Ask::Person)?;
        let replica = vault.replica();
        let id = find::note(replica, &self.note, false)?;
        if let Some(path) = &self.sketch {
            let theirs = Sketch::parse(&facts::read(path, SKETCH_BYTES_MAX)?).map_err(unread)?;
            let estimate = sketch(replica, id, theirs.key())?.compare(&theirs).map_err(unread)?;
            return told(ctx, estimate, None);
        }
        let Some(other) = &self.other else { return with_all(ctx, replica, id) };
        let other = find::note(replica, other, false)?;
        let (one, two) = (authorship::text(replica, id)?, authorship::text(replica, other)?);
        let sketched = |text| Sketch::of(text, SketchKey::WITHIN).map_err(unread);
        let estimate = sketched(&one)?.compare(&sketched(&two)?).map_err(unread)?;
        told(ctx, estimate, jaccard(&one, &two))
    }
}

impl MakeSketch {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let vault = self.which.open(ctx, Ask::Person)?;
        let replica = vault.replica();
        let id = find::note(replica, &self.note, false)?;
        let made = sketch(replica, id, SketchKey::make(&SystemRng))?;
        NewFile::make(&self.out)?.write(&made.to_json())?;
        if ctx.json {
            return out::json(&json!({ "sketch": self.out, "shingles": made.shingles() }));
        }
        let (runs, path) = (made.shingles(), self.out.display());
        out::say(&format!("A sketch of {runs} runs of words is in {path}."));
        out::say_next(&format!("symbolon note compare NOTE --sketch {path}, by who gets it"));
        Ok(())
    }
}

fn sketch(replica: &Replica, id: ItemId, key: SketchKey) -> Result<Sketch, Failure> {
    Sketch::of(&authorship::text(replica, id)?, key).map_err(unread)
}

/// Against every other note that has words: those that are alike, the most alike first.
fn with_all(ctx: &Ctx, replica: &Replica, id: ItemId) -> Result<(), Failure> {
    let own = sketch(replica, id, SketchKey::WITHIN)?;
    let filter = Filter { kind: Some(Kind::Note), ..Filter::default() };
    let (mut alike, mut compared) = (Vec::new(), 0);
    for it in replica.list(&filter) {
        if it.id == id {
            continue;
        }
        // A note of nothing is like no other.
        let Ok(other) = sketch(replica, it.id, SketchKey::WITHIN) else { continue };
        let estimate = own.compare(&other).map_err(unread)?;
        compared += 1;
        if estimate.likeness() != Likeness::Other || estimate.is_near_a_border() {
            alike.push((it.id, it.title.to_string(), estimate));
        }
    }
    alike.sort_by(|a, b| b.2.jaccard.total_cmp(&a.2.jaccard));
    if ctx.json {
        let rows: Vec<Value> = alike
            .iter()
            .map(|(id, title, estimate)| {
                let mut row = as_json(*estimate, None);
                row["id"] = json!(id);
                row["title"] = json!(title);
                row
            })
            .collect();
        return out::json(&json!({ "compared": compared, "alike": rows }));
    }
    if alike.is_empty() {
        out::say(&format!("None of {compared} other notes is like it."));
        return Ok(());
    }
    let row = |(id, title, estimate): &(ItemId, String, Estimate)| {
        vec![short(&id.to_string()), title.clone(), number(*estimate), words(*estimate)]
    };
    let rows: Vec<_> = alike.iter().map(row).collect();
    out::table(&["ID", "TITLE", "ESTIMATE", "IS"], &rows)
}

fn told(ctx: &Ctx, estimate: Estimate, exact: Option<f64>) -> Result<(), Failure> {
    if ctx.json {
        return out::json(&as_json(estimate, exact));
    }
    let mut rows = vec![("estimate", number(estimate)), ("they are", words(estimate))];
    if let Some(exact) = exact {
        rows.push(("counted", format!("{exact:.3}")));
    }
    out::pairs(&rows)
}

fn as_json(estimate: Estimate, exact: Option<f64>) -> Value {
    let likeness = match estimate.likeness() {
        Likeness::Same => "same",
        Likeness::Alike => "alike",
        Likeness::Other => "other",
    };
    let mut said = json!({ "jaccard": estimate.jaccard, "standard_error": estimate.standard_error,
        "likeness": likeness, "near_a_border": estimate.is_near_a_border() });
    if let Some(exact) = exact {
        said["counted"] = json!(exact);
    }
    said
}

fn number(estimate: Estimate) -> String {
    format!("{:.2} \u{b1} {:.2}", estimate.jaccard, estimate.standard_error)
}

fn words(estimate: Estimate) -> String {
    let says = match estimate.likeness() {
        Likeness::Same => "the same but for little",
        Likeness::Alike => "alike",
        Likeness::Other => "not alike",
    };
    let near = if estimate.is_near_a_border() { ", near the border" } else { "" };
    format!("{says}{near}")
}

fn unread(error: SketchError) -> Failure {
    let next = match error {
        SketchError::NoWords => "symbolon note edit NOTE",
        _ => "symbolon note sketch NOTE --out FILE, by its holder",
    };
    Failure::refused("sketch", error.to_string()).next(next)
}
