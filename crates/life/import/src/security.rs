//! Security schemes: how the credential goes in, and which operations take it.

use serde_json::{Value, json};

use crate::{
    document::{Dialect, Document, shown},
    error::ImportError,
    node::Node,
};

/// The scheme of a service.
pub(crate) struct Security<'n> {
    /// Its name in the document; `None` where the document names none.
    pub name: Option<&'n str>,
    /// It, and the others that put the same credential into the same place.
    alike: Vec<&'n str>,
    /// The catalogue's `auth`.
    pub auth: Value,
}

impl Security<'_> {
    /// The query parameter in which the credential travels.
    pub fn own_query(&self) -> Option<&str> {
        (self.auth["scheme"] == "query").then(|| self.auth["name"].as_str()).flatten()
    }

    /// Whether an operation takes this credential, or none.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn fits(&self, document: &Document<'_>, operation: &Node) -> Result<(), String> {
        if self.name.is_none() {
            return Ok(());
        }
        let wanted = operation.get("security").or_else(|| document.root().get("security"));
        let wanted = wanted.map(Node::items).unwrap_or_default();
        if wanted.is_empty() || wanted.iter().any(|one| is_met(one, &self.alike)) {
            return Ok(());
        }
        let other = wanted[0].members().first().map_or("", |(own, _)| own);
        Err(format!("it takes the credential of another scheme ({})", shown(other)))
    }

    /// Scopes that an operation names for this scheme.
    pub fn scopes<'d>(&self, document: &Document<'d>, operation: &'d Node) -> Vec<&'d str> {
        let wanted = operation.get("security").or_else(|| document.root().get("security"));
        let ours = wanted.map(Node::items).unwrap_or_default().iter();
        ours.filter_map(|one| one.get(self.name?))
            .flat_map(Node::items)
            .filter_map(Node::as_text)
            .collect()
    }
}

/// Whether one credential is all that is wanted: two at once cannot be sent. One of nothing is met.
fn is_met(wanted: &Node, alike: &[&str]) -> bool {
    wanted.members().iter().all(|(own, _)| alike.contains(&&**own))
}

/// Whether a credential of one scheme goes where one of the other does.
fn is_alike(one: &Value, other: &Value) -> bool {
    let is_bearer = |auth: &Value| auth["scheme"] == "bearer" || auth["scheme"] == "oauth2";
    one == other || is_bearer(one) && is_bearer(other)
}

/// The scheme that was asked for, else the one that most operations take and that can be used.
pub(crate) fn choose<'n>(
    document: &Document<'n>,
    asked: Option<&str>,
    operations: &[&'n Node],
    notes: &mut Vec<String>,
) -> Result<Security<'n>, ImportError> {
    let root = document.root();
    let schemes = match document.dialect {
        Dialect::Swagger2 => root.get("securityDefinitions"),
        _ => root.get("components").and_then(|c| c.get("securitySchemes")),
    };
    let schemes = schemes.map(Node::members).unwrap_or_default();
    let mut usable: Vec<(&'n str, Value, usize)> = Vec::new();
    for (name, scheme) in schemes.iter().take(SCHEMES_MAX) {
        match document.resolve(scheme).and_then(auth) {
            Ok(auth) => usable.push((name, auth, 0)),
            Err(why) if asked == Some(&**name) => {
                return Err(ImportError::Scheme { name: name.to_string(), why });
            }
            Err(why) => notes.push(format!("the security scheme {} {why}", shown(name))),
        }
    }
    let alike = |auth: &Value, usable: &[(&'n str, Value, usize)]| -> Vec<&'n str> {
        usable.iter().filter(|(_, own, _)| is_alike(own, auth)).map(|(name, _, _)| *name).collect()
    };
    if let Some(asked) = asked {
        let found = usable.iter().find(|(name, _, _)| *name == asked);
        let (name, auth, _) = found.ok_or_else(|| ImportError::Scheme {
            name: asked.to_owned(),
            why: "is not in the document".to_owned(),
        })?;
        let alike = alike(auth, &usable);
        return Ok(Security { name: Some(name), auth: auth.clone(), alike });
    }
    let whole = root.get("security");
    for at in 0..usable.len() {
        let (name, alike) = (usable[at].0, alike(&usable[at].1, &usable));
        for operation in operations {
            let wanted = operation.get("security").or(whole).map(Node::items).unwrap_or_default();
            let takes = |one: &Node| one.get(name).is_some() && is_met(one, &alike);
            usable[at].2 += usize::from(wanted.iter().any(takes));
        }
    }
    let others: Vec<String> = usable.iter().map(|(name, _, _)| shown(name)).collect();
    // Of equals the one whose tokens the broker can get by itself, or the first in the document.
    let best =
        usable.iter().rev().max_by_key(|(_, auth, times)| (*times, auth["scheme"] == "oauth2"));
    match best {
        Some((name, auth, _)) => {
            let alike = alike(auth, &usable);
            if others.len() > 1 {
                notes.push(format!(
                    "of the security schemes {} it is {}; --auth chooses another",
                    others.join(", "),
                    shown(name)
                ));
            }
            Ok(Security { name: Some(name), auth: auth.clone(), alike })
        }
        None => {
            notes.push(
                "the document has no security scheme that can be used: bearer is assumed"
                    .to_owned(),
            );
            Ok(Security { name: None, auth: json!({"scheme": "bearer"}), alike: Vec::new() })
        }
    }
}

/// A scheme as the catalogue says it.
fn auth(scheme: &Node) -> Result<Value, String> {
    let name = scheme.text("name").unwrap_or_default();
    match (
        scheme.text("type").unwrap_or_default(),
        scheme.text("scheme").unwrap_or_default().to_ascii_lowercase().as_str(),
    ) {
        ("http", "bearer") | ("openIdConnect", _) => Ok(json!({"scheme": "bearer"})),
        ("http", "basic") | ("basic", _) => {
            Ok(json!({"scheme": "basic", "username_from": "connection"}))
        }
        ("apiKey", _) => match scheme.text("in") {
            // Kubernetes and others say a bearer token so.
            Some("header") if name.eq_ignore_ascii_case("authorization") => {
                Ok(json!({"scheme": "bearer"}))
            }
            Some("header") => Ok(json!({"scheme": "header", "name": name.to_ascii_lowercase()})),
            Some(place @ ("query" | "cookie")) => Ok(json!({"scheme": place, "name": name})),
            _ => Err("stands where no credential goes".to_owned()),
        },
        ("oauth2", _) => Ok(oauth2(scheme)),
        (other, kind) => {
            Err(format!("is of a kind that is not spoken: {} {}", shown(other), shown(kind)))
        }
    }
}

/// OAuth 2.0 where the document says where tokens come from, else a token that the owner has.
fn oauth2(scheme: &Node) -> Value {
    let flows = scheme.get("flows").unwrap_or(scheme);
    let flow = ["authorizationCode", "clientCredentials"]
        .iter()
        .find_map(|name| flows.get(name))
        .unwrap_or(scheme);
    let https = |name: &str| flow.text(name).filter(|url| url.starts_with("https://"));
    let Some(token) = https("tokenUrl") else { return json!({"scheme": "bearer"}) };
    let mut auth = json!({"scheme": "oauth2", "token_endpoint": token});
    if let Some(url) = https("authorizationUrl") {
        auth["authorization_endpoint"] = url.into();
    }
    auth
}

const SCHEMES_MAX: usize = 64;
