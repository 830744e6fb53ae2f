//! Nationalities.

use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use crate::Fr;

/// Bits of a packed code.
pub(crate) const COUNTRY_BITS: u32 = 24;

/// A nationality: a code of ISO 3166-1 alpha-3, or one that ICAO Doc 9303-3 section 5 adds, as it
/// stands in a machine-readable zone, filled with `<` to three characters.
///
/// Packed it is its three bytes as a number, the first one highest.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 3]);

/// A code that is not in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a code of ISO 3166-1 alpha-3 or of ICAO Doc 9303-3")]
pub struct NoSuchCountry;

impl Country {
    /// The packed number.
    pub fn packed(self) -> u32 {
        let [a, b, c] = self.0;
        u32::from_be_bytes([0, a, b, c])
    }

    pub(crate) fn element(self) -> Fr {
        Fr::from(u64::from(self.packed()))
    }
}

impl FromStr for Country {
    type Err = NoSuchCountry;

    fn from_str(text: &str) -> Result<Self, NoSuchCountry> {
        let code = text.as_bytes().try_into().map_err(|_| NoSuchCountry)?;
        CODES.binary_search(&code).map(|_| Self(code)).map_err(|_| NoSuchCountry)
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{}", char::from(*b)))
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// Sorted; the file's order is tested.
static CODES: LazyLock<Vec<[u8; 3]>> = LazyLock::new(|| {
    lines(include_str!("../../data/countries.txt"))
        .filter_map(|line| line.as_bytes().try_into().ok())
        .collect()
});

/// The lines of a data file that are not remarks.
pub(crate) fn lines(file: &'static str) -> impl Iterator<Item = &'static str> {
    file.lines().filter(|line| !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_whole_and_of_three_characters() {
        let whole: Vec<&str> = lines(include_str!("../../data/countries.txt")).collect();
        assert_eq!(CODES.len(), whole.len());
        assert!(CODES.is_sorted_by(|a, b| a < b));
        assert_eq!(CODES.len(), 249 + 26, "ISO 3166-1, and what ICAO adds");
        for code in whole {
            assert_eq!(code.parse::<Country>().unwrap().to_string(), code);
        }
    }

    #[test]
    fn what_is_no_code_is_refused() {
        for text in ["", "DE", "deu", "DEU ", "D", "D<", "UTO", "ZZZ", "XX", "ＤＥ", "#ab"] {
            assert_eq!(text.parse::<Country>(), Err(NoSuchCountry), "{text}");
        }
        assert_eq!("DEU".parse::<Country>().unwrap().packed(), 0x0044_4555);
        assert_eq!("D<<".parse::<Country>().unwrap().packed(), 0x0044_3c3c);
    }
}
