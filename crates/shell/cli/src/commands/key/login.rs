//! `symbolon key login`: a proof, and a token for it.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use serde_json::json;
use symbolon_ambient::{Clock, Rng, SystemClock, SystemRng};
use symbolon_codec::b64url;
use symbolon_holder::possession::OpenKey;
use symbolon_holder::server::{Client, Token};
use symbolon_possession::token::dpop::{DpopClaims, ath};
use symbolon_possession::token::{Scopes, compact};

use super::{Ctx, Whose};
use crate::failure::Failure;
use crate::{out, runtime};

/// Prove a key, and have a token
///
/// The token is good for 5 to 15 minutes and for this device alone: each request carries a DPoP
/// proof beside it (RFC 9449). Nothing is printed but with --json, --show or --header; with --out
/// the token goes to a file that only you can read.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon key login https://api.example --scope read
  symbolon key login https://api.example --scope read --scope write --out TOKEN_FILE
  symbolon key login https://api.example --scope read --header \"GET https://api.example/items\"")]
pub struct Args {
    #[command(flatten)]
    whose: Whose,
    /// What the token is to be good for; several with several flags
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    scopes: Vec<String>,
    /// Write the token to this new file, for its owner alone
    #[arg(long, value_name = "FILE", conflicts_with_all = ["show", "header"])]
    out: Option<PathBuf>,
    /// Print the token
    #[arg(long, conflicts_with = "header")]
    show: bool,
    /// Print the two headers of one request, "METHOD URL": good once, within a minute
    #[arg(long, value_name = "REQUEST")]
    header: Option<String>,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let scopes = Scopes::of(&self.scopes.join(" ")).map_err(|error| {
            Failure::usage(error.to_string()).next("symbolon key login URL --scope read")
        })?;
        let request = self.header.as_deref().map(request).transpose()?;
        let (ring, card) = self.whose.find(ctx)?;
        let key = ring.open(&card)?;
        let mut client = Client::new(card.issuer.clone());
        let runtime = runtime::single()?;
        let token = runtime.block_on(key.log_in(&mut client, &card, &scopes, &SystemRng))?;
        if let Some((method, url)) = &request {
            let proof = proof(&key, &token, method, url)?;
            let headers = json!({ "Authorization": format!("DPoP {}", token.access_token),
                "DPoP": proof });
            if ctx.json {
                return out::json(&headers);
            }
            out::text(&format!("Authorization: DPoP {}", token.access_token))?;
            return out::text(&format!("DPoP: {proof}"));
        }
        if let Some(path) = &self.out {
            keep(path, &token)?;
        }
        if ctx.json {
            let mut told = json!({ "token_type": token.token_type, "expires_in": token.expires_in,
                "scope": token.scope });
            match &self.out {
                Some(path) => told["file"] = json!(path),
                None => told["access_token"] = json!(token.access_token),
            }
            return out::json(&told);
        }
        if self.show {
            out::text(&token.access_token)?;
        }
        out::say(&format!(
            "Logged in to {} for {}, {} minutes, on this device alone.",
            card.audience,
            token.scope,
            token.expires_in / 60
        ));
        if self.out.is_none() && !self.show {
            out::say_next(&format!(
                "symbolon key login {} --scope {} --header \"GET {}/\"",
                card.audience, self.scopes[0], card.audience
            ));
        }
        Ok(())
    }
}

/// What beside the token proves one request.
fn proof(key: &OpenKey, token: &Token, method: &str, url: &str) -> Result<String, Failure> {
    let jwk = key.jwk().ok_or_else(|| Failure::refused("device_key", "no key of this device"))?;
    let mut id = [0; 16];
    SystemRng.fill(&mut id);
    let claims = DpopClaims {
        jti: b64url::encode(&id),
        htm: method.to_owned(),
        htu: url.to_owned(),
        iat: SystemClock.unix_ms() / 1000,
        ath: ath(&token.access_token),
    };
    let input = claims.signing_input(&jwk);
    let signature = key.device.sign(input.as_bytes());
    Ok(compact(input, &signature))
}

/// `METHOD URL`, without query and fragment (RFC 9449, section 4.2).
fn request(text: &str) -> Result<(String, String), Failure> {
    let wrong = || {
        Failure::usage("a request is a method and an address")
            .next("--header \"GET https://api.example/items\"")
    };
    let (method, url) = text.split_once(' ').ok_or_else(wrong)?;
    let is_method = !method.is_empty() && method.bytes().all(|b| b.is_ascii_uppercase());
    let url = url.split(['?', '#']).next().unwrap_or_default();
    let is_url = url.starts_with("https://") || url.starts_with("http://localhost");
    let is_plain = url.bytes().all(|b| b.is_ascii_graphic() && b != b'"');
    match is_method && is_url && is_plain {
        true => Ok((method.to_owned(), url.to_owned())),
        false => Err(wrong()),
    }
}

fn keep(path: &Path, token: &Token) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    let made = options.write(true).create_new(true).mode(0o600).open(path);
    let mut file = made.map_err(|error| Failure::file("make", path, &error))?;
    let written = file.write_all(token.access_token.as_bytes());
    written.map_err(|error| Failure::file("write", path, &error))
}
