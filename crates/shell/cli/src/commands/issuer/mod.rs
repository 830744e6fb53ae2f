//! `symbolon issuer`

use clap::Subcommand;
use symbolon_circuits::IssuerKey;
use symbolon_proof::IssuerName;
use symbolon_secret::Secret;
use symbolon_vault::Replica;
use symbolon_vault::item::{Contents, Details, Kind};
use symbolon_vault::replica::{Filter, Overview};

use super::Ctx;
use crate::failure::Failure;
use crate::named;

mod document;
mod init;
mod issue;
mod particulars;
mod publish;

pub use particulars::{KnownFrom, known};

/// Say what you know of people, so that they can prove facts without showing it
///
/// An issuer looks at a document once and signs claims about it. The holder then proves to others, such as that they
/// are over 18; the issuer does not learn where, and the others do not learn the claims.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon issuer init --name \"City of Ulm\"
  symbolon issuer publish --out issuer.json
  symbolon issuer issue --request request.json --form --out claims.json
  symbolon issuer issue --request request.json --dg1 DG1 --sod SOD --csca csca/ --out claims.json")]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    Init(init::Init),
    Publish(publish::Publish),
    Issue(issue::Issue),
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step {
            Step::Init(args) => args.run(ctx),
            Step::Publish(args) => args.run(ctx),
            Step::Issue(args) => args.run(ctx),
        }
    }
}

/// An issuer of this vault.
struct Issuer {
    name: IssuerName,
    key: IssuerKey,
}

/// Issuers' keys: API keys of this service (`specs/issuer.md`).
pub const SERVICE: &str = "symbolon-issuer";

fn all(replica: &Replica) -> Vec<Overview<'_>> {
    let filter = Filter { kind: Some(Kind::ApiKey), ..Filter::default() };
    let is_issuer = |it: &Overview<'_>| matches!(it.details, Details::ApiKey { service, .. } if service.as_str() == SERVICE);
    replica.list(&filter).into_iter().filter(is_issuer).collect()
}

/// The one that is named, or the only one.
fn find(replica: &Replica, name: Option<&str>) -> Result<Issuer, Failure> {
    let all = all(replica);
    let missing = |what: &str| Failure::refused("no_issuer", what).next("symbolon issuer init");
    let id = match (name, all.as_slice()) {
        (Some(name), _) => named::one(&all, name, "issuer")?
            .ok_or_else(|| missing(&format!("this vault has no issuer `{name}`")))?,
        (None, []) => return Err(missing("this vault has no issuer's key")),
        (None, [only]) => only.id,
        (None, [first, ..]) => {
            let next = format!("the same command with --issuer \"{}\"", first.title);
            return Err(Failure::usage("this vault has several issuers").next(next));
        }
    };
    let item = replica.open(id)?;
    let damaged = || {
        Failure::refused("issuer_key", "this item holds no issuer's key")
            .next("symbolon issuer init --name NEW_NAME")
    };
    let Contents::ApiKey { key, .. } = item.contents else { return Err(damaged()) };
    let bytes: Secret<[u8; 32]> = key.into_secret().into_array().map_err(|_| damaged())?;
    let key = IssuerKey::from_secret(&bytes).map_err(|_| damaged())?;
    let name = IssuerName::new(item.title.as_str()).map_err(|_| {
        Failure::refused("issuer_name", "the item's title is no name of an issuer")
            .next(format!("symbolon item edit {id} --title NAME"))
    })?;
    Ok(Issuer { name, key })
}
