//! `symbolon connect SERVICE --vault`: the connection is an item of the person's vault.

use serde_json::json;
use symbolon_ambient::{SystemClock, SystemRng};
use symbolon_broker::{ConnectionView, NewConnection};
use symbolon_holder::VaultName;
use symbolon_secret::Secret;
use symbolon_server::control::Op;
use symbolon_vault::Item;
use symbolon_vault::item::{Body, Contents, Hidden, Kind, Long, Marks, Name, Title};
use symbolon_vault::replica::{Filter, Overview};

use crate::commands::Ctx;
use crate::failure::Failure;
use crate::link::Link;
use crate::out;
use crate::vaults::{self, Ask, Reached, Which};

/// Asks the broker whether the credential can be used, and writes both into the vault.
pub fn keep(
    ctx: &Ctx,
    mut broker: Link,
    new: NewConnection,
    vault: Option<VaultName>,
    credential: Secret<[u8]>,
) -> Result<(), Failure> {
    let scheme = new.vault_terms()?;
    let tried = broker.exchange(&Op::TryConnection { new: new.clone() }, Some(&credential))?;
    drop(broker);
    let tried: ConnectionView =
        serde_json::from_value(tried.ok).map_err(crate::commands::unreadable)?;
    let item = item(&new, &tried.name, &scheme, credential)?;
    let mut vault = Which { vault }.open(ctx, Ask::Person)?;
    let all = Filter { kind: Some(Kind::Connection), ..Filter::default() };
    let is_same = |own: &&Overview<'_>| own.title.as_str() == tried.name;
    let there = vault.replica().list(&all).iter().find(is_same).map(|own| own.id);
    match there {
        Some(_) if !new.replace => {
            let what = format!("the vault has a connection named {}", tried.name);
            return Err(Failure::refused("exists", what).next("the same command with --replace"));
        }
        Some(id) => {
            vault.replica_mut().update_item(id, &item, &SystemClock, &SystemRng)?;
        }
        None => {
            vault.replica_mut().create_item(&item, None, &SystemClock, &SystemRng)?;
        }
    }
    drop(item);
    let reached = vaults::keep(&mut vault)?;
    if ctx.json {
        let is_sent = reached == Reached::Server;
        return out::json(&json!({ "connection": tried, "vault": true, "sent": is_sent }));
    }
    let checked = tried.verified.map(|status| format!(", checked: {status}")).unwrap_or_default();
    out::say(&format!("{}: in your vault, by {}{checked}.", tried.name, tried.auth));
    out::say("Agents use it while you lend your vault's connections:");
    out::say_next("symbolon vault lease --connections --for 8h");
    Ok(())
}

fn item(
    new: &NewConnection,
    name: &str,
    scheme: &str,
    credential: Secret<[u8]>,
) -> Result<Item, Failure> {
    let too_long = |_| {
        Failure::usage("the connection is longer than an item of a vault: its root certificate")
            .next("leave --vault away")
    };
    let contents = Contents::Connection {
        service: Name::new(&new.service).map_err(too_long)?,
        base_url: Long::new(new.base_url.as_deref().unwrap_or_default()).map_err(too_long)?,
        scheme: Long::new(scheme).map_err(too_long)?,
        credential: Hidden::new(credential)
            .map_err(|error| Failure::usage(format!("the credential: {error}")))?,
    };
    let title = Title::new(name).map_err(too_long)?;
    Ok(Item { title, marks: Marks::default(), body: Body::default(), contents })
}
