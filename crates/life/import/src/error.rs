//! Why a document is not imported.

/// Why nothing was imported. The document is at fault, or what was said beside it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The document is larger than the limit.
    #[error("a document has at most {max} bytes, found {found}")]
    TooLarge {
        /// The limit in bytes.
        max: usize,
        /// The size in bytes.
        found: usize,
    },
    /// Neither JSON nor YAML, or beyond a bound of their readers.
    #[error("line {line}, column {column}: {what}")]
    Syntax {
        /// From 1; 0 where the reader did not say.
        line: u64,
        /// From 1; 0 where the reader did not say.
        column: u64,
        /// What the reader said.
        what: String,
    },
    /// No `openapi: 3.0.x`, `openapi: 3.1.x` or `swagger: "2.0"`.
    #[error("this is no OpenAPI 3.0, OpenAPI 3.1 or Swagger 2.0 document")]
    NotOpenApi,
    /// What a mounted server gave as its list of tools is none.
    #[error("this is no list of MCP tools: {what}")]
    List {
        /// What is wrong with it.
        what: String,
    },
    /// The id that the service is to have.
    #[error("{0}")]
    Id(symbolon_capability::catalog::NameError),
    /// No server that a base URL can be made of.
    #[error("the document names no server that can be the base URL ({why}); give one")]
    BaseUrl {
        /// Which servers there were and what is wrong with them.
        why: String,
    },
    /// The scheme that was asked for is not the document's, or cannot be used.
    #[error("the security scheme {name:?} {why}")]
    Scheme {
        /// Its name.
        name: String,
        /// What is wrong with it.
        why: String,
    },
    /// More operations than the limit.
    #[error("a document has at most {max} operations")]
    TooMany {
        /// The limit.
        max: usize,
    },
    /// Nothing that can be called was left.
    #[error("no operation of the document can be imported: {why}")]
    Nothing {
        /// The first reason.
        why: String,
    },
    /// The service's own part is refused by the catalogue.
    #[error("the catalogue refuses the service: {0}")]
    Refused(#[source] symbolon_capability::catalog::CatalogError),
    /// The file that is to be replaced is no imported file, so names could not be kept.
    #[error("the file of before cannot be read, so its names cannot be kept: {0}")]
    Previous(#[source] serde_json::Error),
}
