//! `symbolon vault create`

use std::path::PathBuf;

use serde_json::{Value, json};
use symbolon_ambient::{SystemClock, SystemRng};
use symbolon_codec::b64url;
use symbolon_crypto::opaque::ServerKey;
use symbolon_crypto::{RecoveryCode, Seed};
use symbolon_custody::{Chain, Enrol, Opener};
use symbolon_holder::server::{Begun, Client, Session, no_server};
use symbolon_holder::{
    Account, DeviceSeal, Draft, HolderError, Local, Protect, ServerUrl, VaultName,
};
use symbolon_secret::Secret;

use super::Ctx;
use crate::failure::Failure;
use crate::secrets::{self, NotHere, Shown};
use crate::typed::Typed;
use crate::{out, runtime, seeds, vaults};

/// Make a vault, here alone or with a server that keeps a sealed copy
///
/// The password never leaves this device: the server learns a record that it can check, and nothing to
/// open the vault with (OPAQUE, RFC 9807). With --seed the vault opens by the seed phrase of a wallet (BIP-39) in
/// place of a password: the same phrase, or that wallet, opens it in the page. The recovery code is shown once.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon vault create --local
  symbolon vault create --local --device --from-stdin --recovery-file recovery.txt < password.txt
  symbolon vault create --server https://vault.example --handle amelie
  symbolon vault create --server http://localhost:7070 --handle amelie --device
  symbolon vault create --server https://vault.example --handle amelie --seed
  symbolon vault create --local --seed --generate")]
pub struct Args {
    /// The vault's name on this device
    #[arg(long = "vault", value_name = "NAME", default_value = "personal")]
    vault: VaultName,
    /// On this device alone
    #[arg(long, conflicts_with_all = ["server", "handle"], required_unless_present = "server")]
    local: bool,
    /// The server that keeps a sealed copy
    #[arg(long, value_name = "URL", requires = "handle")]
    server: Option<ServerUrl>,
    /// The name to sign in with there
    #[arg(long, value_name = "NAME", requires = "server")]
    handle: Option<String>,
    /// Let this device open the vault without asking
    #[arg(long)]
    device: bool,
    /// By a seed phrase in place of a password
    #[arg(long)]
    seed: bool,
    /// Make a new seed phrase: it is shown once, and two of its words are asked back
    #[arg(long, requires = "seed", conflicts_with = "from_stdin")]
    generate: bool,
    /// Read the new password from standard input; with --seed the words, and its passphrase in a second line
    #[arg(long)]
    from_stdin: bool,
    /// Write the recovery code to this new file (0600) instead of the terminal
    #[arg(long, value_name = "FILE")]
    recovery_file: Option<PathBuf>,
    #[command(flatten)]
    not_here: NotHere,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        self.not_here.refuse("password or seed phrase", COMMAND)?;
        let home = ctx.folder()?;
        let pinned = match &self.server {
            Some(server) => vaults::pinned(&home, server)?,
            None => None,
        };
        let draft = Draft::begin(&home, &self.vault)?;
        let planned = Shown::plan(self.recovery_file.as_deref(), COMMAND);
        let shown = match planned {
            Ok(shown) => shown,
            Err(failure) => {
                draft.give_up();
                return Err(failure);
            }
        };
        let code = RecoveryCode::make(&SystemRng);
        if let Err(failure) = self.make(draft, &code, pinned) {
            shown.give_up();
            return Err(failure);
        }
        let file = shown.show(&code.phrase())?;
        if ctx.json {
            return out::json(&json!({
                "vault": self.vault.as_str(), "server": self.server, "handle": self.handle,
                "recovery_file": file,
            }));
        }
        match &self.server {
            Some(server) => out::say(&format!(
                "The vault `{}` is made; {server} keeps a sealed copy.",
                self.vault
            )),
            None => out::say(&format!("The vault `{}` is made, on this device alone.", self.vault)),
        }
        if let Some(file) = file {
            out::say(&format!("Recovery code: {}; move it off this machine", file.display()));
        }
        out::say_next("symbolon note new \"First note\"");
        Ok(())
    }

    /// All of it but showing the code. A draft that came to nothing is taken away.
    fn make(
        &self,
        draft: Draft,
        code: &RecoveryCode,
        pinned: Option<ServerKey>,
    ) -> Result<(), Failure> {
        let made = self.typed().and_then(|typed| {
            let mut ways = Vec::new();
            if let Typed::Password(password) = &typed {
                ways.push(Protect::Password(password));
            }
            if self.device {
                ways.push(Protect::Device);
            }
            let local = draft.create(code, &ways, &SystemRng, &SystemClock)?;
            let local = match &typed {
                Typed::Password(_) => local,
                Typed::Seed(seed) => with_seed(local, self.server.as_ref(), seed)?,
            };
            match (&self.server, &self.handle) {
                (Some(server), Some(handle)) => {
                    out::say(&format!("Signing up at {server}."));
                    sign_up((server, pinned), handle, &typed, local)
                }
                _ => Ok((local, None)),
            }
        });
        match made {
            Ok((local, account)) => {
                draft.publish(local, account, &SystemRng)?;
                Ok(())
            }
            Err(failure) => {
                draft.give_up();
                Err(failure)
            }
        }
    }
}

impl Args {
    /// What the vault will open by, apart from its recovery code.
    fn typed(&self) -> Result<Typed, Failure> {
        Ok(match (self.seed, self.generate, self.from_stdin) {
            (true, true, _) => Typed::Seed(seeds::generate(COMMAND)?),
            (true, _, true) => Typed::Seed(seeds::from_stdin()?),
            (true, _, false) => {
                Typed::Seed(seeds::ask(&format!("{COMMAND} --seed --from-stdin < SEED_FILE"))?)
            }
            (false, _, from_stdin) => Typed::Password(new_password(from_stdin)?),
        })
    }
}

/// A new password: given on standard input, or typed twice.
fn new_password(from_stdin: bool) -> Result<Secret<[u8]>, Failure> {
    if !from_stdin {
        return secrets::ask_new_passphrase(&format!("{COMMAND} --from-stdin < PASSWORD_FILE"));
    }
    let given = secrets::from_stdin("password")?;
    secrets::check_passphrase(&given)?;
    Ok(given)
}

fn sign_up(
    (server, pinned): (&ServerUrl, Option<ServerKey>),
    handle: &str,
    typed: &Typed,
    local: Local,
) -> Result<(Local, Option<Account>), Failure> {
    let mut client = Client::new(server.clone());
    runtime::single()?.block_on(async {
        let (local, session, opaque_key): (Local, Session, String) = match typed {
            Typed::Password(password) => {
                let begun = client.begin_sign_up(handle, password, pinned, &SystemRng).await?;
                let local = with_password(local, &begun)?;
                let session = client.sign_up(&begun, &new_vault(&local)).await?;
                (local, session, begun.server_key.to_string())
            }
            Typed::Seed(seed) => {
                let session = client.sign_up_by_seed(handle, seed, &new_vault(&local)).await?;
                (local, session, String::new())
            }
        };
        let (device, key) = DeviceSeal::make(&local.unlocked, &SystemRng);
        client.add_key(&session, &key, "symbolon on a device").await?;
        let account = Account {
            server: server.clone(),
            handle: handle.to_owned(),
            id: session.account.clone(),
            opaque_key,
            device,
        };
        // It ends by itself where this is not heard.
        let _ = client.sign_out(session).await;
        Ok((local, Some(account)))
    })
}

/// With the wrap that a sign-in opens.
fn with_password(local: Local, begun: &Begun) -> Result<Local, HolderError> {
    let enrol = Enrol::new(Opener::Password(&begun.export_key));
    local.with_way(&enrol, &SystemRng, &SystemClock)
}

/// With the wrap of a seed phrase's wallet, which is asked at the server.
fn with_seed(local: Local, server: Option<&ServerUrl>, seed: &Seed) -> Result<Local, Failure> {
    let origin = match server {
        Some(server) => server.origin().map_err(|error| Failure::usage(error.to_string()))?,
        None => no_server(),
    };
    let enrol = Enrol::seed(&origin, seed, Chain::Ethereum);
    Ok(local.with_way(&enrol, &SystemRng, &SystemClock)?)
}

/// What `POST /api/account` takes of a vault.
fn new_vault(local: &Local) -> Value {
    let keys = local.replica.keys();
    json!({
        "id": keys.vault(),
        "head_key": b64url::encode(keys.head_key().as_bytes()),
        "share_key": b64url::encode(keys.share_key().as_bytes()),
        "wraps": local.card.elsewhere(),
        "head": local.replica.head(),
    })
}

const COMMAND: &str = "symbolon vault create";
