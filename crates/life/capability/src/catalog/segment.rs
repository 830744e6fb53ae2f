//! The types of a path segment.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};

use crate::url::{PathError, check_value};

/// What may stand in a parameter of a path template.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum SegmentKind {
    /// `0` or digits without a leading zero, up to 2^53 - 1.
    Int,
    /// A UUID in its usual form of 36 characters.
    Uuid,
    /// Hex digits.
    Hex,
    /// Letters, digits, `_` and `-`.
    Id,
    /// As `Id` and dots, but not dots only. The default.
    Slug,
    /// A package name of npm, `name` or `@scope/name`, whose slash is sent as `%2F`.
    Npm,
    /// Anything in one segment, percent-encoded by us.
    Any,
    /// Several segments, each as `Any`, whose slashes are sent as `%2F`.
    Packed,
    /// Several segments, each as `Any`, with real slashes; only at the end of a template.
    Path,
}

impl SegmentKind {
    /// The type by its name in a template.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "int" => Self::Int,
            "uuid" => Self::Uuid,
            "hex" => Self::Hex,
            "id" => Self::Id,
            "slug" => Self::Slug,
            "npm" => Self::Npm,
            "any" => Self::Any,
            "packed" => Self::Packed,
            "path" => Self::Path,
            _ => return None,
        })
    }

    /// Checks a decoded value.
    ///
    /// # Errors
    /// [`PathError::Type`] where the value has another type, or what is unsafe in it.
    pub fn check(self, value: &str) -> Result<(), PathError> {
        let max = self.length_max();
        if value.is_empty() {
            return Err(PathError::Empty);
        }
        if value.len() > max {
            return Err(PathError::TooLong { max });
        }
        let bytes = value.as_bytes();
        let fits = match self {
            Self::Int => is_int(value),
            Self::Uuid => is_uuid(bytes),
            Self::Hex => bytes.iter().all(u8::is_ascii_hexdigit),
            Self::Id => bytes.iter().all(|&b| is_id(b)),
            Self::Slug => {
                if bytes.iter().all(|&b| b == b'.') {
                    return Err(PathError::DotSegment);
                }
                bytes.iter().all(|&b| is_id(b) || b == b'.')
            }
            Self::Npm => is_npm(value),
            Self::Any => return check_value(value),
            Self::Packed | Self::Path => return value.split('/').try_for_each(check_part),
        };
        if fits { Ok(()) } else { Err(PathError::Type { expected: self.expected() }) }
    }

    /// Writes a checked value, percent-encoded.
    pub(super) fn write(self, value: &str, out: &mut String) {
        match self {
            Self::Int | Self::Uuid | Self::Hex | Self::Id | Self::Slug => out.push_str(value),
            Self::Npm => match value.split_once('/') {
                Some((scope, name)) => {
                    out.push_str(scope);
                    out.push_str("%2F");
                    out.push_str(name);
                }
                None => out.push_str(value),
            },
            Self::Any | Self::Packed => out.extend(utf8_percent_encode(value, ENCODED)),
            Self::Path => {
                for (at, part) in value.split('/').enumerate() {
                    if at > 0 {
                        out.push('/');
                    }
                    out.extend(utf8_percent_encode(part, ENCODED));
                }
            }
        }
    }

    /// The JSON Schema of a value. It is as strict as a schema can say; [`SegmentKind::check`] has the
    /// last word on `any`, `packed` and `path`.
    #[must_use]
    pub fn schema(self) -> Value {
        let max = self.length_max();
        match self {
            Self::Int => json!({"type": "integer", "minimum": 0, "maximum": INT_MAX}),
            Self::Uuid => json!({"type": "string", "format": "uuid", "pattern":
                "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"}),
            Self::Hex => json!({"type": "string", "pattern": "^[0-9a-fA-F]+$", "maxLength": max}),
            Self::Id => json!({"type": "string", "pattern": "^[A-Za-z0-9_-]+$", "maxLength": max}),
            Self::Slug => json!({"type": "string", "maxLength": max, "pattern":
                "^[A-Za-z0-9._-]*[A-Za-z0-9_-][A-Za-z0-9._-]*$"}),
            Self::Npm => json!({"type": "string", "maxLength": max, "pattern":
                "^(@[A-Za-z0-9~][A-Za-z0-9._~-]*/)?[A-Za-z0-9~][A-Za-z0-9._~-]*$"}),
            Self::Any | Self::Packed | Self::Path => {
                json!({"type": "string", "minLength": 1, "maxLength": max})
            }
        }
    }

    /// The type in words, for errors.
    #[must_use]
    pub const fn expected(self) -> &'static str {
        match self {
            Self::Int => "a whole number of 0 or more",
            Self::Uuid => "a UUID",
            Self::Hex => "hex digits",
            Self::Id => "letters, digits, _ or -",
            Self::Slug => "letters, digits, ., _ or -",
            Self::Npm => "a package name, name or @scope/name",
            Self::Any => "text for one path segment",
            Self::Packed | Self::Path => "segments separated by /",
        }
    }

    const fn length_max(self) -> usize {
        match self {
            Self::Int => 16,
            Self::Uuid => 36,
            Self::Npm => 214,
            Self::Hex | Self::Id | Self::Slug => 255,
            Self::Any => 512,
            Self::Packed | Self::Path => 1024,
        }
    }
}

/// 2^53 - 1: what every JSON reader keeps exactly.
pub(super) const INT_MAX: u64 = (1 << 53) - 1;

/// Everything but the unreserved characters (RFC 3986, 2.3).
pub(super) const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

fn check_part(part: &str) -> Result<(), PathError> {
    check_value(part).map_err(|error| match error {
        PathError::Empty => PathError::EmptySegment,
        other => other,
    })
}

const fn is_id(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

fn is_int(value: &str) -> bool {
    value.bytes().all(|b| b.is_ascii_digit())
        && (value == "0" || !value.starts_with('0'))
        && value.parse::<u64>().is_ok_and(|n| n <= INT_MAX)
}

fn is_uuid(bytes: &[u8]) -> bool {
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, b)| match at {
            8 | 13 | 18 | 23 => *b == b'-',
            _ => b.is_ascii_hexdigit(),
        })
}

fn is_npm(value: &str) -> bool {
    let is_name = |name: &str| {
        // A leading `-` would reach the registry's own `/-/…` paths, a leading `.` or `_` hidden ones.
        name.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '~')
            && name.bytes().all(|b| is_id(b) || matches!(b, b'.' | b'~'))
    };
    match value.strip_prefix('@') {
        Some(scoped) => scoped.split_once('/').is_some_and(|(s, n)| is_name(s) && is_name(n)),
        None => is_name(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_type_refuses_its_neighbour() {
        use SegmentKind::*;
        let cases: &[(SegmentKind, &[&str], &[&str])] = &[
            (
                Int,
                &["0", "7", "9007199254740991"],
                &["", "01", "-1", "1.0", "9007199254740992", "٣"],
            ),
            (
                Uuid,
                &["01234567-89ab-cdef-0123-456789ABCDEF"],
                &["0123456789abcdef0123456789abcdef", "0123456-789ab-cdef-0123-456789abcdef"],
            ),
            (Hex, &["0", "deadBEEF"], &["g", "0x1", ""]),
            (Id, &["a_b-C9"], &["a.b", "a b", "é", ""]),
            (Slug, &["a.b", ".github", "..a"], &[".", "..", "...", "a/b", "a%2e"]),
            (
                Npm,
                &["lodash", "@types/node", "a.b~c"],
                &["-", ".a", "_a", "@a", "@a/", "@/a", "@a/..", "@a/-x", "a/b", "@a/b/c"],
            ),
            (
                Any,
                &["a b", "100%", "é", "a;b", "a:b"],
                &["..", "a/b", "a\\b", "%2e", "\u{FF0E}", ""],
            ),
            (Packed, &["a/b", "a"], &["/a", "a/", "a//b", "a/../b"]),
            (Path, &["src/main.rs", "a"], &["/a", "a/", "a//b", "a/./b", "..", "a/%2e%2e/b"]),
        ];
        for (kind, good, bad) in cases {
            for value in *good {
                assert_eq!(kind.check(value), Ok(()), "{kind:?} {value}");
            }
            for value in *bad {
                assert!(kind.check(value).is_err(), "{kind:?} {value}");
            }
        }
        assert!(Slug.check(&"a".repeat(256)).is_err());
    }
}
