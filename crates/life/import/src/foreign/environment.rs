//! Variables of an environment as connections. The catalogue's own facts say which variable holds the
//! credential of which service; the others of the same prefix are its user and its address.

use symbolon_capability::catalog::{Catalog, Service};

use super::assign::{self, Record, SECRETS, plain};
use super::error::ForeignError;
use super::findings::Findings;
use super::page::Text;

/// One variable: where it stands, its name, its value.
pub(super) struct Variable<'p> {
    pub from: String,
    pub name: String,
    pub value: Text<'p>,
}

/// Adds a draft for each variable that holds a credential, and names those that nobody knows.
pub(super) fn convert(
    variables: &[Variable<'_>],
    catalog: &Catalog,
    found: &mut Findings,
) -> Result<(), ForeignError> {
    for variable in variables {
        let services = readers(catalog, &variable.name);
        match &services[..] {
            [] if is_beside(variables, variable, catalog) => {}
            [] => {
                let why = "no service of the catalogue reads this variable";
                found.leave(shown(variable), why);
            }
            [service] => {
                let record = record(variables, variable, service, catalog);
                match assign::draft(service, &record)? {
                    Ok(draft) => found.drafts.push(draft),
                    Err(why) => found.leave(shown(variable), format!("{}: {why}", service.id())),
                }
            }
            several => {
                let names: Vec<_> = several.iter().map(|s| s.id().as_str()).collect();
                let names = names.join(", ");
                found.leave(shown(variable), format!("more than one service reads it: {names}"));
            }
        }
    }
    Ok(())
}

fn shown(variable: &Variable<'_>) -> String {
    format!("{}: {}", variable.from, variable.name)
}

fn readers<'c>(catalog: &'c Catalog, name: &str) -> Vec<&'c Service> {
    let reads = |s: &&Service| s.run().credential_variables().any(|own| own == name);
    catalog.services().iter().map(AsRef::as_ref).filter(reads).collect()
}

/// `TWILIO_` of `TWILIO_AUTH_TOKEN`.
fn prefix(name: &str) -> &str {
    name.find('_').map_or(name, |at| &name[..=at])
}

/// Whether it says something about a credential that is known.
fn is_beside(all: &[Variable<'_>], one: &Variable<'_>, catalog: &Catalog) -> bool {
    let own = prefix(&one.name);
    let is_known =
        |v: &Variable<'_>| prefix(&v.name) == own && !readers(catalog, &v.name).is_empty();
    own.ends_with('_') && !is_secret(&one.name[own.len()..]) && all.iter().any(is_known)
}

fn is_secret(rest: &str) -> bool {
    SECRETS.contains(&plain(rest).as_str())
}

fn record<'p>(
    all: &[Variable<'p>],
    one: &Variable<'p>,
    service: &Service,
    catalog: &Catalog,
) -> Record<'p> {
    let own = prefix(&one.name);
    let mut fields = vec![(SECRETS[0].to_owned(), one.value)];
    if plain(&one.name[own.len()..]) == ACCESS_KEY {
        fields[0].0 = ACCESS_KEY.to_owned();
    }
    for other in all.iter().filter(|v| v.name != one.name && v.name.starts_with(own)) {
        let rest = &other.name[own.len()..];
        if readers(catalog, &other.name).is_empty() && !is_secret(rest) {
            fields.push((rest.to_owned(), other.value));
        }
    }
    let (from, name) = (shown(one), service.id().as_str().to_owned());
    Record { from, name, fields, base_url: None }
}

/// Half of a pair: the other half is a field of its own.
const ACCESS_KEY: &str = "accesskeyid";
