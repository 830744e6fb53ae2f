//! `symbolon trust`

use std::path::Path;

use clap::Subcommand;
use serde_json::{Value, json};
use symbolon_ambient::{Clock, SystemClock};
use symbolon_crypto::VerifyingKey;
use symbolon_log::parse_vkey;
use symbolon_store::{TrustFile, TrustFileError};
use symbolon_trust::Revocation;
use symbolon_trust::score::{Evidence, Observed, Operator, Policy, Reason, Score, Scores};

use super::Ctx;
use crate::failure::Failure;
use crate::{facts, out};

/// Who is believed, and on what evidence
///
/// Everybody begins with 50 of 100 points. What this home verified itself adds and takes away: hearsay counts nothing.
/// Good evidence fades in 64 days, bad in 256; a proof of a fork never does. What a newcomer can win is bounded by its
/// age, and by the days that your witnesses cosigned.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon trust
  symbolon trust show 3c44b8a5
  symbolon trust policy strict
  symbolon trust distrust operator.pub")]
pub struct Args {
    #[command(subcommand)]
    step: Option<Step>,
}

#[derive(Debug, Subcommand)]
enum Step {
    /// Show every operator that something is known of
    #[command(after_help = "Examples\n  symbolon trust ls --json")]
    Ls,
    /// Show one operator's score, with its reasons; they add up to it
    #[command(after_help = "\
Examples
  symbolon trust show operator.pub
  symbolon trust show 3c44b8a5 --json")]
    Show {
        /// Its operator.pub (the file or its text), its key in hex, or how that begins
        operator: String,
    },
    /// Show or set how careful this home is
    #[command(after_help = "\
Examples
  symbolon trust policy
  symbolon trust policy strict")]
    Policy {
        /// open: let in from 20, believe from 50, strangers too; adaptive: 35 and 50, up to 15 more while many misbehave;
        /// strict: 50 and 75
        policy: Option<Policy>,
    },
    /// Believe an operator nothing, whatever it does
    #[command(after_help = "\
Examples
  symbolon trust distrust operator.pub
  symbolon trust distrust operator.revocation")]
    Distrust {
        /// Its operator.pub (the file or its text), its key in hex, how that begins, or its own revocation
        operator: String,
    },
    /// Forget all that is known of an operator, proofs too
    #[command(after_help = "Examples\n  symbolon trust forget 3c44b8a5")]
    Forget {
        /// Its operator.pub (the file or its text), its key in hex, or how that begins
        operator: String,
    },
}

impl Args {
    pub fn run(self, ctx: &Ctx) -> Result<(), Failure> {
        let file = TrustFile::of(&ctx.existing()?);
        let scores = file.read()?;
        let now = SystemClock.unix_ms();
        match self.step.unwrap_or(Step::Ls) {
            Step::Ls => list(ctx, &scores, now),
            Step::Show { operator } => show(ctx, &scores, &find(&scores, &operator)?, now),
            Step::Policy { policy: None } => tell_policy(ctx, &scores, now),
            Step::Policy { policy: Some(policy) } => {
                let scores = file.update(|scores| {
                    scores.set_policy(policy);
                    scores.clone()
                })?;
                tell_policy(ctx, &scores, now)
            }
            Step::Distrust { operator } => {
                let operator = find(&scores, &operator)?;
                if file.update(|scores| scores.distrust(operator, now))? == Observed::Full {
                    let what = "there are too many operators that are believed nothing already";
                    return Err(Failure::refused("trust_full", what).next("symbolon trust ls"));
                }
                done(
                    ctx,
                    &operator,
                    "is believed nothing",
                    &format!("symbolon trust forget {operator}"),
                )
            }
            Step::Forget { operator } => {
                let operator = find(&scores, &operator)?;
                if !file.update(|scores| scores.forget(&operator))? {
                    return Err(unknown(&operator.to_string()));
                }
                done(ctx, &operator, "is forgotten", "symbolon trust ls")
            }
        }
    }
}

/// Keeps what was verified of an operator, where there is a home to keep it in; says so.
pub fn keep(ctx: &Ctx, operator: &VerifyingKey, evidence: Evidence) {
    let Ok(home) = ctx.existing() else { return };
    let (operator, now) = (Operator::from(operator), SystemClock.unix_ms());
    match TrustFile::of(&home).update(|scores| scores.observe(operator, evidence, now)) {
        Ok(Observed::Kept) if ctx.json || evidence.kind().is_good() => {}
        Ok(Observed::Kept) => out::say_next(&format!("symbolon trust show {operator}")),
        Ok(Observed::Full) => out::say_error("there is no room to remember it of this operator"),
        Err(error) => out::say_error(&format!("it is not remembered of the operator: {error}")),
    }
}

fn list(ctx: &Ctx, scores: &Scores, now: u64) -> Result<(), Failure> {
    if ctx.json {
        let all: Vec<_> = scores.operators().map(|it| json_of(scores, it, now)).collect();
        return out::json(&json!({ "policy": scores.policy().as_str(), "operators": all }));
    }
    if scores.operators().len() == 0 {
        out::say("Nothing is known of any operator: each would begin with 50 points.");
        out::say_next("symbolon monitor https://log.example --key operator.pub --once");
        return Ok(());
    }
    let bar = scores.bar(now);
    let row = |it: &Operator| {
        let score = scores.score(it, now);
        let word = match (bar.admits(&score), bar.believes(&score)) {
            (_, true) => "believed",
            (true, false) => "let in",
            (false, false) => "kept out",
        };
        let most = score.reasons().iter().skip(1).max_by_key(|it| it.thousandths.abs());
        let why = most.map_or("", |it| it.why.sentence());
        vec![it.to_string(), points(&score), word.to_owned(), why.to_owned()]
    };
    let rows: Vec<_> = scores.operators().map(row).collect();
    out::table(&["OPERATOR", "SCORE", "NOW", "MOST OF ALL"], &rows)
}

fn show(ctx: &Ctx, scores: &Scores, operator: &Operator, now: u64) -> Result<(), Failure> {
    if ctx.json {
        return out::json(&json_of(scores, operator, now));
    }
    let score = scores.score(operator, now);
    let row = |it: &Reason| {
        vec![signed(it.thousandths), it.why.as_str().to_owned(), it.why.sentence().to_owned()]
    };
    let mut rows: Vec<_> = score.reasons().iter().map(row).collect();
    let bar = scores.bar(now);
    let yes = |is: bool| if is { "yes" } else { "no" };
    let is = format!(
        "let in: {}; believed: {} (policy {})",
        yes(bar.admits(&score)),
        yes(bar.believes(&score)),
        scores.policy()
    );
    rows.push(vec![points(&score), "score".to_owned(), is]);
    out::table(&["POINTS", "WHY", ""], &rows)
}

fn json_of(scores: &Scores, operator: &Operator, now: u64) -> Value {
    let score = scores.score(operator, now);
    let bar = scores.bar(now);
    let reason = |it: &Reason| json!({ "why": it.why.as_str(), "thousandths": it.thousandths });
    json!({
        "operator": operator.to_string(),
        "known": scores.knows(operator),
        "points": score.points(),
        "thousandths": score.thousandths(),
        "reasons": score.reasons().iter().map(reason).collect::<Vec<_>>(),
        "admitted": bar.admits(&score),
        "believed": bar.believes(&score),
    })
}

fn tell_policy(ctx: &Ctx, scores: &Scores, now: u64) -> Result<(), Failure> {
    let (policy, bar) = (scores.policy(), scores.bar(now));
    if ctx.json {
        return out::json(&json!({
            "policy": policy.as_str(),
            "strangers": policy.takes_strangers(),
            "admits_thousandths": bar.admits,
            "believes_thousandths": bar.believes,
        }));
    }
    out::pairs(&[
        ("policy", policy.to_string()),
        ("let in from", decimal(bar.admits)),
        ("believed from", decimal(bar.believes)),
    ])
}

fn done(ctx: &Ctx, operator: &Operator, is: &str, next: &str) -> Result<(), Failure> {
    if ctx.json {
        return out::json(&json!({ "operator": operator.to_string() }));
    }
    out::say(&format!("{operator} {is}."));
    out::say_next(next);
    Ok(())
}

/// A file, a key's text, 64 hex digits, or how those of one that is known begin.
fn find(scores: &Scores, typed: &str) -> Result<Operator, Failure> {
    if let Ok(operator) = typed.parse() {
        return Ok(operator);
    }
    if let Ok((_, key)) = parse_vkey(typed) {
        return Ok(Operator::from(&key));
    }
    let is_start = (4..64).contains(&typed.len()) && typed.bytes().all(|it| it.is_ascii_hexdigit());
    if is_start {
        let start = typed.to_ascii_lowercase();
        let mut found = scores.operators().filter(|it| it.to_string().starts_with(&start));
        match (found.next(), found.next()) {
            (Some(one), None) => return Ok(*one),
            (Some(_), Some(_)) => {
                let what = format!("several operators' keys begin with `{typed}`");
                return Err(Failure::refused("operator_ambiguous", what).next("symbolon trust ls"));
            }
            (None, _) => {}
        }
    }
    let path = Path::new(typed);
    if !path.exists() {
        return Err(unknown(typed));
    }
    let read = facts::read(path, KEY_BYTES_MAX)?;
    if Revocation::is_one(&read) {
        let revocation = Revocation::parse(&read).map_err(|error| {
            Failure::refused("revocation_form", format!("{typed}: {error}"))
                .next("the revocation as its operator gave it")
        })?;
        return Ok(Operator::from(revocation.root()));
    }
    let (_, key) = parse_vkey(String::from_utf8_lossy(&read).trim()).map_err(|error| {
        let what = format!("{typed} is not an operator's key: {error}");
        Failure::refused("operator_key", what).next("the operator.pub of the operator")
    })?;
    Ok(Operator::from(&key))
}

fn unknown(typed: &str) -> Failure {
    let what = format!("nothing is known of an operator `{typed}`");
    Failure::refused("operator_unknown", what).next("symbolon trust ls")
}

fn points(score: &Score) -> String {
    decimal(score.thousandths())
}

/// `62.345`, `50`.
fn decimal(thousandths: u32) -> String {
    let (whole, rest) = (thousandths / 1000, thousandths % 1000);
    if rest == 0 { whole.to_string() } else { format!("{whole}.{rest:03}") }
}

fn signed(thousandths: i32) -> String {
    let sign = if thousandths < 0 { '-' } else { '+' };
    format!("{sign}{}", decimal(thousandths.unsigned_abs()))
}

impl From<TrustFileError> for Failure {
    fn from(error: TrustFileError) -> Self {
        let says = error.to_string();
        match error {
            TrustFileError::Damaged { path, .. } => Self::environment("trust_damaged", says)
                .next(format!("mv {0} {0}.damaged, which forgets every score", path.display())),
            _ => Self::environment("trust_file", says).next("df -h"),
        }
    }
}

const KEY_BYTES_MAX: usize = 4096;
