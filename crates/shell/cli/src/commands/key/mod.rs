//! `symbolon key`: API keys that are proven and never sent.

use clap::Subcommand;
use symbolon_holder::possession::{KeyCard, KeyRing, RingError};
use symbolon_holder::server::KeyFailure;
use symbolon_possession::{Audience, DomainError, KeyAccount, StrongKey, WeakKey};
use symbolon_secret::Secret;

use super::Ctx;
use crate::failure::Failure;
use crate::secrets;

mod devices;
mod enrol;
mod list;
mod login;
mod register;
mod revoke;
mod rotate;
mod service;

/// Prove that you hold an API key, instead of sending it
///
/// A service that supports this never needs to see your key again: this device keeps it sealed,
/// proves it, and has a token for 5 to 15 minutes that no other device can use.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon key enrol https://api.example
  symbolon key login https://api.example --scope read --json
  symbolon key devices https://api.example
  symbolon key rotate https://api.example

For who runs a service
  symbolon key service add https://api.example --scope read --scope write
  symbolon key register https://api.example --name customer-7")]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    Enrol(enrol::Args),
    Login(login::Args),
    Ls(list::Args),
    Rotate(rotate::Args),
    Revoke(revoke::Args),
    Devices(devices::Args),
    Register(register::Args),
    Service(service::Args),
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step {
            Step::Enrol(args) => args.run(ctx),
            Step::Login(args) => args.run(ctx),
            Step::Ls(args) => args.run(ctx),
            Step::Rotate(args) => args.run(ctx),
            Step::Revoke(args) => args.run(ctx),
            Step::Devices(args) => args.run(ctx),
            Step::Register(args) => args.run(ctx),
            Step::Service(args) => args.run(ctx),
        }
    }
}

/// Which key.
#[derive(Debug, Clone, clap::Args)]
struct Whose {
    /// The service's address, such as https://api.example
    #[arg(value_name = "URL", value_parser = audience)]
    service: Audience,
    /// The account at the service that the key is of, where it has told you one
    #[arg(long, value_name = "ACCOUNT", default_value = "", hide_default_value = true, value_parser = account)]
    account: KeyAccount,
}

impl Whose {
    fn find(&self, ctx: &Ctx) -> Result<(KeyRing, KeyCard), Failure> {
        let ring = KeyRing::of(&ctx.folder()?);
        let card = ring.find(&self.service, &self.account)?;
        Ok((ring, card))
    }
}

/// How a key comes in.
#[derive(Debug, Clone, Copy, clap::Args)]
struct How {
    /// Read the API key from standard input instead of asking
    #[arg(long)]
    from_stdin: bool,
}

impl How {
    /// The key, judged.
    fn key(self, question: &str, command: &str) -> Result<StrongKey, Failure> {
        let text: Secret<[u8]> = if self.from_stdin {
            secrets::from_stdin("API key")?
        } else {
            secrets::ask("API key", question, &format!("{command} --from-stdin < KEY_FILE"))?
        };
        Ok(StrongKey::of(text)?)
    }
}

/// Where a slash stands behind, it is taken off.
fn audience(text: &str) -> Result<Audience, DomainError> {
    Audience::parse(text.strip_suffix('/').unwrap_or(text))
}

fn account(text: &str) -> Result<KeyAccount, DomainError> {
    KeyAccount::parse(text)
}

impl From<WeakKey> for Failure {
    fn from(error: WeakKey) -> Self {
        Self::refused("weak_key", error.to_string())
            .next("ask the service for a key of 22 random characters or more")
    }
}

impl From<RingError> for Failure {
    fn from(error: RingError) -> Self {
        let says = error.to_string();
        match error {
            RingError::Missing { audience } => {
                Self::environment("no_key", says).next(format!("symbolon key enrol {audience}"))
            }
            RingError::Damaged { .. } | RingError::Fingerprint(_) => {
                Self::environment("key_damaged", says).next("symbolon key enrol URL")
            }
            RingError::TooOpen { path } => Self::environment("keys_too_open", says)
                .next(format!("chmod -R go= {}", path.display())),
            RingError::KeyFile(_) => {
                Self::environment("device_key", says).next("symbolon key enrol URL")
            }
            _ => Self::environment("keys", says).next("symbolon doctor"),
        }
    }
}

impl From<KeyFailure> for Failure {
    fn from(error: KeyFailure) -> Self {
        let says = error.to_string();
        match &error {
            KeyFailure::Client(refused) => {
                let next = NEXT.iter().find(|(code, _)| refused.is_code(code));
                match (error, next) {
                    (KeyFailure::Client(refused), None) => refused.into(),
                    (_, Some((code, next))) => Self::refused(code, says).next(*next),
                    _ => Self::refused("server", says),
                }
            }
            KeyFailure::Metadata { .. } => Self::refused("no_metadata", says)
                .next("ask the service whether it takes proofs of keys, and at which address"),
            KeyFailure::OtherService { .. } => Self::refused("other_service", says)
                .next("ask who runs the service: its server knows it by another address"),
            _ => Self::refused("key", says).next("the same command again"),
        }
    }
}

/// What to do where a server refuses.
const NEXT: [(&str, &str); 9] = [
    (
        "unknown_key",
        "ask the service to register the key, or compare the key with what it gave you",
    ),
    ("unknown_device", "symbolon key enrol URL"),
    ("revoked", "ask the service for another key, then symbolon key enrol URL"),
    ("scope", "symbolon key ls, which says what the key is good for"),
    ("nonce_early", "the same command, after a minute: the servers' clocks differ"),
    ("nonce_expired", "the same command again"),
    ("nonce_used", "the same command again"),
    ("proof_wrong", "symbolon key enrol URL, with the key that the service knows now"),
    ("no_service", "symbolon key service add URL, which gives a secret"),
];
