//! Path templates with typed segments: `/repos/{owner}/{repo}/issues/{number:int}`.

use std::{borrow::Cow, fmt};

use serde_json::{Map, Number, Value};

use super::{
    name::is_parameter_name,
    segment::{INT_MAX, SegmentKind},
};
use crate::url::{CanonicalPath, PathError, decode, is_path_char};

/// A path with typed holes.
///
/// A segment is text, or one parameter with optional text before and after it (`{id}.json`). The type
/// comes after a colon; without one it is [`SegmentKind::Slug`]. Grammar: `specs/catalog.md`, "Paths".
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct PathTemplate {
    text: Box<str>,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Segment {
    /// All of a literal segment, or what stands before the parameter.
    prefix: Box<str>,
    parameter: Option<(Box<str>, SegmentKind)>,
    suffix: Box<str>,
}

impl PathTemplate {
    /// Parses a template.
    ///
    /// # Errors
    /// [`TemplateError`] says which rule is broken; nothing unsafe to expand is accepted.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        if text.len() > TEMPLATE_BYTES_MAX {
            return Err(TemplateError::TooLong { max: TEMPLATE_BYTES_MAX });
        }
        let rest = text.strip_prefix('/').ok_or(TemplateError::NotAbsolute)?;
        let pieces: Vec<&str> = rest.split('/').collect();
        if pieces.len() > SEGMENTS_MAX {
            return Err(TemplateError::TooManySegments { max: SEGMENTS_MAX });
        }
        let last = pieces.len() - 1;
        let mut template = Self { text: text.into(), segments: Vec::with_capacity(pieces.len()) };
        for (at, piece) in pieces.into_iter().enumerate() {
            if piece.is_empty() && at < last {
                return Err(TemplateError::EmptySegment);
            }
            let segment = Segment::parse(piece)?;
            if let Some((name, kind)) = &segment.parameter {
                if *kind == SegmentKind::Path && at < last {
                    return Err(TemplateError::PathNotLast(name.to_string()));
                }
                if template.parameters().any(|(other, _)| *other == **name) {
                    return Err(TemplateError::Duplicate(name.to_string()));
                }
            }
            template.segments.push(segment);
        }
        Ok(template)
    }

    /// The template as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Names and types of the parameters, from left to right.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, SegmentKind)> {
        self.segments
            .iter()
            .filter_map(|s| s.parameter.as_ref().map(|(name, kind)| (&**name, *kind)))
    }

    /// Fills the holes. Arguments that the template does not name are left alone.
    ///
    /// # Errors
    /// [`ExpandError`] names the parameter that is missing or whose value does not fit.
    pub fn expand(&self, arguments: &Map<String, Value>) -> Result<CanonicalPath, ExpandError> {
        let mut path = String::with_capacity(self.text.len() + 64);
        for segment in &self.segments {
            path.push('/');
            path.push_str(&segment.prefix);
            if let Some((name, kind)) = &segment.parameter {
                let fail = |cause| ExpandError { parameter: name.to_string(), cause };
                let value = arguments.get(&**name).ok_or_else(|| fail(PathError::Empty))?;
                let value = text_of(value, *kind).map_err(fail)?;
                kind.check(&value).map_err(fail)?;
                kind.write(&value, &mut path);
            }
            path.push_str(&segment.suffix);
        }
        CanonicalPath::from_expansion(path)
            .map_err(|cause| ExpandError { parameter: "path".to_owned(), cause })
    }

    /// Reads the values back out of a path; `None` where the path is not of this template.
    #[must_use]
    pub fn matches(&self, path: &CanonicalPath) -> Option<Captures<'_>> {
        let mut values = Vec::new();
        let mut rest = path.as_str().strip_prefix('/');
        for segment in &self.segments {
            let text = rest?;
            let takes_all = matches!(segment.parameter, Some((_, SegmentKind::Path)));
            let (piece, after) = match text.split_once('/') {
                Some((piece, after)) if !takes_all => (piece, Some(after)),
                _ => (text, None),
            };
            rest = after;
            match &segment.parameter {
                None if piece == &*segment.prefix => {}
                None => return None,
                Some((name, kind)) => {
                    let inner =
                        piece.strip_prefix(&*segment.prefix)?.strip_suffix(&*segment.suffix)?;
                    values.push((&**name, *kind, kind.read(inner)?));
                }
            }
        }
        rest.is_none().then_some(Captures(values))
    }

    /// Orders templates so that the one that says more comes first: text before types, narrow types
    /// before wide ones, from left to right.
    pub(super) fn specificity(&self) -> Vec<Specificity<'_>> {
        self.segments
            .iter()
            .map(|s| match &s.parameter {
                None => Specificity::Text(&s.prefix),
                Some((_, kind)) => {
                    let written = s.prefix.len() + s.suffix.len();
                    Specificity::Hole(usize::MAX - written, *kind, &s.prefix, &s.suffix)
                }
            })
            .collect()
    }

    /// How many segments it has.
    pub(super) const fn len(&self) -> usize {
        self.segments.len()
    }

    /// Whether it ends in a parameter of any number of segments.
    pub(super) fn is_open(&self) -> bool {
        self.segments.last().is_some_and(|s| matches!(s.parameter, Some((_, SegmentKind::Path))))
    }

    /// Each segment's text; `None` where a parameter stands in it.
    pub(super) fn literals(&self) -> impl Iterator<Item = Option<&str>> {
        self.segments.iter().map(|s| s.parameter.is_none().then_some(&*s.prefix))
    }

    /// Whether some path could match both templates. May say yes where the answer is no.
    pub(super) fn may_overlap(&self, other: &Self) -> bool {
        if self.len() != other.len() && !self.is_open() && !other.is_open() {
            return false;
        }
        self.segments.iter().zip(&other.segments).all(|(a, b)| match (&a.parameter, &b.parameter) {
            (None, None) => a.prefix == b.prefix,
            (Some((_, kind)), None) => may_hold(a, *kind, &b.prefix),
            (None, Some((_, kind))) => may_hold(b, *kind, &a.prefix),
            (Some(_), Some(_)) => true,
        })
    }
}

impl Segment {
    fn parse(piece: &str) -> Result<Self, TemplateError> {
        let Some((prefix, rest)) = piece.split_once('{') else {
            check_text(piece)?;
            if !piece.is_empty() && piece.bytes().all(|b| b == b'.') {
                return Err(TemplateError::DotSegment);
            }
            return Ok(Self { prefix: piece.into(), parameter: None, suffix: "".into() });
        };
        let (inner, suffix) = rest.split_once('}').ok_or(TemplateError::Brace)?;
        if suffix.contains('{') {
            return Err(TemplateError::TwoParameters);
        }
        check_text(prefix)?;
        check_text(suffix)?;
        let (name, kind) = match inner.split_once(':') {
            Some((name, kind)) => (
                name,
                SegmentKind::from_name(kind)
                    .ok_or_else(|| TemplateError::Kind(kind.chars().take(32).collect()))?,
            ),
            None => (inner, SegmentKind::Slug),
        };
        if !is_parameter_name(name) {
            return Err(TemplateError::Name(name.chars().take(64).collect()));
        }
        let spans = matches!(kind, SegmentKind::Path | SegmentKind::Packed | SegmentKind::Npm);
        if spans && !(prefix.is_empty() && suffix.is_empty()) {
            return Err(TemplateError::TextBeside(name.to_owned()));
        }
        Ok(Self {
            prefix: prefix.into(),
            parameter: Some((name.into(), kind)),
            suffix: suffix.into(),
        })
    }
}

impl SegmentKind {
    /// Decodes and checks one captured piece of a canonical path.
    fn read(self, piece: &str) -> Option<Value> {
        let value = decode(piece).ok()?;
        // Only these two send a slash as an escape; elsewhere the check refuses it in the value,
        // but `Path` would take an encoded slash for a real one.
        if self == Self::Path && piece.contains("%2F") {
            return None;
        }
        self.check(&value).ok()?;
        Some(match self {
            Self::Int => Value::Number(value.parse::<u64>().ok()?.into()),
            _ => Value::String(value.into_owned()),
        })
    }
}

/// The values that [`PathTemplate::matches`] read out of a path, decoded and typed.
#[derive(Clone, Debug, PartialEq)]
pub struct Captures<'t>(Vec<(&'t str, SegmentKind, Value)>);

impl<'t> Captures<'t> {
    /// The value of a parameter.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(other, _, _)| *other == name).map(|(_, _, value)| value)
    }

    /// Names and values from left to right.
    pub fn iter(&self) -> impl Iterator<Item = (&'t str, &Value)> {
        self.0.iter().map(|(name, _, value)| (*name, value))
    }

    /// Puts the values into an argument object.
    pub fn fill(self, arguments: &mut Map<String, Value>) {
        for (name, _, value) in self.0 {
            arguments.insert(name.to_owned(), value);
        }
    }
}

/// How much one segment of a template says; less is more specific.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Specificity<'t> {
    Text(&'t str),
    Hole(usize, SegmentKind, &'t str, &'t str),
}

/// A value that a template cannot take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{parameter}: {cause}")]
pub struct ExpandError {
    /// The parameter at fault.
    pub parameter: String,
    /// What is wrong with its value; [`PathError::Empty`] where it is missing.
    #[source]
    pub cause: PathError,
}

/// Why a text is not a path template. The author of the catalogue is at fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// It does not begin with `/`.
    #[error("a path template must begin with /")]
    NotAbsolute,
    /// Longer than the limit.
    #[error("a path template must have at most {max} bytes")]
    TooLong {
        /// The limit in bytes.
        max: usize,
    },
    /// More segments than the limit.
    #[error("a path template must have at most {max} segments")]
    TooManySegments {
        /// The limit.
        max: usize,
    },
    /// `//`.
    #[error("a path template must not have an empty segment (//)")]
    EmptySegment,
    /// A segment of dots.
    #[error("a path template must not have a segment of dots")]
    DotSegment,
    /// A brace without its other.
    #[error("a brace in a path template has no partner")]
    Brace,
    /// `{a}{b}` in one segment.
    #[error("a segment of a path template holds at most one parameter")]
    TwoParameters,
    /// A parameter's name.
    #[error("{0:?} is not a parameter name (a letter, then letters, digits or _)")]
    Name(String),
    /// A type that does not exist.
    #[error("{0:?} is not a segment type (slug, int, id, uuid, hex, npm, any, packed, path)")]
    Kind(String),
    /// The same name twice.
    #[error("the parameter {0} stands twice in the path template")]
    Duplicate(String),
    /// `path` before the end.
    #[error("the parameter {0} of type path must be the last segment")]
    PathNotLast(String),
    /// Text in the segment of a parameter that can hold a slash.
    #[error("the parameter {0} can hold a slash, so its segment holds nothing else")]
    TextBeside(String),
    /// A character that may not stand in literal text.
    #[error("the character {0:?} is not allowed in a path template")]
    Forbidden(char),
}

impl fmt::Display for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for PathTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text, f)
    }
}

const TEMPLATE_BYTES_MAX: usize = 512;
const SEGMENTS_MAX: usize = 24;

fn check_text(text: &str) -> Result<(), TemplateError> {
    match text.chars().find(|c| !u8::try_from(*c).is_ok_and(is_path_char)) {
        Some('}') => Err(TemplateError::Brace),
        Some(c) => Err(TemplateError::Forbidden(c)),
        None => Ok(()),
    }
}

fn may_hold(hole: &Segment, kind: SegmentKind, text: &str) -> bool {
    // A literal is unescaped, so it is its own value.
    text.strip_prefix(&*hole.prefix)
        .and_then(|text| text.strip_suffix(&*hole.suffix))
        .is_some_and(|text| kind.check(text).is_ok())
}

/// The text of a JSON argument: strings stay, `int` takes a JSON number.
fn text_of(value: &Value, kind: SegmentKind) -> Result<Cow<'_, str>, PathError> {
    match (value, kind) {
        (Value::String(text), kind) if kind != SegmentKind::Int => Ok(Cow::Borrowed(text)),
        (Value::Number(number), SegmentKind::Int) => whole(number)
            .map(|n| Cow::Owned(n.to_string()))
            .ok_or(PathError::Type { expected: kind.expected() }),
        _ => Err(PathError::Type { expected: kind.expected() }),
    }
}

/// JSON Schema takes `5.0` for an integer, so we do too.
fn whole(number: &Number) -> Option<u64> {
    let n = match number.as_u64() {
        Some(n) => n,
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        // In range by the guard: 0 to 2^53 - 1 without a fraction.
        None => match number.as_f64()? {
            f if f.fract() == 0.0 && (0.0..=INT_MAX as f64).contains(&f) => f as u64,
            _ => return None,
        },
    };
    (n <= INT_MAX).then_some(n)
}
