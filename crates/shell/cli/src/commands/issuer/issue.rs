//! `symbolon issuer issue`

use std::path::PathBuf;

use serde_json::json;
use symbolon_ambient::SystemRng;
use symbolon_circuits::Date;
use symbolon_passport::Revocation;
use symbolon_proof::{ClaimsRequest, Particulars};

use super::{Ctx, KnownFrom, document, find, known};
use crate::facts::{self, NewFile};
use crate::failure::Failure;
use crate::out;
use crate::vaults::{Ask, Which};

/// Sign claims about the holder of a request
///
/// What is claimed: date of birth, nationality, the document's last day and number. A chip's files (EF.DG1 and EF.SOD)
/// are believed where a certificate authority of --csca signed for them. A printed zone (--mrz) proves nothing by itself,
/// so you say that you looked at the document and its holder.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon issuer issue --request request.json --form --out claims.json
  symbolon issuer issue --request request.json --dg1 DG1 --sod SOD --csca csca/ --out claims.json
  symbolon issuer issue --request request.json --mrz zone.txt --i-have-seen-the-document --out claims.json")]
#[command(group = clap::ArgGroup::new("source").required(true).args(["from", "form", "mrz", "dg1"]))]
pub struct Issue {
    /// What the holder handed over, or - for standard input
    #[arg(long, value_name = "FILE")]
    request: PathBuf,
    #[command(flatten)]
    from: KnownFrom,
    /// From a file with the document's machine-readable zone
    #[arg(long, value_name = "FILE", requires = "seen")]
    mrz: Option<PathBuf>,
    /// You compared the zone with the document, and the document with the person
    #[arg(long = "i-have-seen-the-document")]
    seen: bool,
    /// From the chip: its EF.DG1
    #[arg(long, value_name = "FILE", requires_all = ["sod", "csca"])]
    dg1: Option<PathBuf>,
    /// From the chip: its EF.SOD
    #[arg(long, value_name = "FILE", requires = "dg1")]
    sod: Option<PathBuf>,
    /// Certificates of states' authorities and their revocation lists: a file or a folder; can be repeated
    #[arg(long, value_name = "PATH", requires = "dg1")]
    csca: Vec<PathBuf>,
    /// Claims are good no longer than this day, where the document is good longer
    #[arg(long, value_name = "DAY", value_parser = facts::day)]
    valid_until: Option<Date>,
    /// Where the claims go: a new file (0600), for the holder alone
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Which issuer, where the vault has several
    #[arg(long, value_name = "NAME")]
    issuer: Option<String>,
    #[command(flatten)]
    which: Which,
}

/// What is claimed, and by what it is known.
struct Source {
    known: Particulars,
    by: &'static str,
    authority: Option<String>,
    revocation: Option<Revocation>,
}

impl Issue {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let today = facts::today();
        let request = self.request()?;
        if request.until < today {
            let what = format!("the holder's secret was good until {}", request.until);
            return Err(Failure::refused("request_over", what)
                .next("symbolon claims request --out request.json, by the holder"));
        }
        if self.valid_until.is_some_and(|until| until < today) {
            return Err(Failure::usage("--valid-until is a day that is over")
                .next("a day that has not been"));
        }
        let mut source = self.source(today)?;
        if let Some(until) = self.valid_until {
            source.known = source.known.not_after(until)?;
        }
        let file = NewFile::make(&self.out)?;
        let issuer = match self.which.open(ctx, Ask::Person) {
            Ok(vault) => find(vault.replica(), self.issuer.as_deref()),
            Err(failure) => Err(failure),
        };
        let issuer = match issuer {
            Ok(issuer) => issuer,
            Err(failure) => return file.give_up(failure),
        };
        let claims = source.known.issue(&issuer.key, issuer.name, &request, &SystemRng)?;
        file.write_secret(&claims.write()?)?;
        if ctx.json {
            let revocation = source.revocation.map(|it| it == Revocation::NotRevoked);
            return out::json(&json!({ "file": self.out, "issuer": claims.issuer_name().as_str(),
                "known_by": source.by, "authority": source.authority,
                "revocation_checked": revocation }));
        }
        if let Some(authority) = &source.authority {
            out::say(&format!("The chip is signed by {authority}."));
        }
        if source.revocation == Some(Revocation::NotChecked) {
            out::say("No list of revoked signers of that state was given: it was not looked up.");
        }
        out::say(&format!(
            "{} has the claims. It is for the holder alone: hand it over, then delete it.",
            self.out.display()
        ));
        out::say_next(&format!("symbolon claims add {}, by the holder", self.out.display()));
        Ok(())
    }

    fn request(&self) -> Result<ClaimsRequest, Failure> {
        let bytes = facts::read(&self.request, facts::FILE_BYTES_MAX)?;
        ClaimsRequest::parse(&bytes).map_err(|error| {
            let next = "symbolon claims request --out request.json, by the holder";
            facts::malformed(&self.request, &error, next)
        })
    }

    fn source(&self, today: Date) -> Result<Source, Failure> {
        let of = |known, by| Source { known, by, authority: None, revocation: None };
        match (&self.dg1, &self.sod, &self.mrz) {
            (Some(dg1), Some(sod), _) => {
                let read = document::of_chip(dg1, sod, &self.csca, today)?;
                let (authority, revocation) = (Some(read.authority), Some(read.revocation));
                Ok(Source { known: read.known, by: "chip", authority, revocation })
            }
            (_, _, Some(zone)) => {
                Ok(of(document::of_zone(zone, today)?, "zone that you have seen"))
            }
            _ => {
                let by = if self.from.form { "form" } else { "file" };
                Ok(of(known(&self.from, "symbolon issuer issue --request FILE", today)?, by))
            }
        }
    }
}
