//! `symbolon container open`.

use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde_json::json;
use symbolon_broker::{SealedLayerKey, home_catalog};
use symbolon_codec::{Digest32, hex};
use symbolon_container::{Framed, Layer};
use symbolon_crypto::VerifyingKey;
use symbolon_import::foreign::{self, Findings, Origin, Source};
use symbolon_secret::Secret;
use symbolon_server::control::Op;

use super::signers::{known, refused};
use super::{keys, must_be_new, read, unlocked, write_new};
use crate::commands::Ctx;
use crate::commands::import::{Taking, show};
use crate::failure::Failure;
use crate::{out, secrets};

#[derive(Debug, Default, clap::Args)]
pub(in crate::commands) struct Args {
    /// The container
    #[arg(id = "box", value_name = "FILE")]
    pub file: PathBuf,
    #[command(flatten)]
    pub how: How,
}

/// How a container is opened.
#[derive(Debug, Default, clap::Args)]
pub(in crate::commands) struct How {
    /// The key that must have signed it, instead of those that you trust
    #[arg(long, value_name = "KEY")]
    pub signer: Option<String>,
    /// Only this layer; can be repeated
    #[arg(long = "layer", value_name = "LAYER")]
    pub layers: Vec<Layer>,
    /// A new folder for the layers that are no credentials
    #[arg(long = "into", value_name = "DIR")]
    pub into: Option<PathBuf>,
    /// Replace connections of the same names
    #[arg(long)]
    pub replace: bool,
    /// Open and check everything, and make nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Read the passphrase of the credentials from standard input
    #[arg(long)]
    pub passphrase_from_stdin: bool,
}

impl Args {
    pub(super) fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let contents = self.how.open(ctx, &self.file, None)?;
        self.how.take(ctx, contents)
    }
}

/// Layers that opened, and what it took.
pub(in crate::commands) struct Contents {
    all: Vec<(Layer, Secret<[u8]>)>,
    inner_ms: Option<u128>,
}

impl How {
    /// Passes every stage; nothing is written or made. With `deed`, the container must be the one that
    /// it names, by the signer that it names.
    pub(in crate::commands) fn open(
        &self,
        ctx: &Ctx,
        file: &Path,
        deed: Option<(&Digest32, &VerifyingKey)>,
    ) -> Result<Contents, Failure> {
        if let Some(folder) = &self.into {
            must_be_new(folder)?;
        }
        let bytes = read(file)?;
        let no = |e| refused(file, &e);
        let signed = Framed::parse(&bytes).and_then(Framed::verify).map_err(no)?;
        if let Some((digest, signer)) = deed
            && (signed.digest() != digest || signed.signer() != signer)
        {
            let message = format!("{} is not the container of this deed", file.display());
            return Err(
                Failure::refused("deed_container", message).next("symbolon container inspect FILE")
            );
        }
        let mut broker = unlocked(ctx)?;
        let known = known(&mut broker, self.signer.as_deref())?;
        let trusted = signed.trust(|key| known.contains(key)).map_err(no)?;
        let mut own = [0; 32];
        hex::decode_to_slice(&keys(&mut broker)?.recipient, &mut own)
            .map_err(|_| Failure::refused("answer", "the broker's key is none"))?;
        let received = trusted.receive(&own).map_err(no)?;
        let wanted: Vec<Layer> = match self.layers.is_empty() {
            true => received.layers().collect(),
            false => self.layers.clone(),
        };
        let sealed = wanted.iter().map(|layer| received.sealed_key(*layer).map_err(no));
        let sealed = sealed.collect::<Result<Vec<_>, _>>()?;
        let one = |key: &symbolon_container::SealedKey| SealedLayerKey {
            context: hex::encode(&key.context),
            sealed: hex::encode(key.sealed),
        };
        let op = Op::OpenLayerKeys { keys: sealed.iter().map(one).collect() };
        let opened = broker.exchange(&op, None)?.secret;
        let opened = opened.filter(|keys| keys.len() == 32 * wanted.len());
        let opened = opened.ok_or_else(|| Failure::refused("answer", "the broker sent no keys"))?;
        let mut contents = Contents { all: Vec::new(), inner_ms: None };
        for (n, layer) in wanted.into_iter().enumerate() {
            let key = Secret::<[u8; 32]>::make(|page| {
                // EXPOSE: cut out, from one secret page into another.
                page.copy_from_slice(&opened.expose()[32 * n..32 * (n + 1)]);
            });
            let layer_of = received.open(layer, &key).map_err(no)?;
            let content = if layer == Layer::Credentials {
                let passphrase = self.passphrase()?;
                let began = Instant::now();
                let content = layer_of.credentials(&passphrase).map_err(no)?;
                contents.inner_ms = Some(began.elapsed().as_millis());
                content
            } else {
                layer_of.content().map_err(no)?
            };
            contents.all.push((layer, content));
        }
        Ok(contents)
    }

    fn passphrase(&self) -> Result<Secret<[u8]>, Failure> {
        if self.passphrase_from_stdin {
            return secrets::from_stdin("passphrase");
        }
        let again = "the same command with --passphrase-from-stdin < FILE";
        secrets::ask("passphrase", "Passphrase of the credentials (not shown): ", again)
    }

    /// Makes connections of the credentials, all or none, then writes the other layers.
    pub(in crate::commands) fn take(&self, ctx: &Ctx, contents: Contents) -> Result<(), Failure> {
        let Contents { all, inner_ms } = contents;
        let is_file = |layer: Layer| layer != Layer::Credentials;
        let files: Vec<_> = all.iter().filter(|(layer, _)| is_file(*layer)).collect();
        if !files.is_empty() && self.into.is_none() && !self.dry_run {
            let names: Vec<_> = files.iter().map(|(layer, _)| layer.as_str()).collect();
            let message = format!("{} would be files, and no folder is named", names.join(", "));
            return Err(Failure::usage(message)
                .next("the same command with --into DIR, or --layer credentials"));
        }
        let mut found = Findings::default();
        for (_, content) in all.iter().filter(|(layer, _)| !is_file(*layer)) {
            let catalog = home_catalog(&ctx.existing()?, &[])?;
            let source = Source { name: "credentials", mode: 0o600, bytes: content };
            found = foreign::read(Origin::Env, &source, &catalog, None)
                .map_err(|e| Failure::refused("credentials", e.to_string()))?;
            // They never lay in a file here.
            found.risks.clear();
        }
        let taking = Taking { replace: self.replace, dry_run: self.dry_run, ..Taking::default() };
        let made = taking.take(ctx, &mut found)?;
        let mut written = Vec::new();
        if let (Some(folder), false) = (&self.into, self.dry_run || files.is_empty()) {
            written = write(folder, &files)?;
        }
        if ctx.json {
            let layers: Vec<_> = all.iter().map(|(layer, _)| *layer).collect();
            return out::json(&json!({
                "layers": layers, "connections": made, "files": written, "written": !self.dry_run,
                "left_out": found.left_out, "inner_seal_ms": inner_ms,
            }));
        }
        if let Some(ms) = inner_ms {
            out::say(&format!("the credentials took {ms} ms to open, by design (Argon2id)"));
        }
        for file in written {
            out::say(&format!("wrote {file}"));
        }
        show::result(ctx, &made, &[], &found, self.dry_run)
    }
}

/// A new folder with a file for each layer, or none.
fn write(folder: &Path, files: &[&(Layer, Secret<[u8]>)]) -> Result<Vec<String>, Failure> {
    let failed = |e: std::io::Error| Failure::file("make", folder, &e);
    std::fs::DirBuilder::new().mode(0o700).create(folder).map_err(failed)?;
    let mut written = Vec::new();
    for (layer, content) in files {
        let path = folder.join(layer.as_str());
        // EXPOSE: written to the new private file that the owner asked for.
        if let Err(e) = write_new(&path, content.expose()) {
            let _ = std::fs::remove_dir_all(folder);
            return Err(e);
        }
        written.push(path.display().to_string());
    }
    Ok(written)
}
