//! `symbolon capsule peer`, and the files that it makes.

use std::path::{Path, PathBuf};

use serde_json::json;
use symbolon_ambient::{Rng, SystemRng};
use symbolon_crypto::{RecipientKey, RecipientSecret};
use symbolon_secret::Secret;

use super::place::{self, X25519};
use super::{Ctx, key};
use crate::facts::{self, NewFile};
use crate::failure::Failure;
use crate::out;

/// Make a key that facts of receipts can be sealed to
///
/// The file is your own to keep: it holds the private key as it is, for its owner alone. Its public half is written
/// beside it, as NAME.pub: whoever discloses to you needs that.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon capsule peer --out peer.key
  symbolon capsule disclose receipt.json --show input,output --to peer.pub --out sealed.json")]
pub struct Args {
    /// Where to write it: a new file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let path = self.out.with_extension("pub");
        let (private, public) = (NewFile::make(&self.out)?, NewFile::make(&path));
        let public = match public {
            Ok(public) => public,
            Err(failure) => return private.give_up(failure),
        };
        let seed = Secret::<[u8; 32]>::make(|out| SystemRng.fill(out));
        private.write_secret(&key::lines(&[(X25519, &seed)]))?;
        let key = RecipientSecret::derive(&seed).public();
        public.write(format!("{X25519}{key}\n").as_bytes())?;
        if ctx.json {
            return out::json(&json!({
                "private": self.out, "public": path, "x25519": key.to_string(),
            }));
        }
        out::text(&key.to_string())?;
        out::say(&format!("Private: {}. Public: {}.", self.out.display(), path.display()));
        out::say_next(&format!("give {} to whoever discloses to you", path.display()));
        Ok(())
    }
}

/// A peer's public key.
pub fn public(path: &Path) -> Result<RecipientKey, Failure> {
    let bytes = facts::read(path, KEY_BYTES_MAX)?;
    let text = String::from_utf8_lossy(&bytes);
    let digits = text.trim_end().strip_prefix(X25519).unwrap_or_default();
    RecipientKey::from_hex(digits).map_err(|error| {
        let what = format!("{} holds no public key of a peer: {error}", path.display());
        Failure::refused("peer_key", what).next("symbolon capsule peer --out NAME.key")
    })
}

/// A peer's private key.
pub fn private(path: &Path) -> Result<RecipientSecret, Failure> {
    let text = place::private_text(path)?;
    let seed = place::seed(&text, X25519).ok_or_else(|| {
        let what = format!("{} holds no private key of a peer", path.display());
        Failure::refused("peer_key", what).next("symbolon capsule peer --out NAME.key")
    })?;
    Ok(RecipientSecret::derive(&seed))
}

const KEY_BYTES_MAX: usize = 256;
