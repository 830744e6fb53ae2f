//! `symbolon catalog`: the catalogue as it lies in the home, without a broker or an unlocked vault.

use clap::Subcommand;
use serde_json::{Value, json};
use symbolon_broker::home_catalog;
use symbolon_capability::catalog::{Catalog, Operation, Service};

use super::{Ctx, tools};
use crate::failure::Failure;
use crate::out;

mod import;

/// See what can be called, and add services by their OpenAPI documents
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon catalog ls
  symbolon catalog search create invoice
  symbolon catalog import openapi stripe.yaml --as stripe")]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// List services, or the tools of one
    #[command(after_help = "Examples\n  symbolon catalog ls\n  symbolon catalog ls github --json")]
    Ls {
        /// A service's id
        service: Option<String>,
    },
    /// Search all tools by words, best first
    #[command(after_help = "\
Examples
  symbolon catalog search create invoice
  symbolon catalog search \"delet repository\" --service github")]
    Search {
        /// What it should do
        #[arg(required = true, value_name = "WORD")]
        query: Vec<String>,
        /// At most so many
        #[arg(long, default_value_t = 20)]
        limit: usize,
        /// Of this service alone
        #[arg(long, value_name = "ID")]
        service: Option<String>,
    },
    /// Show a tool, its scope and its parameters
    #[command(after_help = "Examples\n  symbolon catalog show github.issues.list")]
    Show {
        /// Its name
        tool: String,
    },
    /// Add a service from a description of its API
    #[command(after_help = "Examples\n  symbolon catalog import openapi stripe.yaml --as stripe")]
    Import {
        #[command(subcommand)]
        format: Format,
    },
    /// Take an imported service away
    #[command(after_help = "Examples\n  symbolon catalog remove stripe")]
    Remove {
        /// The service's id
        id: String,
    },
}

#[derive(Debug, Subcommand)]
enum Format {
    Openapi(import::Args),
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step {
            Step::Ls { service: None } => services(ctx, &load(ctx)?),
            Step::Ls { service: Some(id) } => {
                let catalog = load(ctx)?;
                let service = find(&catalog, &id)?;
                rows(ctx, service.operations().iter().map(AsRef::as_ref))
            }
            Step::Search { query, limit, service } => {
                search(ctx, &query.join(" "), limit, service.as_deref())
            }
            Step::Show { tool } => show(ctx, &tool),
            Step::Import { format: Format::Openapi(args) } => args.run(ctx),
            Step::Remove { id } => import::remove(ctx, &id),
        }
    }
}

/// The catalogue as the next broker of the home has it; without a home, the built-in one.
fn load(ctx: &Ctx) -> Result<Catalog, Failure> {
    if !ctx.folder()?.join("home.json").exists() {
        return Catalog::builtin().map_err(|e| Failure::refused("internal", e.to_string()));
    }
    Ok(home_catalog(&ctx.existing()?, &[])?)
}

fn find<'c>(catalog: &'c Catalog, id: &str) -> Result<&'c Service, Failure> {
    catalog.service(id).map(AsRef::as_ref).ok_or_else(|| {
        let shown: String = id.chars().take(64).collect();
        Failure::refused("unknown_service", format!("there is no service {shown}"))
            .next("symbolon catalog ls")
    })
}

fn services(ctx: &Ctx, catalog: &Catalog) -> Result<(), Failure> {
    let source = |id: &str| match import::imported_file(ctx, id) {
        Some(path) if path.exists() => "imported",
        _ if Catalog::is_builtin(id) => "built-in",
        _ => "own file",
    };
    if ctx.json {
        let all: Vec<Value> = catalog
            .services()
            .iter()
            .map(|it| {
                json!({
                    "id": it.id().as_str(), "name": it.name(), "source": source(it.id().as_str()),
                    "tools": it.operations().len(), "base_url": it.base_url_template().as_str(),
                })
            })
            .collect();
        return out::json(&all);
    }
    let rows: Vec<Vec<String>> = catalog
        .services()
        .iter()
        .map(|it| {
            let id = it.id().as_str();
            let count = it.operations().len().to_string();
            vec![id.to_owned(), count, source(id).to_owned(), it.name().to_owned()]
        })
        .collect();
    out::table(&["SERVICE", "TOOLS", "SOURCE", "NAME"], &rows)?;
    out::say_next("symbolon catalog ls SERVICE");
    Ok(())
}

fn search(ctx: &Ctx, query: &str, limit: usize, service: Option<&str>) -> Result<(), Failure> {
    let catalog = load(ctx)?;
    if let Some(id) = service {
        find(&catalog, id)?;
    }
    let all = if service.is_some() { catalog.operations().len() } else { limit.clamp(1, 1000) };
    let hits = catalog.search(query, all);
    let fits = |it: &&Operation| service.is_none_or(|id| it.name().service() == id);
    let found: Vec<&Operation> = hits
        .iter()
        .map(|hit| hit.operation().as_ref())
        .filter(fits)
        .take(limit.clamp(1, 1000))
        .collect();
    if found.is_empty() && !ctx.json {
        out::say("No tool is like that.");
        return Ok(());
    }
    rows(ctx, found.into_iter())
}

fn rows<'o>(ctx: &Ctx, operations: impl Iterator<Item = &'o Operation>) -> Result<(), Failure> {
    let all: Vec<&Operation> = operations.collect();
    if ctx.json {
        let all: Vec<Value> = all.into_iter().map(brief).collect();
        return out::json(&all);
    }
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|it| {
            let (name, effect) = (it.name().to_string(), it.effect().to_string());
            vec![name, effect, it.scope().to_string(), it.title().to_owned()]
        })
        .collect();
    out::table(&["TOOL", "EFFECT", "SCOPE", "TITLE"], &rows)?;
    if let Some(first) = all.first() {
        out::say_next(&format!("symbolon catalog show {}", first.name()));
    }
    Ok(())
}

fn brief(it: &Operation) -> Value {
    json!({
        "name": it.name().as_str(), "title": it.title(), "scope": it.scope().to_string(),
        "effect": it.effect().to_string(), "usage": usage(it),
    })
}

/// The command that calls it, its needed parameters left to fill in.
fn usage(it: &Operation) -> String {
    let needed =
        it.parameters().iter().filter(|p| p.is_required()).map(|p| format!(" {}=…", p.name()));
    format!("symbolon call {}{}", it.name(), needed.collect::<String>())
}

fn show(ctx: &Ctx, tool: &str) -> Result<(), Failure> {
    let catalog = load(ctx)?;
    let Some(it) = catalog.operation(tool) else {
        let shown: String = tool.chars().take(64).collect();
        return Err(Failure::refused("unknown_tool", format!("there is no tool {shown}"))
            .next(format!("symbolon catalog search {}", shown.replace(['.', '_'], " "))));
    };
    if ctx.json {
        let mut all = brief(it);
        all["description"] = it.description().into();
        all["method"] = it.method().as_str().into();
        all["path"] = it.path().as_str().into();
        all["input_schema"] = Value::Object((**it.input_schema()).clone());
        return out::json(&all);
    }
    out::pairs(&[
        ("tool", it.name().to_string()),
        ("title", it.title().to_owned()),
        ("does", it.description().to_owned()),
        ("effect", it.effect().to_string()),
        ("scope", it.scope().to_string()),
        ("request", format!("{} {}", it.method().as_str(), it.path())),
    ])?;
    tools::table_of_parameters(&Value::Object((**it.input_schema()).clone()))?;
    out::say_next(&usage(it));
    Ok(())
}
