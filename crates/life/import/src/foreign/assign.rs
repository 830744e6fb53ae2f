//! From a record of named fields to a connection of a service: which field is the credential, which
//! the user, which a variable of the base URL. The catalogue says what the service takes.

use std::collections::BTreeMap;

use symbolon_capability::catalog::{AuthScheme, BasicUser, Service};
use symbolon_secret::{MemoryError, Secret};

use super::error::ForeignError;
use super::findings::Draft;
use super::page::Text;

/// One credential of a foreign file.
#[derive(Debug)]
pub(super) struct Record<'p> {
    /// Which file, line or item.
    pub from: String,
    /// The name that the connection would have.
    pub name: String,
    pub fields: Vec<(String, Text<'p>)>,
    /// A base URL that the file asks for.
    pub base_url: Option<String>,
}

/// The connection that a record becomes, or why it becomes none.
pub(super) fn draft(
    service: &Service,
    record: &Record<'_>,
) -> Result<Result<Draft, String>, ForeignError> {
    let taken = Taken { fields: &record.fields };
    let mut variables = BTreeMap::new();
    for variable in service.base_url_template().variables() {
        match taken.variable(variable) {
            Some(value) => drop(variables.insert(variable.to_owned(), value)),
            None if matches!(service.auth(), AuthScheme::Aws4 { .. }) => {
                variables.insert(variable.to_owned(), REGION.to_owned());
            }
            None => return Ok(Err(format!("its address needs {variable}, which is not there"))),
        }
    }
    let user = match service.auth() {
        AuthScheme::Basic { username: BasicUser::Connection } => match taken.public(USERS) {
            // An API token of Zendesk is shown to be one by its user name.
            Some(user) if service.id().as_str() == "zendesk" && !user.ends_with("/token") => {
                Some(format!("{user}/token"))
            }
            Some(user) => Some(user),
            None => return Ok(Err("it needs a user name, which is not there".to_owned())),
        },
        AuthScheme::OAuth2(_) => {
            let why = "its tokens are got by a flow: symbolon connect SERVICE --oauth FLOW";
            return Ok(Err(why.to_owned()));
        }
        _ => None,
    };
    let credential = match service.auth() {
        AuthScheme::Aws4 { .. } => taken.key_pair()?,
        _ => match taken.secret(service) {
            Some(text) => Some(text.secret()?),
            None => None,
        },
    };
    let Some(credential) = credential else {
        return Ok(Err("no field of it is known to hold the credential".to_owned()));
    };
    if is_reference(&credential) {
        return Ok(Err("it names a variable and holds no value".to_owned()));
    }
    if credential.is_empty() {
        return Ok(Err("its credential is empty".to_owned()));
    }
    if credential.len() < CREDENTIAL_BYTES_MIN {
        let why = format!("its credential has fewer than {CREDENTIAL_BYTES_MIN} bytes");
        return Ok(Err(why));
    }
    let own = |url: &String| service.is_self_hosted() && !is_same(service, url);
    Ok(Ok(Draft {
        name: record.name.clone(),
        service: service.id().as_str().to_owned(),
        base_url: record.base_url.clone().filter(own),
        variables,
        user,
        credential,
        from: record.from.clone(),
    }))
}

/// A base URL that a file asks for and that is not taken: a file does not choose where a credential
/// of a service at a fixed address goes.
pub(super) fn is_elsewhere(service: &Service, url: &str) -> bool {
    !service.is_self_hosted() && !is_same(service, url)
}

fn is_same(service: &Service, url: &str) -> bool {
    let own = service.base_url_template();
    let has_variables = own.variables().next().is_some();
    has_variables || url.trim_end_matches('/') == own.as_str().trim_end_matches('/')
}

struct Taken<'r, 'p> {
    fields: &'r [(String, Text<'p>)],
}

impl<'p> Taken<'_, 'p> {
    fn named(&self, name: &str) -> Option<Text<'p>> {
        let found = self.fields.iter().find(|(own, _)| plain(own) == name);
        found.map(|(_, text)| *text).filter(|text| !text.is_empty())
    }

    fn public(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| self.named(name)?.public())
    }

    fn variable(&self, variable: &str) -> Option<String> {
        let others = OTHER_NAMES.iter().find(|(own, _)| *own == variable);
        let names = others.map_or(&[][..], |(_, names)| names);
        let value = self.public(&[&[variable], names].concat())?;
        // `name.myshopify.com` where the name is meant.
        Some(value.split('.').next().unwrap_or_default().to_ascii_lowercase())
    }

    /// By the names that a credential has everywhere; where there is one field alone, that.
    fn secret(&self, service: &Service) -> Option<Text<'p>> {
        let own = service.run().credential_variables().map(plain).collect::<Vec<_>>();
        let by_name = SECRETS.iter().copied().chain(own.iter().map(String::as_str));
        by_name.into_iter().find_map(|name| self.named(name)).or(match self.fields {
            [(_, only)] => Some(*only),
            _ => None,
        })
    }

    /// `KEY_ID:SECRET` or `KEY_ID:SECRET:SESSION_TOKEN`.
    fn key_pair(&self) -> Result<Option<Secret<[u8]>>, MemoryError> {
        let first = |names: &[&str]| names.iter().find_map(|name| self.named(name));
        let id = first(&["accesskeyid", "awsaccesskeyid"]);
        let secret = first(&["secretaccesskey", "awssecretaccesskey"]);
        let (Some(id), Some(secret)) = (id, secret) else { return Ok(None) };
        let mut parts = vec![id.secret()?, secret.secret()?];
        if let Some(session) = first(&["sessiontoken", "awssessiontoken"]) {
            parts.push(session.secret()?);
        }
        let len = parts.iter().map(Secret::len).sum::<usize>() + parts.len() - 1;
        Secret::<[u8]>::try_make_slice(len, |out| {
            let mut at = 0;
            for (n, part) in parts.iter().enumerate() {
                if n > 0 {
                    out[at] = b':';
                    at += 1;
                }
                // EXPOSE: joined, from secret pages into another.
                out[at..at + part.len()].copy_from_slice(part.expose());
                at += part.len();
            }
            Ok(at)
        })
        .map(Some)
    }
}

/// `{{env.NAME}}`, `{{vault:NAME}}`, `${NAME}`: filled in by the program whose file it is.
fn is_reference(credential: &Secret<[u8]>) -> bool {
    // EXPOSE: its first two bytes are looked at.
    matches!(credential.expose(), [b'{', b'{', ..] | [b'$', b'{', ..])
}

/// Letters and digits alone, in lower case: `apiKey`, `api_key` and `API Key` are one name.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// What a credential is called, the surest first.
pub(super) const SECRETS: &[&str] = &[
    "apikey",
    "apitoken",
    "accesstoken",
    "bottoken",
    "personalaccesstoken",
    "bearertoken",
    "authtoken",
    "servertoken",
    "secretkey",
    "token",
    "secret",
    "credential",
    "key",
    "password",
];

const USERS: &[&str] = &["user", "username", "email", "accountsid", "login"];

/// Variables of base URLs under the names that other programs give them.
const OTHER_NAMES: &[(&str, &[&str])] = &[
    ("shop", &["store", "shopdomain", "storedomain"]),
    ("project", &["projectref", "projectid"]),
    ("site", &["domain", "subdomain"]),
    ("subdomain", &["domain"]),
    ("domain", &["instance", "subdomain"]),
    ("dc", &["datacenter", "server"]),
    ("region", &["awsregion", "awsdefaultregion"]),
];

/// Shorter ones are refused where they are entered: an echo could not be told from chance.
const CREDENTIAL_BYTES_MIN: usize = 8;

const REGION: &str = "us-east-1";
