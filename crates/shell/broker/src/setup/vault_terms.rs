//! A connection as an item of a vault says it: `specs/vault.md`, "Connections".

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::api::{CallError, NewConnection};

/// What is said beside name, service and base URL; JSON in the item's `scheme`.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Terms {
    #[serde(skip_serializing_if = "Option::is_none")]
    auth: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    variables: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<String>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    allow_loopback: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    allow_private: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca_pem: Option<String>,
}

impl NewConnection {
    /// What the item's `scheme` says of it.
    ///
    /// # Errors
    /// [`CallError`] of a connection whose tokens a broker renews: those are the broker's own.
    pub fn vault_terms(&self) -> Result<String, CallError> {
        if self.oauth.is_some() {
            let message =
                "tokens that the broker renews are kept by the broker, and not in a vault";
            return Err(CallError::caller("oauth", message).next("leave --vault away"));
        }
        let terms = Terms {
            auth: self.auth.clone(),
            user: self.user.clone(),
            variables: self.variables.clone(),
            scopes: self.scopes.clone(),
            allow_loopback: self.allow_loopback,
            allow_private: self.allow_private,
            ca_pem: self.ca_pem.clone(),
        };
        serde_json::to_string(&terms).map_err(|error| CallError::bug(error.to_string()))
    }

    /// The connection that an item of a vault means. It is checked as any other when it is used.
    ///
    /// # Errors
    /// [`CallError`] where `scheme` is neither a scheme's word nor what [`NewConnection::vault_terms`]
    /// writes.
    pub fn of_vault(
        name: &str,
        service: &str,
        base_url: &str,
        scheme: &str,
    ) -> Result<Self, CallError> {
        let terms = match scheme {
            "" => Terms::default(),
            text if text.starts_with('{') => serde_json::from_str(text).map_err(|error| {
                let at = error.column();
                CallError::caller("scheme", format!("{name}: its scheme does not read, at {at}"))
            })?,
            word => Terms { auth: Some(word.to_owned()), ..Terms::default() },
        };
        Ok(Self {
            service: service.to_owned(),
            name: Some(name.to_owned()),
            base_url: Some(base_url.to_owned()).filter(|text| !text.is_empty()),
            variables: terms.variables,
            ca_pem: terms.ca_pem,
            allow_loopback: terms.allow_loopback,
            allow_private: terms.allow_private,
            scopes: terms.scopes,
            auth: terms.auth,
            user: terms.user,
            oauth: None,
            replace: false,
            verify: false,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> NewConnection {
        NewConnection::of_vault("work", "gitlab", "https://git.example", "").unwrap()
    }

    #[test]
    fn what_is_written_is_read_again() {
        let own = NewConnection {
            auth: Some("header:x-key".into()),
            user: Some("me".into()),
            variables: BTreeMap::from([("region".into(), "eu".into())]),
            scopes: vec!["gitlab.read".into()],
            allow_private: true,
            ca_pem: Some("-----BEGIN\nx\n".into()),
            ..new()
        };
        let terms = own.vault_terms().unwrap();
        assert!(!terms.contains('\n'), "one line: {terms}");
        let back =
            NewConnection::of_vault("work", "gitlab", "https://git.example", &terms).unwrap();
        assert_eq!(serde_json::to_value(&back).unwrap(), serde_json::to_value(&own).unwrap());
        assert_eq!(new().vault_terms().unwrap(), "{}");
        let word = NewConnection::of_vault("a", "b", "", "bearer").unwrap();
        assert_eq!((word.auth.as_deref(), word.base_url), (Some("bearer"), None));
    }

    #[test]
    fn what_nobody_wrote_is_refused() {
        for bad in [r#"{"replace":true}"#, "{", r#"{"scopes":"all"}"#] {
            assert!(NewConnection::of_vault("a", "b", "", bad).is_err(), "{bad}");
        }
    }
}
