//! `symbolon deed`: a container's way from owner to owner.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};
use symbolon_ambient::{Clock, Rng, SystemClock, SystemRng};
use symbolon_broker::DeedSignature;
use symbolon_codec::time::rfc3339;
use symbolon_codec::{Digest32, hex};
use symbolon_container::deed::{DEED_BYTES_MAX, Event, Kind};
use symbolon_container::{Deed, DeedError, Framed};
use symbolon_crypto::VerifyingKey;
use symbolon_server::control::Op;

use super::Ctx;
use super::container::create::signature;
use super::container::open::How;
use super::container::{keys, must_be_new, read, signers, unlocked, write_new};
use crate::failure::Failure;
use crate::link::Link;
use crate::out;

/// Hand a container over, with a signed record of who had it
///
/// Each step is signed by whose turn it is: create, package, escrow (the owner offers it to one key),
/// accept, import, flip (the new owner owns it). A home signs each place of a deed once.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon deed create --container shop.box --owner SIGNER --out shop.deed
  symbolon deed accept shop.deed --container shop.box --out mine.deed
  symbolon deed history mine.deed")]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Offer a container of yours to another home
    #[command(after_help = "\
Examples
  symbolon deed create --container shop.box --owner SIGNER --out shop.deed
  symbolon deed create --container shop.box --owner SIGNER --from mine.deed --out shop.deed")]
    Create {
        /// The container, signed by this home
        #[arg(long, value_name = "FILE")]
        container: PathBuf,
        /// The other home's signer's key
        #[arg(long, value_name = "SIGNER")]
        owner: String,
        /// The deed by which you own it, where you had it from somebody
        #[arg(long, value_name = "FILE")]
        from: Option<PathBuf>,
        /// The new deed
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Take what a deed offers to this home: opens the container as `symbolon container open` does
    #[command(after_help = "\
Examples
  symbolon deed accept shop.deed --container shop.box --out mine.deed
  symbolon deed accept shop.deed --container shop.box --out mine.deed --into shop")]
    Accept {
        /// The deed
        deed: PathBuf,
        /// The container
        #[arg(long, value_name = "FILE")]
        container: PathBuf,
        /// The new deed, by which you own it
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        how: How,
    },
    /// Show who had it, every signature checked
    #[command(after_help = "Examples\n  symbolon deed history mine.deed --json")]
    History {
        /// The deed
        deed: PathBuf,
    },
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step {
            Step::Create { container, owner, from, out } => {
                create(ctx, &container, &owner, from.as_deref(), &out)
            }
            Step::Accept { deed, container, out, how } => {
                accept(ctx, &deed, &container, &out, &how)
            }
            Step::History { deed } => history(ctx, &deed),
        }
    }
}

/// A deed for a container that was just made.
pub(super) fn begin(
    ctx: &Ctx,
    container: Digest32,
    to: VerifyingKey,
    out: &Path,
) -> Result<(), Failure> {
    let mut id = [0; 32];
    SystemRng.fill(&mut id);
    offer(ctx, Deed::new(Digest32(id)), container, to, out)
}

fn create(
    ctx: &Ctx,
    container: &Path,
    owner: &str,
    from: Option<&Path>,
    out: &Path,
) -> Result<(), Failure> {
    let to = signers::parse(owner)?;
    let bytes = read(container)?;
    let signed = Framed::parse(&bytes)
        .and_then(Framed::verify)
        .map_err(|e| signers::refused(container, &e))?;
    let own = signers::parse(&keys(&mut unlocked(ctx)?)?.signer)?;
    if *signed.signer() != own {
        let message = format!("{} is not signed by this home", container.display());
        return Err(Failure::refused("deed_container", message)
            .next("symbolon container create …, then the same command"));
    }
    let digest = *signed.digest();
    match from {
        Some(path) => offer(ctx, parse(path)?, digest, to, out)?,
        None => begin(ctx, digest, to, out)?,
    }
    if ctx.json {
        return out::json(&json!({ "deed": out.display().to_string(), "container": digest }));
    }
    out::say(&format!("{} offers {} to {owner}", out.display(), container.display()));
    let (deed, file) = (out.display(), container.display());
    out::say_next(&format!("symbolon deed accept {deed} --container {file} --out NEW   (there)"));
    Ok(())
}

/// Goes on from where the owner may act to the offer, and writes it.
fn offer(
    ctx: &Ctx,
    mut deed: Deed,
    container: Digest32,
    to: VerifyingKey,
    out: &Path,
) -> Result<(), Failure> {
    must_be_new(out)?;
    let mut broker = unlocked(ctx)?;
    while deed.next() != Kind::Accept {
        let kind = deed.next();
        if matches!(kind, Kind::Import | Kind::Flip) {
            let message = "the deed is on its way: whom it was offered to has not finished";
            return Err(Failure::refused("deed_order", message).next("symbolon deed history FILE"));
        }
        deed = step(&mut broker, deed, |event| {
            event.container = (kind == Kind::Package).then_some(container);
            event.to = (kind == Kind::Escrow).then_some(to);
        })?;
    }
    write_new(out, deed.to_json().as_bytes())
}

fn accept(ctx: &Ctx, path: &Path, file: &Path, out: &Path, how: &How) -> Result<(), Failure> {
    must_be_new(out)?;
    if how.dry_run {
        let message = "a deed is accepted or not; symbolon container open FILE --dry-run looks";
        return Err(Failure::usage(message).next("the same command without --dry-run"));
    }
    let mut deed = parse(path)?;
    let mut broker = unlocked(ctx)?;
    let own = signers::parse(&keys(&mut broker)?.signer)?;
    let is_open = matches!(deed.next(), Kind::Accept | Kind::Import);
    if deed.offered_to() != Some(&own) || !is_open {
        let message = match deed.offered_to() {
            Some(_) if is_open => "the deed is offered to another key than this home's",
            _ => "the deed offers nothing: it was taken, or not offered yet",
        };
        return Err(Failure::refused("deed_not_yours", message)
            .next(format!("symbolon deed history {}", path.display())));
    }
    let (Some(container), Some(owner)) = (deed.container().copied(), deed.owner().copied()) else {
        return Err(Failure::refused("deed_order", "the deed names no container"));
    };
    // First: whatever is refused is refused before the deed moves.
    let contents = how.open(ctx, file, Some((&container, &owner)))?;
    if deed.next() == Kind::Accept {
        deed = step(&mut broker, deed, |_| {})?;
    }
    // What was signed is on disk before anything is made: the rest can be done again from here.
    write_new(out, deed.to_json().as_bytes())?;
    how.take(ctx, contents).map_err(|e| {
        e.next(format!(
            "symbolon deed accept {} --container {} --out NEW",
            out.display(),
            file.display()
        ))
    })?;
    for _ in [Kind::Import, Kind::Flip] {
        deed = step(&mut broker, deed, |_| {})?;
    }
    replace(out, deed.to_json().as_bytes())?;
    if !ctx.json {
        out::say(&format!("{} is the deed by which this home owns it", out.display()));
    }
    Ok(())
}

/// One event of this home, signed and joined.
fn step(broker: &mut Link, deed: Deed, fill: impl FnOnce(&mut Event)) -> Result<Deed, Failure> {
    let actor = signers::parse(&keys(broker)?.signer)?;
    let at_unix_ms = SystemClock.unix_ms();
    let mut event = Event { kind: deed.next(), at_unix_ms, actor, container: None, to: None };
    fill(&mut event);
    deed.check(&event).map_err(|e| refused(&e))?;
    let place = deed.place();
    let signed: DeedSignature = broker.ask(&Op::SignDeedEvent { place, event: event.clone() })?;
    // One that was signed before a crash has its time of then.
    event.at_unix_ms = signed.at_unix_ms;
    let signature = signature(&signed.signature)?;
    deed.join(event, &signature).map_err(|e| refused(&e))
}

fn history(ctx: &Ctx, path: &Path) -> Result<(), Failure> {
    let deed = parse(path)?;
    let key = |key: &VerifyingKey| hex::encode(key.as_bytes());
    if ctx.json {
        let events: Vec<Value> = deed
            .events()
            .map(|e| {
                json!({
                    "kind": e.kind, "at": rfc3339(e.at_unix_ms), "actor": key(&e.actor),
                    "container": e.container, "to": e.to.as_ref().map(key),
                })
            })
            .collect();
        return out::json(&json!({
            "deed": deed.id(), "owner": deed.owner().map(key), "events": events,
            "offered_to": deed.offered_to().map(key), "container": deed.container(),
        }));
    }
    let row = |e: &Event| {
        let what = e.container.map(|c| c.to_string()).or(e.to.as_ref().map(key));
        vec![e.kind.as_str().into(), rfc3339(e.at_unix_ms), key(&e.actor), what.unwrap_or_default()]
    };
    out::table(
        &["EVENT", "AT, AS ITS SIGNER SAYS", "BY", "WHAT, TO WHOM"],
        &deed.events().map(row).collect::<Vec<_>>(),
    )?;
    out::say(&format!("owner: {}", deed.owner().map(key).unwrap_or_default()));
    Ok(())
}

fn parse(path: &Path) -> Result<Deed, Failure> {
    use std::io::Read;
    let failed = |e: std::io::Error| Failure::file("read", path, &e);
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(DEED_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    Deed::parse(&bytes).map_err(|e| {
        let mut failure = refused(&e);
        failure.message = format!("{}: {}", path.display(), failure.message);
        failure
    })
}

fn refused(error: &DeedError) -> Failure {
    let code = match error {
        DeedError::Order { .. } => "deed_order",
        DeedError::Signature { .. } => "deed_signature",
        _ => "deed",
    };
    Failure::refused(code, error.to_string()).next("symbolon deed --help")
}

/// A file of ours in the place of itself: the old one or the new one, never half.
fn replace(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let beside = PathBuf::from(beside);
    write_new(&beside, bytes)?;
    std::fs::rename(&beside, path).map_err(|e| Failure::file("write", path, &e))
}
