//! The catalogue: what a service offers, as typed data.
//!
//! A service is one TOML file (`specs/catalog.md`). It is parsed strictly at the edge, and what comes
//! out is valid: names, templates, parameter types, scopes. An [`Operation`] turns arguments into a
//! [`Bound`] request, and no argument can change the host, the scheme or the shape of the path.
//!
//! ```
//! use symbolon_capability::catalog::Catalog;
//! let catalog = Catalog::builtin()?;
//! let operation = catalog.operation("github.issues.get").ok_or("no such operation")?;
//! let arguments = serde_json::json!({"owner": "rust-lang", "repo": "rust", "number": 1});
//! let bound = operation.bind(arguments.as_object().ok_or("not an object")?)?;
//! assert_eq!(bound.path().as_str(), "/repos/rust-lang/rust/issues/1");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod base_url_template;
mod binary;
mod bind;
mod builtin;
mod bytes;
mod check;
mod encode;
mod error;
mod file;
mod header;
mod hmac;
mod jsonrpc;
mod load;
mod mcp;
mod method;
mod mints;
mod name;
mod oauth2;
mod operation;
mod order;
mod parameter;
mod path;
mod recognise;
mod registry;
mod request;
mod run;
mod schema;
mod scope;
mod scope_set;
mod search;
mod segment;
mod service;
mod tells;
#[cfg(test)]
mod tests;
mod threads;
mod usage;

pub use base_url_template::{BaseUrlTemplate, BaseUrlTemplateError};
pub use binary::BinaryAnswer;
pub use bind::{BindError, Body, Bound};
pub use error::{CatalogError, Problem};
pub use header::is_transport_header;
pub use hmac::{HmacSpec, KeyText, MacAlgorithm, MacText, SignedPart, Template, Timestamp};
pub use mcp::{McpRequest, is_tool as is_mcp_tool, mcp_message};
pub use method::Method;
pub use mints::{Ends, Mint, Pointer};
pub use name::{NameError, ScopeName, ServiceId, ToolName};
pub use oauth2::Provider;
pub use operation::{Effect, Operation};
pub use parameter::{Parameter, Place, QueryStyle};
pub use path::{Captures, ExpandError, PathTemplate, TemplateError};
pub use registry::Catalog;
pub use request::{Matched, RawRequest, RequestError};
pub use run::{Placeholders, RunHints, Shape};
pub use schema::is_pattern;
pub use scope::{ScopeId, ScopePatternError, Scopes};
pub use scope_set::ScopeSet;
pub use search::Hit;
pub use segment::SegmentKind;
pub use service::{AuthScheme, BasicUser, Rate, Service};
pub use tells::{Tells, Told, scope_words};
