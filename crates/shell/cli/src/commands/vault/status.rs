//! `symbolon vault status` and `symbolon vault sync`

use serde_json::json;
use symbolon_holder::ClosedVault;

use super::Ctx;
use crate::failure::Failure;
use crate::vaults::{self, Ask, Which};
use crate::{out, runtime};

/// Show the vaults of this device
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples\n  symbolon vault status\n  symbolon vault status --json")]
pub struct Args {
    #[command(flatten)]
    which: Which,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let home = ctx.folder()?;
        let names = match self.which.vault {
            Some(name) => vec![name],
            None => ClosedVault::all(&home)?,
        };
        let mut all = Vec::new();
        for name in names {
            all.push(ClosedVault::find(&home, &name)?);
        }
        if ctx.json {
            let rows: Vec<_> = all.iter().map(row_json).collect();
            return out::json(&rows);
        }
        if all.is_empty() {
            out::say("No vaults on this device.");
            out::say_next("symbolon vault create");
            return Ok(());
        }
        let rows: Vec<_> = all.iter().map(row).collect();
        out::table(&["VAULT", "SERVER", "HANDLE", "OPENS", "FOLDER"], &rows)
    }
}

fn row(it: &ClosedVault) -> Vec<String> {
    let account = it.card().account.as_ref();
    let opens = match (it.has_device(), it.has_password(), it.has_wallet()) {
        (true, _, _) => "by itself",
        (_, false, true) => "with a seed phrase",
        _ => "with its password",
    };
    vec![
        it.name().to_string(),
        account.map_or_else(|| "-".to_owned(), |account| account.server.to_string()),
        account.map_or_else(|| "-".to_owned(), |account| account.handle.clone()),
        opens.to_owned(),
        it.path().display().to_string(),
    ]
}

fn row_json(it: &ClosedVault) -> serde_json::Value {
    let account = it.card().account.as_ref();
    json!({
        "vault": it.name().as_str(), "id": it.card().custody.id(), "folder": it.path(),
        "server": account.map(|it| it.server.to_string()),
        "handle": account.map(|it| &it.handle), "account": account.map(|it| &it.id),
        "opens_by_itself": it.has_device(),
    })
}

/// Takes in what the server has, and sends what waits.
pub fn sync(ctx: &Ctx, which: &Which, ask: Ask) -> Result<(), Failure> {
    let mut vault = which.open(ctx, ask)?;
    let synced = vaults::sync(&mut vault)?;
    let mut client = vaults::client(&vault)?;
    runtime::single()?.block_on(vault.refresh_wraps(&mut client))?;
    let conflicts = vaults::conflicts_json(&synced);
    if ctx.json {
        return out::json(&json!({
            "received": synced.received, "sent": synced.sent, "conflicts": conflicts,
        }));
    }
    vaults::tell_conflicts(&vault, &synced);
    out::say(&format!("{} received, {} sent.", synced.received, synced.sent));
    Ok(())
}
