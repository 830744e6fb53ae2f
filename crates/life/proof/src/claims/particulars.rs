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
        let all = [
            wire.birth_date,
            wire.nationality,
            wire.document_expiry,
            wire.document_state,
            wire.document_number,
        ];
        let [birth_date, nationality, document_expiry, document_state, document_number] = all;
        Self::new(
            json::secret(birth_date)?,
            &json::secret(nationality)?,
            json::secret(document_expiry)?,
            &json::secret(document_state)?,
            json::secret(document_number)?,
            today,
        )
    }

    /// From what was asked for one by one. Codes of states may come without fillers (`D`).
    ///
    /// # Errors
    /// [`ClaimsError::Particular`], [`ClaimsError::NoPage`].
    pub fn new(
        birth_date: Secret<[u8]>,
        nationality: &Secret<[u8]>,
        document_expiry: Secret<[u8]>,
        document_state: &Secret<[u8]>,
        document_number: Secret<[u8]>,
        today: Date,
    ) -> Result<Self, ClaimsError> {
        let wrong = ClaimsError::Particular;
        let birth = day(&birth_date).ok_or(wrong(Particular::BirthDate))?;
        if birth > today {
            return Err(wrong(Particular::BirthDate));
        }
        let ends = day(&document_expiry).ok_or(wrong(Particular::DocumentExpiry))?;
        if ends < today {
            return Err(wrong(Particular::DocumentEnded));
        }
        let nationality = filled(nationality, Particular::Nationality)?;
        // EXPOSE: looked up.
        let code = std::str::from_utf8(nationality.expose()).ok();
        if code.and_then(|code| code.parse::<Country>().ok()).is_none() {
            return Err(wrong(Particular::Nationality));
        }
        // EXPOSE: characters are looked at.
        let number = document_number.expose();
        let is_one = |byte: &u8| matches!(byte, b'A'..=b'Z' | b'0'..=b'9' | b'-');
        if !(1..=NUMBER_BYTES_MAX).contains(&number.len()) || !number.iter().all(is_one) {
            return Err(wrong(Particular::DocumentNumber));
        }
        Ok(Self {
            birth_date,
            nationality,
            document_expiry,
            document_state: filled(document_state, Particular::DocumentState)?,
            document_number,
        })
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

/// A code of one to three letters, with fillers up to three.
fn filled(code: &Secret<[u8]>, what: Particular) -> Result<Secret<[u8]>, ClaimsError> {
    // EXPOSE: copied into a page of its own.
    let code = code.expose();
    let letters = code.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let is_filled = code[letters..].iter().all(|byte| *byte == b'<');
    if letters == 0 || code.len() > 3 || !is_filled {
        return Err(ClaimsError::Particular(what));
    }
    Secret::<[u8]>::try_make_slice(3, |page| {
        page.fill(b'<');
        page[..letters].copy_from_slice(&code[..letters]);
        Ok(3)
    })
}
