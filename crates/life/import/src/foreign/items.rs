//! Items of password managers as connections. A password of a web page is no credential of an API:
//! what is taken says by its own name that it is a key or a token.

use symbolon_capability::catalog::{Catalog, Service};

use super::assign::{self, Record, SECRETS, plain};
use super::error::ForeignError;
use super::findings::Findings;
use super::page::Text;

/// One item.
pub(super) struct Item<'p> {
    /// Which one.
    pub from: String,
    pub title: String,
    pub urls: Vec<String>,
    pub user: Option<Text<'p>>,
    pub password: Option<Text<'p>>,
    pub fields: Vec<(String, Text<'p>)>,
    /// The manager has a kind of its own for these, and it is of it.
    pub is_api_credential: bool,
}

pub(super) fn convert(
    item: &Item<'_>,
    catalog: &Catalog,
    found: &mut Findings,
) -> Result<(), ForeignError> {
    let from = format!("{} ({})", item.from, crate::document::shown(&item.title));
    // A field that is called as a variable of a service is that service's, whatever the item is.
    let mut taken = false;
    for (name, value) in &item.fields {
        let reads = |s: &&Service| s.run().credential_variables().any(|own| own == name);
        let mut readers = catalog.services().iter().map(AsRef::as_ref).filter(reads);
        if let (Some(service), None) = (readers.next(), readers.next()) {
            let fields = with_user(item, vec![(SECRETS[0].to_owned(), *value)]);
            add(service, &from, fields, found)?;
            taken = true;
        }
    }
    if taken {
        return Ok(());
    }
    let Some(service) = service_of(item, catalog) else {
        found.leave(from, "it is of no service of the catalogue");
        return Ok(());
    };
    let mut fields = item.fields.clone();
    let is_key = |name: &str| SECRETS.iter().any(|s| *s != "password" && plain(name).ends_with(s));
    let has_key = fields.iter().any(|(name, _)| is_key(name));
    let password = item.password.filter(|_| item.is_api_credential || is_key(&item.title));
    if let (Some(password), false) = (password, has_key) {
        fields.push(("password".to_owned(), password));
    } else if !has_key {
        let why = "a password of a web login is no credential of an API; make a token there";
        found.leave(from, format!("{}: {why}", service.id()));
        return Ok(());
    }
    add(service, &from, with_user(item, fields), found)
}

fn with_user<'p>(item: &Item<'p>, mut fields: Vec<(String, Text<'p>)>) -> Vec<(String, Text<'p>)> {
    if let Some(user) = item.user {
        fields.push(("username".to_owned(), user));
    }
    fields.extend(
        item.fields.iter().filter(|(name, _)| !SECRETS.contains(&plain(name).as_str())).cloned(),
    );
    fields
}

fn add(
    service: &Service,
    from: &str,
    fields: Vec<(String, Text<'_>)>,
    found: &mut Findings,
) -> Result<(), ForeignError> {
    let name = service.id().as_str().to_owned();
    let record = Record { from: from.to_owned(), name, fields, base_url: None };
    match assign::draft(service, &record)? {
        Ok(draft) => found.drafts.push(draft),
        Err(why) => found.leave(from, format!("{}: {why}", service.id())),
    }
    Ok(())
}

/// By a URL on the service's own domain; else by a title that begins with the service's id or name.
fn service_of<'c>(item: &Item<'_>, catalog: &'c Catalog) -> Option<&'c Service> {
    let services = || catalog.services().iter().map(AsRef::as_ref);
    let by_url = item.urls.iter().find_map(|url| {
        let domain = domain(url)?;
        let mut own = services()
            .filter(|s: &&Service| self::domain(s.base_url_template().as_str()) == Some(domain));
        // Of several on one domain (as google.com has them) a URL does not say which.
        own.next().filter(|_| own.next().is_none())
    });
    by_url.or_else(|| {
        let title = plain(&item.title);
        let begins = |s: &&Service| {
            let (id, name) = (plain(s.id().as_str()), plain(s.name()));
            title.starts_with(&id) || title.starts_with(&name)
        };
        services().filter(begins).max_by_key(|s| s.id().as_str().len())
    })
}

/// The last two labels of a URL's host. No service of the catalogue is under a public suffix of two.
fn domain(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let host = rest.split(['/', '?', '#', ':']).next()?;
    let host = host.rsplit('@').next()?;
    let mut dots = host.rmatch_indices('.').map(|(at, _)| at);
    dots.next()?;
    Some(dots.next().map_or(host, |at| &host[at + 1..]))
}
