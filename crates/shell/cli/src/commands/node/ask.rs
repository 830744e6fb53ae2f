//! `symbolon node ask`

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use serde_json::json;
use symbolon_mesh::LogName;
use symbolon_node::ask::{ANSWER_WAIT, LINE_BYTES_MAX, Outcome, Question, socket};
use symbolon_receipt::VerifiedReceipt;

use crate::commands::Ctx;
use crate::commands::verify::receipt;
use crate::failure::Failure;
use crate::{facts, out};

/// Ask other operators' nodes whether a receipt stands in its log as it is shown to you
///
/// The receipt is checked first, offline. Then nodes of twice as many operators as --quorum says are asked what their copies of the
/// log have at its place; the log's own operator and this home are not asked, and nobody whom this home does not believe
/// (`symbolon trust`). An answer counts where it leads to a checkpoint that the log signed: so an operator that shows you one log and
/// others another is found. This home's node must run, and follow the log.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon node ask receipt.json --key operator.pub
  symbolon node ask receipt.json --key operator.pub --quorum 3 --json")]
pub struct Ask {
    /// The receipt, or - for standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The operator's public key, the text of operator.pub
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Operators that have to show it
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=8))]
    quorum: u8,
}

impl Ask {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let home = ctx.existing()?;
        let key = receipt::operator_key(&self.key)?;
        let receipt = receipt::check(&facts::read(&self.file, receipt::BYTES_MAX)?, &key)?;
        let origin = &receipt.checkpoint().origin;
        let log = LogName::new(origin, *key.key()).map_err(|error| {
            Failure::refused("log_name", error.to_string()).next("a receipt of a log with a name")
        })?;
        let question = Question {
            log: log.text().to_owned(),
            index: receipt.index(),
            leaf: *receipt.leaf_hash(),
            quorum: self.quorum,
        };
        let outcome = ask(&socket(&home.run()), &question)?;
        self.tell(ctx, &receipt, &outcome)
    }

    fn tell(&self, ctx: &Ctx, receipt: &VerifiedReceipt, outcome: &Outcome) -> Result<(), Failure> {
        let place = format!("entry {} of {}", receipt.index(), receipt.checkpoint().origin);
        let failure = match outcome {
            Outcome::Confirmed { .. } => None,
            Outcome::Contradicted { .. } => {
                let what = format!("{place} is another one in the log that others were shown");
                Some(
                    Failure::refused("contradicted", what)
                        .next("symbolon node status, for what its operator is accused of"),
                )
            }
            Outcome::Unknown { by } => {
                let what = format!("{} of {} operators showed {place}", by.len(), self.quorum);
                Some(Failure::not_final(what).next(
                    "the same command later, or with a smaller --quorum N; symbolon node status",
                ))
            }
            Outcome::Unfollowed => {
                let what =
                    format!("this home's node does not follow {}", receipt.checkpoint().origin);
                return Err(Failure::refused("log_unfollowed", what)
                    .next(format!("symbolon node run --follow {}", self.key.display())));
            }
            Outcome::Unread => return Err(another()),
        };
        if ctx.json {
            let mut said = serde_json::to_value(outcome).unwrap_or_default();
            said["receipt"] = receipt.index().into();
            said["log"] = json!(receipt.checkpoint().origin);
            said["quorum"] = self.quorum.into();
            out::json(&said)?;
        } else if let Outcome::Confirmed { by } | Outcome::Unknown { by } = outcome {
            for operator in by {
                out::text(&format!("\u{2713} {operator}"))?;
            }
            if failure.is_none() {
                out::say(&format!("{} operators showed {place}.", by.len()));
            }
        }
        match failure {
            None => Ok(()),
            Some(failure) => Err(if ctx.json { failure.already_told() } else { failure }),
        }
    }
}

/// One line, and the line that comes back.
fn ask(socket: &Path, question: &Question) -> Result<Outcome, Failure> {
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
            Failure::environment("node_stopped", "this home's node does not run")
                .next("symbolon node run --follow operator.pub")
        }
        _ => Failure::environment("node", format!("this home's node: {error}"))
            .next("symbolon node status"),
    };
    let mut stream = UnixStream::connect(socket).map_err(failed)?;
    stream.set_read_timeout(Some(ANSWER_WAIT)).map_err(failed)?;
    // Strings and numbers always serialize.
    let mut line = serde_json::to_vec(question).unwrap_or_default();
    line.push(b'\n');
    stream.write_all(&line).map_err(failed)?;
    let mut answer = Vec::new();
    stream.take(LINE_BYTES_MAX as u64).read_to_end(&mut answer).map_err(failed)?;
    serde_json::from_slice(&answer).map_err(|_| another())
}

fn another() -> Failure {
    Failure::refused("answer", "the node did not answer, or is of another version")
        .next("symbolon node run, again")
}
