//! `symbolon status`

use serde_json::{Value, json};
use symbolon_broker::{Clear, Status};
use symbolon_server::control::Op;

use super::Ctx;
use crate::failure::Failure;
use crate::{daemon, out};

/// Show how the home and its broker are
///
/// Starts nothing and unlocks nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon status
  symbolon status --json")]
pub struct Args {}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let home = ctx.existing()?;
        let Some(mut is) = daemon::ask_running::<Value>(&home, &Op::Status {})? else {
            if ctx.json {
                let is = json!({ "running": false, "unlocked": false, "home": home.path() });
                return out::json(&is);
            }
            out::pairs(&[
                ("home", home.path().display().to_string()),
                ("broker", "not running".to_owned()),
                ("vault", "locked".to_owned()),
            ])?;
            out::say_next("symbolon unlock");
            return Ok(());
        };
        if ctx.json {
            // As it came, so that a newer broker's members are not lost.
            if let Value::Object(members) = &mut is {
                members.insert("running".to_owned(), Value::Bool(true));
            }
            return out::json(&is);
        }
        show(&serde_json::from_value(is).map_err(super::unreadable)?)
    }
}

fn show(is: &Status) -> Result<(), Failure> {
    let vault = if is.unlocked { "unlocked" } else { "locked" };
    let ways: Vec<_> = is.methods.iter().map(|it| it.as_str()).collect();
    if is.shadow {
        out::say("SHADOW MODE IS ON: grants, limits and budgets refuse nothing.");
    }
    out::pairs(&[
        ("home", is.home.clone()),
        ("broker", format!("running, process {}, version {}", is.pid, is.version)),
        ("up", duration(is.uptime_ms)),
        ("vault", format!("{vault} (opens with {})", ways.join(", "))),
        ("memory", is.memory.clone()),
        ("machine", is.fingerprint.clone()),
        ("durability", is.durability.clone()),
        ("connections", is.connections.to_string()),
        ("grants", is.grants.to_string()),
        ("policy", if is.shadow { "SHADOW: nothing is refused" } else { "enforced" }.to_owned()),
        ("sessions", is.sessions.to_string()),
        ("log", format!("{} entries, {} intents open", is.log_entries, is.open_intents)),
        ("log is in", is.log_place.clone()),
        ("in the clear", clear(&is.clear_ns)),
    ])?;
    if !is.unlocked {
        out::say_next("symbolon unlock");
    } else if is.shadow {
        out::say_next("symbolon policy shadow off");
    }
    Ok(())
}

fn clear(clear: &Clear) -> String {
    if clear.count == 0 {
        return "no credential yet".to_owned();
    }
    let us = |ns: u64| ns as f64 / 1000.0;
    format!("{} times, p50 {:.1} µs, p99 {:.1} µs", clear.count, us(clear.p50), us(clear.p99))
}

fn duration(ms: u64) -> String {
    let seconds = ms / 1000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..86_400 => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
        _ => format!("{} d {} h", seconds / 86_400, seconds / 3600 % 24),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_at_a_glance() {
        assert_eq!(duration(59_999), "59 s");
        assert_eq!(duration(3_599_000), "59 min");
        assert_eq!(duration(7_260_000), "2 h 1 min");
        assert_eq!(duration(90_000_000), "1 d 1 h");
        let some = Clear { count: 3, p50: 400, p99: 4200 };
        assert_eq!(clear(&some), "3 times, p50 0.4 µs, p99 4.2 µs");
    }
}
