//! What an import did, for people and programs.

use serde::Serialize;

/// What was imported, and everything that was not or not exactly.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// The service's id.
    pub service: String,
    /// Its name for people.
    pub name: String,
    /// `OpenAPI 3.0`, `OpenAPI 3.1` or `Swagger 2.0`.
    pub format: String,
    /// The base URL, with variables that a connection pins.
    pub base_url: String,
    /// How the credential goes in.
    pub auth: String,
    /// Operations of the document.
    pub found: usize,
    /// Operations that were imported.
    pub imported: usize,
    /// Of them: those that only read.
    pub read: usize,
    /// Those that add or change.
    pub write: usize,
    /// Those that remove, or cannot be taken back.
    pub destructive: usize,
    /// Operations that were not imported, and why.
    pub left_out: Vec<Remark>,
    /// Where a type is wider or narrower than the document's, and why.
    pub loosened: Vec<Remark>,
    /// Texts that speak to a model: cut from the tools, shown here.
    pub marked: Vec<Remark>,
    /// What holds for all of it.
    pub notes: Vec<String>,
}

/// One thing to know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// Which operation or parameter.
    pub at: String,
    /// What is to be known.
    pub why: String,
}

impl Remark {
    pub(crate) fn new(at: impl Into<String>, why: impl Into<String>) -> Self {
        Self { at: at.into(), why: why.into() }
    }
}
