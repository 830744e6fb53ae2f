//! Which rows a query is about.

use symbolon_codec::Digest32;
use symbolon_receipt::Predicate;

use crate::entry::{Row, Word};

/// All conditions hold for a row that is found. The default finds every receipt and every open intent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Not earlier than this, in Unix milliseconds.
    pub since: Option<u64>,
    /// Earlier than this.
    pub until: Option<u64>,
    /// This agent's.
    pub agent: Option<String>,
    /// To this host.
    pub host: Option<String>,
    /// Of each list, one pattern fits the tool.
    pub tools: Vec<Vec<Glob>>,
    /// With one of these outcomes; all where absent.
    pub outcomes: Option<Vec<Word>>,
    /// At this place in the log.
    pub index: Option<u64>,
    /// With this digest of the request: that of a statement's subject, or of an intent.
    pub request: Option<Digest32>,
}

impl Filter {
    /// Whether a row is found. `is_closed` says of an intent's place whether a receipt names it.
    pub fn finds(&self, row: &Row, is_closed: impl FnOnce(u64) -> bool) -> bool {
        if self.index.is_some_and(|index| index != row.index) {
            return false;
        }
        if let Some(statement) = row.entry.receipt() {
            let p = &statement.predicate;
            return self.has_time(p.times.completed.unix_ms())
                && self.has_word(word_of(p))
                && self.has_agent(&p.agent)
                && self.has_tool(&p.tool)
                && self.host.as_ref().is_none_or(|host| *host == p.host)
                && self.request.is_none_or(|request| request == statement.request);
        }
        let Some((intent, ms)) = row.entry.intent().zip(row.entry.unix_ms()) else { return false };
        self.has_time(ms)
            && self.has_word(Word::Open)
            && self.has_agent(&intent.agent)
            && self.has_tool(&intent.tool)
            && self.host.as_ref().is_none_or(|host| *host == host_of(&intent.origin))
            && self.request.is_none_or(|request| request == intent.request)
            && !is_closed(row.index)
    }

    pub(crate) fn has_time(&self, ms: u64) -> bool {
        self.since.is_none_or(|since| ms >= since) && self.until.is_none_or(|until| ms < until)
    }

    pub(crate) fn has_word(&self, word: Word) -> bool {
        self.outcomes.as_ref().is_none_or(|words| words.contains(&word))
    }

    pub(crate) fn has_tool(&self, tool: &str) -> bool {
        self.tools.iter().all(|any| any.iter().any(|glob| glob.fits(tool)))
    }

    fn has_agent(&self, found: &str) -> bool {
        self.agent.as_ref().is_none_or(|agent| agent == found)
    }
}

fn word_of(p: &Predicate<'_>) -> Word {
    Word::of(p.decision.outcome, p.error.is_some())
}

/// The host of an origin such as `https://api.example:8443`, as a statement names it.
fn host_of(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, host)| host)
}

/// Text in which `*` stands for any run of characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob(String);

impl Glob {
    /// Any text is one.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Whether all of the text fits.
    pub fn fits(&self, text: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = text.strip_prefix(first) else { return false };
        let Some(last) = parts.next_back() else { return rest.is_empty() };
        for part in parts {
            let Some(at) = rest.find(part) else { return false };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run() {
        let fits = |glob: &str, text| Glob::new(glob).fits(text);
        assert!(fits("*", "") && fits("*", "a.b") && fits("", "") && !fits("", "a"));
        assert!(fits("stripe.*", "stripe.refunds.create") && !fits("stripe.*", "stripe"));
        assert!(fits("*.create", "a.create") && !fits("*.create", "a.create2"));
        assert!(fits("a*b*c", "a--b--c") && fits("a*b*c", "abc") && !fits("a*b*c", "acb"));
        assert!(!fits("ab*ba", "aba"), "one b is not two");
        assert!(fits("a", "a") && !fits("a", "aa") && !fits("A", "a"));
    }
}
