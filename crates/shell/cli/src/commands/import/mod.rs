//! `symbolon import`: credentials out of other programs' files.

pub(super) mod files;
mod flows;
pub(super) mod show;

use std::path::PathBuf;

use clap::Subcommand;
use symbolon_broker::{CONNECTIONS_AT_ONCE_MAX, ConnectionView, NewConnection, home_catalog};
use symbolon_import::Remark;
use symbolon_import::foreign::{self, Draft, Findings, ForeignError, Origin, Source};
use symbolon_secret::Secret;
use symbolon_server::control::{Op, SECRET_BYTES_MAX};

use self::files::Found;
use self::show::{Made, State};
use super::Ctx;
use crate::failure::Failure;
use crate::link::Asking;
use crate::{prompt, secrets};

/// Take over credentials from other programs, and say what is unsafe about their files
///
/// Each credential of a service in the catalogue becomes a connection, all of an import or none.
/// Workflows of 0nMCP become files of flows. The files that are read stay as they are: the report at
/// the end says which to delete and what to replace.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon import 0n ~/.0n --dry-run
  symbolon import env .env
  symbolon import bitwarden export.json --only github
  symbolon import 1password export.1pux")]
pub struct Args {
    #[command(subcommand)]
    from: From,
}

#[derive(Debug, Subcommand)]
enum From {
    /// Files of 0nMCP: connections, open and sealed, SWITCH files, workflows, containers, deeds
    #[command(
        name = "0n",
        after_help = "Examples\n  symbolon import 0n ~/.0n\n  symbolon import 0n deed.0nv --passphrase-from-stdin < FILE"
    )]
    ZeroN(What),
    /// A .env file, by the variables that the catalogue knows
    #[command(after_help = "Examples\n  symbolon import env .env --dry-run")]
    Env(What),
    /// An export of Bitwarden in JSON, open or protected by a password of its own
    #[command(
        after_help = "Examples\n  symbolon import bitwarden export.json --passphrase-from-stdin < FILE"
    )]
    Bitwarden(What),
    /// An export of 1Password: .1pux or CSV
    #[command(name = "1password", after_help = "Examples\n  symbolon import 1password export.1pux")]
    OnePassword(What),
}

#[derive(Debug, clap::Args)]
struct What {
    /// The file; of 0nMCP a folder too
    file: PathBuf,
    /// Say what would be made, and make nothing
    #[arg(long)]
    dry_run: bool,
    /// Only the connection of this name, or those of this service; can be repeated
    #[arg(long, value_name = "NAME")]
    only: Vec<String>,
    /// Replace connections and flows of the same names
    #[arg(long)]
    replace: bool,
    /// Services at addresses of their own may be on a loopback address
    #[arg(long)]
    allow_loopback: bool,
    /// Services at addresses of their own may be on a private address
    #[arg(long)]
    allow_private: bool,
    /// Read the passphrase of sealed files from standard input
    #[arg(long)]
    passphrase_from_stdin: bool,
    /// Where flows are written, instead of the home's folder of flows
    #[arg(long, value_name = "DIR")]
    flows: Option<PathBuf>,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let (origin, what) = match self.from {
            From::ZeroN(what) => (Origin::ZeroN, what),
            From::Env(what) => (Origin::Env, what),
            From::Bitwarden(what) => (Origin::Bitwarden, what),
            From::OnePassword(what) => (Origin::OnePassword, what),
        };
        what.run(ctx, origin)
    }
}

impl What {
    fn run(self, ctx: &Ctx, origin: Origin) -> Result<(), Failure> {
        let home = ctx.existing()?;
        let catalog = home_catalog(&home, &[])?;
        let files = files::list(&self.file, origin)?;
        let mut passphrase = match self.passphrase_from_stdin {
            true => Some(secrets::from_stdin("passphrase")?),
            false => None,
        };
        let mut all = Findings::default();
        for path in &files {
            let name = path.display().to_string();
            let read = files::read(path)?;
            let mut found = read_one(origin, &name, &read, &catalog, passphrase.as_ref());
            if matches!(found, Err(ForeignError::Sealed))
                && passphrase.is_none()
                && prompt::is_possible()
            {
                let question = format!("Passphrase that {name} is sealed by (not shown): ");
                passphrase = Some(secrets::ask("passphrase", &question, PASSPHRASE)?);
                found = read_one(origin, &name, &read, &catalog, passphrase.as_ref());
            }
            match found {
                Ok(found) => all.append(found),
                // One of many: it is said, and the others are read.
                Err(e) if files.len() > 1 => {
                    let how = match e {
                        ForeignError::Sealed => "; --passphrase-from-stdin opens it",
                        _ => "",
                    };
                    all.left_out.push(Remark { at: name, why: format!("{e}{how}") });
                }
                Err(e) => return Err(self.refused(&name, &e)),
            }
        }
        let taking = Taking {
            only: self.only,
            replace: self.replace,
            dry_run: self.dry_run,
            allow_loopback: self.allow_loopback,
            allow_private: self.allow_private,
        };
        let folder = self.flows.unwrap_or_else(|| home.flows());
        let mut flows = flows::plan(&all.workflows, &catalog, &folder, taking.replace);
        if !taking.only.is_empty() {
            flows.retain(|flow| taking.only.contains(&flow.name));
            all.drafts.retain(|draft| taking.is_wanted(draft));
            if all.drafts.is_empty() && flows.is_empty() {
                return Err(taking.nothing());
            }
        }
        let has_drafts = !all.drafts.is_empty();
        let made = match has_drafts || flows.is_empty() {
            true => taking.take(ctx, &mut all)?,
            // Flows alone need no open vault.
            false => Vec::new(),
        };
        if !taking.dry_run {
            flows::write(&flows, &folder)?;
        }
        show::result(ctx, &made, &flows, &all, taking.dry_run)
    }

    fn refused(&self, name: &str, error: &ForeignError) -> Failure {
        let (code, next) = match error {
            ForeignError::Sealed | ForeignError::Cipher(_) => ("sealed", PASSPHRASE.to_owned()),
            ForeignError::Escrow => {
                let next = "ask its sender for the credentials without escrow, and replace them";
                ("legacy_escrow", next.to_owned())
            }
            ForeignError::Signature => ("signature", format!("sha256sum {name}")),
            _ => ("import", "symbolon import --help".to_owned()),
        };
        Failure::refused(code, format!("{name}: {error}; nothing was made")).next(next)
    }
}

/// How drafts become connections.
#[derive(Debug, Default)]
pub(super) struct Taking {
    pub only: Vec<String>,
    pub replace: bool,
    pub dry_run: bool,
    pub allow_loopback: bool,
    pub allow_private: bool,
}

impl Taking {
    /// Shows what it would make, then makes all of it or none.
    pub(super) fn take(&self, ctx: &Ctx, all: &mut Findings) -> Result<Vec<Made>, Failure> {
        foreign::settle(all);
        if !self.only.is_empty() {
            all.drafts.retain(|draft| self.is_wanted(draft));
            if all.drafts.is_empty() {
                return Err(self.nothing());
            }
        }
        let mut broker = ctx.broker()?;
        broker.ensure_unlocked(Asking::Person)?;
        let there: Vec<ConnectionView> = broker.ask(&Op::Connections {})?;
        let state = |draft: &Draft| match there.iter().any(|own| own.name == draft.name) {
            true if !self.replace => State::Kept,
            true => State::Replaced,
            false => State::Made,
        };
        let made: Vec<Made> =
            all.drafts.iter().map(|draft| Made::of(draft, state(draft))).collect();
        if !ctx.json {
            show::plan(&made, self.dry_run)?;
        }
        let drafts: Vec<&Draft> =
            all.drafts.iter().filter(|draft| state(draft) != State::Kept).collect();
        if !self.dry_run && !drafts.is_empty() {
            let (op, credentials) = self.request(&drafts)?;
            broker.exchange(&op, Some(&credentials))?;
        }
        Ok(made)
    }

    fn is_wanted(&self, draft: &Draft) -> bool {
        self.only.iter().any(|own| *own == draft.name || *own == draft.service)
    }

    fn nothing(&self) -> Failure {
        let message = format!("nothing of the name {}", self.only.join(", "));
        Failure::refused("nothing", message).next("the same command with --dry-run, without --only")
    }

    /// All of them as one request, which makes all or none.
    fn request(&self, drafts: &[&Draft]) -> Result<(Op, Secret<[u8]>), Failure> {
        let total = drafts.iter().map(|d| d.credential.len()).sum::<usize>();
        if drafts.len() > CONNECTIONS_AT_ONCE_MAX || total > SECRET_BYTES_MAX {
            let message = format!(
                "{} connections of {total} bytes are more than are made at once ({CONNECTIONS_AT_ONCE_MAX}, {SECRET_BYTES_MAX} bytes)",
                drafts.len()
            );
            return Err(
                Failure::refused("too_many", message).next("the same command with --only SERVICE")
            );
        }
        let credentials = Secret::<[u8]>::make_slice(total, |page| {
            let mut at = 0;
            for draft in drafts {
                // EXPOSE: one behind the other, from secret pages into another.
                let bytes = draft.credential.expose();
                page[at..at + bytes.len()].copy_from_slice(bytes);
                at += bytes.len();
            }
        });
        let new = |draft: &&Draft| NewConnection {
            name: Some(draft.name.clone()),
            base_url: draft.base_url.clone(),
            variables: draft.variables.clone(),
            user: draft.user.clone(),
            allow_loopback: self.allow_loopback,
            allow_private: self.allow_private,
            replace: self.replace,
            ..NewConnection::of(&draft.service)
        };
        let lengths = drafts.iter().map(|d| d.credential.len()).collect();
        Ok((Op::ConnectSeveral { new: drafts.iter().map(new).collect(), lengths }, credentials))
    }
}

fn read_one(
    origin: Origin,
    name: &str,
    file: &Found,
    catalog: &symbolon_capability::catalog::Catalog,
    passphrase: Option<&Secret<[u8]>>,
) -> Result<Findings, ForeignError> {
    let source = Source { name, mode: file.mode, bytes: &file.bytes };
    foreign::read(origin, &source, catalog, passphrase)
}

const PASSPHRASE: &str = "the same command with --passphrase-from-stdin < FILE";
