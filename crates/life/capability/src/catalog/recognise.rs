//! Which operation a method and path name, where the rest of the request is not there yet.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{
    method::Method,
    operation::Operation,
    request::{RequestError, read_query},
    service::Service,
};
use crate::url::{CanonicalPath, PathError};

impl Service {
    /// The operation of a method and path, with what path and query say of its arguments. For
    /// explanations: nothing is bound, so a body may be missing.
    ///
    /// # Errors
    /// [`RequestError`], as [`Service::matches_request`]; also where several operations share the
    /// path and their bodies tell them apart.
    pub fn recognise(
        &self,
        method: &str,
        path: &str,
        query: &str,
    ) -> Result<(Arc<Operation>, Map<String, Value>), RequestError> {
        let method = Method::from_wire(method).ok_or(RequestError::Method)?;
        let path = CanonicalPath::from_wire(path)?;
        let mut found = self.match_order.iter().map(|at| &self.operations[*at]).filter_map(|o| {
            (o.method() == method).then(|| o.path().matches(&path)).flatten().map(|c| (o, c))
        });
        let Some((operation, captures)) = found.next() else {
            if path.as_str().contains("%2F") {
                return Err(PathError::EncodedSlash.into());
            }
            return Err(RequestError::NotListed { service: self.id().to_string() });
        };
        if found.any(|(o, _)| o.path() == operation.path()) {
            return Err(RequestError::Body(
                "several operations share this path: name the one that is meant",
            ));
        }
        let mut arguments = Map::new();
        captures.fill(&mut arguments);
        read_query(operation, query, &mut arguments)?;
        Ok((Arc::clone(operation), arguments))
    }
}
