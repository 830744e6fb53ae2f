//! `symbolon key ls`.

use serde_json::json;
use symbolon_holder::possession::KeyRing;

use super::Ctx;
use crate::failure::Failure;
use crate::{local_time, out};

/// List the API keys that this device proves
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples\n  symbolon key ls\n  symbolon key ls --json")]
pub struct Args {}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let all = KeyRing::of(&ctx.folder()?).all()?;
        if ctx.json {
            let rows: Vec<_> = all
                .iter()
                .map(|it| {
                    json!({ "service": it.audience, "account": it.account, "key": it.key,
                        "key_name": it.key_name, "issuer": it.issuer.to_string(), "device": it.device,
                        "device_name": it.device_name, "scopes": it.scopes,
                        "enrolled_unix_ms": it.enrolled_unix_ms })
                })
                .collect();
            return out::json(&rows);
        }
        if all.is_empty() {
            out::say("This device proves no API key.");
            out::say_next("symbolon key enrol https://api.example");
            return Ok(());
        }
        let rows: Vec<Vec<String>> = all
            .into_iter()
            .map(|it| {
                let enrolled = local_time::shown(it.enrolled_unix_ms);
                vec![it.audience, it.account, it.key_name, it.scopes, enrolled]
            })
            .collect();
        out::table(&["SERVICE", "ACCOUNT", "KEY", "SCOPES", "ENROLLED"], &rows)
    }
}
