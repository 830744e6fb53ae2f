//! Base URLs.

use symbolon_capability::catalog::BaseUrlTemplate;

use crate::{
    document::{Dialect, Document, shown},
    error::ImportError,
    node::Node,
};

/// Where a service is.
pub(crate) struct Place {
    /// What was asked for, else the document's own.
    pub base_url: String,
    /// The first of the document's servers that can be a base URL.
    own: Option<String>,
}

impl Place {
    pub fn read(
        document: &Document<'_>,
        asked: Option<&str>,
        notes: &mut Vec<String>,
    ) -> Result<Self, ImportError> {
        let Some(asked) = asked else {
            let base_url = own(document, notes)?;
            return Ok(Self { base_url, own: None });
        };
        let base_url = template(asked).map_err(|why| ImportError::BaseUrl { why })?;
        Ok(Self { base_url, own: own(document, &mut Vec::new()).ok() })
    }

    /// Whether servers of a path or an operation are the document's own, wherever that is for us.
    pub fn is_of(&self, servers: &Node) -> bool {
        let urls = servers.items().iter().take(SERVERS_MAX);
        let mut urls = urls.map(|server| of_server(server, &mut Vec::new()).ok()).peekable();
        urls.peek().is_none()
            || urls
                .any(|url| url.is_some_and(|u| u == self.base_url || Some(&u) == self.own.as_ref()))
    }
}

fn own(document: &Document<'_>, notes: &mut Vec<String>) -> Result<String, ImportError> {
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

/// A server's URL. A variable that can be pinned stays one; any other is its default.
fn of_server(server: &Node, notes: &mut Vec<String>) -> Result<String, String> {
    let url = server.text("url").unwrap_or_default();
    // Relative to a document that came over https (RFC 3986, section 4.2).
    let url = &match url.strip_prefix("//") {
        Some(rest) => format!("https://{rest}"),
        None => url.to_owned(),
    };
    if let Ok(url) = template(url) {
        return Ok(url);
    }
    let mut filled = url.clone();
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
