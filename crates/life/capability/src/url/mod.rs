//! URLs in one spelling: paths, hosts, origins and base URLs. There is no other parser of them.
//!
//! What two parsers could read in two ways is refused. Whether a host may be reached is another
//! question, which the connector's `ssrf` answers.

mod authority;
mod base_url;
mod canonical;
mod host;

pub use authority::{Authority, AuthorityError, Scheme};
pub use base_url::{BaseUrl, BaseUrlError};
pub use canonical::{CanonicalPath, PATH_BYTES_MAX, PathError, is_unreserved};
pub use host::{Host, HostError};

pub(crate) use canonical::{check_value, decode, is_path_char};
pub(crate) use host::is_label;
