//! Types of claims, and how the value of each is written as an element.

use std::str::FromStr;

use symbolon_crypto::labels;
use symbolon_secret::Secret;

use crate::Fr;
use crate::value::{Country, Date, Hidden, TEXT_BYTES_MAX};

/// What a claim says: `form * 256 + index`, so that the type says how its value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClaimType(u32);

/// How a claim's value is written as an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Form {
    /// A day of the calendar, `2026-11-22`: packed.
    Date = 1,
    /// A nationality, `DEU`: packed.
    Country = 2,
    /// A whole number below 2^64, in decimal digits.
    Number = 3,
    /// A text in UTF-8, as its bytes stand: hashed to the field.
    Text = 4,
}

/// A type that names no form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no type of claim: its form is not one of 1 to 4, or its index is not 0 to 255")]
pub struct NoSuchType;

/// A value that is not of its type's form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the value is not of the form of its type")]
pub struct BadValue;

impl ClaimType {
    /// The holder's date of birth.
    pub const BIRTH_DATE: Self = Self(0x101);
    /// The last day on which the document is good.
    pub const DOCUMENT_EXPIRY: Self = Self(0x102);
    /// The holder's nationality.
    pub const NATIONALITY: Self = Self(0x201);
    /// The document's number.
    pub const DOCUMENT_NUMBER: Self = Self(0x401);

    /// A type by its number.
    pub fn new(number: u32) -> Result<Self, NoSuchType> {
        if (0x100..0x500).contains(&number) { Ok(Self(number)) } else { Err(NoSuchType) }
    }

    /// The number.
    pub fn number(self) -> u32 {
        self.0
    }

    /// How its values are written.
    pub fn form(self) -> Form {
        match self.0 >> 8 {
            1 => Form::Date,
            2 => Form::Country,
            3 => Form::Number,
            _ => Form::Text,
        }
    }

    /// The element of a public value.
    pub(crate) fn encode(self, text: &[u8]) -> Result<Fr, BadValue> {
        let words = || std::str::from_utf8(text).map_err(|_| BadValue);
        match self.form() {
            Form::Date => Ok(Date::from_str(words()?).map_err(|_| BadValue)?.element()),
            Form::Country => Ok(Country::from_str(words()?).map_err(|_| BadValue)?.element()),
            Form::Number => number(text).map(Fr::from),
            Form::Text if text.is_empty() || text.len() > TEXT_BYTES_MAX => Err(BadValue),
            Form::Text => {
                words().map(|w| crate::value::Element::hash(&labels::FIELD_TEXT, w.as_bytes()).0)
            }
        }
    }

    /// The element of a value that nobody may see.
    pub(crate) fn hide(self, text: &Secret<[u8]>) -> Result<Hidden, BadValue> {
        // EXPOSE: encoded into secret memory.
        self.encode(text.expose()).map(|element| Hidden::keep(&element))
    }
}

/// Digits without a sign, without leading zeros.
fn number(text: &[u8]) -> Result<u64, BadValue> {
    if text.is_empty() || (text[0] == b'0' && text.len() > 1) {
        return Err(BadValue);
    }
    text.iter().try_fold(0u64, |n, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0')).ok_or(BadValue)?;
        n.checked_mul(10).and_then(|n| n.checked_add(digit)).ok_or(BadValue)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_of_their_types_form_and_no_other() {
        let other = |n: u32| ClaimType::new(n).unwrap();
        for (kind, good, bad) in [
            (ClaimType::BIRTH_DATE, "2004-02-29", ["2005-02-29", "20040229", ""]),
            (ClaimType::NATIONALITY, "D<<", ["D", "ZZZ", ""]),
            (other(0x300), "18446744073709551615", ["18446744073709551616", "01", "-1"]),
            (other(0x300), "0", ["", "+0", "1 "]),
            (ClaimType::DOCUMENT_NUMBER, "L898902C3", ["", "", ""]),
        ] {
            assert!(kind.encode(good.as_bytes()).is_ok(), "{good}");
            for text in bad {
                assert_eq!(kind.encode(text.as_bytes()), Err(BadValue), "{kind:?} {text}");
            }
        }
        assert_eq!(other(0x4ff).encode(&[0xff, 0xfe]), Err(BadValue), "not UTF-8");
        assert_eq!(other(0x4ff).encode(&vec![b'a'; TEXT_BYTES_MAX + 1]), Err(BadValue));
    }

    #[test]
    fn types_without_a_form_are_refused() {
        for number in [0, 0xff, 0x500, u32::MAX] {
            assert_eq!(ClaimType::new(number), Err(NoSuchType));
        }
    }
}
