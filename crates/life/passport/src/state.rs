//! States and organizations by the codes of documents (ICAO 9303-3, section 5) and of certificates
//! (ISO 3166-1 alpha-2, and ICAO 9303-12, section 7.1.1.1).

use std::fmt;

/// Three letters as a machine-readable zone has them, without fillers: `UTO`, `D`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State([u8; 3]);

/// Code of documents, code of certificates.
const STATES: &str = include_str!("states.txt");

impl State {
    /// By the three characters of a zone.
    pub(crate) fn of(field: [u8; 3]) -> Option<Self> {
        Self::rows().any(|(code, _)| code == field).then_some(Self(field))
    }

    /// By its code without fillers, such as `FRA` or `D`.
    pub fn by_code(code: &str) -> Option<Self> {
        let mut field = [b'<'; 3];
        field.get_mut(..code.len())?.copy_from_slice(code.as_bytes());
        Self::of(field)
    }

    /// The code without fillers.
    pub fn code(&self) -> &str {
        let end = self.0.iter().position(|byte| *byte == b'<').unwrap_or(3);
        std::str::from_utf8(&self.0[..end]).unwrap_or_default()
    }

    /// Whether certificates of `country` are this state's. States write the letters in either case.
    pub fn is_of(&self, country: &str) -> bool {
        let mut own = Self::rows().filter(|(code, _)| *code == self.0);
        own.any(|(_, alpha2)| country.eq_ignore_ascii_case(alpha2))
    }

    fn rows() -> impl Iterator<Item = ([u8; 3], &'static str)> {
        let row = |line: &'static str| {
            let (code, alpha2) = line.split_once(' ')?;
            Some((code.as_bytes().try_into().ok()?, alpha2))
        };
        STATES.lines().filter_map(row)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("State(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_documents_and_of_certificates() {
        assert_eq!(State::rows().count(), STATES.lines().count());
        for (code, country) in
            [("FRA", "FR"), ("D", "DE"), ("D", "de"), ("UTO", "UT"), ("UNO", "UN")]
        {
            let state = State::by_code(code).unwrap();
            assert!(state.is_of(country), "{code} {country}");
            assert_eq!(state.code(), code);
        }
        assert!(!State::by_code("FRA").unwrap().is_of("DE"));
        // Stateless persons and refugees have a nationality in documents, and no certificates.
        assert!(!State::by_code("XXA").unwrap().is_of("XX"));
        for code in ["ZZZ", "fra", "", "FRAN", "FR", "<<<"] {
            assert_eq!(State::by_code(code), None, "{code}");
        }
    }
}
