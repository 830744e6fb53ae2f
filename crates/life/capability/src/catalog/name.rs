//! Names in the catalogue, each with its own rule.

use std::fmt;

/// Why a text is not a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Empty, or longer than the limit.
    #[error("{what} must have 1 to {max} characters, found {found}")]
    Length {
        /// Which kind of name.
        what: &'static str,
        /// The limit in characters.
        max: usize,
        /// How many there were.
        found: usize,
    },
    /// A character or an order of characters that the kind of name does not allow.
    #[error("{what} must be {expected}")]
    Shape {
        /// Which kind of name.
        what: &'static str,
        /// What the rule is, in words.
        expected: &'static str,
    },
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal, $max:literal, $expected:literal, $rule:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $type(Box<str>);

        impl $type {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<&str> for $type {
            type Error = NameError;

            fn try_from(text: &str) -> Result<Self, NameError> {
                let found = text.chars().count();
                if found == 0 || found > $max {
                    return Err(NameError::Length { what: $what, max: $max, found });
                }
                let rule: fn(&str) -> bool = $rule;
                if !rule(text) {
                    return Err(NameError::Shape { what: $what, expected: $expected });
                }
                Ok(Self(text.into()))
            }
        }

        impl std::borrow::Borrow<str> for $type {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    };
}

name!(
    /// A service: `github`. A letter, then letters, digits or `_`; at most 24 characters.
    ServiceId,
    "a service id",
    24,
    "a lower-case letter, then lower-case letters, digits or _",
    is_word
);

name!(
    /// A tool by its full name, `<service>.<operation id>`: `github.issues.list`; at most 64 characters.
    ToolName,
    "a tool name",
    64,
    "<service>.<operation>, each part a lower-case letter, then letters, digits, _ or -",
    |text| {
        let mut parts = text.split('.');
        parts.next().is_some_and(is_word) && text.contains('.') && parts.all(is_part)
    }
);

name!(
    /// A scope, `<service>.<noun>.<read|write|admin>`: `github.issues.read`; at most 64 characters.
    ScopeName,
    "a scope",
    64,
    "<service>.<noun>.<read|write|admin>",
    |text| {
        let parts: Vec<&str> = text.split('.').collect();
        matches!(parts.as_slice(), [service, noun, "read" | "write" | "admin"]
            if is_word(service) && is_word(noun))
    }
);

impl ToolName {
    /// The service's part, before the first dot.
    #[must_use]
    pub fn service(&self) -> &str {
        self.0.split_once('.').map_or("", |(service, _)| service)
    }
}

impl ScopeName {
    /// Whether the scope lets its holder only look.
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.0.ends_with(".read")
    }

    /// The service's part, before the first dot.
    #[must_use]
    pub fn service(&self) -> &str {
        self.0.split_once('.').map_or("", |(service, _)| service)
    }
}

/// A parameter's name as a caller writes it: fits every model's rule for property names.
pub(super) fn is_parameter_name(text: &str) -> bool {
    text.len() <= 64
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

pub(super) fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn is_part(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_keep_their_rule() {
        for good in ["github.issues.list", "a.b", "npm.dist-tags.set"] {
            assert!(ToolName::try_from(good).is_ok(), "{good}");
        }
        let long = format!("a.{}", "b".repeat(63));
        for bad in ["", "github", ".a", "a.", "a..b", "A.b", "a.b c", "a.b\n", "a/b.c", &long] {
            assert!(ToolName::try_from(bad).is_err(), "{bad}");
        }
        assert!(ScopeName::try_from("github.issues.read").is_ok());
        for bad in ["github.read", "github.issues.see", "github.issues.x.read", "github..read"] {
            assert!(ScopeName::try_from(bad).is_err(), "{bad}");
        }
    }
}
