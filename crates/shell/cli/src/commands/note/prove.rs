//! `symbolon note prove`

use std::path::PathBuf;

use serde_json::json;
use symbolon_ambient::SystemRng;
use symbolon_authorship::{
    Act, CanonicalText, Certificate, Commit, OwnerSecrets, Reveal, VerifiedCertificate,
    commitment_of, verify,
};
use symbolon_codec::{Digest32, time::rfc3339};
use symbolon_holder::OpenVault;
use symbolon_holder::server::{Client, ClientError, RegistrationFound, SyncFailure};
use symbolon_receipt::OperatorKey;
use symbolon_vault::wire::ItemId;

use super::authorship::{self, Record};
use super::{Ctx, find};
use crate::facts::NewFile;
use crate::failure::Failure;
use crate::vaults::{self, Ask, Reached, Which, short};
use crate::{out, runtime};

/// Register that you had a note's text by now, and publish nothing of it
///
/// Your server's log gets a commitment, then a salted digest that confirms no guess. The salt and a key of this registration
/// stay in your vault, as an item of kind API key. The certificate verifies offline, with the operator's key; with the salt in
/// it, who has it can tell whether a text is the one. A note that changed since is registered anew; one that did not, once.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon note prove Plan
  symbolon note prove Plan --show-handle --out plan.authorship.json
  symbolon note prove Plan --hold-back                    the commitment alone; again without it to show the digest
  symbolon verify plan.authorship.json --key operator.pub --text plan.md")]
pub struct Prove {
    /// Title, or how the id begins
    note: String,
    /// Where the certificate is written [default: authorship-ID.json]
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Register the commitment alone, and show the digest later
    #[arg(long)]
    hold_back: bool,
    /// Whoever asks the server for the digest is told your handle
    #[arg(long, conflicts_with = "hold_back")]
    show_handle: bool,
    /// Leave the salt out of the certificate: it shows a registration then, and not of which text
    #[arg(long)]
    without_salt: bool,
    #[command(flatten)]
    which: Which,
}

impl Prove {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let mut vault = self.which.open(ctx, Ask::Person)?;
        let note = find::note(vault.replica(), &self.note, false)?;
        let text = authorship::text(vault.replica(), note)?;
        let Some(account) = vault.account_id() else {
            return Err(SyncFailure::NoServer.into());
        };
        let default = || format!("authorship-{}.json", short(&note.to_string())).into();
        let path = self.out.clone().unwrap_or_else(default);
        let file = NewFile::make(&path)?;
        let proven = match self.register(&mut vault, note, &text, &account) {
            Ok(proven) => proven,
            Err(failure) => return file.give_up(failure),
        };
        file.write(&proven.certificate.to_json())?;
        let standing = proven.verified.standing();
        if ctx.json {
            return out::json(&json!({
                "note": note, "authorship": standing.index(), "commitment": standing.commitment(),
                "digest": standing.digest(), "registered": rfc3339(standing.begun_unix_ms()),
                "handle": proven.handle, "operator": proven.certificate.operator,
                "certificate": path, "salt_in_certificate": !self.without_salt,
            }));
        }
        let shown = standing.digest().map_or("held back".to_owned(), ToString::to_string);
        out::pairs(&[
            ("registered", format!("at {} of the log", standing.index())),
            ("at", rfc3339(standing.begun_unix_ms())),
            ("digest", shown),
            ("named", proven.handle.unwrap_or_else(|| "nobody".to_owned())),
            ("certificate", path.display().to_string()),
        ])?;
        if !self.without_salt {
            out::say(
                "The salt is in the certificate: who has it can try guesses of a short text. \
                 --without-salt leaves it out.",
            );
        }
        out::say_next(&format!("symbolon verify {} --key operator.pub", path.display()));
        Ok(())
    }

    /// Registers what is not, shows what is to be shown, and fetches the certificate.
    fn register(
        &self,
        vault: &mut OpenVault,
        note: ItemId,
        text: &CanonicalText,
        account: &[u8; 16],
    ) -> Result<Proven, Failure> {
        let record = self.record(vault, note, text)?;
        let (secrets, commitment) = (&record.secrets, &record.commitment);
        let digest = secrets.salt().digest(text);
        let mut client = vaults::client(vault)?;
        runtime::single()?.block_on(async {
            let vkey = client.authorship_log().await.map_err(not_taken)?;
            let operator = OperatorKey::parse(&vkey).map_err(|_| not_ours(&client))?;
            let log = operator.origin().ok_or_else(|| not_ours(&client))?;
            let author = secrets.public();
            let holder = secrets.holder(account);
            let act = Commit { log: log.to_owned(), author, holder, commitment: *commitment };
            let signature = secrets.sign(&act.into());
            let taken = vault.register(&mut client, &author, commitment, &signature).await;
            let registered = taken.map_err(not_done)?;
            if !self.hold_back && !registered.revealed {
                let act = Act::from(Reveal {
                    log: log.to_owned(),
                    registration: registered.index,
                    owner: author,
                    digest,
                });
                let signature = secrets.sign(&act);
                let both = (commitment, &digest);
                let shown = vault.reveal(&mut client, both, &signature, self.show_handle).await;
                shown.map_err(not_done)?;
            }
            let found = client.authorship_of(commitment).await.map_err(not_taken)?;
            self.certify(found, secrets, &digest, &operator).ok_or_else(|| not_ours(&client))
        })
    }

    /// The record of this text, made and kept where there is none: before anything of it is sent.
    fn record(
        &self,
        vault: &mut OpenVault,
        note: ItemId,
        text: &CanonicalText,
    ) -> Result<Record, Failure> {
        for record in authorship::records(vault.replica(), note)? {
            let digest = record.secrets.salt().digest(text);
            if commitment_of(&record.secrets.public(), &digest) == record.commitment {
                return Ok(record);
            }
        }
        let secrets = OwnerSecrets::make(&SystemRng);
        let commitment = commitment_of(&secrets.public(), &secrets.salt().digest(text));
        let record = Record { secrets, commitment };
        authorship::add(vault.replica_mut(), Some(note), &record)?;
        match vaults::keep(vault)? {
            Reached::Server => Ok(record),
            Reached::Device => {
                let what = "the server does not answer, so nothing was registered yet";
                Err(Failure::environment("offline", what)
                    .next("the same command, when the server is back"))
            }
        }
    }

    /// The certificate that the server gives, where it holds and is of this digest.
    fn certify(
        &self,
        found: RegistrationFound,
        secrets: &OwnerSecrets,
        digest: &Digest32,
        operator: &OperatorKey,
    ) -> Option<Proven> {
        let bytes = serde_json::to_vec(&found.certificate).ok()?;
        let verified = verify(&bytes, operator).ok()?;
        if !verified.standing().is_of(digest) {
            return None;
        }
        let salt = (!self.without_salt).then(|| secrets.salt().clone());
        let certificate = Certificate { salt, ..Certificate::parse(&bytes).ok()? };
        Some(Proven { certificate, verified, handle: found.handle })
    }
}

/// What came of it.
struct Proven {
    certificate: Certificate,
    verified: VerifiedCertificate,
    handle: Option<String>,
}

/// The server says what does not hold together.
pub(super) fn not_ours(client: &Client) -> Failure {
    let what = format!("{} gives no certificate of its log that verifies", client.url());
    Failure::refused("certificate", what)
        .next("symbolon vault status, and ask the server's operator")
}

pub(super) fn not_taken(error: ClientError) -> Failure {
    not_done(error.into())
}

/// Why the server did not take an act.
pub(super) fn not_done(error: SyncFailure) -> Failure {
    let SyncFailure::Client(ClientError::Refused(refusal)) = &error else { return error.into() };
    let next = match refusal.code.as_str() {
        "no_log" | "locked" => "symbolon unlock, by the server's operator; then the same command",
        "rate_limited" => "the same command, after a minute",
        "not_first" => "symbolon note compare NOTE, to find where the text came from",
        _ => "symbolon vault status",
    };
    Failure::refused(&refusal.code, error.to_string()).next(next)
}
