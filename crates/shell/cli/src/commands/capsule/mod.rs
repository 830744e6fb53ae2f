//! `symbolon capsule`: signed components that run shut in.

mod build;
mod certify;
mod disclose;
mod doors;
mod key;
mod log;
mod open;
mod peer;
pub(super) mod place;
mod prove_binary;
mod receipt;
mod receipts;
mod revoke;
mod run;
mod show;
mod sign;
mod source;
mod tool;
mod trust;
mod wit;

use clap::Subcommand;

use super::Ctx;
use crate::failure::Failure;
pub(super) use prove_binary::nonce;

/// Run signed WebAssembly components that can do what their manifest says, and no more
///
/// A manifest says what a component is (its hash), what it asks for and how much it may use; its
/// publisher signs it, under a certificate of a root that you trust. It runs in a process of its own
/// without files, network or environment.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon capsule key --out publisher.key
  symbolon capsule build hello.wasm
  symbolon capsule sign hello.manifest.json --key publisher.key
  symbolon capsule run hello.wasm --input @in.json --root root.pub --receipt receipt.json
  symbolon mount add clerk --capsule clerk.wasm      as a tool of agents
  symbolon capsule disclose receipt.json --show time,policy --out shown.json
  symbolon capsule log receipt.json --out witnessed.json
  symbolon capsule prove-binary hello.wasm --for https://auditor.example --out hello.proof")]
pub struct Args {
    #[command(subcommand)]
    step: Step,
}

#[derive(Debug, Subcommand)]
enum Step {
    Key(key::Args),
    Certify(certify::Args),
    Trust(trust::Args),
    Revoke(revoke::Args),
    Wit(wit::Args),
    Build(build::Args),
    Sign(sign::Args),
    Run(Box<run::Args>),
    Tool(tool::Args),
    Show(show::Args),
    Log(log::Args),
    Disclose(disclose::Args),
    Peer(peer::Args),
    Open(open::Args),
    Release(open::ReleaseArgs),
    ProveBinary(prove_binary::Args),
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        match self.step {
            Step::Key(args) => args.run(ctx),
            Step::Certify(args) => args.run(ctx),
            Step::Trust(args) => args.run(ctx),
            Step::Revoke(args) => args.run(ctx),
            Step::Wit(args) => args.run(ctx),
            Step::Build(args) => args.run(ctx),
            Step::Sign(args) => args.run(ctx),
            Step::Run(args) => args.run(ctx),
            Step::Tool(args) => args.run(ctx),
            Step::Show(args) => args.run(ctx),
            Step::Log(args) => args.run(ctx),
            Step::Disclose(args) => args.run(ctx),
            Step::Peer(args) => args.run(ctx),
            Step::Open(args) => args.run(ctx),
            Step::Release(args) => args.run(ctx),
            Step::ProveBinary(args) => args.run(ctx),
        }
    }
}

/// The process that a capsule runs in. Not for people.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon capsule run hello.wasm      starts it")]
pub struct Child {}

impl Child {
    pub fn run(self) -> Result<(), Failure> {
        symbolon_capsule_host::serve_child()
            .map_err(|error| Failure::environment("capsule_process", error.to_string()))
    }
}
