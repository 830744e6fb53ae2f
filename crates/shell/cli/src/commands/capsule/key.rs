//! `symbolon capsule key`

use std::path::PathBuf;

use serde_json::json;
use symbolon_ambient::{Rng, SystemRng};
use symbolon_capsule::SigningKeys;
use symbolon_circuits::IssuerKey;
use symbolon_codec::hex;
use symbolon_crypto::{PqSigningKey, SigningKey};
use symbolon_secret::Secret;

use super::place::{ED25519, JUBJUB, ML_DSA_65};
use super::{Ctx, place};
use crate::facts::NewFile;
use crate::failure::Failure;
use crate::out;

/// Make a publisher's key, or a root's
///
/// The file is your own to keep: it holds the private key as it is, for its owner alone. Its public
/// half is written beside it, as NAME.pub. In it is a second key too, by which whoever runs a publisher's capsules can show
/// that one of them ran, and not which.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon capsule key --out publisher.key
  symbolon capsule key --out root.key --post-quantum")]
pub struct Args {
    /// Where to write it: a new file
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// With an ML-DSA-65 key beside the Ed25519 one: what it signs needs both signatures
    #[arg(long)]
    post_quantum: bool,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let path = self.out.with_extension("pub");
        let (private, public) = (NewFile::make(&self.out)?, NewFile::make(&path));
        let public = match public {
            Ok(public) => public,
            Err(failure) => return private.give_up(failure),
        };
        let make = || Secret::<[u8; 32]>::make(|out| SystemRng.fill(out));
        let (first, second) = (make(), self.post_quantum.then(make));
        let statements = IssuerKey::make(&SystemRng);
        let keys = [
            Some((ED25519, &first)),
            Some((JUBJUB, statements.secret())),
            second.as_ref().map(|it| (ML_DSA_65, it)),
        ];
        private.write_secret(&lines(&keys.into_iter().flatten().collect::<Vec<_>>()))?;
        let keys = SigningKeys {
            ed25519: SigningKey::from_seed(first),
            jubjub: Some(statements),
            ml_dsa_65: second.map(PqSigningKey::from_seed),
        };
        let text = serde_json::to_vec(&keys.public()).unwrap_or_default();
        public.write(&text)?;
        debug_assert!(place::public(&path).is_ok());
        let key = keys.public().ed25519;
        if ctx.json {
            return out::json(&json!({
                "private": self.out, "public": path, "ed25519": key,
                "jubjub": keys.public().jubjub, "ml_dsa_65": self.post_quantum,
            }));
        }
        out::text(&key.to_string())?;
        out::say(&format!("Private: {}. Public: {}.", self.out.display(), path.display()));
        out::say_next("symbolon capsule build hello.wasm");
        Ok(())
    }
}

/// Each seed behind its word, on a line of its own.
pub fn lines(keys: &[(&str, &Secret<[u8; 32]>)]) -> Secret<[u8]> {
    let length = keys.iter().map(|(word, _)| word.len() + 65).sum();
    Secret::<[u8]>::make_slice(length, |page| {
        let mut at = 0;
        for (word, seed) in keys {
            page[at..at + word.len()].copy_from_slice(word.as_bytes());
            at += word.len();
            // EXPOSE: the seed is written as digits from its page to another, of 64 bytes.
            let written = hex::encode_to_slice(seed.expose(), &mut page[at..at + 64]);
            debug_assert!(written.is_ok());
            at += 64;
            page[at] = b'\n';
            at += 1;
        }
    })
}
