//! Why nothing was proven, as the page shows it to the holder.

use serde::Serialize;
use symbolon_circuits::KeyError;
use symbolon_proof::{ClaimsError, Lacking, MalformedError, PresentError};

/// A refusal in a pair: what, and the next step. It quotes no value of a claim.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// What the page tells cases apart by.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<&'static str>,
}

impl Refused {
    pub(crate) fn nothing_issued() -> Self {
        Self::new(
            "claims",
            "No issuer has said anything of you yet.",
            "symbolon claims add CLAIMS.json",
        )
    }

    pub(crate) fn unsound() -> Self {
        Self::new(
            "key",
            "The prover was built otherwise than verifiers are.",
            "Load the page again.",
        )
    }

    fn new(code: &'static str, message: &str, next: &'static str) -> Self {
        Self { code, message: message.to_owned(), next: Some(next) }
    }
}

impl From<MalformedError> for Refused {
    fn from(error: MalformedError) -> Self {
        let message = format!("What was asked cannot be read: {error}.");
        Self { code: "malformed", message, next: Some("Ask the site for another request.") }
    }
}

impl From<KeyError> for Refused {
    fn from(error: KeyError) -> Self {
        let (code, next) = match error {
            KeyError::NotPinned => ("not_pinned", "Make the key again."),
            _ => ("key", "Load the page again."),
        };
        Self { code, message: format!("There is no proving key: {error}."), next: Some(next) }
    }
}

impl From<ClaimsError> for Refused {
    fn from(error: ClaimsError) -> Self {
        let mut message = error.to_string();
        if let Some(first) = message.get_mut(0..1) {
            first.make_ascii_uppercase();
        }
        Self { code: "claims", message: format!("{message}."), next: None }
    }
}

impl From<PresentError> for Refused {
    fn from(error: PresentError) -> Self {
        if let Some(lacking) = error.lacking() {
            return Self::new("not_true", said(lacking), "Nothing was sent. Only you see this.");
        }
        match error {
            PresentError::Request(error) => error.into(),
            PresentError::AnotherStatement(statement) => Self {
                code: "another_statement",
                message: format!("It asks for {statement}, which this page does not prove."),
                next: Some("symbolon prove --help"),
            },
            PresentError::Issuer => Self::new(
                "issuer",
                "Your claims are by an issuer that is not asked for.",
                "Choose claims of one that is.",
            ),
            _ => Self::new(
                "prover",
                "The prover gave no proof.",
                "Load the page again, and try once more.",
            ),
        }
    }
}

const fn said(lacking: Lacking) -> &'static str {
    match lacking {
        Lacking::Age => "Your claims do not show that age on the day that is asked about.",
        Lacking::Document => "Your document is over on the day that is asked about.",
        Lacking::Nationality => "Your nationality is not in the group that is asked for.",
        Lacking::Custody => "Your claims are over on the day that is asked about.",
    }
}
