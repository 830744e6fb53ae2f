//! The registry of scopes and the patterns over it.

use std::collections::HashMap;

use super::{name::ScopeName, scope_set::ScopeSet};

/// A scope by its number in one [`Scopes`] registry. Numbers are dense and never change while it grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ScopeId(u16);

impl ScopeId {
    /// The number, for arrays beside the registry (one rate bucket a scope).
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    pub(super) const fn from_index(index: u16) -> Self {
        Self(index)
    }
}

/// Every scope of a catalogue, numbered from 0 in the order of loading.
#[derive(Clone, Debug, Default)]
pub struct Scopes {
    names: Vec<ScopeName>,
    ids: HashMap<ScopeName, ScopeId>,
}

impl Scopes {
    /// The number of a scope, if the catalogue has it.
    #[must_use]
    pub fn id(&self, name: &str) -> Option<ScopeId> {
        self.ids.get(name).copied()
    }

    /// The name of a scope.
    #[must_use]
    pub fn name(&self, id: ScopeId) -> Option<&ScopeName> {
        self.names.get(id.index())
    }

    /// How many scopes there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// All scopes in the order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (ScopeId, &ScopeName)> {
        self.names
            .iter()
            .enumerate()
            .filter_map(|(at, name)| Some((ScopeId(u16::try_from(at).ok()?), name)))
    }

    /// The names of a set's members.
    pub fn names<'s>(&'s self, set: &'s ScopeSet) -> impl Iterator<Item = &'s ScopeName> {
        set.iter().filter_map(|id| self.name(id))
    }

    /// Expands a pattern: `github.issues.read`, `github.issues.*`, `github.*.read`, `github.*`;
    /// `github.read` is short for `github.*.read`.
    ///
    /// A star stands for one part, at the end for all that follow. The service is always named, so
    /// that a grant never covers a service that is added later.
    ///
    /// # Errors
    /// [`ScopePatternError`] where the pattern is not of this form or names nothing.
    pub fn expand(&self, pattern: &str) -> Result<ScopeSet, ScopePatternError> {
        let shown = || pattern.chars().filter(|c| !c.is_control()).take(64).collect::<String>();
        let mut parts: Vec<&str> = pattern.split('.').collect();
        if let [_, "read" | "write" | "admin"] = parts[..] {
            parts.insert(1, "*");
        }
        let is_open = parts.last() == Some(&"*");
        let in_form = match parts.as_slice() {
            [service, "*"] | [service, _, _] => !service.contains('*'),
            _ => false,
        };
        if !in_form || parts.iter().any(|p| p.is_empty() || (p.contains('*') && *p != "*")) {
            return Err(ScopePatternError::Form(shown()));
        }
        let fits = |name: &ScopeName| {
            let mut own = name.as_str().split('.');
            let same = parts.iter().all(|p| own.next().is_some_and(|o| *p == "*" || *p == o));
            same && (is_open || own.next().is_none())
        };
        let set: ScopeSet = self.iter().filter(|(_, name)| fits(name)).map(|(id, _)| id).collect();
        if set.is_empty() { Err(ScopePatternError::Unknown(shown())) } else { Ok(set) }
    }

    /// Numbers a scope; the same name gets the same number. `None` where 65,536 are taken.
    pub(super) fn register(&mut self, name: &ScopeName) -> Option<ScopeId> {
        if let Some(id) = self.ids.get(name) {
            return Some(*id);
        }
        let id = ScopeId(u16::try_from(self.names.len()).ok()?);
        self.names.push(name.clone());
        self.ids.insert(name.clone(), id);
        Some(id)
    }
}

/// Why a scope pattern names nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScopePatternError {
    /// Not of a form that patterns have.
    #[error("{0:?} is not a scope pattern: write service.noun.read, service.noun.* or service.*")]
    Form(String),
    /// No scope of the catalogue fits.
    #[error("no scope of the catalogue fits {0:?}")]
    Unknown(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes() -> Scopes {
        let mut scopes = Scopes::default();
        for name in ["github.issues.read", "github.issues.write", "github.repos.read", "npm.a.read"]
        {
            let name = ScopeName::try_from(name).expect("a scope name");
            assert_eq!(scopes.register(&name), scopes.register(&name));
        }
        scopes
    }

    #[test]
    fn patterns_expand_to_what_they_say() {
        let scopes = scopes();
        let expand = |pattern: &str| {
            scopes
                .expand(pattern)
                .map(|set| scopes.names(&set).map(|n| n.as_str().to_owned()).collect::<Vec<_>>())
        };
        assert_eq!(expand("github.issues.read"), Ok(vec!["github.issues.read".into()]));
        assert_eq!(expand("github.issues.*").map(|v| v.len()), Ok(2));
        assert_eq!(
            expand("github.*.read"),
            Ok(vec!["github.issues.read".into(), "github.repos.read".into()])
        );
        assert_eq!(expand("github.read"), expand("github.*.read"));
        assert_eq!(expand("github.*").map(|v| v.len()), Ok(3));
        for pattern in [
            "*",
            "*.*",
            "*.issues.read",
            "git*.issues.read",
            "github",
            "",
            "github..read",
            "github.issues",
            "*.read",
            "github.issues.read.x",
            "github.*.read.*",
        ] {
            assert_eq!(expand(pattern), Err(ScopePatternError::Form(pattern.into())), "{pattern}");
        }
        for pattern in ["github.wiki.read", "gitlab.*", "github.issues.admin"] {
            assert_eq!(expand(pattern), Err(ScopePatternError::Unknown(pattern.into())));
        }
    }
}
