//! Which operation owns a request where the paths of several fit it.

use std::collections::HashMap;

use super::{
    error::{CatalogError, Problem},
    method::Method,
    name::ToolName,
    operation::Operation,
    path::PathTemplate,
};

/// How many pairs of a file's operations may overlap. A path is kept for each.
const OVERLAPS_MAX: usize = 100_000;

/// Finds the order of matching, refuses operations that no request can tell apart, and notes for each
/// operation which more specific paths its own values must not make.
pub(super) fn order(operations: &mut [Operation]) -> Result<Vec<usize>, CatalogError> {
    let mut order: Vec<usize> = (0..operations.len()).collect();
    order.sort_by_cached_key(|at| operations[*at].path.specificity());
    let mut reserved: Vec<Vec<(PathTemplate, ToolName)>> = vec![Vec::new(); operations.len()];
    let mut before = Before::default();
    let mut overlaps = 0;
    for &at in &order {
        let later = &operations[at];
        for first in before.candidates(later) {
            let first = &operations[first];
            if !first.path.may_overlap(&later.path) {
                continue;
            }
            let fail =
                |problem| CatalogError::Operation { operation: later.name.to_string(), problem };
            if first.path.specificity() == later.path.specificity() {
                if first.body.differs(&later.body) {
                    continue;
                }
                return Err(fail(Problem::Ambiguous(first.name.to_string())));
            }
            overlaps += 1;
            if overlaps > OVERLAPS_MAX {
                return Err(fail(Problem::Rule("too many paths of the file overlap")));
            }
            reserved[at].push((first.path.clone(), first.name.clone()));
        }
        before.add(at, later);
    }
    for (operation, reserved) in operations.iter_mut().zip(reserved) {
        operation.reserved = reserved;
    }
    Ok(order)
}

/// What was met so far, by what must be equal where two paths overlap.
#[derive(Default)]
struct Before {
    /// By method and number of segments.
    closed: HashMap<(Method, usize), Node>,
    /// Templates that end in any number of segments, by method.
    open: HashMap<Method, Vec<usize>>,
    all: HashMap<Method, Vec<usize>>,
    count: usize,
}

/// Paths by their segments from here on, so that a path is held only against those that agree with it.
#[derive(Default)]
struct Node {
    literals: HashMap<Box<str>, Node>,
    parameter: Option<Box<Node>>,
    /// Those that end here: the how manieth each was, and its place.
    ends: Vec<(usize, usize)>,
}

impl Node {
    fn add(&mut self, path: &PathTemplate, end: (usize, usize)) {
        let mut node = self;
        for literal in path.literals() {
            node = match literal {
                Some(text) => node.literals.entry(text.into()).or_default(),
                None => node.parameter.get_or_insert_default(),
            };
        }
        node.ends.push(end);
    }

    /// A parameter may hold any text, and any text may be what a parameter holds.
    fn find(&self, path: &[Option<&str>], found: &mut Vec<(usize, usize)>) {
        let Some((first, rest)) = path.split_first() else {
            found.extend(&self.ends);
            return;
        };
        match first {
            Some(text) => self.literals.get(*text).into_iter().for_each(|n| n.find(rest, found)),
            None => self.literals.values().for_each(|n| n.find(rest, found)),
        }
        self.parameter.iter().for_each(|n| n.find(rest, found));
    }
}

impl Before {
    fn add(&mut self, at: usize, operation: &Operation) {
        let (method, path) = (operation.method, &operation.path);
        self.all.entry(method).or_default().push(at);
        if path.is_open() {
            self.open.entry(method).or_default().push(at);
        } else {
            self.closed.entry((method, path.len())).or_default().add(path, (self.count, at));
        }
        self.count += 1;
    }

    /// In the order of adding, but for the open ones, which come last.
    fn candidates(&self, operation: &Operation) -> Vec<usize> {
        let (method, path) = (operation.method, &operation.path);
        if path.is_open() {
            return self.all.get(&method).cloned().unwrap_or_default();
        }
        let mut found = Vec::new();
        if let Some(closed) = self.closed.get(&(method, path.len())) {
            closed.find(&path.literals().collect::<Vec<_>>(), &mut found);
        }
        found.sort_unstable();
        let open = self.open.get(&method).into_iter().flatten();
        found.into_iter().map(|(_, at)| at).chain(open.copied()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::catalog::Catalog;

    /// All operations as if of one file, so that paths of every service meet.
    #[test]
    fn every_earlier_path_that_may_overlap_is_a_candidate() {
        let catalog = Catalog::builtin().expect("built in");
        let all: Vec<&Operation> = catalog.operations().iter().map(|o| &**o).collect();
        let mut before = Before::default();
        let mut overlaps = 0;
        for (at, later) in all.iter().enumerate() {
            let found: BTreeSet<usize> = before.candidates(later).into_iter().collect();
            for (first, earlier) in all[..at].iter().enumerate() {
                let may = earlier.method == later.method && earlier.path.may_overlap(&later.path);
                assert!(!may || found.contains(&first), "{} and {}", earlier.name(), later.name());
                overlaps += usize::from(may);
            }
            before.add(at, later);
        }
        assert!(overlaps > 100, "{overlaps}");
    }
}
