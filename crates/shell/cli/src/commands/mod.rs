//! One file for each command: what it takes, what it asks the broker, how it shows the answer.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Subcommand;
use symbolon_store::Home;

use crate::failure::Failure;
use crate::link::Link;
use crate::{daemon, home};

mod accounts;
mod agents;
mod anchor;
mod approvals;
mod attack;
mod audit;
mod backup;
mod bench;
mod broker;
mod call;
mod capsule;
mod catalog;
mod claims;
mod connect;
mod connections;
mod container;
mod custody;
mod deed;
mod disconnect;
mod doctor;
mod flow;
mod grant;
mod grants;
mod import;
mod init;
mod issuer;
mod item;
mod key;
mod lock;
mod log;
mod mcp;
mod minted;
mod monitor;
mod mount;
mod node;
mod note;
mod operator;
mod owner;
mod page;
mod policy;
mod prove;
mod receipts;
mod revoke;
mod run;
mod serve;
mod share;
mod status;
mod tools;
mod trust;
mod unlock;
mod up;
mod vault;
mod verify;
mod witness;
mod witnesses;

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    Init(init::Args),
    Vault(Box<vault::Args>),
    Note(Box<note::Args>),
    Item(Box<item::Args>),
    Share(Box<share::Args>),
    Key(Box<key::Args>),
    Claims(Box<claims::Args>),
    Prove(Box<prove::Args>),
    Issuer(Box<issuer::Args>),
    Connect(Box<connect::Args>),
    Import(import::Args),
    Container(Box<container::Args>),
    Capsule(capsule::Args),
    Deed(deed::Args),
    Disconnect(disconnect::Args),
    Connections(connections::Args),
    Minted(minted::Args),
    Mount(mount::Args),
    Grant(grant::Args),
    Grants(grants::Args),
    Revoke(revoke::Args),
    Approvals(approvals::Args),
    Approve(approvals::Approve),
    Deny(approvals::Deny),
    Policy(policy::Args),
    Mcp(mcp::Args),
    Run(run::Args),
    Call(call::Args),
    Flow(flow::Args),
    Tools(tools::Args),
    Catalog(catalog::Args),
    Receipts(receipts::Args),
    Anchor(anchor::Args),
    Audit(audit::Args),
    Backup(backup::Args),
    Restore(backup::Restore),
    Verify(verify::Args),
    Witnesses(witnesses::Args),
    Witness(witness::Args),
    Log(log::Args),
    Monitor(monitor::Args),
    Trust(trust::Args),
    Operator(operator::Args),
    Node(node::Args),
    Status(status::Args),
    Lock(lock::Args),
    Unlock(unlock::Args),
    Custody(custody::Args),
    Agents(agents::Args),
    Owner(owner::Args),
    Page(page::Args),
    Up(up::Args),
    Serve(serve::Args),
    Accounts(accounts::Args),
    Doctor(doctor::Args),
    Attack(attack::Args),
    Bench(bench::Args),
    #[command(hide = true)]
    Broker(broker::Args),
    #[command(hide = true)]
    CapsuleChild(capsule::Child),
}

impl Command {
    /// Does it.
    pub fn run(self, ctx: &Ctx) -> Result<ExitCode, Failure> {
        let done = |()| ExitCode::SUCCESS;
        match self {
            Self::Init(args) => args.run(ctx).map(done),
            Self::Vault(args) => args.run(ctx).map(done),
            Self::Note(args) => args.run(ctx).map(done),
            Self::Item(args) => args.run(ctx).map(done),
            Self::Share(args) => args.run(ctx).map(done),
            Self::Key(args) => args.run(ctx).map(done),
            Self::Claims(args) => args.run(ctx).map(done),
            Self::Prove(args) => args.run(ctx).map(done),
            Self::Issuer(args) => args.run(ctx).map(done),
            Self::Connect(args) => args.run(ctx).map(done),
            Self::Import(args) => args.run(ctx).map(done),
            Self::Capsule(args) => args.run(ctx).map(done),
            Self::Container(args) => args.run(ctx).map(done),
            Self::Deed(args) => args.run(ctx).map(done),
            Self::Disconnect(args) => args.run(ctx).map(done),
            Self::Connections(args) => args.run(ctx),
            Self::Minted(args) => args.run(ctx).map(done),
            Self::Mount(args) => args.run(ctx).map(done),
            Self::Grant(args) => args.run(ctx).map(done),
            Self::Grants(args) => args.run(ctx).map(done),
            Self::Revoke(args) => args.run(ctx).map(done),
            Self::Approvals(args) => args.run(ctx).map(done),
            Self::Approve(args) => args.run(ctx).map(done),
            Self::Deny(args) => args.run(ctx).map(done),
            Self::Run(args) => args.run(ctx),
            Self::Policy(args) => args.run(ctx).map(done),
            Self::Mcp(args) => args.run(ctx).map(done),
            Self::Call(args) => args.run(ctx).map(done),
            Self::Flow(args) => args.run(ctx).map(done),
            Self::Tools(args) => args.run(ctx).map(done),
            Self::Catalog(args) => args.run(ctx).map(done),
            Self::Receipts(args) => args.run(ctx).map(done),
            Self::Anchor(args) => args.run(ctx).map(done),
            Self::Audit(args) => args.run(ctx).map(done),
            Self::Backup(args) => args.run(ctx).map(done),
            Self::Restore(args) => args.run(ctx).map(done),
            Self::Verify(args) => args.run(ctx).map(done),
            Self::Witnesses(args) => args.run(ctx).map(done),
            Self::Witness(args) => args.run(ctx).map(done),
            Self::Log(args) => args.run(ctx).map(done),
            Self::Monitor(args) => args.run(ctx).map(done),
            Self::Trust(args) => args.run(ctx).map(done),
            Self::Operator(args) => args.run(ctx).map(done),
            Self::Node(args) => args.run(ctx).map(done),
            Self::Status(args) => args.run(ctx).map(done),
            Self::Lock(args) => args.run(ctx).map(done),
            Self::Unlock(args) => args.run(ctx).map(done),
            Self::Custody(args) => args.run(ctx).map(done),
            Self::Agents(args) => args.run(ctx).map(done),
            Self::Owner(args) => args.run(ctx).map(done),
            Self::Page(args) => args.run(ctx).map(done),
            Self::Up(args) => args.run(ctx).map(done),
            Self::Serve(args) => args.run(ctx).map(done),
            Self::Accounts(args) => args.run(ctx).map(done),
            Self::Doctor(args) => args.run(ctx),
            Self::Attack(args) => args.run(ctx),
            Self::Bench(args) => Ok(args.run(ctx)),
            Self::Broker(args) => args.run(ctx).map(done),
            Self::CapsuleChild(args) => args.run().map(done),
        }
    }
}

/// What is the same for every command.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// One JSON value instead of text.
    pub json: bool,
    /// `--home`.
    pub home: Option<PathBuf>,
}

impl Ctx {
    /// The home's folder, whether it is there or not.
    pub fn folder(&self) -> Result<PathBuf, Failure> {
        home::folder(self.home.as_deref())
    }

    /// A home that is there.
    pub fn existing(&self) -> Result<Home, Failure> {
        home::open(&self.folder()?)
    }

    /// The home's broker, started where none runs.
    pub fn broker(&self) -> Result<Link, Failure> {
        Ok(Link::new(daemon::connect_or_start(&self.existing()?)?))
    }

    /// The home's broker, where one runs.
    pub fn running_broker(&self) -> Result<Option<Link>, Failure> {
        Ok(daemon::connect(&self.existing()?)?.map(Link::new))
    }
}

/// An answer that is not what this version expects.
fn unreadable(error: serde_json::Error) -> Failure {
    Failure::refused("answer", format!("the broker's answer is of another version: {error}"))
        .next("symbolon lock --stop")
}
