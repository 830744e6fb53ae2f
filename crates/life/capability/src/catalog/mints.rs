//! Where a successful answer holds a new credential (`specs/minted.md`).

use serde::Deserialize;

use super::error::Problem;

/// One entry of `mints` of an operation, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawMint {
    pub at: String,
    pub expires_at: Option<String>,
    pub lifetime_seconds: Option<u64>,
}

/// A credential that an answer holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mint {
    at: Pointer,
    ends: Ends,
}

/// When a minted credential ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ends {
    /// The catalogue does not say.
    Unsaid,
    /// The answer says it here.
    At(Pointer),
    /// So many seconds after it was made.
    After(u64),
}

impl Mint {
    /// Where it stands.
    #[must_use]
    pub const fn at(&self) -> &Pointer {
        &self.at
    }

    /// When it ends.
    #[must_use]
    pub const fn ends(&self) -> &Ends {
        &self.ends
    }

    fn read(raw: &RawMint) -> Result<Self, Problem> {
        let ends = match (&raw.expires_at, raw.lifetime_seconds) {
            (None, None) => Ends::Unsaid,
            (Some(pointer), None) => Ends::At(Pointer::parse(pointer)?),
            (None, Some(seconds @ 1..=LIFETIME_SECONDS_MAX)) => Ends::After(seconds),
            (None, Some(_)) => {
                return Err(Problem::Rule("mints: lifetime_seconds is 1 to a hundred years"));
            }
            (Some(_), Some(_)) => {
                return Err(Problem::Rule("mints: expires_at or lifetime_seconds, not both"));
            }
        };
        Ok(Self { at: Pointer::parse(&raw.at)?, ends })
    }
}

/// All entries of one operation.
pub(super) fn read_mints(raw: &[RawMint]) -> Result<Box<[Mint]>, Problem> {
    if raw.len() > MINTS_MAX {
        return Err(Problem::Rule("mints has 1 to 4 places"));
    }
    let mints = raw.iter().map(Mint::read).collect::<Result<Box<[_]>, _>>()?;
    for (i, one) in mints.iter().enumerate() {
        let others = mints.iter().enumerate().filter(|(j, _)| *j != i);
        if others.map(|(_, other)| &other.at).any(|other| one.at.leads_into(other)) {
            return Err(Problem::Rule("mints: no place is another's, or leads into it"));
        }
    }
    Ok(mints)
}

/// A JSON pointer (RFC 6901) to something below the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pointer(Box<[Box<str>]>);

impl Pointer {
    /// Parses `/result/value`.
    ///
    /// # Errors
    /// [`Problem::Rule`].
    pub fn parse(text: &str) -> Result<Self, Problem> {
        let form = Problem::Rule("mints: a JSON pointer such as /result/value, of 1 to 8 parts");
        let Some(rest) = text.strip_prefix('/').filter(|_| text.len() <= POINTER_BYTES_MAX) else {
            return Err(form);
        };
        let parts: Option<Box<[Box<str>]>> = rest.split('/').map(unescape).collect();
        parts.filter(|p| p.len() <= PARTS_MAX).map(Self).ok_or(form)
    }

    /// The names of members, or numbers of items, from the root.
    #[must_use]
    pub const fn parts(&self) -> &[Box<str>] {
        &self.0
    }

    fn leads_into(&self, other: &Self) -> bool {
        other.0.starts_with(&self.0)
    }
}

/// RFC 6901, section 4: `~1` is a slash, then `~0` a tilde; no other escape is one.
fn unescape(part: &str) -> Option<Box<str>> {
    let mut out = String::with_capacity(part.len());
    let mut rest = part.chars();
    while let Some(c) = rest.next() {
        out.push(match (c, c == '~') {
            (_, true) => match rest.next()? {
                '0' => '~',
                '1' => '/',
                _ => return None,
            },
            (c, false) if c.is_control() => return None,
            (c, false) => c,
        });
    }
    Some(out.into())
}

const MINTS_MAX: usize = 4;
const PARTS_MAX: usize = 8;
const POINTER_BYTES_MAX: usize = 256;
/// A hundred years: a longer life is a mistake, and an overflow is none.
const LIFETIME_SECONDS_MAX: u64 = 100 * 366 * 24 * 3600;

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(at: &str) -> RawMint {
        RawMint { at: at.to_owned(), expires_at: None, lifetime_seconds: None }
    }

    #[test]
    fn pointers_are_those_of_the_standard() {
        let parts = |text: &str| {
            let pointer = Pointer::parse(text).ok()?;
            Some(pointer.parts().iter().map(|p| p.to_string()).collect::<Vec<_>>())
        };
        assert_eq!(parts("/token").unwrap(), ["token"]);
        assert_eq!(parts("/a~1b/m~0n/0/~01").unwrap(), ["a/b", "m~n", "0", "~1"]);
        assert_eq!(parts("/").unwrap(), [""], "the member without a name");
        assert_eq!(parts("/1/2/3/4/5/6/7/8").unwrap().len(), 8);
        for bad in ["", "token", "/a~", "/a~2", "/a\nb", "/1/2/3/4/5/6/7/8/9"] {
            assert_eq!(parts(bad), None, "{bad:?}");
        }
        assert!(parts(&format!("/{}", "x".repeat(255))).is_some());
        assert!(parts(&format!("/{}", "x".repeat(256))).is_none());
    }

    #[test]
    fn places_are_few_and_apart() {
        let read = |all: &[&str]| read_mints(&all.iter().map(|at| raw(at)).collect::<Vec<_>>());
        assert_eq!(read(&["/a", "/b", "/ab", "/c/a"]).unwrap().len(), 4);
        assert!(read(&["/a", "/b", "/c", "/d", "/e"]).is_err());
        for bad in [["/a", "/a"], ["/a", "/a/b"], ["/a/b", "/a"]] {
            assert!(matches!(read(&bad), Err(Problem::Rule(_))), "{bad:?}");
        }
    }

    #[test]
    fn an_end_is_said_once() {
        let with = |expires_at: Option<&str>, lifetime_seconds| {
            let expires_at = expires_at.map(str::to_owned);
            Mint::read(&RawMint { expires_at, lifetime_seconds, ..raw("/a") }).map(|m| m.ends)
        };
        assert_eq!(with(None, None), Ok(Ends::Unsaid));
        assert_eq!(with(Some("/e"), None), Ok(Ends::At(Pointer::parse("/e").unwrap())));
        assert_eq!(with(None, Some(3600)), Ok(Ends::After(3600)));
        assert!(with(Some("/e"), Some(1)).is_err() && with(Some("e"), None).is_err());
        assert!(with(None, Some(0)).is_err());
        assert!(with(None, Some(LIFETIME_SECONDS_MAX + 1)).is_err());
    }
}
