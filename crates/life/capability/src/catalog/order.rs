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
    closed: HashMap<(Method, usize), Vec<usize>>,
    /// Templates that end in any number of segments, by method.
    open: HashMap<Method, Vec<usize>>,
    all: HashMap<Method, Vec<usize>>,
}

impl Before {
    fn add(&mut self, at: usize, operation: &Operation) {
        let method = operation.method;
        self.all.entry(method).or_default().push(at);
        if operation.path.is_open() {
            self.open.entry(method).or_default().push(at);
        } else {
            self.closed.entry((method, operation.path.len())).or_default().push(at);
        }
    }

    /// In the order of adding, but for the open ones, which come last.
    fn candidates(&self, operation: &Operation) -> impl Iterator<Item = usize> {
        let method = operation.method;
        let (some, rest) = if operation.path.is_open() {
            (self.all.get(&method), None)
        } else {
            (self.closed.get(&(method, operation.path.len())), self.open.get(&method))
        };
        some.into_iter().chain(rest).flatten().copied()
    }
}
