//! Base URLs with variables that only a connection, never a call, can choose.

use std::collections::BTreeMap;

use super::name::is_parameter_name;
use crate::url::{BaseUrl, BaseUrlError, is_label};

/// A service's base URL, with variables in the host that a connection pins:
/// `https://{project}.supabase.co`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrlTemplate {
    text: Box<str>,
    variables: Vec<Box<str>>,
}

impl BaseUrlTemplate {
    /// Parses a template. A variable is one whole host label or one whole path segment, and never the
    /// registrable end of the host: two fixed labels must close it.
    ///
    /// # Errors
    /// [`BaseUrlTemplateError`].
    pub fn parse(text: &str) -> Result<Self, BaseUrlTemplateError> {
        let mut variables: Vec<Box<str>> = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, tail) = after.split_once('}').ok_or(BaseUrlTemplateError::Variable)?;
            let opens = before.ends_with(['/', '.']);
            let closes = tail.is_empty() || tail.starts_with(['/', '.']);
            let is_new = variables.iter().all(|other| **other != *name);
            if !(opens && closes && is_new && is_parameter_name(name)) {
                return Err(BaseUrlTemplateError::Variable);
            }
            variables.push(name.into());
            rest = tail;
        }
        let template = Self { text: text.into(), variables };
        template.fill(|_| Some("x"))?;
        let host = text.trim_start_matches("https://").split('/').next().unwrap_or("");
        let fixed_end = host.rsplit('.').take_while(|label| !label.contains('{')).count();
        if host.contains('{') && fixed_end < 2 {
            return Err(BaseUrlTemplateError::Variable);
        }
        Ok(template)
    }

    /// The template as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The variables that a connection must pin.
    pub fn variables(&self) -> impl Iterator<Item = &str> {
        self.variables.iter().map(|name| &**name)
    }

    /// The base URL of a connection with these pinned values.
    ///
    /// # Errors
    /// [`BaseUrlTemplateError::Missing`], or [`BaseUrlTemplateError::Value`] where a value is not
    /// one host label (letters, digits, `-`).
    pub fn resolve(
        &self,
        pinned: &BTreeMap<String, String>,
    ) -> Result<BaseUrl, BaseUrlTemplateError> {
        if let Some(name) = pinned.keys().find(|name| self.variables().all(|own| own != *name)) {
            return Err(BaseUrlTemplateError::Unknown(name.chars().take(64).collect()));
        }
        self.fill(|name| pinned.get(name).map(String::as_str))
    }

    fn fill<'v>(
        &self,
        get: impl Fn(&str) -> Option<&'v str>,
    ) -> Result<BaseUrl, BaseUrlTemplateError> {
        let mut url = self.text.to_string();
        for name in self.variables() {
            let value = get(name).ok_or_else(|| BaseUrlTemplateError::Missing(name.to_owned()))?;
            if !is_label(value) {
                return Err(BaseUrlTemplateError::Value(name.to_owned()));
            }
            url = url.replace(&format!("{{{name}}}"), value);
        }
        Ok(BaseUrl::parse(&url)?)
    }
}

/// Why a template or its values make no base URL. The fault is the catalogue's, or that of whoever
/// makes the connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BaseUrlTemplateError {
    /// A variable in the wrong place or with a wrong name.
    #[error(
        "a variable must be one whole label of the host (two fixed labels after it) or one segment"
    )]
    Variable,
    /// The connection pins no value.
    #[error("the connection must give {0}")]
    Missing(String),
    /// The connection pins something that the service does not have.
    #[error("the service has no variable {0:?}")]
    Unknown(String),
    /// The pinned value.
    #[error("{0} must be 1 to 63 lower-case letters, digits or -, and not begin or end with -")]
    Value(String),
    /// What it makes.
    #[error(transparent)]
    Url(#[from] BaseUrlError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pinned_variables_cannot_move_the_host() {
        let template = BaseUrlTemplate::parse("https://{project}.supabase.co").expect("a template");
        let with = |value: &str| {
            template.resolve(&BTreeMap::from([("project".to_owned(), value.to_owned())]))
        };
        assert_eq!(with("abc").map(|u| u.to_string()).as_deref(), Ok("https://abc.supabase.co"));
        for bad in
            ["", "a.b", "a/", "evil.example/", "a@b", "a#", "a:1", "-a", "{project}", "A", "é"]
        {
            assert_eq!(with(bad), Err(BaseUrlTemplateError::Value("project".into())), "{bad}");
        }
        assert_eq!(
            template.resolve(&BTreeMap::new()),
            Err(BaseUrlTemplateError::Missing("project".into()))
        );
        for bad in [
            "https://{host}",
            "https://a.{tld}",
            "https://x{a}.b.c",
            "https://{a}:1.b.c",
            "https://a.{b}.com",
            "https://{a}.{a}.b.c",
        ] {
            assert!(BaseUrlTemplate::parse(bad).is_err(), "{bad}");
        }
    }
}
