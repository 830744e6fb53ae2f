//! The catalogue as a whole.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use symbolon_codec::Digest32;
use symbolon_crypto::sha256_parts;

use super::{
    builtin,
    error::{CatalogError, Problem},
    load::{Checked, Origin, load},
    name::ToolName,
    operation::Operation,
    scope::Scopes,
    search::{Hit, Index},
    service::Service,
    threads,
};

/// All services, their operations by name, and the registry of scopes.
#[derive(Debug, Default)]
pub struct Catalog {
    services: Vec<Arc<Service>>,
    operations: Vec<Arc<Operation>>,
    by_name: HashMap<ToolName, usize>,
    scopes: Scopes,
    /// Made at the first search: a broker that only calls never pays for it.
    index: OnceLock<Index>,
    /// Of which text each service is, in their order.
    sources: Vec<Digest32>,
    /// Services of the catalogue before this one, by their texts.
    before: HashMap<Digest32, Arc<Service>>,
}

impl Catalog {
    /// A catalogue without services, for tests that bring their own.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// Where the catalogue after this one begins. Scopes keep their numbers, also those that no
    /// operation has any more: so what stands on either of the two means the same in the other. A
    /// service of an unchanged text is the same one.
    #[must_use]
    pub fn successor(&self) -> Self {
        let before = self.sources.iter().copied().zip(self.services.iter().cloned());
        Self { scopes: self.scopes.clone(), before: before.collect(), ..Self::default() }
    }

    /// The services that come with Symbolon.
    ///
    /// # Errors
    /// [`CatalogError`] only where a file of ours is wrong, which a test of this crate excludes.
    pub fn builtin() -> Result<Self, CatalogError> {
        Self::builtin_without(&[])
    }

    /// Adds the service of another file. Scopes that exist keep their numbers.
    ///
    /// # Errors
    /// [`CatalogError`]; the name of a service that exists already is refused.
    pub fn with_extra(self, text: &str) -> Result<Self, CatalogError> {
        let read = read(&self.before, text, Origin::Extra)?;
        self.with(read)
    }

    /// The services that come with Symbolon, but for those with these ids.
    ///
    /// # Errors
    /// As [`Catalog::builtin`].
    pub fn builtin_without(ids: &[&str]) -> Result<Self, CatalogError> {
        Self::empty().and_builtin_without(ids)
    }

    /// Adds the services that come with Symbolon, but for those with these ids.
    ///
    /// # Errors
    /// As [`Catalog::builtin`], and where one of them is there.
    pub fn and_builtin_without(self, ids: &[&str]) -> Result<Self, CatalogError> {
        let files: Vec<_> =
            builtin::FILES.iter().copied().filter(|(name, _)| !ids.contains(name)).collect();
        // Half a megabyte of text: read on all threads, then numbered in the order of the list.
        threads::map(&files, |(_, text)| read(&self.before, text, Origin::Builtin))
            .into_iter()
            .try_fold(self, |catalog, read| catalog.with(read?))
    }

    /// Whether a service of this id comes with Symbolon.
    #[must_use]
    pub fn is_builtin(id: &str) -> bool {
        builtin::FILES.iter().any(|(name, _)| *name == id)
    }

    /// Adds the service of a file that an import wrote (`specs/openapi.md`). All rules are checked;
    /// nested schemas were compiled before it was written and are compiled again at their first use.
    ///
    /// # Errors
    /// As [`Catalog::with_extra`].
    pub fn with_imported(self, text: &str) -> Result<Self, CatalogError> {
        let read = read(&self.before, text, Origin::Imported)?;
        self.with(read)
    }

    /// As [`Catalog::with_imported`], with every schema compiled: the check before the file is written.
    ///
    /// # Errors
    /// As [`Catalog::with_extra`].
    pub fn with_draft(self, text: &str) -> Result<Self, CatalogError> {
        let read = read(&self.before, text, Origin::Drafted)?;
        self.with(read)
    }

    /// A service by its id.
    #[must_use]
    pub fn service(&self, id: &str) -> Option<&Arc<Service>> {
        self.services.iter().find(|service| service.id().as_str() == id)
    }

    /// All services in the order of loading.
    #[must_use]
    pub fn services(&self) -> &[Arc<Service>] {
        &self.services
    }

    /// An operation by its full name.
    #[must_use]
    pub fn operation(&self, name: &str) -> Option<&Arc<Operation>> {
        self.by_name.get(name).map(|at| &self.operations[*at])
    }

    /// All operations in the order of loading.
    #[must_use]
    pub fn operations(&self) -> &[Arc<Operation>] {
        &self.operations
    }

    /// The registry of scopes.
    #[must_use]
    pub const fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// The operations that fit a few words best, best first: whole words before beginnings of words
    /// before words with a slip in them. Nothing for an empty query.
    #[must_use]
    pub fn search(&self, query: &str, limit: usize) -> Vec<Hit> {
        let index = self.index.get_or_init(|| Index::new(&self.operations));
        index
            .search(query, limit)
            .into_iter()
            .map(|(at, score)| Hit::new(Arc::clone(&self.operations[at]), score))
            .collect()
    }

    /// The same catalogue with the service of an imported file in place of the one of its id, if there
    /// is one; with none of that id where there is no file. Scopes keep their numbers, also those
    /// that nothing has any more.
    ///
    /// # Errors
    /// As [`Catalog::with_draft`]; a file of another service is refused.
    pub fn with_replaced(&self, id: &str, file: Option<&str>) -> Result<Self, CatalogError> {
        let empty = Self { scopes: self.scopes.clone(), ..Self::default() };
        let kept = self.sources.iter().zip(&self.services).filter(|(_, s)| s.id().as_str() != id);
        let catalog = kept.into_iter().try_fold(empty, |catalog, (source, service)| {
            catalog.with((*source, Read::Same(service.clone())))
        })?;
        let Some(file) = file else { return Ok(catalog) };
        let catalog = catalog.with_draft(file)?;
        match catalog.service(id) {
            Some(_) => Ok(catalog),
            None => Err(CatalogError::Service {
                service: id.chars().take(64).collect(),
                problem: Problem::Rule("the file is of another service"),
            }),
        }
    }

    fn with(mut self, (source, read): (Digest32, Read)) -> Result<Self, CatalogError> {
        let service = match read {
            Read::Same(service) => service,
            Read::New(checked) => Arc::new(checked.number(&mut self.scopes)?),
        };
        if self.service(service.id().as_str()).is_some() {
            return Err(CatalogError::Service {
                service: service.id().to_string(),
                problem: Problem::Duplicate(service.id().to_string()),
            });
        }
        for operation in service.operations() {
            self.by_name.insert(operation.name().clone(), self.operations.len());
            self.operations.push(Arc::clone(operation));
        }
        self.services.push(service);
        self.sources.push(source);
        self.index = OnceLock::new();
        Ok(self)
    }
}

/// A service on its way into a catalogue.
enum Read {
    /// One of the catalogue before.
    Same(Arc<Service>),
    /// Its scopes have no numbers yet.
    New(Box<Checked>),
}

fn read(
    before: &HashMap<Digest32, Arc<Service>>,
    text: &str,
    origin: Origin,
) -> Result<(Digest32, Read), CatalogError> {
    // How a text is read depends on where it comes from.
    let source = Digest32(sha256_parts(&[origin.tag(), text.as_bytes()]).0);
    match before.get(&source) {
        Some(service) => Ok((source, Read::Same(service.clone()))),
        None => Ok((source, Read::New(Box::new(load(text, origin)?)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(id: &str, title: &str) -> String {
        format!(
            r#"
            [service]
            id = "{id}"
            name = "{id}"
            base_url = "https://{id}.example"
            docs = "https://{id}.example/docs"
            auth = {{ scheme = "bearer" }}
            rate = {{ burst = 10, per_second = 10.0 }}
            [[operation]]
            id = "look"
            title = "{title}"
            description = "Looks."
            method = "GET"
            path = "/look"
            scope = "{id}.things.read"
            effect = "read"
            "#
        )
    }

    #[test]
    fn what_comes_after_means_the_same_by_the_same_numbers() {
        let add = |catalog: Catalog, id: &str, title: &str| {
            catalog.with_extra(&file(id, title)).expect("a catalogue file")
        };
        let before = ["one", "two", "three"]
            .into_iter()
            .fold(Catalog::empty(), |catalog, id| add(catalog, id, "Look"));
        // One goes, one changes, one comes: in another order.
        let after = add(before.successor(), "four", "Look");
        let after = add(add(after, "three", "Look"), "two", "Look again");
        let number =
            |catalog: &Catalog, id: &str| catalog.scopes().id(&format!("{id}.things.read"));
        for id in ["one", "two", "three"] {
            assert_eq!(number(&after, id), number(&before, id), "{id}");
        }
        let new = number(&after, "four");
        assert!(
            new.is_some() && ["one", "two", "three"].iter().all(|id| number(&before, id) != new)
        );
        let is_same = |id: &str| match (before.service(id), after.service(id)) {
            (Some(before), Some(after)) => Some(Arc::ptr_eq(before, after)),
            _ => None,
        };
        assert_eq!(
            [is_same("one"), is_same("two"), is_same("three")],
            [None, Some(false), Some(true)]
        );
        assert!(after.operation("one.look").is_none() && after.operation("four.look").is_some());
        let of = after.operation("three.look").expect("there").scope_id();
        assert_eq!(Some(of), number(&before, "three"));
    }
}
