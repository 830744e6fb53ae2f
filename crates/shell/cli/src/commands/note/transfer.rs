//! `symbolon note transfer`: another owner for a registration (`specs/authorship.md`, "Handing over").

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;
use symbolon_ambient::{SystemClock, SystemRng};
use symbolon_authorship::{
    Act, Certificate, Entry, HANDOVER_BYTES_MAX, HandoverError, Invitation, Offer, OwnerSecrets,
    Standing, Transfer as Handed, verify,
};
use symbolon_codec::Digest32;
use symbolon_holder::OpenVault;
use symbolon_holder::server::{Client, SyncFailure};
use symbolon_receipt::OperatorKey;

use super::authorship::{self, Record};
use super::prove::{not_done, not_ours, not_taken};
use super::{Ctx, find};
use crate::facts::{self, NewFile};
use crate::failure::Failure;
use crate::vaults::{self, Ask, Reached, Which};
use crate::{out, runtime};

/// Hand the authorship of a note over: an invitation, an offer, an acceptance
///
/// The next owner makes an invitation; the present one answers with an offer; the next one accepts it, and from then on the
/// registration is theirs in the server's log, signed by both. Both have their vaults at one server. The text itself goes
/// another way: symbolon share.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon note transfer invite --out bob.invitation.json            by the next owner
  symbolon note transfer offer Plan --to bob.invitation.json --out plan.offer.json
  symbolon note transfer accept plan.offer.json --note Plan          by the next owner again")]
pub struct Transfer {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    Invite(Invite),
    Offer(MakeOffer),
    Accept(Accept),
}

/// Make an invitation: a key of your own for one registration, which stays in your vault
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples\n  symbolon note transfer invite --out bob.invitation.json")]
struct Invite {
    /// Where the invitation is written: it says nothing but a key
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    which: Which,
}

/// Offer a registration of yours to who made an invitation
///
/// The salt is in the offer: whoever reads it can try guesses of the text. Nothing changes before it is accepted, and another
/// entry of the registration ends it.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon note transfer offer Plan --to bob.invitation.json --out plan.offer.json")]
struct MakeOffer {
    /// Title, or how the id begins
    note: String,
    /// The invitation of the next owner
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    /// Where the offer is written
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    which: Which,
}

/// Accept an offer: the registration is yours from then on
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon note transfer accept plan.offer.json
  symbolon note transfer accept plan.offer.json --note Plan --show-handle --out plan.authorship.json")]
struct Accept {
    /// The offer
    offer: PathBuf,
    /// Your copy of the note: refused where the registration is of another text
    #[arg(long)]
    note: Option<String>,
    /// Where the certificate is written [default: authorship-INDEX.json]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Whoever asks the server for the digest is told your handle
    #[arg(long)]
    show_handle: bool,
    #[command(flatten)]
    which: Which,
}

impl Transfer {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step {
            Step::Invite(args) => args.run(ctx),
            Step::Offer(args) => args.run(ctx),
            Step::Accept(args) => args.run(ctx),
        }
    }
}

impl Invite {
    fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let mut vault = self.which.open(ctx, Ask::Person)?;
        let account = account(&vault)?;
        let file = NewFile::make(&self.out)?;
        let secrets = OwnerSecrets::make(&SystemRng);
        let invitation = Invitation { key: secrets.public(), holder: secrets.holder(&account) };
        let kept = authorship::add_invitation(vault.replica_mut(), &secrets)
            .and_then(|()| vaults::keep(&mut vault));
        if let Err(failure) = kept {
            return file.give_up(failure);
        }
        file.write(&invitation.to_json())?;
        if ctx.json {
            return out::json(&json!({ "invitation": self.out, "key": key(&secrets) }));
        }
        let path = self.out.display();
        out::say(&format!("The invitation is in {path}; its key is in your vault."));
        out::say_next(&format!("symbolon note transfer offer NOTE --to {path}, by the owner"));
        Ok(())
    }
}

impl MakeOffer {
    fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let invitation = facts::read(&self.to, HANDOVER_BYTES_MAX)?;
        let invitation = Invitation::parse(&invitation).map_err(unread)?;
        let vault = self.which.open(ctx, Ask::Person)?;
        let note = find::note(vault.replica(), &self.note, false)?;
        let text = authorship::text(vault.replica(), note)?;
        let records = authorship::records(vault.replica(), note)?;
        let mut client = vaults::client(&vault)?;
        let (record, standing) = runtime::single()?.block_on(async {
            for record in records {
                let digest = record.secrets.salt().digest(&text);
                let (_, standing) = registered(&mut client, &record.commitment).await?;
                if standing.is_of(&digest) {
                    return Ok((record, standing));
                }
            }
            let what = format!("the text of `{}` as it is now was not registered", self.note);
            Err(Failure::refused("not_registered", what)
                .next(format!("symbolon note prove \"{}\"", self.note)))
        })?;
        if *standing.owner() != record.secrets.public() {
            let what = "this registration was handed over, and is another's now";
            return Err(Failure::refused("handed_over", what).next("symbolon note ls"));
        }
        let transfer = Act::from(Handed {
            log: standing.log().to_owned(),
            registration: standing.index(),
            previous: standing.newest(),
            owner: record.secrets.public(),
            next: invitation.key,
            holder: invitation.holder,
        });
        let signature = record.secrets.sign(&transfer);
        let salt = record.secrets.salt().clone();
        let offer = Offer { commitment: record.commitment, transfer, signature, salt };
        NewFile::make(&self.out)?.write(&offer.to_json())?;
        if ctx.json {
            return out::json(&json!({
                "offer": self.out, "authorship": standing.index(), "commitment": record.commitment,
            }));
        }
        let path = self.out.display();
        out::say(&format!(
            "The offer is in {path}. The salt is in it: hand it over on a way that nobody else reads."
        ));
        out::say_next(&format!("symbolon note transfer accept {path}, by the next owner"));
        Ok(())
    }
}

impl Accept {
    fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let offer = facts::read(&self.offer, HANDOVER_BYTES_MAX)?;
        let offer = Offer::parse(&offer).map_err(unread)?;
        let Act::Transfer(transfer) = &offer.transfer else {
            return Err(unread(HandoverError::Form("no transfer".to_owned())));
        };
        let mut vault = self.which.open(ctx, Ask::Person)?;
        let account = account(&vault)?;
        let Some((invitation, secrets)) = authorship::invitation(vault.replica(), &transfer.next)?
        else {
            let what = "this vault made no invitation with the key that the offer is to";
            return Err(Failure::refused("no_invitation", what)
                .next("symbolon note transfer invite --out FILE, for another offer"));
        };
        if secrets.holder(&account) != transfer.holder {
            let what = "the offer is to your key for another account";
            return Err(Failure::refused("another_account", what)
                .next("symbolon note transfer invite --out FILE, for another offer"));
        }
        let note = self.note.as_ref().map(|name| find::note(vault.replica(), name, false));
        let note = note.transpose()?;
        let digest = match note {
            Some(note) => Some(offer.salt.digest(&authorship::text(vault.replica(), note)?)),
            None => None,
        };
        let secrets = secrets.salted(offer.salt.clone());
        let acceptance = secrets.accept(&offer.transfer);
        // What the offer's signature is worth is seen before anything is kept.
        Entry::new(0, offer.transfer.clone(), offer.signature, Some(acceptance)).map_err(
            |error| {
                Failure::refused("offer", format!("the offer does not hold: {error}"))
                    .next("ask the present owner for another")
            },
        )?;
        let default = || format!("authorship-{}.json", transfer.registration).into();
        let path = self.out.clone().unwrap_or_else(default);
        let file = NewFile::make(&path)?;
        let record = Record { secrets, commitment: offer.commitment };
        let taken = self.take(&mut vault, &offer, &record, acceptance, note, digest.as_ref());
        let (certificate, standing) = match taken {
            Ok(taken) => taken,
            Err(failure) => return file.give_up(failure),
        };
        vault.replica_mut().trash(invitation, &SystemClock, &SystemRng)?;
        vaults::keep(&mut vault)?;
        file.write(&certificate.to_json())?;
        if ctx.json {
            return out::json(&json!({
                "authorship": standing.index(), "commitment": standing.commitment(),
                "digest": standing.digest(), "owner": key(&record.secrets), "certificate": path,
            }));
        }
        out::pairs(&[
            ("registered", format!("at {} of the log, by its first owner", standing.index())),
            ("yours since", format!("{} of the log", standing.newest())),
            ("certificate", path.display().to_string()),
        ])?;
        out::say_next(&format!("symbolon verify {} --key operator.pub", path.display()));
        Ok(())
    }

    /// Keeps the record, takes the registration over, and fetches its certificate.
    fn take(
        &self,
        vault: &mut OpenVault,
        offer: &Offer,
        record: &Record,
        acceptance: [u8; 64],
        note: Option<symbolon_vault::wire::ItemId>,
        digest: Option<&Digest32>,
    ) -> Result<(Certificate, Standing), Failure> {
        let mut client = vaults::client(vault)?;
        let runtime = runtime::single()?;
        let (_, standing) = runtime.block_on(registered(&mut client, &record.commitment))?;
        if digest.is_some_and(|digest| !standing.is_of(digest)) {
            let what = "the registration is of another text than this note's";
            return Err(Failure::refused("other_text", what).next("symbolon note ls"));
        }
        let next = record.secrets.public();
        // The answer may have been lost the last time.
        if *standing.owner() != next {
            standing.allows(&offer.transfer).map_err(|error| {
                Failure::refused("offer", format!("the offer does not hold any more: {error}"))
                    .next("ask the present owner for another")
            })?;
        }
        if !authorship::has(vault.replica(), record)? {
            authorship::add(vault.replica_mut(), note, record)?;
        }
        if let Reached::Device = vaults::keep(vault)? {
            let what = "the server does not answer, so nothing was handed over yet";
            return Err(Failure::environment("offline", what)
                .next("the same command, when the server is back"));
        }
        runtime.block_on(async {
            let of = (&record.commitment, &next);
            let both = (&offer.signature, &acceptance);
            let taken = vault.take_over(&mut client, of, both, self.show_handle).await;
            taken.map_err(not_done)?;
            let (certificate, standing) = registered(&mut client, &record.commitment).await?;
            if *standing.owner() != next {
                return Err(not_ours(&client));
            }
            let salt = Some(record.secrets.salt().clone());
            Ok((Certificate { salt, ..certificate }, standing))
        })
    }
}

/// What the server's log says of a registration, verified.
async fn registered(
    client: &mut Client,
    commitment: &Digest32,
) -> Result<(Certificate, Standing), Failure> {
    let vkey = client.authorship_log().await.map_err(not_taken)?;
    let operator = OperatorKey::parse(&vkey).map_err(|_| not_ours(client))?;
    let found = client.authorship_of(commitment).await.map_err(not_taken)?;
    let bytes = serde_json::to_vec(&found.certificate).unwrap_or_default();
    let verified = verify(&bytes, &operator).map_err(|_| not_ours(client))?;
    let certificate = Certificate::parse(&bytes).map_err(|_| not_ours(client))?;
    let standing = verified.standing().clone();
    if standing.commitment() != commitment {
        return Err(not_ours(client));
    }
    Ok((certificate, standing))
}

fn account(vault: &OpenVault) -> Result<[u8; 16], Failure> {
    vault.account_id().ok_or_else(|| SyncFailure::NoServer.into())
}

fn key(secrets: &OwnerSecrets) -> String {
    symbolon_codec::hex::encode(secrets.public().as_bytes())
}

fn unread(error: HandoverError) -> Failure {
    Failure::refused("unreadable", error.to_string())
        .next("symbolon note transfer --help, for which file is whose")
}
