//! What the answer of a check call tells of the credential: where it stands, by the catalogue file.
//! Nothing that is not named there is read into an answer.

use serde::Deserialize;
use serde_json::Value;
use symbolon_codec::json::parse_bounded;

use super::error::Problem;
use super::file::Ordered;
use super::header::is_header_name;
use super::scope::{ScopePatternError, Scopes};
use super::scope_set::ScopeSet;

/// `[service.tells]` as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTells {
    /// `body:/ok`: what must be there and say yes, for services that answer 200 to what they refuse.
    pub works: Option<String>,
    /// Who the credential is.
    pub who: Option<String>,
    /// What it may do, in the service's own words.
    pub scopes: Option<String>,
    /// When it ends.
    pub ends: Option<String>,
    /// The service's words for what goes far, each with the scopes of this file that use it.
    #[serde(default)]
    pub wide: Ordered<Vec<String>>,
}

/// Where an answer tells of its credential.
#[derive(Debug, Default)]
pub struct Tells {
    works: Option<Place>,
    who: Option<Place>,
    scopes: Option<Place>,
    ends: Option<Place>,
    wide: Vec<Wide>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// A header, its name in lower case.
    Header(Box<str>),
    /// A JSON pointer (RFC 6901) into the body.
    Body(Box<str>),
}

#[derive(Debug)]
struct Wide {
    name: Box<str>,
    patterns: Vec<String>,
    /// Once the catalogue's scopes are numbered.
    used_by: ScopeSet,
}

/// What an answer told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Told {
    /// False where the service says so in an answer that is otherwise good.
    pub works: bool,
    /// Who the credential is.
    pub who: Option<String>,
    /// What it may do; `None` where the answer does not tell.
    pub scopes: Option<Vec<String>>,
    /// When it ends, in the service's words.
    pub ends: Option<String>,
}

impl Tells {
    pub(super) fn read(raw: &RawTells) -> Result<Self, Problem> {
        let place = |text: &Option<String>| text.as_deref().map(Place::read).transpose();
        let (works, scopes) = (place(&raw.works)?, place(&raw.scopes)?);
        if matches!(works, Some(Place::Header(_))) {
            return Err(Problem::Rule("tells: works is a place in the body"));
        }
        if raw.wide.0.len() > WIDE_MAX {
            return Err(Problem::Rule("tells: at most 64 wide scopes"));
        }
        let wide = raw.wide.0.iter().map(|(name, patterns)| {
            let is_plain = (1..=TEXT_CHARS_MAX).contains(&name.len())
                && name.bytes().all(|b| (0x21..0x7f).contains(&b) && b != b',');
            match is_plain && patterns.len() <= WIDE_MAX {
                true => Ok(Wide {
                    name: name.as_str().into(),
                    patterns: patterns.clone(),
                    used_by: ScopeSet::new(),
                }),
                false => {
                    Err(Problem::Rule("tells: a wide scope is printable, without blank or comma"))
                }
            }
        });
        Ok(Self {
            works,
            who: place(&raw.who)?,
            scopes,
            ends: place(&raw.ends)?,
            wide: wide.collect::<Result<_, _>>()?,
        })
    }

    /// Finds the scopes that wide ones are used by. All of them are the service's own.
    pub(super) fn number(&mut self, scopes: &Scopes) -> Result<(), ScopePatternError> {
        for wide in &mut self.wide {
            for pattern in &wide.patterns {
                wide.used_by = wide.used_by.union(&scopes.expand(pattern)?);
            }
        }
        Ok(())
    }

    /// Patterns of wide scopes, to be checked against the service.
    pub(super) fn patterns(&self) -> impl Iterator<Item = &str> {
        self.wide.iter().flat_map(|w| w.patterns.iter().map(String::as_str))
    }

    /// Headers that hold any of it.
    pub fn headers(&self) -> impl Iterator<Item = &str> {
        let places = [&self.who, &self.scopes, &self.ends];
        places.into_iter().filter_map(|place| match place {
            Some(Place::Header(name)) => Some(&**name),
            _ => None,
        })
    }

    /// Reads an answer. What is not where the file says is not told; nothing is guessed.
    pub fn told<'h>(&self, header: impl Fn(&str) -> Option<&'h str>, body: &[u8]) -> Told {
        let body = parse_bounded(body, BODY_BYTES_MAX, DEPTH_MAX).ok();
        let find = |place: &Option<Place>| match place.as_ref()? {
            Place::Header(name) => header(name).map(Value::from),
            Place::Body(pointer) => body.as_ref()?.pointer(pointer).cloned(),
        };
        Told {
            works: self.works.is_none() || find(&self.works).is_some_and(|v| is_yes(&v)),
            who: find(&self.who).and_then(|v| text(&v)),
            scopes: find(&self.scopes).and_then(|v| list(&v)),
            ends: find(&self.ends).and_then(|v| text(&v)),
        }
    }

    /// Which of the credential's scopes go far, and are used by nothing that is granted.
    pub fn too_wide<'s>(&'s self, told: &'s [String], granted: &ScopeSet) -> Vec<&'s str> {
        let is_unused = |name: &&String| {
            let wide = self.wide.iter().find(|w| *w.name == ***name);
            wide.is_some_and(|w| w.used_by.intersection(granted).is_empty())
        };
        told.iter().filter(is_unused).map(String::as_str).collect()
    }
}

impl Place {
    fn read(text: &str) -> Result<Self, Problem> {
        match text.split_once(':') {
            // A cookie is a session that was made for the credential.
            Some(("header", name)) if is_header_name(name) && name != "set-cookie" => {
                Ok(Self::Header(name.into()))
            }
            Some(("body", pointer))
                if pointer.starts_with('/') && pointer.len() <= TEXT_CHARS_MAX =>
            {
                Ok(Self::Body(pointer.into()))
            }
            _ => Err(Problem::Rule("tells: a place is header:NAME or body:/POINTER")),
        }
    }
}

/// Not false, and not nothing: some services name nobody to who shows no good credential.
fn is_yes(value: &Value) -> bool {
    match value {
        Value::Bool(yes) => *yes,
        Value::String(text) => !text.is_empty(),
        Value::Number(_) => true,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// A short word or number of a stranger's: to be shown.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let plain: String = text.chars().filter(|c| !c.is_control()).take(TEXT_CHARS_MAX).collect();
    (!plain.is_empty()).then_some(plain)
}

/// An array of texts, or one text with commas or blanks between.
fn list(value: &Value) -> Option<Vec<String>> {
    let items: Vec<String> = match value {
        Value::Array(items) => items.iter().filter_map(text).collect(),
        Value::String(all) => scope_words(all),
        _ => return None,
    };
    Some(items.into_iter().take(TOLD_MAX).collect())
}

/// The words of a text of scopes, with commas or blanks between.
pub fn scope_words(all: &str) -> Vec<String> {
    let words = all.split([',', ' ']).filter(|word| !word.is_empty());
    words.filter_map(|word| text(&word.into())).take(TOLD_MAX).collect()
}

const TEXT_CHARS_MAX: usize = 128;
const WIDE_MAX: usize = 64;
const TOLD_MAX: usize = 256;
const BODY_BYTES_MAX: usize = 4 << 20;
const DEPTH_MAX: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;

    const SERVICE: &str = r#"
[service]
id = "demo"
name = "Demo"
base_url = "https://api.demo.example"
docs = "https://demo.example/docs"
auth = { scheme = "bearer" }
verify = "me"
rate = { burst = 5, per_second = 1 }

[service.tells]
works = "body:/ok"
who = "body:/user/name"
scopes = "header:x-scopes"
ends = "body:/user/until"
wide = { admin = [], write = ["demo.users.write"] }

[[operation]]
id = "me"
title = "Show me"
description = "Shows me."
method = "GET"
path = "/me"
scope = "demo.users.read"
effect = "read"

[[operation]]
id = "change"
title = "Change me"
description = "Changes me."
method = "POST"
path = "/me"
scope = "demo.users.write"
effect = "write"
"#;

    fn told(scopes: Option<&str>, body: &str) -> Told {
        let catalog = Catalog::empty().with_extra(SERVICE).unwrap();
        let tells = catalog.service("demo").unwrap().tells().unwrap();
        tells.told(|name| scopes.filter(|_| name == "x-scopes"), body.as_bytes())
    }

    #[test]
    fn what_is_told_is_read_where_the_file_says() {
        let body = r#"{"ok": true, "user": {"name": "ada", "until": 1800000000}}"#;
        assert_eq!(
            told(Some("read, admin"), body),
            Told {
                works: true,
                who: Some("ada".into()),
                scopes: Some(vec!["read".into(), "admin".into()]),
                ends: Some("1800000000".into()),
            }
        );
        assert_eq!(told(Some(""), body).scopes, Some(vec![]), "none is told too");
        assert_eq!(told(None, body).scopes, None);
        for body in [r#"{"ok": false}"#, r#"{"ok": ""}"#, r#"{"ok": {}}"#, "{}", "no JSON", ""] {
            let told = told(None, body);
            assert!(!told.works && told.who.is_none(), "{body}");
        }
        assert!(told(None, r#"{"ok": "somebody"}"#).works);
        assert_eq!(told(None, r#"{"user": {"name": ["a"]}}"#).who, None);
    }

    #[test]
    fn too_wide_is_what_the_file_calls_so_and_nothing_granted_uses() {
        let catalog = Catalog::empty().with_extra(SERVICE).unwrap();
        let tells = catalog.service("demo").unwrap().tells().unwrap();
        let told: Vec<String> = ["read", "write", "admin", "new"].map(Into::into).into();
        let granted = |pattern: &str| catalog.scopes().expand(pattern).unwrap();
        assert_eq!(tells.too_wide(&told, &ScopeSet::new()), ["write", "admin"]);
        assert_eq!(tells.too_wide(&told, &granted("demo.users.read")), ["write", "admin"]);
        assert_eq!(tells.too_wide(&told, &granted("demo.*")), ["admin"], "no call uses it");
    }

    #[test]
    fn a_file_whose_facts_make_no_sense_does_not_load() {
        for (from, to) in [
            ("body:/ok", "header:x-ok"),
            ("header:x-scopes", "x-scopes"),
            ("header:x-scopes", "header:set-cookie"),
            ("header:x-scopes", "header:X-Scopes"),
            ("body:/user/name", "body:user"),
            ("demo.users.write\"]", "demo.users.admin\"]"),
            ("demo.users.write\"]", "github.users.read\"]"),
            ("admin = []", "\"a,b\" = []"),
            ("verify = \"me\"\n", ""),
        ] {
            let text = SERVICE.replace(from, to);
            assert_ne!(text, SERVICE);
            assert!(Catalog::empty().with_extra(&text).is_err(), "{to}");
        }
    }
}
