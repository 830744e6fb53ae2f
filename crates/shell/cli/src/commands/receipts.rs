//! `symbolon receipts`

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::{Value, json};
use symbolon_broker::{ReceiptFilter, ReceiptRow};
use symbolon_codec::b64;
use symbolon_receipt::Bundle;
use symbolon_server::control::Op;

use super::Ctx;
use crate::failure::Failure;
use crate::{home, out};

/// List what happened, newest first, and hand receipts over
#[derive(Debug, clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "\
Examples
  symbolon receipts
  symbolon receipts --agent claude --tool github.issues --limit 10
  symbolon receipts show 12
  symbolon receipts show 12 --out receipt.json"
)]
pub struct Args {
    #[command(subcommand)]
    step: Option<Step>,
    /// Only this agent's
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Only tools whose name begins so
    #[arg(long, value_name = "TOOL")]
    tool: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Only those numbered below
    #[arg(long, value_name = "N")]
    before: Option<u64>,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Show a receipt: statement, inclusion proof, checkpoint
    #[command(after_help = "\
Examples
  symbolon receipts show 12
  symbolon receipts show 12 --out receipt.json
  symbolon verify receipt.json --key operator.pub")]
    Show {
        /// Its number
        #[arg(value_name = "N")]
        number: u64,
        /// Write the whole receipt to this file, to hand over
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step {
            Some(Step::Show { number, out }) => show(ctx, number, out),
            None => self.list(ctx),
        }
    }

    fn list(self, ctx: &Ctx) -> Result<(), Failure> {
        let filter = ReceiptFilter {
            limit: Some(self.limit),
            agent: self.agent,
            tool: self.tool,
            before: self.before,
        };
        let all: Vec<ReceiptRow> = ctx.broker()?.ask(&Op::Receipts { filter })?;
        if ctx.json {
            return out::json(&all);
        }
        let Some(newest) = all.first().map(|it| it.number) else {
            out::say("No receipts.");
            return Ok(());
        };
        let rows: Vec<_> = all.into_iter().map(row).collect();
        out::table(&["N", "TIME", "AGENT", "TOOL", "CONNECTION", "OUTCOME", "STATUS"], &rows)?;
        out::say_next(&format!("symbolon receipts show {newest}"));
        Ok(())
    }
}

fn row(it: ReceiptRow) -> Vec<String> {
    let status = it.status.map_or_else(|| "-".to_owned(), |status| status.to_string());
    vec![it.number.to_string(), it.time, it.agent, it.tool, it.connection, it.outcome, status]
}

fn show(ctx: &Ctx, number: u64, file: Option<PathBuf>) -> Result<(), Failure> {
    let bundle: Value = ctx.broker()?.ask(&Op::Receipt { number })?;
    let Some(path) = file else {
        if ctx.json {
            return out::json(&bundle);
        }
        out::text(&lines(&statement(&bundle)))?;
        out::say_next(&format!("symbolon receipts show {number} --out receipt.json"));
        return Ok(());
    };
    let written = serde_json::to_vec(&bundle).map_err(super::unreadable)?;
    // Read and written again by the format's own code, so that the file is what the spec shows.
    let bundle = Bundle::parse(&written).map_err(|error| {
        Failure::refused("answer", format!("the broker's receipt is of another version: {error}"))
    })?;
    let mut text = bundle.to_json();
    text.push(b'\n');
    std::fs::write(&path, text).map_err(|error| Failure::file("write", &path, &error))?;
    let key = home::open(&ctx.folder()?)?.operator_pub();
    if ctx.json {
        return out::json(&json!({ "receipt": number, "file": path, "key": key }));
    }
    out::say(&format!("Receipt {number} is in {}.", path.display()));
    out::say_next(&format!("symbolon verify {} --key {}", path.display(), key.display()));
    Ok(())
}

/// The statement inside the envelope; the whole bundle where it is not as expected.
fn statement(bundle: &Value) -> Value {
    let payload = bundle.get("dsseEnvelope").and_then(|it| it.get("payload")?.as_str());
    payload
        .and_then(|text| b64::decode(text, PAYLOAD_BYTES_MAX).ok())
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_else(|| bundle.clone())
}

/// One `path  value` line for each leaf, for people; `--json` is for programs.
fn lines(value: &Value) -> String {
    let mut leaves = Vec::new();
    collect(value, String::new(), &mut leaves);
    let width = leaves.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let lines: Vec<_> =
        leaves.into_iter().map(|(name, text)| format!("{name:<width$}  {text}")).collect();
    lines.join("\n")
}

fn collect(value: &Value, name: String, leaves: &mut Vec<(String, String)>) {
    let below = |key: &str| match (name.as_str(), key) {
        // These say the same in every receipt's path.
        ("", "predicate") | ("predicate", _) => key.to_owned(),
        ("", key) => key.to_owned(),
        (name, key) => format!("{name}.{key}"),
    };
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                collect(value, below(key), leaves);
            }
        }
        Value::Array(items) if items.iter().any(|it| it.is_object() || it.is_array()) => {
            for (at, value) in items.iter().enumerate() {
                collect(value, below(&at.to_string()), leaves);
            }
        }
        Value::Array(items) => {
            let words: Vec<_> = items.iter().map(scalar).collect();
            leaves.push((name, words.join(", ")));
        }
        other => leaves.push((name, scalar(other))),
    }
}

fn scalar(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

const PAYLOAD_BYTES_MAX: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_shown_leaf_by_leaf() {
        let inner =
            json!({"predicate": {"tool": "a.b", "gates": ["scope", "rate"], "n": {"x": 1}}});
        let bundle =
            json!({"dsseEnvelope": {"payload": b64::encode(inner.to_string().as_bytes())}});
        let text = lines(&statement(&bundle));
        assert_eq!(text, "gates  scope, rate\nn.x    1\ntool   a.b");
    }

    #[test]
    fn what_is_no_receipt_is_shown_as_it_is() {
        let odd = json!({"dsseEnvelope": {"payload": "*"}});
        assert_eq!(statement(&odd), odd);
    }
}
