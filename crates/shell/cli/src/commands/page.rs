//! `symbolon page`

use symbolon_broker::PageLink;
use symbolon_server::control::{Answer, Op};

use super::Ctx;
use crate::failure::Failure;
use crate::out;

/// A link that opens the page as its owner
///
/// `symbolon serve` serves the page. The link is good once, within ten minutes; the browser that opens it stays
/// the owner's for twelve hours, or until you sign out there. Give it to nobody: who opens it connects, grants
/// and approves in your place.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon page
  xdg-open \"$(symbolon page)\"")]
pub struct Args {}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let Answer { ok, secret } = ctx.broker()?.exchange(&Op::PageLink {}, None)?;
        let Some(code) = secret else {
            return Err(Failure::refused("answer", "the broker sent no code"));
        };
        let link: PageLink = serde_json::from_value(ok).map_err(super::unreadable)?;
        if ctx.json {
            // An address and base64url need no escapes.
            let seconds = link.expires_in_seconds;
            let before = format!("{{\"expires_in_seconds\":{seconds},\"url\":\"{}", link.before);
            return out::secret(&before, &code, "\"}\n");
        }
        out::say("Open it in a browser on this machine, within ten minutes; it is good once.");
        out::secret(&link.before, &code, "\n")
    }
}
