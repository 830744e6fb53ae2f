//! The person's vault for one command: found, unlocked, changed, sent.

use std::path::Path;

use serde_json::{Value, json};
use symbolon_ambient::{SystemClock, SystemRng};
use symbolon_crypto::opaque::ServerKey;
use symbolon_crypto::{RecoveryCode, Seed};
use symbolon_custody::{Method, UnlockError, Unlocked};
use symbolon_holder::server::{Client, SyncFailure, Synced};
use symbolon_holder::{
    Account, ClosedVault, Condition, HolderError, OpenVault, ServerUrl, Unlocking, VaultName,
};
use symbolon_vault::replica::Conflict;

use crate::commands::Ctx;
use crate::failure::Failure;
use crate::{out, prompt, runtime, secrets, seeds};

/// Which vault, where a device has several.
#[derive(Debug, Clone, clap::Args)]
pub struct Which {
    /// The vault's name on this device [default: $SYMBOLON_VAULT, else the only one]
    #[arg(long, value_name = "NAME")]
    pub vault: Option<VaultName>,
}

/// How a vault is opened where this device does not open it by itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ask {
    /// Its password, hidden.
    #[default]
    Person,
    /// Its password, on standard input.
    Stdin,
    /// Its recovery code, hidden.
    Recovery,
    /// The seed phrase of a wallet, hidden.
    Seed,
    /// The seed phrase of a wallet, on standard input.
    SeedOnStdin,
}

impl Which {
    /// The vault that is meant.
    pub fn find(&self, ctx: &Ctx) -> Result<ClosedVault, Failure> {
        let home = ctx.folder()?;
        let named = match &self.vault {
            Some(name) => Some(name.clone()),
            None => from_environment()?,
        };
        let name = match named {
            Some(name) => name,
            None => match ClosedVault::all(&home)?.as_slice() {
                [] => {
                    let what = "there is no vault on this device";
                    return Err(
                        Failure::environment("no_vault", what).next("symbolon vault create")
                    );
                }
                [only] => only.clone(),
                many => {
                    let names: Vec<&str> = many.iter().map(VaultName::as_str).collect();
                    let what = format!("this device has several vaults: {}", names.join(", "));
                    let next = format!("the same command with --vault {}", names[0]);
                    return Err(Failure::usage(what).next(next));
                }
            },
        };
        Ok(ClosedVault::find(&home, &name)?)
    }

    /// The vault that is meant, open.
    pub fn open(&self, ctx: &Ctx, ask: Ask) -> Result<OpenVault, Failure> {
        let closed = self.find(ctx)?;
        let unlocked = unlock(&closed, ask)?;
        open(closed, unlocked)
    }
}

/// Opens the data key: by this device where it can, else by what a person types. A vault without a password
/// on this device is opened by a seed phrase where it would be by a password.
pub fn unlock(closed: &ClosedVault, ask: Ask) -> Result<Unlocked, Failure> {
    let by_seed = !closed.has_password() && closed.has_wallet();
    if closed.has_device() && ask == Ask::Person {
        match closed.unlock(&Unlocking::Device) {
            Ok(unlocked) => return Ok(unlocked),
            Err(error) if prompt::is_possible() => {
                out::say(&format!("This device does not open the vault: {error}."));
            }
            Err(error) => return Err(error.into()),
        }
    }
    match ask {
        Ask::Person if !prompt::is_possible() => {
            let by = if by_seed { "seed phrase" } else { "password" };
            let what =
                format!("the vault opens by its {by}, and nobody is at a terminal to type it");
            let file = if by_seed { "SEED_FILE" } else { "PASSWORD_FILE" };
            Err(Failure::locked(what)
                .next(format!("symbolon vault add device --from-stdin < {file}")))
        }
        Ask::Seed => by(closed, seeds::ask("the same command with --from-stdin < SEED_FILE")?),
        Ask::Person if by_seed => by(closed, seeds::ask("symbolon vault sync --seed")?),
        Ask::SeedOnStdin => by(closed, seeds::from_stdin()?),
        Ask::Stdin if by_seed => by(closed, seeds::from_stdin()?),
        Ask::Person => {
            let password = prompt::hidden("Password of the vault (not shown): ")?;
            Ok(closed.unlock(&Unlocking::Password(&password))?)
        }
        Ask::Stdin => {
            let password = secrets::from_stdin("password")?;
            Ok(closed.unlock(&Unlocking::Password(&password))?)
        }
        Ask::Recovery => {
            let again = "symbolon vault sync --recovery, at a terminal";
            let words = secrets::ask("recovery code", "Recovery code (not shown): ", again)?;
            let code = RecoveryCode::parse(&words).map_err(|error| {
                Failure::usage(format!("this is no recovery code: {error}"))
                    .next("compare the 24 words with the paper")
            })?;
            Ok(closed.unlock(&Unlocking::Recovery(&code))?)
        }
    }
}

fn by(closed: &ClosedVault, seed: Seed) -> Result<Unlocked, Failure> {
    Ok(closed.unlock(&Unlocking::Seed(&seed))?)
}

/// Opens the vault, and mends it where its files are damaged: from the copy beside, else from the server.
pub fn open(closed: ClosedVault, unlocked: Unlocked) -> Result<OpenVault, Failure> {
    let mut vault = closed.open(unlocked)?;
    match vault.condition() {
        Condition::Whole => {}
        Condition::FromCopy => {
            vault.save(&SystemRng)?;
            out::say(
                "The vault's items on this device were damaged; the copy beside them was whole. Nothing is lost.",
            );
        }
        Condition::Lost => {
            out::say("The vault's items on this device are damaged; fetching the server's copy.");
            let synced = sync(&mut vault)?;
            out::say(&format!("{} items were fetched again.", synced.received));
        }
    }
    Ok(vault)
}

/// Takes in what the server has and sends what waits.
pub fn sync(vault: &mut OpenVault) -> Result<Synced, Failure> {
    let mut client = client(vault)?;
    let runtime = runtime::single()?;
    Ok(runtime.block_on(vault.sync(&mut client, &SystemRng, &SystemClock))?)
}

/// A client of the vault's server.
pub fn client(vault: &OpenVault) -> Result<Client, Failure> {
    let account = vault.card().account.as_ref();
    let account = account.ok_or_else(|| Failure::from(SyncFailure::NoServer))?;
    Ok(Client::new(account.server.clone()))
}

/// The key of a server that a vault of this device knows already: another is refused.
pub fn pinned(home: &Path, server: &ServerUrl) -> Result<Option<ServerKey>, Failure> {
    for name in ClosedVault::all(home)? {
        let closed = ClosedVault::find(home, &name)?;
        let account = closed.card().account.as_ref().filter(|it| it.server == *server);
        if let Some(key) = account.and_then(Account::pinned) {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// How far a change came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reached {
    /// It is on the server.
    Server,
    /// It is on this device, and waits.
    Device,
}

/// Keeps a change, and sends it where the server answers. Where it does not, one line says so.
pub fn keep(vault: &mut OpenVault) -> Result<Reached, Failure> {
    vault.save(&SystemRng)?;
    if vault.card().account.is_none() {
        return Ok(Reached::Device);
    }
    let mut client = client(vault)?;
    let runtime = runtime::single()?;
    match runtime.block_on(vault.sync(&mut client, &SystemRng, &SystemClock)) {
        Ok(synced) => {
            tell_conflicts(vault, &synced);
            Ok(Reached::Server)
        }
        Err(error) if error.is_offline() => {
            let waits = vault.replica().pending();
            out::say(&format!("Kept on this device; {waits} waiting to be sent ({error})."));
            Ok(Reached::Device)
        }
        Err(error) => Err(error.into()),
    }
}

/// Says which items were written here and elsewhere.
pub fn tell_conflicts(vault: &OpenVault, synced: &Synced) {
    for conflict in &synced.conflicts {
        let title = vault.replica().overview(conflict.item).map(|o| o.title.to_string());
        let copy = short(&conflict.copy.to_string());
        out::say(&format!(
            "`{}` was changed here and elsewhere. Both are kept: yours is {copy}.",
            title.unwrap_or_default()
        ));
        out::say_next(&format!("symbolon note show {copy}"));
    }
}

/// The same for programs.
pub fn conflicts_json(synced: &Synced) -> Vec<Value> {
    let row = |it: &Conflict| json!({ "item": it.item, "copy": it.copy });
    synced.conflicts.iter().map(row).collect()
}

/// As much of an id as people read.
pub fn short(id: &str) -> String {
    id.chars().take(8).collect()
}

fn from_environment() -> Result<Option<VaultName>, Failure> {
    let Some(name) = std::env::var_os("SYMBOLON_VAULT").filter(|it| !it.is_empty()) else {
        return Ok(None);
    };
    let parsed = name.to_str().and_then(|name| name.parse().ok());
    parsed.map(Some).ok_or_else(|| {
        Failure::usage("SYMBOLON_VAULT is no name of a vault").next("unset SYMBOLON_VAULT")
    })
}

impl From<HolderError> for Failure {
    fn from(error: HolderError) -> Self {
        let says = error.to_string();
        match error {
            HolderError::Missing { .. } => {
                Self::environment("no_vault", says).next("symbolon vault status")
            }
            HolderError::Exists { name } => {
                Self::refused("exists", says).next(format!("symbolon vault status --vault {name}"))
            }
            HolderError::Busy => {
                Self::environment("vault_in_use", says).next("the same command again")
            }
            HolderError::TooOpen { path, .. } => Self::environment("vault_too_open", says)
                .next(format!("chmod -R go= {}", path.display())),
            HolderError::Damaged { .. } => Self::environment("vault_damaged", says)
                .next("symbolon vault join --vault NEW_NAME --server URL --handle NAME"),
            HolderError::Lost => Self::environment("vault_damaged", says)
                .next("restore the folder of `symbolon vault status` from a backup"),
            HolderError::Snapshot(_) => Self::environment("vault_unreadable", says)
                .next("symbolon --version, and a later one where the vault was used with it"),
            HolderError::Unlock(error) => match error {
                UnlockError::WrongSecret { method: Method::Passphrase } => {
                    Self::refused("wrong_secret", "the password is wrong").next(error.next_step())
                }
                UnlockError::WrongSecret { .. } => {
                    Self::refused("wrong_secret", says).next(error.next_step())
                }
                UnlockError::Damaged { .. } => {
                    Self::refused("vault_damaged", format!("a way to open the vault: {says}"))
                        .next("symbolon vault sync --recovery")
                }
                _ => Self::refused("unlock", says).next(error.next_step()),
            },
            HolderError::KeyFile(_) | HolderError::Fingerprint(_) => {
                Self::environment("device_key", says)
                    .next("symbolon vault add device, with the password")
            }
            HolderError::Wrap(_) => Self::refused("custody", says).next("symbolon vault methods"),
            HolderError::Edit(error) => error.into(),
            _ => Self::environment("vault", says).next("symbolon vault status"),
        }
    }
}

impl From<symbolon_vault::replica::EditError> for Failure {
    fn from(error: symbolon_vault::replica::EditError) -> Self {
        Self::refused("item", error.to_string()).next("symbolon note ls")
    }
}
