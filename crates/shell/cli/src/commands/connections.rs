//! `symbolon connections`

use symbolon_broker::ConnectionView;
use symbolon_server::control::Op;

use super::Ctx;
use crate::failure::Failure;
use crate::out;

/// List connections
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon connections
  symbolon connections --json")]
pub struct Args {}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let all: Vec<ConnectionView> = ctx.broker()?.ask(&Op::Connections {})?;
        if ctx.json {
            return out::json(&all);
        }
        if all.is_empty() {
            out::say("No connections yet.");
            out::say_next("symbolon connect github");
            return Ok(());
        }
        let rows: Vec<_> = all
            .into_iter()
            .map(|it| {
                let auth = match it.ended {
                    Some(word) => format!("{}, ended: {word}; connect again", it.auth),
                    None => it.auth,
                };
                vec![it.name, it.service, it.base_url, auth, it.created, it.bound_to]
            })
            .collect();
        out::table(&["NAME", "SERVICE", "BASE URL", "AUTH", "CREATED", "BOUND TO"], &rows)
    }
}
