//! `symbolon audit query`

use std::time::{SystemTime, UNIX_EPOCH};

use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};
use symbolon_audit::{Filter, Glob, Word};
use symbolon_broker::home_catalog;
use symbolon_codec::{Digest32, parse_duration_seconds};
use symbolon_receipt::Time;
use symbolon_store::{Audit, Home};

use super::{Ctx, Ticker, complete, failure, show};
use crate::failure::Failure;
use crate::out;

/// Find calls by time, agent, scope, tool, host and outcome, newest first
///
/// Before it answers, every entry that the log's signed checkpoint covers is accounted for: in a file whose rows were
/// checked, or in the log itself. Where one is missing or changed there is no answer, and the exit code is 1.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples
  symbolon audit query --since 7d --scope 'stripe.*' --json
  symbolon audit query --since 2026-11-01 --until 2026-12-01 --csv
  symbolon audit query --outcome open            # released or about to be, and never finished
  symbolon audit query --tool '*.create' --host api.github.com --limit 10")]
pub struct Args {
    /// Not earlier: a length of time such as 90s, 8h or 7d, or a date, in UTC
    #[arg(long, value_name = "7d|DATE", value_parser = moment)]
    since: Option<u64>,
    /// Earlier than this
    #[arg(long, value_name = "7d|DATE", value_parser = moment)]
    until: Option<u64>,
    /// Only this agent's
    #[arg(long, value_name = "NAME")]
    agent: Option<String>,
    /// Only tools of these scopes, as a grant names them, by today's catalogue
    #[arg(long, value_name = "SCOPE")]
    scope: Option<String>,
    /// Only tools whose whole name fits; * stands for anything
    #[arg(long, value_name = "TOOL")]
    tool: Option<String>,
    /// Only to this host
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Only with these outcomes
    #[arg(long, value_name = "OUTCOME", value_delimiter = ',',
        value_parser = PossibleValuesParser::new(Word::ALL.map(Word::as_str)))]
    outcome: Vec<String>,
    /// Only the receipt with this number
    #[arg(long, value_name = "N")]
    number: Option<u64>,
    /// Only with this digest of the request, 64 hex digits
    #[arg(long, value_name = "DIGEST", value_parser = Digest32::from_hex)]
    request: Option<Digest32>,
    /// At most so many
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Comma-separated values instead of a table
    #[arg(long)]
    csv: bool,
}

impl Args {
    pub fn run(self, ctx: &Ctx, home: &Home, audit: &Audit) -> Result<(), Failure> {
        if self.csv && ctx.json {
            return Err(Failure::usage("--csv and --json are two forms of the same answer"));
        }
        let mut tools: Vec<Vec<Glob>> = Vec::new();
        tools.extend(self.tool.map(|tool| vec![Glob::new(tool)]));
        if let Some(scope) = &self.scope {
            tools.push(tools_of(home, scope)?);
        }
        let words: Vec<Word> = self.outcome.iter().filter_map(|text| Word::parse(text)).collect();
        let filter = Filter {
            since: self.since,
            until: self.until,
            agent: self.agent,
            host: self.host,
            tools,
            outcomes: (!words.is_empty()).then_some(words),
            index: self.number,
            request: self.request,
        };
        let ticker = Ticker::new("checking");
        let answer = audit.query(&filter, self.limit, &|done, of| ticker.tell(done, of));
        let answer = answer.map_err(|e| failure(home, &e))?;
        ticker.clear();
        if ctx.json {
            let rows: Vec<Value> = answer.rows.iter().map(show::row).collect();
            return out::json(&json!({ "proof": show::proof(&answer.proof), "rows": rows }));
        }
        let cells: Vec<_> = answer.rows.iter().map(show::cells).collect();
        if self.csv {
            out::text(&show::csv(&cells))?;
        } else if !cells.is_empty() {
            out::table(&show::HEADERS, &cells)?;
        }
        if cells.is_empty() {
            out::say("No such call.");
        }
        out::say(&complete(&answer.proof));
        if cells.len() == self.limit {
            out::say(&format!("The newest {} are shown; there may be more.", self.limit));
        }
        if let Some(row) = answer.rows.iter().find(|row| row.entry.receipt().is_some()) {
            out::say_next(&format!("symbolon receipts show {}", row.index));
        }
        Ok(())
    }
}

/// Names of the tools whose scope a pattern names. A pattern of a service that the catalogue does not know any more is
/// held against the tools' own names.
fn tools_of(home: &Home, scope: &str) -> Result<Vec<Glob>, Failure> {
    let catalog = home_catalog(home, &[])?;
    let Ok(scopes) = catalog.scopes().expand(scope) else {
        out::say(&format!("No scope of the catalogue fits {scope}: tools are found by name."));
        return Ok(vec![Glob::new(scope)]);
    };
    let operations = catalog.services().iter().flat_map(|service| service.operations());
    let fitting = operations.filter(|operation| scopes.contains(operation.scope_id()));
    Ok(fitting.map(|operation| Glob::new(operation.name().to_string())).collect())
}

/// Unix milliseconds of a date, or of so long ago.
fn moment(text: &str) -> Result<u64, String> {
    let time = |text: String| serde_json::from_value::<Time>(Value::String(text)).ok();
    let date = || time(format!("{text}T00:00:00.000Z"));
    let second = || time(format!("{}.000Z", text.strip_suffix('Z')?));
    if let Some(time) = date().or_else(second).or_else(|| time(text.to_owned())) {
        return Ok(time.unix_ms());
    }
    let seconds = parse_duration_seconds(text)
        .map_err(|_| "write 90s, 15m, 8h, 7d, 2026-11-21 or 2026-11-21T10:00:00Z".to_owned())?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|e| e.to_string())?;
    Ok((now.as_millis() as u64).saturating_sub(seconds * 1000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        assert_eq!(moment("2026-11-21"), Ok(1_795_219_200_000));
        assert_eq!(moment("2026-11-21T00:00:01Z"), Ok(1_795_219_201_000));
        assert_eq!(moment("2026-11-21T00:00:00.005Z"), Ok(1_795_219_200_005));
        let day = moment("1d").unwrap();
        let hour = moment("1h").unwrap();
        assert!((82_700_000..=82_900_000).contains(&(hour - day)));
        for bad in ["", "7", "yesterday", "2026-13-01", "2026-02-30", "-1d", "21.11.2026"] {
            assert!(moment(bad).is_err(), "{bad}");
        }
    }
}
