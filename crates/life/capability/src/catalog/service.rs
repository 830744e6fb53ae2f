//! Services.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    base_url_template::{BaseUrlTemplate, BaseUrlTemplateError},
    hmac::HmacSpec,
    name::ServiceId,
    oauth2::Provider,
    operation::Operation,
    run::RunHints,
    tells::Tells,
};
use crate::url::BaseUrl;

/// One upstream API: where it is, how a credential goes in, what can be called.
#[derive(Debug)]
pub struct Service {
    pub(super) id: ServiceId,
    pub(super) name: Box<str>,
    pub(super) base_url: BaseUrlTemplate,
    pub(super) self_hosted: bool,
    pub(super) docs: Box<str>,
    pub(super) auth: AuthScheme,
    pub(super) headers: Vec<FixedHeader>,
    pub(super) verify: Option<usize>,
    pub(super) tells: Option<Tells>,
    pub(super) rate: Rate,
    pub(super) run: RunHints,
    pub(super) operations: Vec<Arc<Operation>>,
    /// Positions in `operations`, most specific path first: a door's first match is the right one.
    pub(super) match_order: Vec<usize>,
}

impl Service {
    /// Its id, the first part of each tool's name.
    #[must_use]
    pub const fn id(&self) -> &ServiceId {
        &self.id
    }

    /// Its name for people.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where it is, perhaps with variables.
    #[must_use]
    pub const fn base_url_template(&self) -> &BaseUrlTemplate {
        &self.base_url
    }

    /// Whether a connection may name a base URL of its own.
    #[must_use]
    pub const fn is_self_hosted(&self) -> bool {
        self.self_hosted
    }

    /// Where it is for a connection that pins these variables.
    ///
    /// # Errors
    /// [`BaseUrlTemplateError`] where a variable is missing, unknown, or not one host label.
    pub fn base_url(
        &self,
        pinned: &BTreeMap<String, String>,
    ) -> Result<BaseUrl, BaseUrlTemplateError> {
        self.base_url.resolve(pinned)
    }

    /// The address of its public documentation.
    #[must_use]
    pub fn docs(&self) -> &str {
        &self.docs
    }

    /// How the credential goes in.
    #[must_use]
    pub const fn auth(&self) -> &AuthScheme {
        &self.auth
    }

    /// Fixed headers of every request, names in lower case, in order.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (&**name, &**value))
    }

    /// The operation that shows that a credential works: reads, and needs no argument. `None` where
    /// the service has none such.
    #[must_use]
    pub fn verify(&self) -> Option<&Arc<Operation>> {
        self.operations.get(self.verify?)
    }

    /// What the answer of that operation says of the credential itself; `None` where no place is
    /// known that does.
    #[must_use]
    pub const fn tells(&self) -> Option<&Tells> {
        self.tells.as_ref()
    }

    /// The default rate of each of its scopes.
    #[must_use]
    pub const fn rate(&self) -> Rate {
        self.rate
    }

    /// What programs of this service read from their environment.
    #[must_use]
    pub const fn run(&self) -> &RunHints {
        &self.run
    }

    /// What can be called, in the order of the file.
    #[must_use]
    pub fn operations(&self) -> &[Arc<Operation>] {
        &self.operations
    }
}

/// Name in lower case and value of a header that every request has.
pub(super) type FixedHeader = (Box<str>, Box<str>);

/// How a credential goes into a request. The credential itself is never here.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthScheme {
    /// Nothing: the service asks for no credential.
    None,
    /// `Authorization: Bearer <credential>` (RFC 6750).
    Bearer,
    /// `<name>: <prefix><credential>`.
    Header {
        /// The header in lower case.
        name: Box<str>,
        /// What stands before the credential, a blank included.
        prefix: Box<str>,
    },
    /// `?<name>=<credential>`.
    Query {
        /// The name in the query.
        name: Box<str>,
    },
    /// `Cookie: <name>=<credential>`, among the request's other cookies (RFC 6265).
    Cookie {
        /// The cookie's name.
        name: Box<str>,
    },
    /// The field `<name>` of an `application/x-www-form-urlencoded` body.
    Form {
        /// The field.
        name: Box<str>,
    },
    /// AWS Signature Version 4.
    Aws4 {
        /// The service's name in AWS's credential scopes, such as `s3`.
        service: Box<str>,
        /// The region where the connection names none.
        region: Option<Box<str>>,
    },
    /// A signature by HMAC.
    Hmac(Arc<HmacSpec>),
    /// `Authorization: Bearer …` with an access token that the broker gets (RFC 6749).
    OAuth2(Arc<Provider>),
    /// `Authorization: Basic …` (RFC 7617).
    Basic {
        /// Which half the credential is.
        username: BasicUser,
    },
}

/// The user name of HTTP Basic authentication.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum BasicUser {
    /// Always the same; the credential is the password.
    Fixed(Box<str>),
    /// The connection names it; the credential is the password.
    Connection,
    /// The credential is the user name, and the password is empty.
    Credential,
}

/// A token bucket: it holds `burst` calls and fills with `per_second`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rate {
    burst: u32,
    per_second: f64,
}

impl Rate {
    /// A rate; `None` outside 1 to 1e9 calls and 0.001 to 1e9 a second.
    #[must_use]
    pub fn new(burst: u32, per_second: f64) -> Option<Self> {
        let fits = (1..=1_000_000_000).contains(&burst) && (0.001..=1e9).contains(&per_second);
        fits.then_some(Self { burst, per_second })
    }

    /// How many calls an idle bucket holds.
    #[must_use]
    pub const fn burst(self) -> u32 {
        self.burst
    }

    /// Calls a second in the long run.
    #[must_use]
    pub const fn per_second(self) -> f64 {
        self.per_second
    }
}
