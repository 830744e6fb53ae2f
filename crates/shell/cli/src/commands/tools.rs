//! `symbolon tools`

use clap::Subcommand;
use serde_json::Value;
use symbolon_broker::ToolView;
use symbolon_server::control::Op;

use super::Ctx;
use crate::failure::Failure;
use crate::out;

/// Find tools and see what they take
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon tools search create issue
  symbolon tools show github.issues.create")]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Search all tools by words, best first
    #[command(after_help = "\
Examples
  symbolon tools search list issues
  symbolon tools search stripe refund --agent claude --json")]
    Search {
        /// What it should do
        #[arg(required = true, value_name = "WORD")]
        query: Vec<String>,
        /// At most so many
        #[arg(long, default_value_t = 20)]
        limit: usize,
        /// Say what this agent was granted
        #[arg(long, value_name = "NAME", default_value = "cli")]
        agent: String,
    },
    /// Show a tool, its scope and its parameters
    #[command(after_help = "Examples\n  symbolon tools show github.issues.list")]
    Show {
        /// Its name
        name: String,
        /// Say what this agent was granted
        #[arg(long, value_name = "NAME", default_value = "cli")]
        agent: String,
    },
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step {
            Step::Search { query, limit, agent } => search(ctx, query.join(" "), limit, agent),
            Step::Show { name, agent } => {
                let tool: ToolView =
                    ctx.broker()?.ask(&Op::DescribeTool { agent: agent.clone(), name })?;
                if ctx.json {
                    return out::json(&tool);
                }
                show(&tool, &agent)
            }
        }
    }
}

fn search(ctx: &Ctx, query: String, limit: usize, agent: String) -> Result<(), Failure> {
    let found: Vec<ToolView> = ctx.broker()?.ask(&Op::SearchTools { agent, query, limit })?;
    if ctx.json {
        return out::json(&found);
    }
    let Some(first) = found.first().map(|it| it.name.clone()) else {
        out::say("No tool is like that.");
        return Ok(());
    };
    let rows: Vec<_> = found
        .into_iter()
        .map(|it| vec![it.name, it.effect, granted(it.granted).to_owned(), it.title])
        .collect();
    out::table(&["TOOL", "EFFECT", "GRANTED", "TITLE"], &rows)?;
    out::say_next(&format!("symbolon tools show {first}"));
    Ok(())
}

fn show(tool: &ToolView, agent: &str) -> Result<(), Failure> {
    out::pairs(&[
        ("tool", tool.name.clone()),
        ("title", tool.title.clone()),
        ("does", tool.description.clone()),
        ("effect", tool.effect.clone()),
        ("scope", tool.scope.clone()),
        ("granted", format!("{} to {agent}", granted(tool.granted))),
    ])?;
    let parameters = tool.input_schema.as_deref().map(parameters).unwrap_or_default();
    table(&parameters)?;
    if tool.granted {
        let needed: String = parameters
            .iter()
            .filter(|it| it.needed)
            .map(|it| format!(" {}=…", it.row[0]))
            .collect();
        let as_whom = if agent == "cli" { String::new() } else { format!(" --agent {agent}") };
        out::say_next(&format!("symbolon call {}{needed}{as_whom}", tool.name));
    } else {
        out::say_next(&format!("symbolon grant {agent} {} --for 15m", tool.scope));
    }
    Ok(())
}

/// What a tool takes, under an empty line; nothing where it takes nothing.
pub(super) fn table_of_parameters(schema: &Value) -> Result<(), Failure> {
    table(&parameters(schema))
}

fn table(parameters: &[Parameter]) -> Result<(), Failure> {
    if parameters.is_empty() {
        return Ok(());
    }
    out::text("")?;
    let rows: Vec<_> = parameters.iter().map(|it| it.row.clone()).collect();
    out::table(&["PARAMETER", "TYPE", "NEEDED", "MEANING"], &rows)
}

struct Parameter {
    needed: bool,
    row: Vec<String>,
}

/// The needed ones first.
fn parameters(schema: &Value) -> Vec<Parameter> {
    let required: Vec<_> = schema
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return Vec::new();
    };
    let mut all: Vec<_> = properties
        .iter()
        .map(|(name, property)| {
            let needed = required.contains(&name.as_str());
            let meaning = property.get("description").and_then(Value::as_str).unwrap_or_default();
            let row =
                vec![name.clone(), kind(property), granted(needed).to_owned(), meaning.to_owned()];
            Parameter { needed, row }
        })
        .collect();
    all.sort_by_key(|it| !it.needed);
    all
}

fn kind(property: &Value) -> String {
    if let Some(choices) = property.get("enum").and_then(Value::as_array) {
        let words: Vec<_> =
            choices.iter().map(|it| it.as_str().map_or(it.to_string(), str::to_owned)).collect();
        return words.join("|");
    }
    match property.get("type") {
        Some(Value::String(one)) if one == "array" => {
            format!("{}[]", property.get("items").map(kind).unwrap_or_else(|| "any".to_owned()))
        }
        Some(Value::String(one)) => one.clone(),
        Some(Value::Array(many)) => {
            many.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("|")
        }
        _ => "any".to_owned(),
    }
}

fn granted(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}
