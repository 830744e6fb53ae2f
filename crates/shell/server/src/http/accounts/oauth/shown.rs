//! Rights in a person's words.

use serde::Serialize;
use symbolon_account::oauth::{Scope, Scopes};
use utoipa::ToSchema;

/// A right, as the page shows it.
#[derive(Serialize, ToSchema)]
pub(in crate::http::accounts) struct ScopeView {
    /// Its word.
    scope: &'static str,
    /// What it lets an assistant do.
    says: &'static str,
}

/// Each right of a set.
pub(super) fn views(scopes: Scopes) -> Vec<ScopeView> {
    scopes.iter().map(|scope| ScopeView { scope: scope.as_str(), says: says(scope) }).collect()
}

/// As the page says it.
const fn says(scope: Scope) -> &'static str {
    match scope {
        Scope::NotesRead => "Read your notes: list them, search in them, open them",
        Scope::NotesWrite => "Write new notes, and change notes that are there",
        Scope::NotesDelete => "Move notes to the trash, from where you can take them back",
    }
}
