//! The machine-readable zone (ICAO 9303-3, section 4; 9303-4, 9303-5 and 9303-6).

mod check;
mod layout;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::{Date, State};
use layout::Zone;

/// Which size of document it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A card: three lines of 30.
    Td1,
    /// A larger card: two lines of 36.
    Td2,
    /// A passport: two lines of 44.
    Td3,
}

/// As the document says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sex {
    /// `F`.
    Female,
    /// `M`.
    Male,
    /// `<`.
    Unspecified,
}

/// A field of a zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MrzField {
    /// What kind of document.
    Kind,
    /// Who issued it.
    Issuer,
    /// Whose it is.
    Names,
    /// Its number.
    Number,
    /// Of whom it is.
    Nationality,
    /// When they were born.
    Birth,
    /// What the document says of sex.
    Sex,
    /// When it ends.
    Expiry,
    /// What its issuer adds.
    Optional,
    /// All of what has check digits.
    Composite,
}

impl fmt::Display for MrzField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kind => "document code",
            Self::Issuer => "issuing state",
            Self::Names => "names",
            Self::Number => "document number",
            Self::Nationality => "nationality",
            Self::Birth => "date of birth",
            Self::Sex => "sex",
            Self::Expiry => "date of expiry",
            Self::Optional => "optional data",
            Self::Composite => "whole zone",
        })
    }
}

/// Why a zone is none. Nothing of what it says is in the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MrzError {
    /// Neither 3 lines of 30 characters, nor 2 of 36, nor 2 of 44.
    #[error("a machine-readable zone is 3 lines of 30 characters, 2 of 36 or 2 of 44")]
    Lines,
    /// A character that is neither of `A` to `Z`, of `0` to `9`, nor `<`.
    #[error("line {line}, column {column}: only A to Z, 0 to 9 and < are in a zone")]
    Character {
        /// From 1.
        line: usize,
        /// From 1.
        column: usize,
    },
    /// The check digit is of other characters.
    #[error("the check digit of the {0} does not match: a character was read wrongly, or changed")]
    Check(MrzField),
    /// The field says nothing that such a field can say.
    #[error("the {0} is none")]
    Field(MrzField),
    /// The holder's date of birth is not known to the day: no age is proven from it.
    #[error("the date of birth is not known to the day")]
    BirthIncomplete,
}

/// What a zone says. It is a person's: not printed, and not to be logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Mrz {
    format: Format,
    issuer: State,
    surname: String,
    given_names: String,
    number: String,
    nationality: State,
    birth: Date,
    sex: Sex,
    expiry: Date,
    optional: [String; 2],
}

impl Mrz {
    /// Reads a zone, lines one after another, with or without ends of lines. Years have two digits in
    /// it: `today` says of which century they are.
    ///
    /// # Errors
    /// [`MrzError`], by the first that is found: form, characters, check digits, then fields.
    pub fn parse(text: &[u8], today: Date) -> Result<Self, MrzError> {
        let zone = Zone::of(text)?;
        zone.check()?;
        zone.read(today)
    }

    /// The document's size.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// Who issued it.
    pub const fn issuer(&self) -> State {
        self.issuer
    }

    /// The holder's primary identifier, with spaces; perhaps cut off at its end.
    pub fn surname(&self) -> &str {
        &self.surname
    }

    /// The holder's secondary identifier; may be empty.
    pub fn given_names(&self) -> &str {
        &self.given_names
    }

    /// Without fillers.
    pub fn number(&self) -> &str {
        &self.number
    }

    /// Whose national the holder is.
    pub const fn nationality(&self) -> State {
        self.nationality
    }

    /// The holder's date of birth.
    pub const fn birth(&self) -> Date {
        self.birth
    }

    /// As the document says.
    pub const fn sex(&self) -> Sex {
        self.sex
    }

    /// The last day that it is good on.
    pub const fn expiry(&self) -> Date {
        self.expiry
    }

    /// What its issuer adds, such as a personal number. The second is of cards alone.
    pub fn optional(&self) -> [&str; 2] {
        [&self.optional[0], &self.optional[1]]
    }
}

impl fmt::Debug for Mrz {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mrz").field("format", &self.format).finish_non_exhaustive()
    }
}
