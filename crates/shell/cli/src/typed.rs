//! What a person types that opens their vault on this device and signs in at its server.

use symbolon_ambient::SystemRng;
use symbolon_crypto::Seed;
use symbolon_crypto::opaque::ExportKey;
use symbolon_holder::server::Session;
use symbolon_holder::{Account, Client, ClosedVault, Unlocking};
use symbolon_secret::Secret;

use crate::failure::Failure;
use crate::{secrets, seeds};

/// A password, or a seed phrase.
#[derive(Debug)]
pub enum Typed {
    /// It opens by Argon2id here, and signs in by OPAQUE.
    Password(Secret<[u8]>),
    /// It opens and signs in as the wallet that it is for.
    Seed(Seed),
}

/// A session, and what the password gives for a wrap that the server keeps.
#[derive(Debug)]
pub struct SignedIn {
    /// The session.
    pub session: Session,
    /// None for a seed phrase, whose wrap needs nothing of the server.
    pub export_key: Option<ExportKey>,
}

impl Typed {
    /// What the vault opens by: its password, or where it has none on this device the seed phrase of a
    /// wallet.
    pub fn of(closed: &ClosedVault, from_stdin: bool, command: &str) -> Result<Self, Failure> {
        let by_seed = !closed.has_password() && closed.has_wallet();
        let flag = |what: &str| format!("{command} --from-stdin < {what}_FILE");
        Ok(match (by_seed, from_stdin) {
            (false, true) => Self::Password(secrets::from_stdin("password")?),
            (false, false) => {
                let question = "Password of the vault (not shown): ";
                Self::Password(secrets::ask("password", question, &flag("PASSWORD"))?)
            }
            (true, true) => Self::Seed(seeds::from_stdin()?),
            (true, false) => Self::Seed(seeds::ask(&flag("SEED"))?),
        })
    }

    /// For this device.
    pub const fn unlocking(&self) -> Unlocking<'_> {
        match self {
            Self::Password(password) => Unlocking::Password(password),
            Self::Seed(seed) => Unlocking::Seed(seed),
        }
    }

    /// For the vault's server.
    pub async fn sign_in(
        &self,
        client: &mut Client,
        account: &Account,
    ) -> Result<SignedIn, symbolon_holder::server::ClientError> {
        match self {
            Self::Password(password) => {
                let (handle, pinned) = (&account.handle, account.pinned());
                let done = client.sign_in(handle, password, pinned, &SystemRng).await?;
                Ok(SignedIn { session: done.session, export_key: Some(done.export_key) })
            }
            Self::Seed(seed) => {
                let session = client.sign_in_by_seed(seed).await?;
                Ok(SignedIn { session, export_key: None })
            }
        }
    }
}
