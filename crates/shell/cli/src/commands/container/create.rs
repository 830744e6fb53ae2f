//! `symbolon container create` and `send`.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde_json::json;
use symbolon_ambient::{Clock, SystemClock, SystemRng};
use symbolon_broker::{SignatureView, home_catalog};
use symbolon_codec::{Digest32, hex};
use symbolon_container::{ContainerError, LAYER_BYTES_MAX, Layer, Plan};
use symbolon_crypto::{Params, RecipientKey};
use symbolon_import::foreign::{self, Origin, Source};
use symbolon_secret::Secret;
use symbolon_server::control::Op;

use super::signers;
use super::{keys, must_be_new, unlocked, write_new};
use crate::commands::Ctx;
use crate::commands::import::files;
use crate::failure::Failure;
use crate::link::Link;
use crate::{out, secrets};

/// What goes in, and for whom.
#[derive(Debug, clap::Args)]
struct Content {
    /// A layer and the file that it holds; credentials are a .env file. Can be repeated
    #[arg(long = "layer", value_name = "LAYER=FILE", required = true)]
    layers: Vec<String>,
    /// Read the passphrase of the credentials from standard input
    #[arg(long)]
    passphrase_from_stdin: bool,
    /// The new file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    content: Content,
    /// A home's key, with all layers or with those that are named. Can be repeated, 8 times at most
    #[arg(long, value_name = "KEY[=LAYER,LAYER]", required = true)]
    to: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct SendArgs {
    #[command(flatten)]
    content: Content,
    /// The home's key that it is sealed to
    #[arg(long, value_name = "KEY")]
    to: String,
    /// That home's signer's key, which the deed is made out to
    #[arg(long, value_name = "SIGNER")]
    owner: String,
}

impl Args {
    pub(super) fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let digest = self.content.make(ctx, &self.to)?;
        let out = self.content.out.display();
        if ctx.json {
            return out::json(&json!({ "file": out.to_string(), "digest": digest }));
        }
        out::say(&format!("{out} is sealed to {} and signed", self.to.len()));
        out::say_next(&format!("symbolon container inspect {out}"));
        Ok(())
    }
}

impl SendArgs {
    pub(super) fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let owner = signers::parse(&self.owner)?;
        let mut deed = self.content.out.clone().into_os_string();
        deed.push(".deed");
        let deed = PathBuf::from(deed);
        must_be_new(&deed)?;
        let digest = self.content.make(ctx, std::slice::from_ref(&self.to))?;
        crate::commands::deed::begin(ctx, digest, owner, &deed).inspect_err(|_| {
            // One without the other is half of a hand-over.
            let _ = std::fs::remove_file(&self.content.out);
        })?;
        let (out, deed) = (self.content.out.display(), deed.display());
        if ctx.json {
            let (file, deed) = (out.to_string(), deed.to_string());
            return out::json(&json!({ "file": file, "deed": deed, "digest": digest }));
        }
        out::say(&format!(
            "{out} and its deed {deed}: send both, and the passphrase by another way"
        ));
        out::say_next(&format!(
            "symbolon deed accept {deed} --container {out} --out NEW   (there)"
        ));
        Ok(())
    }
}

impl Content {
    /// Reads every layer, seals, has it signed, writes. Gives the digest.
    fn make(&self, ctx: &Ctx, to: &[String]) -> Result<Digest32, Failure> {
        must_be_new(&self.out)?;
        let layers =
            self.layers.iter().map(|text| read_layer(text)).collect::<Result<Vec<_>, _>>()?;
        let names: Vec<Layer> = layers.iter().map(|(layer, _)| *layer).collect();
        let recipients =
            to.iter().map(|text| recipient(text, &names)).collect::<Result<Vec<_>, _>>()?;
        let mut passphrase = None;
        if let Some((_, content)) = layers.iter().find(|(layer, _)| *layer == Layer::Credentials) {
            check_credentials(ctx, content)?;
            passphrase = Some(match self.passphrase_from_stdin {
                true => secrets::from_stdin("passphrase")?,
                false => secrets::ask_new_passphrase(
                    "the same command with --passphrase-from-stdin < FILE",
                )?,
            });
        }
        if let Some(passphrase) = &passphrase {
            secrets::check_passphrase(passphrase)?;
        }
        let mut broker = unlocked(ctx)?;
        let plan = Plan {
            layers: layers.iter().map(|(layer, content)| (*layer, content)).collect(),
            recipients,
            passphrase: passphrase.as_ref(),
            params: Params::default(),
            signer: signers::parse(&keys(&mut broker)?.signer)?,
            created_unix_ms: SystemClock.unix_ms(),
        };
        let made = |e: ContainerError| signers::refused(&self.out, &e);
        let unsigned = plan.seal(&SystemRng).map_err(made)?;
        let digest = unsigned.digest();
        let signature = sign(&mut broker, &Op::SignContainer { digest })?;
        write_new(&self.out, &unsigned.sign(&signature).map_err(made)?)?;
        Ok(digest)
    }
}

/// A signature that the broker gives.
pub(in crate::commands) fn sign(broker: &mut Link, op: &Op) -> Result<[u8; 64], Failure> {
    let view: SignatureView = broker.ask(op)?;
    signature(&view.signature)
}

/// 64 bytes in hex.
pub(in crate::commands) fn signature(hex: &str) -> Result<[u8; 64], Failure> {
    let mut signature = [0; 64];
    hex::decode_to_slice(hex, &mut signature)
        .map_err(|_| Failure::refused("answer", "the broker's signature is none"))?;
    Ok(signature)
}

fn read_layer(text: &str) -> Result<(Layer, Secret<[u8]>), Failure> {
    let wrong = |why: &str| {
        Failure::usage(format!("--layer {text}: {why}")).next("symbolon container create --help")
    };
    let (name, file) = text.split_once('=').ok_or_else(|| wrong("it is LAYER=FILE"))?;
    let layer = Layer::from_str(name).map_err(|e| wrong(&e.to_string()))?;
    let content = files::read(Path::new(file))?.bytes;
    if content.len() > LAYER_BYTES_MAX {
        return Err(wrong(&format!("a layer has at most {LAYER_BYTES_MAX} bytes")));
    }
    Ok((layer, content))
}

/// `KEY` with all layers, or `KEY=LAYER,LAYER`.
fn recipient(text: &str, all: &[Layer]) -> Result<(RecipientKey, Vec<Layer>), Failure> {
    let wrong = |why: String| {
        Failure::usage(format!("--to {text}: {why}")).next("symbolon container key   (there)")
    };
    let (key, layers) = text.split_once('=').map_or((text, None), |(key, own)| (key, Some(own)));
    let key = RecipientKey::from_hex(key).map_err(|e| wrong(e.to_string()))?;
    let Some(layers) = layers else { return Ok((key, all.to_vec())) };
    let one = |name: &str| Layer::from_str(name).map_err(|e| wrong(e.to_string()));
    Ok((key, layers.split(',').map(one).collect::<Result<_, _>>()?))
}

/// Whoever opens the container makes connections of it: so it is read as they will read it.
fn check_credentials(ctx: &Ctx, content: &Secret<[u8]>) -> Result<(), Failure> {
    let catalog = home_catalog(&ctx.existing()?, &[])?;
    let source = Source { name: "credentials", mode: 0o600, bytes: content };
    let found = foreign::read(Origin::Env, &source, &catalog, None).map_err(|e| {
        Failure::refused("credentials", format!("the layer credentials is a .env file: {e}"))
            .next("symbolon import env FILE --dry-run")
    })?;
    for one in &found.left_out {
        out::say(&format!("no connection there: {}: {}", one.at, one.why));
    }
    if found.drafts.is_empty() {
        return Err(Failure::refused("credentials", "no credential of a service is in the file")
            .next("symbolon import env FILE --dry-run"));
    }
    Ok(())
}
