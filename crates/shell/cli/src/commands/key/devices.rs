//! `symbolon key devices`: which devices prove a key.

use symbolon_ambient::SystemRng;
use symbolon_holder::server::{Client, DeviceRow};

use super::{Ctx, Whose};
use crate::failure::Failure;
use crate::{local_time, out, runtime};

/// List the devices that prove a key, or remove one
///
/// A device that is removed has no token from then on, and does not come back: where it is found
/// again it is enrolled anew.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon key devices https://api.example
  symbolon key devices https://api.example --remove DEVICE")]
pub struct Args {
    #[command(flatten)]
    whose: Whose,
    /// Remove the device whose id begins so
    #[arg(long, value_name = "DEVICE")]
    remove: Option<String>,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let (ring, card) = self.whose.find(ctx)?;
        let key = ring.open(&card)?;
        let mut client = Client::new(card.issuer.clone());
        let runtime = runtime::single()?;
        let list = key.manage(&mut client, &card, "list", &SystemRng);
        let mut all = runtime.block_on(list)?;
        if let Some(begins) = &self.remove {
            let id = one(&all, begins, &card.audience)?;
            let act = format!("remove {id}");
            all = runtime.block_on(key.manage(&mut client, &card, &act, &SystemRng))?;
            if id == card.device {
                ring.forget(&card)?;
            }
            out::say("The device is removed: no token of it is good any more.");
        }
        if ctx.json {
            return out::json(&all);
        }
        let rows: Vec<Vec<String>> = all
            .iter()
            .map(|it| {
                let own = if it.id == card.device { "this device" } else { "" };
                let used = it.used_unix_ms.map_or_else(|| "never".to_owned(), local_time::shown);
                let state = if it.revoked_unix_ms.is_some() { "removed" } else { own };
                vec![
                    it.id[..it.id.len().min(8)].to_owned(),
                    it.name.clone(),
                    used,
                    state.to_owned(),
                ]
            })
            .collect();
        out::table(&["DEVICE", "NAME", "LAST LOGIN", ""], &rows)
    }
}

fn one(all: &[DeviceRow], begins: &str, audience: &str) -> Result<String, Failure> {
    let found: Vec<_> =
        all.iter().filter(|it| it.revoked_unix_ms.is_none() && it.id.starts_with(begins)).collect();
    match found[..] {
        [device] => Ok(device.id.clone()),
        _ => {
            let what = match found.len() {
                0 => format!("no device of this key begins with `{begins}`"),
                several => format!("{several} devices begin with `{begins}`"),
            };
            Err(Failure::refused("device", what).next(format!("symbolon key devices {audience}")))
        }
    }
}
