//! Runs: one program and its children, from start to end.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};

use http::header::{HeaderMap, PROXY_AUTHORIZATION};
use memchr::memmem::Finder;
use symbolon_broker::{PLACEHOLDER_BYTES, Session, has_placeholder};
use symbolon_capability::url::Authority;
use symbolon_codec::{Digest32, b64};
use symbolon_crypto::{labels, sha256_parts};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::rule::Rule;

/// What a password is good for.
#[derive(Debug)]
pub(crate) struct Run {
    /// A name for log lines.
    pub(crate) name: String,
    pub(crate) session: Arc<Session>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) references: References,
    /// Cancelled when it is over.
    pub(crate) ended: CancellationToken,
    /// Connections that its programs may have at once.
    pub(crate) places: Arc<Semaphore>,
    /// Its files.
    pub(crate) folder: PathBuf,
}

impl Run {
    /// The rule that lets this destination pass untouched.
    pub(crate) fn rule_for(&self, to: &Authority) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.admits(to))
    }
}

/// Placeholders of a run, by connection.
#[derive(Debug, Default)]
pub(crate) struct References {
    all: Vec<Reference>,
    shortest: usize,
    longest: usize,
}

#[derive(Debug)]
struct Reference {
    connection: String,
    text: String,
    finder: Finder<'static>,
    /// In lower case, as a header's name is.
    in_name: Finder<'static>,
}

impl References {
    pub(crate) fn new(all: Vec<(String, String)>) -> Self {
        let lengths = || all.iter().map(|(_, text)| text.len());
        // Placeholders of minted credentials are looked for beside those of the run.
        let shortest = lengths().min().unwrap_or(PLACEHOLDER_BYTES).min(PLACEHOLDER_BYTES);
        let longest = lengths().max().unwrap_or(PLACEHOLDER_BYTES).max(PLACEHOLDER_BYTES);
        let make = |(connection, text): (String, String)| {
            let finder = Finder::new(text.as_bytes()).into_owned();
            let in_name = Finder::new(text.to_ascii_lowercase().as_bytes()).into_owned();
            Reference { connection, text, finder, in_name }
        };
        Self { all: all.into_iter().map(make).collect(), shortest, longest }
    }

    /// The placeholder of a connection.
    pub(crate) fn of(&self, connection: &str) -> Option<&str> {
        self.all.iter().find(|r| r.connection == connection).map(|r| r.text.as_str())
    }

    /// Bytes of the longest.
    pub(crate) fn longest(&self) -> usize {
        self.longest
    }

    /// What a placeholder stands for that is anywhere in `bytes`: a connection, or something minted.
    pub(crate) fn found_in(&self, bytes: &[u8]) -> Option<&str> {
        if bytes.len() < self.shortest {
            return None;
        }
        let found = self.all.iter().find(|r| r.finder.find(bytes).is_some());
        let connection = found.map(|r| r.connection.as_str());
        connection.or_else(|| has_placeholder(bytes).then_some(MINTED))
    }

    /// The connection whose placeholder stands in a header or trailer: its value, or its name, which
    /// is in lower case whatever was sent.
    pub(crate) fn found_in_headers(&self, headers: &HeaderMap) -> Option<&str> {
        headers.iter().find_map(|(name, value)| {
            self.found_in(value.as_bytes()).or_else(|| self.found_in_name(name.as_str().as_bytes()))
        })
    }

    fn found_in_name(&self, name: &[u8]) -> Option<&str> {
        if name.len() < self.shortest {
            return None;
        }
        let found = self.all.iter().find(|r| r.in_name.find(name).is_some());
        let connection = found.map(|r| r.connection.as_str());
        // As lower case has it, too: what is behind the prefix is letters and digits.
        connection.or_else(|| has_placeholder(name).then_some(MINTED))
    }
}

/// Runs by the hash of their key, so that the time of a look-up tells nothing about a key.
#[derive(Default)]
pub(crate) struct Runs(RwLock<HashMap<Digest32, Arc<Run>>>);

impl Runs {
    /// Whose password a request carries.
    pub(crate) fn of(&self, headers: &HeaderMap) -> Option<Arc<Run>> {
        let mut values = headers.get_all(PROXY_AUTHORIZATION).iter();
        let (Some(value), None) = (values.next(), values.next()) else { return None };
        let (word, rest) = value.to_str().ok()?.split_once(' ')?;
        if !word.eq_ignore_ascii_case("basic") {
            return None;
        }
        let pair = b64::decode(rest.trim(), PAIR_BYTES_MAX).ok()?;
        let key = pair.strip_prefix(USER.as_bytes())?.strip_prefix(b":")?;
        let runs = self.0.read().unwrap_or_else(PoisonError::into_inner);
        runs.get(&key_hash(key)).cloned()
    }

    pub(crate) fn insert(&self, key: Digest32, run: Arc<Run>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(key, run);
    }

    pub(crate) fn remove(&self, key: &Digest32) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }
}

/// What is said of a minted credential in a connection's place: no connection has such a name.
pub(crate) const MINTED: &str = "(minted)";

/// The user name beside every run's key.
pub(crate) const USER: &str = "run";

/// Keys are 256 random bits, so a plain hash is as good as a slow one.
pub(crate) fn key_hash(key: &[u8]) -> Digest32 {
    sha256_parts(&[labels::RUN_KEY.as_str().as_bytes(), key])
}

const PAIR_BYTES_MAX: usize = 256;
