//! Base URLs.

use symbolon_capability::catalog::BaseUrlTemplate;

use crate::{
    document::{Dialect, Document, shown},
    error::ImportError,
    node::Node,
};

/// The base URL of a document: what was asked for, else the first of its servers that can be one.
pub(crate) fn base_url(
    document: &Document<'_>,
    asked: Option<&str>,
    notes: &mut Vec<String>,
) -> Result<String, ImportError> {
    if let Some(asked) = asked {
        return template(asked).map_err(|why| ImportError::BaseUrl { why });
    }
    let root = document.root();
    if document.dialect == Dialect::Swagger2 {
        let why = || "it has no host that is reached over https".to_owned();
        let host = root.text("host").ok_or_else(|| ImportError::BaseUrl { why: why() })?;
        let schemes = root.get("schemes").map(Node::items).unwrap_or_default();
        if !schemes.is_empty() && !schemes.iter().any(|s| s.as_text() == Some("https")) {
            return Err(ImportError::BaseUrl { why: why() });
        }
        let path = root.text("basePath").unwrap_or_default();
        return template(&format!("https://{host}{path}"))
            .map_err(|why| ImportError::BaseUrl { why });
    }
    let mut why = "there is none".to_owned();
    for server in root.get("servers").map(Node::items).unwrap_or_default().iter().take(SERVERS_MAX)
    {
        match of_server(server, notes) {
            Ok(url) => return Ok(url),
            Err(reason) => why = reason,
        }
    }
    Err(ImportError::BaseUrl { why })
}

/// Whether servers of a path or an operation are the document's own.
pub(crate) fn is_same(servers: &Node, base_url: &str) -> bool {
    let urls: Vec<_> =
        servers.items().iter().take(SERVERS_MAX).map(|s| of_server(s, &mut Vec::new())).collect();
    urls.is_empty() || urls.iter().any(|url| url.as_deref() == Ok(base_url))
}

/// A server's URL. A variable that can be pinned stays one; any other is its default.
fn of_server(server: &Node, notes: &mut Vec<String>) -> Result<String, String> {
    let url = server.text("url").unwrap_or_default();
    if let Ok(url) = template(url) {
        return Ok(url);
    }
    let mut filled = url.to_owned();
    for (name, variable) in
        server.get("variables").map(Node::members).unwrap_or_default().iter().take(SERVERS_MAX)
    {
        let hole = format!("{{{name}}}");
        let Some(default) = variable.text("default").filter(|_| filled.contains(&hole)) else {
            continue;
        };
        let one = filled.replace(&hole, default);
        // Others may be what is wrong, and this one stay a variable.
        let others_fixed = fix(&filled, server, name);
        if template(&others_fixed).is_err() {
            notes.push(format!(
                "the server's variable {} is fixed to {}",
                shown(name),
                shown(default)
            ));
            filled = one;
        }
    }
    template(&filled)
}

/// The URL with every variable but one as its default.
fn fix(url: &str, server: &Node, but: &str) -> String {
    let mut url = url.to_owned();
    for (name, variable) in
        server.get("variables").map(Node::members).unwrap_or_default().iter().take(SERVERS_MAX)
    {
        if **name != *but {
            url = url.replace(&format!("{{{name}}}"), variable.text("default").unwrap_or_default());
        }
    }
    url
}

fn template(url: &str) -> Result<String, String> {
    let url = url.trim_end_matches('/');
    match BaseUrlTemplate::parse(url) {
        Ok(template) if url.starts_with("https://") => Ok(template.as_str().to_owned()),
        Ok(_) => Err(format!("{} is not https", shown(url))),
        Err(why) => Err(format!("{}: {why}", shown(url))),
    }
}

const SERVERS_MAX: usize = 32;
