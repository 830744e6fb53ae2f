//! `symbolon disconnect`

use serde_json::{Value, json};
use symbolon_server::control::Op;

use super::Ctx;
use crate::failure::Failure;
use crate::out;

/// Forget a connection and its credential
///
/// The sealed credential is deleted and its grants end. Revoke it at the service too.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon disconnect github")]
pub struct Args {
    /// The connection's name
    name: String,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let _: Value = ctx.broker()?.ask(&Op::Disconnect { name: self.name.clone() })?;
        if ctx.json {
            return out::json(&json!({ "disconnected": self.name }));
        }
        out::say(&format!("{} is forgotten; revoke the credential at the service too", self.name));
        Ok(())
    }
}
