//! Bytes from the text of a case: `${name}`, `${canary|base64}`, `${A*1000}`, `${x0d0a}`.

use std::collections::BTreeMap;

use crate::canary::Canary;

/// What the names in a case stand for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Words(BTreeMap<String, String>);

impl Words {
    pub(crate) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.set(name, value);
        self
    }

    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    /// The bytes of `text`. A word that nobody set stays as it is, so that it is seen.
    pub(crate) fn bytes(&self, text: &str, canary: Option<&Canary>) -> Vec<u8> {
        let mut out = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.find("${") {
            let Some(end) = rest[at..].find('}') else { break };
            out.extend_from_slice(&rest.as_bytes()[..at]);
            let word = &rest[at + 2..at + end];
            match self.word(word, canary) {
                Some(bytes) => out.extend_from_slice(&bytes),
                None => out.extend_from_slice(&rest.as_bytes()[at..=at + end]),
            }
            rest = &rest[at + end + 1..];
        }
        out.extend_from_slice(rest.as_bytes());
        out
    }

    /// As [`Words::bytes`], for what is text.
    pub(crate) fn text(&self, text: &str) -> String {
        String::from_utf8_lossy(&self.bytes(text, None)).into_owned()
    }

    fn word(&self, word: &str, canary: Option<&Canary>) -> Option<Vec<u8>> {
        if let Some((piece, times)) = word.rsplit_once('*') {
            let times = times.parse::<usize>().ok().filter(|n| n * piece.len() <= FILL_MAX)?;
            let piece = self.word(piece, canary).unwrap_or_else(|| piece.into());
            return Some(piece.repeat(times));
        }
        if let Some(form) = word.strip_prefix("canary") {
            let form = if form.is_empty() { "raw" } else { form.strip_prefix('|')? };
            return canary?.spelled(form);
        }
        if let Some(value) = self.0.get(word) {
            return Some(value.clone().into_bytes());
        }
        let digits = word.strip_prefix('x').filter(|d| !d.is_empty() && d.len() % 2 == 0)?;
        (0..digits.len())
            .step_by(2)
            .map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok())
            .collect()
    }
}

/// The most that one word grows to.
const FILL_MAX: usize = 64 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_replaced_and_unknown_ones_stay() {
        let words = Words::default().with("host", "localhost:1");
        let canary = Canary::new(b"tok-en_~1".to_vec());
        let bytes = |text| String::from_utf8_lossy(&words.bytes(text, Some(&canary))).into_owned();
        assert_eq!(bytes("a ${host} ${A*3} ${x0d0a}|"), "a localhost:1 AAA \r\n|");
        assert_eq!(bytes("${canary} ${canary|hex}"), "tok-en_~1 746f6b2d656e5f7e31");
        assert_eq!(bytes("${nobody} {} $ ${"), "${nobody} {} $ ${");
        assert_eq!(bytes("${x0d0a*2}"), "\r\n\r\n");
        assert_eq!(words.bytes("${canary}", None), b"${canary}");
    }
}
