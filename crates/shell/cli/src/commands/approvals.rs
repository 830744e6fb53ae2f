//! `symbolon approvals`, and `approve` and `deny` by themselves.

use std::time::Duration;

use clap::Subcommand;
use serde_json::{Value, json};
use symbolon_broker::{ApprovalView, ApprovalsView, ExactRequest, Yes, visible};
use symbolon_codec::parse_duration_seconds;
use symbolon_server::control::Op;

use super::Ctx;
use crate::failure::Failure;
use crate::link::Link;
use crate::{out, prompt};

/// Calls that wait for your approval
///
/// Each is shown as one sentence and the exact request. What runs is byte for byte what is shown;
/// only the credential is put in. Characters that hide or reorder text are shown as their numbers.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon approvals
  symbolon approvals show 7
  symbolon approvals approve 7 --remember 15m
  symbolon approvals deny 7 --reason 'not on a Friday'
  symbolon approvals --watch")]
pub struct Args {
    #[command(subcommand)]
    step: Option<Step>,
    /// Ask about each call as it comes, until Ctrl-C
    #[arg(long, conflicts_with = "json")]
    watch: bool,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// List calls that wait, and approvals that stand for a while
    #[command(after_help = "Examples\n  symbolon approvals list --json")]
    List,
    /// Show one, with its whole request
    #[command(
        after_help = "Examples\n  symbolon approvals show 7\n  symbolon approvals show 7 --json"
    )]
    Show {
        /// Its number
        #[arg(value_name = "N")]
        number: u64,
    },
    Approve(Approve),
    Deny(Deny),
    /// End an approval that stands for a while
    #[command(after_help = "Examples\n  symbolon approvals forget 7")]
    Forget {
        /// The number of the approval
        #[arg(value_name = "N")]
        number: u64,
    },
}

/// Let one waiting call run, exactly as it is shown
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon approve 7
  symbolon approve 7 --remember 15m
  symbolon approve 7 --remember 15m --any-arguments")]
pub struct Approve {
    /// The question's number in `symbolon approvals`
    #[arg(value_name = "N")]
    number: u64,
    /// Do not ask again for so long, for this operation and arguments of the same shape: the same
    /// parameters, the same path, no larger number; where it is destructive, the same text too
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    remember: Option<u64>,
    /// With --remember: whatever the arguments
    #[arg(long, requires = "remember")]
    any_arguments: bool,
}

/// Refuse one waiting call
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon deny 7
  symbolon deny 7 --reason 'not on a Friday'")]
pub struct Deny {
    /// The question's number in `symbolon approvals`
    #[arg(value_name = "N")]
    number: u64,
    /// What the agent is told
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        if self.watch {
            return watch(ctx);
        }
        match self.step.unwrap_or(Step::List) {
            Step::List => list(ctx),
            Step::Show { number } => {
                let one: ApprovalView = ctx.broker()?.ask(&Op::Approval { number })?;
                if ctx.json { out::json(&one) } else { out::text(&whole(&one)) }
            }
            Step::Approve(args) => args.run(ctx),
            Step::Deny(args) => args.run(ctx),
            Step::Forget { number } => {
                let _: Value = ctx.broker()?.ask(&Op::ForgetApproval { number })?;
                if ctx.json {
                    return out::json(&json!({ "forgotten": number }));
                }
                out::say(&format!("Approval {number} stands no longer."));
                Ok(())
            }
        }
    }
}

impl Approve {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let yes = Yes { remember_seconds: self.remember, any_arguments: self.any_arguments };
        let op = Op::Approve { number: self.number, yes };
        let one: ApprovalView = ctx.broker()?.ask(&op)?;
        if ctx.json {
            return out::json(&one);
        }
        out::say(&format!("Approved: {}", one.sentence));
        if self.remember.is_some() {
            out::say_next(&format!("to end it early: symbolon approvals forget {}", one.number));
        }
        Ok(())
    }
}

impl Deny {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let op = Op::Deny { number: self.number, reason: self.reason };
        let one: ApprovalView = ctx.broker()?.ask(&op)?;
        if ctx.json {
            return out::json(&one);
        }
        let receipt = one.receipt.map(|n| format!(", receipt {n}")).unwrap_or_default();
        out::say(&format!("Denied: {}{receipt}", one.sentence));
        Ok(())
    }
}

fn list(ctx: &Ctx) -> Result<(), Failure> {
    let all: ApprovalsView = ctx.broker()?.ask(&Op::Approvals {})?;
    if ctx.json {
        return out::json(&all);
    }
    for one in &all.pending {
        out::text(&brief(one))?;
    }
    if !all.remembered.is_empty() {
        let rows: Vec<_> = all
            .remembered
            .iter()
            .map(|r| {
                let left = format!("{} s", r.left_seconds);
                let grant = r.grant.to_string();
                vec![r.number.to_string(), r.tool.clone(), grant, r.covers.clone(), left]
            })
            .collect();
        out::table(&["STANDS", "TOOL", "GRANT", "ARGUMENTS", "LEFT"], &rows)?;
    }
    match all.pending.iter().find(|one| one.state == "pending") {
        Some(one) => {
            let n = one.number;
            out::say_next(&format!("symbolon approve {n}, or symbolon deny {n}"));
        }
        None => out::say("No call waits for approval."),
    }
    Ok(())
}

/// Puts each question before whoever is at the terminal.
fn watch(ctx: &Ctx) -> Result<(), Failure> {
    if !prompt::is_possible() {
        return Err(Failure::usage("--watch asks at a terminal, and there is none")
            .next("symbolon approvals"));
    }
    let mut broker = ctx.broker()?;
    let mut seen = 0;
    out::say("Waiting for calls that need approval. Ctrl-C ends this; the calls go on waiting.");
    loop {
        let all: ApprovalsView = broker.ask(&Op::Approvals {})?;
        let new = |one: &&ApprovalView| one.state == "pending" && one.number >= seen;
        let numbers: Vec<u64> = all.pending.iter().filter(new).map(|one| one.number).collect();
        for number in numbers {
            seen = number + 1;
            ask(&mut broker, number)?;
        }
        std::thread::sleep(WATCH_EVERY);
    }
}

fn ask(broker: &mut Link, number: u64) -> Result<(), Failure> {
    let Ok(one) = broker.ask::<ApprovalView>(&Op::Approval { number }) else { return Ok(()) };
    out::text(&whole(&one))?;
    let op = match prompt::line("Approve it? [y]es, [n]o, anything else waits: ")?.trim() {
        "y" | "yes" => Op::Approve { number, yes: Yes::default() },
        "n" | "no" => Op::Deny { number, reason: None },
        _ => return Ok(()),
    };
    match broker.ask::<ApprovalView>(&op) {
        Ok(one) => out::say(&format!("Question {number} is {}.", one.state)),
        Err(error) => out::say_error(&error.message),
    }
    Ok(())
}

fn brief(one: &ApprovalView) -> String {
    shown(one, Some(BODY_CHARS_BRIEF))
}

fn whole(one: &ApprovalView) -> String {
    shown(one, None)
}

/// The sentence, then the exact request, line by line.
fn shown(one: &ApprovalView, body_chars_max: Option<usize>) -> String {
    let left = match one.state.as_str() {
        "pending" => format!("{} s left", one.expires_in_seconds),
        state => state.to_owned(),
    };
    let mut text = format!("{}  {} ({left}; rule: {})", one.number, one.sentence, one.rule);
    if let Some(request) = &one.request {
        request_lines(request, body_chars_max, &mut text);
    }
    if let (Some(by), Some(via)) = (&one.decided_by, &one.decided_via) {
        text.push_str(&format!("\n   answered by {by}, {via}"));
    }
    if let Some(receipt) = one.receipt {
        text.push_str(&format!("\n   receipt {receipt}"));
    }
    text
}

fn request_lines(request: &ExactRequest, body_chars_max: Option<usize>, text: &mut String) {
    let mut line = |words: &str| {
        text.push_str("\n   | ");
        // One line stays one line: a line end in a value must not pass for ours.
        text.push_str(&visible(words).replace('\n', "\\n").replace('\t', "\\t"));
    };
    line(&format!("{} {}", request.method, request.url));
    for (name, value) in &request.headers {
        line(&format!("{name}: {value}"));
    }
    line(&format!("(the credential goes in as {})", request.credential));
    let Some(body) = &request.body else { return };
    line("");
    let max = body_chars_max.unwrap_or(usize::MAX);
    let is_cut = request.body_cut || body.chars().count() > max;
    let kept: String = body.chars().take(max).collect();
    if request.body_encoding == "base64" {
        line("(base64)");
    }
    for part in kept.split('\n') {
        line(part);
    }
    if is_cut {
        line(&format!(
            "… cut here; {} bytes in all, SHA-256 {}",
            request.body_bytes, request.body_sha256
        ));
    }
}

fn seconds(text: &str) -> Result<u64, String> {
    parse_duration_seconds(text).map_err(|error| error.to_string())
}

const BODY_CHARS_BRIEF: usize = 400;
const WATCH_EVERY: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use symbolon_broker::ExactRequest;
    use symbolon_codec::Digest32;

    use super::request_lines;

    #[test]
    fn a_body_cannot_pass_for_something_else() {
        let request = ExactRequest {
            method: "POST".into(),
            url: "https://shop.example/things".into(),
            headers: vec![("x-a".into(), "b\nc".into())],
            credential: "bearer".into(),
            body: Some("one\u{202e}owt\nthree\x1b[1A\rfour".into()),
            body_encoding: "text".into(),
            body_bytes: 40,
            body_cut: false,
            body_sha256: Digest32([0; 32]),
            digest: Digest32([0; 32]),
        };
        let mut text = String::new();
        request_lines(&request, None, &mut text);
        assert_eq!(
            text,
            "\n   | POST https://shop.example/things\n   | x-a: b\\nc\
             \n   | (the credential goes in as bearer)\n   | \
             \n   | one\\u{202e}owt\n   | three\\u{1b}[1A\\u{d}four"
        );
        let mut text = String::new();
        request_lines(&request, Some(3), &mut text);
        assert!(text.contains("\n   | one\n   | … cut here; 40 bytes in all, SHA-256 00"));
    }
}
