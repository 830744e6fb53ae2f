//! `symbolon vault join`

use serde_json::json;
use symbolon_ambient::{SystemClock, SystemRng};
use symbolon_crypto::opaque::ServerKey;
use symbolon_custody::Opener;
use symbolon_holder::server::{By, Client, Session};
use symbolon_holder::{
    Account, ClosedVault, DeviceSeal, Draft, Local, Protect, ServerUrl, VaultName,
};

use super::Ctx;
use crate::failure::Failure;
use crate::secrets::{self, NotHere};
use crate::typed::Typed;
use crate::{out, runtime, seeds, vaults};

/// Open a vault of a server on this device as well
///
/// By its password, or with --seed by the seed phrase of a wallet that opens it. Joined by a phrase, the vault asks
/// for the phrase on this device too.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon vault join --server https://vault.example --handle amelie
  symbolon vault join --server http://localhost:7070 --handle amelie --device --from-stdin < password.txt
  symbolon vault join --server https://vault.example --handle amelie --seed")]
pub struct Args {
    /// The vault's name on this device
    #[arg(long = "vault", value_name = "NAME", default_value = "personal")]
    vault: VaultName,
    /// The server that keeps it
    #[arg(long, value_name = "URL")]
    server: ServerUrl,
    /// The name to sign in with there
    #[arg(long, value_name = "NAME")]
    handle: String,
    /// Let this device open the vault without asking
    #[arg(long)]
    device: bool,
    /// By a seed phrase in place of the password
    #[arg(long)]
    seed: bool,
    /// Read the password from standard input; with --seed the words, and its passphrase in a second line
    #[arg(long)]
    from_stdin: bool,
    #[command(flatten)]
    not_here: NotHere,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        self.not_here.refuse("password or seed phrase", "symbolon vault join")?;
        let home = ctx.folder()?;
        let draft = Draft::begin(&home, &self.vault)?;
        let joined = self.typed().and_then(|typed| {
            out::say(&format!("Signing in at {}.", self.server));
            let pinned = vaults::pinned(&home, &self.server)?;
            self.join(&draft, &typed, pinned)
        });
        let (local, account) = match joined {
            Ok(joined) => joined,
            Err(failure) => {
                draft.give_up();
                return Err(failure);
            }
        };
        let unlocked = draft.publish(local, Some(account), &SystemRng)?;
        let closed = ClosedVault::find(&home, &self.vault)?;
        let mut vault = closed.open(unlocked)?;
        let synced = vaults::sync(&mut vault)?;
        if ctx.json {
            return out::json(&json!({
                "vault": self.vault.as_str(), "server": self.server, "handle": self.handle,
                "received": synced.received,
            }));
        }
        out::say(&format!(
            "The vault `{}` is on this device, with {} items.",
            self.vault, synced.received
        ));
        out::say_next("symbolon note ls");
        Ok(())
    }

    fn typed(&self) -> Result<Typed, Failure> {
        let flag = "symbolon vault join --server URL --handle NAME";
        Ok(match (self.seed, self.from_stdin) {
            (true, true) => Typed::Seed(seeds::from_stdin()?),
            (true, false) => {
                Typed::Seed(seeds::ask(&format!("{flag} --seed --from-stdin < SEED_FILE"))?)
            }
            (false, true) => Typed::Password(secrets::from_stdin("password")?),
            (false, false) => Typed::Password(secrets::ask(
                "password",
                "Password (not shown): ",
                &format!("{flag} --from-stdin < PASSWORD_FILE"),
            )?),
        })
    }

    fn join(
        &self,
        draft: &Draft,
        typed: &Typed,
        pinned: Option<ServerKey>,
    ) -> Result<(Local, Account), Failure> {
        let mut client = Client::new(self.server.clone());
        runtime::single()?.block_on(async {
            let (session, export_key, opaque_key): (Session, _, String) = match typed {
                Typed::Password(password) => {
                    let done = client.sign_in(&self.handle, password, pinned, &SystemRng).await?;
                    (done.session, Some(done.export_key), done.server_key.to_string())
                }
                Typed::Seed(seed) => (client.sign_in_by_seed(seed).await?, None, String::new()),
            };
            let view = client.vault(By::Session(&session)).await?;
            let custody = view.custody().ok_or_else(|| {
                Failure::refused("answer", "the server's wraps are of no known form")
                    .next("symbolon --version, and a later one where the vault was made with it")
            })?;
            let opener = match (&export_key, typed) {
                (Some(export_key), _) => Opener::Password(export_key),
                (None, Typed::Seed(seed)) => Opener::Seed(seed),
                (None, Typed::Password(password)) => Opener::Passphrase(password),
            };
            let unlocked = custody.unlock(&opener).map_err(symbolon_holder::HolderError::from)?;
            let mut ways = Vec::new();
            if let Typed::Password(password) = typed {
                ways.push(Protect::Password(password));
            }
            if self.device {
                ways.push(Protect::Device);
            }
            let local = draft.join(custody, unlocked, &ways, &SystemRng, &SystemClock)?;
            let (device, key) = DeviceSeal::make(&local.unlocked, &SystemRng);
            client.add_key(&session, &key, "symbolon on a device").await?;
            let account = Account {
                server: self.server.clone(),
                handle: self.handle.clone(),
                id: session.account.clone(),
                opaque_key,
                device,
            };
            // It ends by itself where this is not heard.
            let _ = client.sign_out(session).await;
            Ok((local, account))
        })
    }
}
