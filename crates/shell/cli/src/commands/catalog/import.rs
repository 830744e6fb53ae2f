//! `symbolon catalog import openapi`, and taking away what it added.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::json;
use symbolon_broker::{CatalogView, home_catalog};
use symbolon_capability::catalog::{Catalog, ServiceId};
use symbolon_import::{DOCUMENT_BYTES_MAX, ImportError, Imported, Options, Remark, Report, import};
use symbolon_server::control::Op;
use symbolon_store::Home;

use crate::commands::Ctx;
use crate::failure::Failure;
use crate::{daemon, out};

/// Import an OpenAPI 3.0, OpenAPI 3.1 or Swagger 2.0 document, in JSON or YAML
///
/// Each operation becomes a tool. What cannot be typed is named, and nothing is fetched. Importing a
/// newer document again keeps the names of tools.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon catalog import openapi stripe.yaml --as stripe
  symbolon catalog import openapi spec.json --as pets --dry-run
  symbolon catalog import openapi spec.json --as pets --base-url https://pets.example/v1")]
pub(super) struct Args {
    /// The document
    file: PathBuf,
    /// The service's id, the first part of its tools' names
    #[arg(long = "as", value_name = "ID")]
    id: String,
    /// Where the service is, instead of where the document says
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Which of the document's security schemes, instead of the one that most operations take
    #[arg(long, value_name = "SCHEME")]
    auth: Option<String>,
    /// Let a connection name a base URL of its own
    #[arg(long)]
    self_hosted: bool,
    /// Say what would be imported, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Show every remark, not the first of each kind
    #[arg(long)]
    all: bool,
}

impl Args {
    pub(super) fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let home = ctx.existing()?;
        let id = service_id(&self.id)?;
        let bytes = read(&self.file)?;
        let before = previous(&home, &id)?;
        let options = Options {
            id: id.as_str(),
            base_url: self.base_url.as_deref(),
            auth: self.auth.as_deref(),
            self_hosted: self.self_hosted,
            previous: before.as_deref(),
        };
        let made = import(&bytes, &options).map_err(|error| self.failure(&error))?;
        drop(bytes);
        fits(&home, &id, &made)?;
        let mut next = format!("symbolon catalog import openapi {} --as {id}", self.file.display());
        if !self.dry_run {
            home.put_imported(id.as_str(), &made.file)?;
            next = in_force(&home, format!("symbolon connect {id}"))?;
        }
        if ctx.json {
            let mut report = json!(made.report);
            report["written"] = (!self.dry_run).into();
            report["next"] = next.into();
            return out::json(&report);
        }
        self.show(&made.report)?;
        out::say_next(&next);
        Ok(())
    }

    fn failure(&self, error: &ImportError) -> Failure {
        let file = self.file.display();
        let code = match error {
            ImportError::BaseUrl { .. } => "base_url",
            ImportError::Scheme { .. } => "auth",
            _ => "import",
        };
        let again = format!("symbolon catalog import openapi {file} --as {}", self.id);
        Failure::refused(code, format!("{file}: {error}")).next(match error {
            ImportError::BaseUrl { .. } => format!("{again} --base-url https://…"),
            ImportError::Previous(_) => format!("symbolon catalog remove {}", self.id),
            _ => "symbolon catalog import openapi --help".to_owned(),
        })
    }

    fn show(&self, report: &Report) -> Result<(), Failure> {
        let counts = format!(
            "{} of {} ({} read, {} write, {} destructive)",
            report.imported, report.found, report.read, report.write, report.destructive
        );
        let mut rows = vec![
            ("service", format!("{} ({})", report.service, report.name)),
            ("format", report.format.clone()),
            ("base URL", report.base_url.clone()),
            ("credential", report.auth.clone()),
            ("tools", counts),
        ];
        if Catalog::is_builtin(&report.service) {
            rows.push(("replaces", format!("the built-in service {}", report.service)));
        }
        if self.dry_run {
            rows.push(("written", "nothing (--dry-run)".to_owned()));
        }
        out::pairs(&rows)?;
        for note in &report.notes {
            out::say(&format!("note: {note}"));
        }
        self.remarks("left out", &report.left_out);
        self.remarks("not exactly typed", &report.loosened);
        self.remarks("MARKED, text that speaks to a model, not shown to any", &report.marked);
        Ok(())
    }

    fn remarks(&self, what: &str, all: &[Remark]) {
        if all.is_empty() {
            return;
        }
        out::say(&format!("{what}: {}", all.len()));
        let shown = if self.all { all.len() } else { REMARKS_SHOWN };
        for one in all.iter().take(shown) {
            out::say(&format!("  {}: {}", one.at, one.why));
        }
        if all.len() > shown {
            out::say(&format!("  and {} more; --all or --json shows them", all.len() - shown));
        }
    }
}

/// `symbolon catalog remove`. Works too where the file is damaged.
pub(super) fn remove(ctx: &Ctx, id: &str) -> Result<(), Failure> {
    let home = ctx.existing()?;
    let id = service_id(id)?;
    let path = home.imported(id.as_str());
    match std::fs::remove_file(&path) {
        Ok(()) => {}
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Err(Failure::refused("not_imported", format!("no service {id} was imported"))
                .next("symbolon catalog ls"));
        }
        Err(e) => return Err(Failure::file("remove", &path, &e)),
    }
    if ctx.json {
        return out::json(&json!({ "removed": id.as_str() }));
    }
    out::text(&format!("{id} is no longer in the catalogue; its connections and grants rest"))?;
    out::say_next(&in_force(&home, "symbolon catalog ls".to_owned())?);
    Ok(())
}

/// Has a running broker read the catalogue anew; gives the next step, which is the broker's where it
/// goes on with the catalogue of before.
fn in_force(home: &Home, next: String) -> Result<String, Failure> {
    let Err(failure) = daemon::ask_running::<CatalogView>(home, &Op::ReloadCatalog {}) else {
        return Ok(next);
    };
    let message = &failure.message;
    out::say(&format!("the broker goes on with the catalogue of before: {message}"));
    Ok(failure.next.unwrap_or_else(|| "symbolon lock --stop".to_owned()))
}

/// Where a service's imported file is, or would be; `None` where there is no home.
pub(super) fn imported_file(ctx: &Ctx, id: &str) -> Option<PathBuf> {
    Some(ctx.folder().ok()?.join("catalog").join(format!("{id}.json")))
}

fn service_id(id: &str) -> Result<ServiceId, Failure> {
    ServiceId::try_from(id).map_err(|e| {
        Failure::usage(format!("--as: {e}")).next("symbolon catalog import openapi --help")
    })
}

/// The whole document, or as much of it as shows that it is too large.
fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |e: std::io::Error| Failure::file("read", path, &e);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(failed)?;
    file.take(DOCUMENT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}

fn previous(home: &Home, id: &ServiceId) -> Result<Option<String>, Failure> {
    let path = home.imported(id.as_str());
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Failure::file("read", &path, &e)),
    }
}

/// Whether the home's catalogue takes it: a broker that cannot start helps nobody.
fn fits(home: &Home, id: &ServiceId, made: &Imported) -> Result<(), Failure> {
    if home.catalog().join(format!("{id}.toml")).exists() {
        return Err(Failure::refused("exists", format!("the home has a catalogue file {id}.toml"))
            .next("symbolon catalog ls"));
    }
    let catalog = home_catalog(home, &[])?;
    let taken = catalog.service(id.as_str()).is_some();
    let is_replaced = home.imported(id.as_str()).exists() || Catalog::is_builtin(id.as_str());
    if taken && !is_replaced {
        return Err(Failure::refused("exists", format!("the home has a service {id} already"))
            .next("symbolon catalog ls"));
    }
    if !taken {
        catalog
            .with_imported(&made.file)
            .map_err(|e| Failure::refused("catalog", e.to_string()))?;
    }
    Ok(())
}

const REMARKS_SHOWN: usize = 5;
