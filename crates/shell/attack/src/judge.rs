//! What was observed, and whether that is what had to come.

use crate::canary::{Canary, contains};
use crate::case::{Case, Expected};
use crate::reply::Reply;
use crate::upstream::Tally;

/// All that there is to judge of one case at one door.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    /// Of the attack itself; preparations are left out.
    pub(crate) replies: Vec<Reply>,
    /// What reached the upstream meanwhile.
    pub(crate) tally: Tally,
    /// A step that let more of its copies succeed than it says.
    pub(crate) too_many: Option<usize>,
    /// A preparation that did not pass: the attack was not tried.
    pub(crate) unprepared: Option<String>,
    /// The target still serves an honest request.
    pub(crate) alive: bool,
    /// Releases that the target's log does not know.
    pub(crate) unrecorded: Option<String>,
}

/// In words, and whether it held.
pub(crate) fn judge(case: &Case, nonce: &str, seen: &Observed, canary: &Canary) -> (String, bool) {
    match wrong(case, nonce, seen, canary) {
        Some(what) => (what, false),
        None => (right(seen), true),
    }
}

fn wrong(case: &Case, nonce: &str, seen: &Observed, canary: &Canary) -> Option<String> {
    if let Some(what) = &seen.unprepared {
        return Some(format!("not tried: {what}"));
    }
    let leaked = seen.replies.iter().find_map(|r| {
        let inside = || r.responses().iter().find_map(|one| canary.find(&one.body));
        canary.find(&r.bytes).or_else(inside)
    });
    if let Some(form) = leaked {
        return Some(format!("the credential came back as {form}"));
    }
    if let Some(place) = &seen.tally.stray {
        return Some(format!("the credential went to {place}"));
    }
    if let Some(line) = seen.tally.lines.iter().find(|line| !is_granted(line)) {
        return Some(format!("the credential went with {line}"));
    }
    if seen.tally.requests > case.requests_max {
        return Some(format!("{} requests reached the upstream", seen.tally.requests));
    }
    if let Some(count) = seen.too_many {
        return Some(format!("{count} copies succeeded"));
    }
    if !seen.alive {
        return Some("the target no longer answers".to_owned());
    }
    if let Some(what) = &seen.unrecorded {
        return Some(what.clone());
    }
    let last = seen.replies.last();
    let told = || last.map_or_else(|| "nothing".to_owned(), Reply::told);
    match case.expected {
        Expected::RefusedBefore => {
            if seen.tally.released > 0 {
                return Some(format!("released ({})", told()));
            }
            let passed = seen.replies.iter().find(|r| r.passed());
            passed.map(|r| format!("not refused ({})", r.told()))
        }
        Expected::RefusedAfter => {
            let passed = seen.replies.iter().find(|r| r.passed());
            if let Some(r) = passed {
                return Some(format!("not refused ({})", r.told()));
            }
            (seen.tally.released == 0)
                .then(|| format!("never tried: nothing was released ({})", told()))
        }
        Expected::Redacted => {
            if !last.is_some_and(Reply::passed) {
                return Some(format!("did not pass ({})", told()));
            }
            misses(case, nonce, last)
        }
        Expected::Harmless => misses(case, nonce, last),
    }
}

/// What the last reply had to hold, and does not.
fn misses(case: &Case, nonce: &str, last: Option<&Reply>) -> Option<String> {
    let wanted = case.contains.as_deref()?.replace("${nonce}", nonce);
    let bodies: Vec<u8> = last?.responses().into_iter().flat_map(|r| r.body).collect();
    let told = last.map_or_else(String::new, Reply::told);
    (!contains(&bodies, wanted.as_bytes()))
        .then(|| format!("the rest of the answer is missing ({told})"))
}

fn right(seen: &Observed) -> String {
    let told = seen.replies.last().map_or_else(|| "nothing".to_owned(), Reply::told);
    match seen.tally.released {
        0 => format!("{told}, nothing released"),
        1 => format!("{told}, released once"),
        n => format!("{told}, released {n} times"),
    }
}

/// Whether a request with the credential is one that the agent was granted, in one spelling.
fn is_granted(line: &str) -> bool {
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some(_), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return false;
    };
    let path = target.split('?').next().unwrap_or_default();
    let lower = path.to_ascii_lowercase();
    let is_odd = lower.split('/').skip(1).any(|s| s.is_empty() || s == "." || s == "..")
        || ["%2e", "%2f", "%5c", "\\", ";", "%00", "%0d", "%0a", "%25"]
            .iter()
            .any(|o| lower.contains(o));
    let is_named = match method {
        "GET" | "HEAD" => path.starts_with("/read/") || path == "/ping",
        "POST" => {
            ["/write/", "/risk/"].iter().any(|p| path.starts_with(p))
                || ["/pay", "/count", "/spend"].contains(&path)
        }
        _ => false,
    };
    is_named && !is_odd
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn granted_requests_have_one_spelling() {
        for line in ["GET /read/x HTTP/1.1", "GET /read/a/b?q=/../x HTTP/1.1", "POST /pay HTTP/1.1"]
        {
            assert!(is_granted(line), "{line}");
        }
        for line in [
            "GET /secret/x HTTP/1.1",
            "GET /read/../secret/x HTTP/1.1",
            "GET /read/%2e%2e/secret HTTP/1.1",
            "GET /read//x HTTP/1.1",
            "GET /read/..;/x HTTP/1.1",
            "DELETE /read/x HTTP/1.1",
            "GET http://evil.example/read/x HTTP/1.1",
            "GET /read/x",
        ] {
            assert!(!is_granted(line), "{line}");
        }
    }
}
