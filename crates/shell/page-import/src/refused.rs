//! Why something was not taken, as the page shows it.

use std::convert::Infallible;

use serde::Serialize;
use symbolon_custody::EnrolError;
use symbolon_import::foreign::ForeignError;
use symbolon_vault::bitwarden::ExportError;
use symbolon_vault::markdown::MarkdownError;
use symbolon_vault::replica::EditError;
use symbolon_vault::share::ShareError;

/// A refusal. It quotes no secret of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Refused {
    /// What the page tells cases apart by.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
}

impl Refused {
    fn new(code: &'static str, error: &dyn std::error::Error) -> Self {
        let mut message = error.to_string();
        if let Some(first) = message.get_mut(0..1) {
            first.make_ascii_uppercase();
        }
        if !message.ends_with(['.', '!', '?']) {
            message.push('.');
        }
        Self { code, message }
    }

    /// What the page handed in is not what it hands in.
    pub(crate) fn shape() -> Self {
        Self { code: "shape", message: "The page handed over what is no item.".into() }
    }
}

impl From<ForeignError> for Refused {
    fn from(error: ForeignError) -> Self {
        let code = match &error {
            ForeignError::Sealed => "sealed",
            ForeignError::Cipher(_) => "wrong_secret",
            _ => "file",
        };
        Self::new(code, &error)
    }
}

macro_rules! refusals {
    ($($type:ty => $code:literal),* $(,)?) => {$(
        impl From<$type> for Refused {
            fn from(error: $type) -> Self {
                Self::new($code, &error)
            }
        }
    )*};
}

refusals! {
    EnrolError => "memory",
    MarkdownError => "folder",
    EditError => "item",
    ExportError<Infallible> => "item",
    ShareError => "copy",
}

impl From<serde_json::Error> for Refused {
    fn from(_: serde_json::Error) -> Self {
        Self::shape()
    }
}
