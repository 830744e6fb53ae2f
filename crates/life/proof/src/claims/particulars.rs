//! What an issuer knows of a person and their document.

use serde::Deserialize;
use symbolon_ambient::Rng;
use symbolon_circuits::{ClaimType, Country, Date, Hidden, IssuerKey, document};
use symbolon_secret::Secret;

use super::file::{Entry, set_of};
use super::{ClaimsError, ClaimsFile, ClaimsRequest, IssuerName, json};

/// The longest number of a document, in bytes.
const NUMBER_BYTES_MAX: usize = 32;

/// One of [`Particulars`], as what is wrong with it is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Particular {
    /// No day, or one that has not come.
    BirthDate,
    /// No code of a nationality.
    Nationality,
    /// No day.
    DocumentExpiry,
    /// The document's last day is over.
    DocumentEnded,
    /// No code of an issuing state.
    DocumentState,
    /// No number of a document.
    DocumentNumber,
}

impl Particular {
    /// What a person is asked for, in this order.
    pub const ASKED: [Self; 5] = [
        Self::BirthDate,
        Self::Nationality,
        Self::DocumentExpiry,
        Self::DocumentState,
        Self::DocumentNumber,
    ];

    /// Whether an answer is of its form, on the day that is today.
    ///
    /// # Errors
    /// What is wrong; [`Self::DocumentEnded`] for a document whose last day is over.
    pub fn check(self, answer: &Secret<[u8]>, today: Date) -> Result<(), Self> {
        // EXPOSE: its form is looked at.
        let bytes = answer.expose();
        let is_right = match self {
            Self::BirthDate => day(answer).is_some_and(|birth| birth <= today),
            Self::Nationality => is_country(bytes),
            Self::DocumentExpiry => match day(answer) {
                Some(ends) if ends < today => return Err(Self::DocumentEnded),
                ends => ends.is_some(),
            },
            Self::DocumentEnded => day(answer).is_some_and(|ends| ends >= today),
            Self::DocumentState => letters(bytes).is_some(),
            Self::DocumentNumber => {
                let is_one = |byte: &u8| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'-');
                (1..=NUMBER_BYTES_MAX).contains(&bytes.len()) && bytes.iter().all(is_one)
            }
        };
        if is_right { Ok(()) } else { Err(self) }
    }
}

impl std::fmt::Display for Particular {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::BirthDate => "the date of birth is a day that has been, such as 1990-03-14",
            Self::Nationality => "the nationality is a code of three letters, such as FRA",
            Self::DocumentExpiry => "the document's last day is a day, such as 2031-05-01",
            Self::DocumentEnded => "the document's last day is over: nothing can be proven by it",
            Self::DocumentState => "the issuing state is a code of three letters, such as FRA",
            Self::DocumentNumber => {
                "the document's number has 1 to 32 characters of A to Z, 0 to 9 and -"
            }
        })
    }
}

/// What is said of a person: each in the form of its claim.
pub struct Particulars {
    birth_date: Secret<[u8]>,
    nationality: Secret<[u8]>,
    document_expiry: Secret<[u8]>,
    document_state: Secret<[u8]>,
    document_number: Secret<[u8]>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire<'a> {
    birth_date: &'a str,
    nationality: &'a str,
    document_expiry: &'a str,
    document_state: &'a str,
    document_number: &'a str,
}

impl Particulars {
    /// From a file with the five members of `specs/issuer.md`.
    ///
    /// # Errors
    /// [`ClaimsError`].
    pub fn parse(file: &Secret<[u8]>, today: Date) -> Result<Self, ClaimsError> {
        // EXPOSE: read where it lies; values go to pages of their own.
        let wire: Wire<'_> = json::read(file.expose(), "what is known of a person")?;
        let answers = [
            json::secret(wire.birth_date)?,
            json::secret(wire.nationality)?,
            json::secret(wire.document_expiry)?,
            json::secret(wire.document_state)?,
            json::secret(wire.document_number)?,
        ];
        Self::new(answers, today)
    }

    /// From what was asked for one by one, in the order of [`Particular::ASKED`]. Codes of states may come
    /// without fillers (`D`).
    ///
    /// # Errors
    /// [`ClaimsError::Particular`], [`ClaimsError::NoPage`].
    pub fn new(answers: [Secret<[u8]>; 5], today: Date) -> Result<Self, ClaimsError> {
        for (particular, answer) in Particular::ASKED.into_iter().zip(&answers) {
            particular.check(answer, today).map_err(ClaimsError::Particular)?;
        }
        let [birth_date, nationality, document_expiry, document_state, document_number] = answers;
        Ok(Self {
            birth_date,
            nationality: filled(&nationality)?,
            document_expiry,
            document_state: filled(&document_state)?,
            document_number,
        })
    }

    /// Claims that are to be good no longer than a day say that day for the document's last one. Nothing
    /// changes where the document ends before.
    ///
    /// # Errors
    /// [`ClaimsError::NoPage`].
    pub fn not_after(mut self, last: Date) -> Result<Self, ClaimsError> {
        if day(&self.document_expiry).is_some_and(|ends| last < ends) {
            self.document_expiry = json::secret(&last.to_string())?;
        }
        Ok(self)
    }

    /// Signs them as claims about the holder of a request.
    ///
    /// # Errors
    /// [`ClaimsError::NoPage`].
    pub fn issue(
        self,
        key: &IssuerKey,
        issuer_name: IssuerName,
        request: &ClaimsRequest,
        rng: &impl Rng,
    ) -> Result<ClaimsFile, ClaimsError> {
        // EXPOSE: the number is a claim too, in a page of its own.
        let number = json::copy(self.document_number.expose())?;
        let entry = |kind, value| Entry { kind, value, salt: Hidden::make(rng) };
        let claims = vec![
            entry(ClaimType::BIRTH_DATE, self.birth_date),
            entry(ClaimType::NATIONALITY, self.nationality),
            entry(ClaimType::DOCUMENT_EXPIRY, self.document_expiry),
            entry(ClaimType::DOCUMENT_NUMBER, number),
        ];
        let (state, number) = (self.document_state, self.document_number);
        let set = set_of(&claims, document(&state, &number), request.holder)?;
        Ok(ClaimsFile {
            issuer: key.public(),
            issuer_name,
            state,
            number,
            claims,
            holder: request.holder,
            until: request.until,
            signature: key.sign(&set.root(), rng),
        })
    }
}

impl std::fmt::Debug for Particulars {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Particulars(..)")
    }
}

fn day(text: &Secret<[u8]>) -> Option<Date> {
    // EXPOSE: read as a day.
    std::str::from_utf8(text.expose()).ok()?.parse().ok()
}

fn is_country(code: &[u8]) -> bool {
    let mut filled = [b'<'; 3];
    let Some(letters) = letters(code) else { return false };
    filled[..letters].copy_from_slice(&code[..letters]);
    std::str::from_utf8(&filled).is_ok_and(|code| code.parse::<Country>().is_ok())
}

/// Letters of a code before its fillers; one to three, and three characters at most in all.
fn letters(code: &[u8]) -> Option<usize> {
    let letters = code.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let is_filled = code[letters..].iter().all(|byte| *byte == b'<');
    (letters > 0 && code.len() <= 3 && is_filled).then_some(letters)
}

/// A code with fillers up to three characters.
fn filled(code: &Secret<[u8]>) -> Result<Secret<[u8]>, ClaimsError> {
    // EXPOSE: copied into a page of its own.
    let code = code.expose();
    let letters = letters(code).ok_or(ClaimsError::Particular(Particular::DocumentState))?;
    Secret::<[u8]>::try_make_slice(3, |page| {
        page.fill(b'<');
        page[..letters].copy_from_slice(&code[..letters]);
        Ok(3)
    })
}
