//! What an assistant may do in a vault (RFC 6749, section 3.3).

use std::fmt;

/// One right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// `notes.read`: list, search and read notes.
    NotesRead,
    /// `notes.write`: make notes and change them.
    NotesWrite,
    /// `notes.delete`: move notes to the trash.
    NotesDelete,
}

impl Scope {
    /// All of them, in the order in which they are told.
    pub const ALL: [Self; 3] = [Self::NotesRead, Self::NotesWrite, Self::NotesDelete];

    /// As it stands in requests.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotesRead => "notes.read",
            Self::NotesWrite => "notes.write",
            Self::NotesDelete => "notes.delete",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of rights.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Scopes(u8);

impl Scopes {
    /// No right.
    pub const NONE: Self = Self(0);
    /// Every right.
    pub const ALL: Self = Self(0b111);

    /// The rights that a request's `scope` names. Words that are not known are passed over, as RFC 6749 has
    /// it; where none is left there is no right, and it is for the caller to refuse that.
    pub fn asked(text: &str) -> Self {
        let named = |scope: &Scope| text.split(' ').any(|word| word == scope.as_str());
        Scope::ALL.into_iter().filter(named).collect()
    }

    /// Reads [`fmt::Display`] again: known words alone, in their order.
    pub fn parse(text: &str) -> Option<Self> {
        let scopes = Self::asked(text);
        (!scopes.is_empty() && scopes.to_string() == text).then_some(scopes)
    }

    /// Whether it has a right.
    pub const fn has(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether all of these are among the others.
    pub const fn is_within(self, others: Self) -> bool {
        self.0 & !others.0 == 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Each.
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.has(*scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |all, scope| all | scope.bit()))
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<_> = self.iter().map(Scope::as_str).collect();
        f.write_str(&words.join(" "))
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scopes({self})")
    }
}
