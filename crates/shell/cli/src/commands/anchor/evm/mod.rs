//! `symbolon anchor evm`

use clap::Subcommand;
use serde_json::json;
use symbolon_crypto::ethereum::EthereumKey;
use symbolon_secret::Secret;
use symbolon_server::control::Op;

use crate::commands::Ctx;
use crate::failure::Failure;
use crate::{out, runtime};

mod create;
mod deploy;
mod pay;
mod rpc;
mod verify;

/// Keep this home's checkpoints in a contract of an EVM chain, each larger than the one before
///
/// The contract has no owner and takes no money; what is paid is the chain's own fee, by an account whose key is a child of the
/// operator's: `symbolon anchor evm address` names it, for you to fund. Whoever checks chooses the server that they believe
/// about the chain.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon anchor evm address
  symbolon anchor evm deploy --rpc https://rpc.example
  symbolon anchor evm create --rpc https://rpc.example --contract 0x5FbDB2315678afecb367f032d93F642f64180aa3
  symbolon anchor evm create --rpc https://rpc.example --contract 0x5FbDB2315678afecb367f032d93F642f64180aa3 --every 1d
  symbolon anchor evm verify 120-0011223344556677.evm.json --rpc https://rpc.example")]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Show the account that pays for this home's anchors
    #[command(after_help = "Examples\n  symbolon anchor evm address --json")]
    Address,
    Deploy(deploy::Deploy),
    Create(create::Create),
    Verify(verify::Verify),
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        runtime::install_tls();
        match self.step {
            Step::Address => {
                let address = key(ctx)?.address().to_string();
                match ctx.json {
                    true => out::json(&json!({ "address": address })),
                    false => out::text(&format!("{address}\n")),
                }
            }
            Step::Deploy(args) => args.run(ctx),
            Step::Create(args) => args.run(ctx),
            Step::Verify(args) => args.run(ctx),
        }
    }
}

/// The account's key, from the broker that has the operator's.
fn key(ctx: &Ctx) -> Result<EthereumKey, Failure> {
    let answer = ctx.broker()?.exchange(&Op::AnchorKey {}, None)?;
    let another = || {
        Failure::refused("answer", "the broker's answer is of another version")
            .next("symbolon lock --stop")
    };
    let secret = answer.secret.filter(|secret| secret.len() == 32).ok_or_else(another)?;
    let bytes = Secret::make(|page: &mut [u8; 32]| {
        // EXPOSE: from one secret page to another.
        page.copy_from_slice(secret.expose());
    });
    EthereumKey::from_secret(&bytes).map_err(|error| Failure::refused("key", error.to_string()))
}
