//! Where the page is reached: the origin that passkeys, wallets and cookies are bound to.

use std::net::SocketAddr;

use url::Url;

use super::AccountsError;

/// A public origin: `https` and a name, or `http://localhost` with a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicOrigin {
    url: Url,
    text: String,
    host: String,
}

impl PublicOrigin {
    /// Reads one, such as `https://vault.example`.
    ///
    /// # Errors
    /// [`AccountsError::Origin`] where it is no origin, is an address (WebAuthn knows names alone), or is
    /// neither `https` nor `http://localhost`.
    pub fn parse(text: &str) -> Result<Self, AccountsError> {
        let bad = |why| AccountsError::Origin { origin: text.to_owned(), why };
        let url = Url::parse(text).map_err(|_| bad("it is no URL"))?;
        let Some(host) = url.domain().map(str::to_owned) else {
            return Err(bad("passkeys need a name, not an address"));
        };
        match url.scheme() {
            "https" => {}
            "http" if host == "localhost" => {}
            _ => return Err(bad("only https, or http://localhost, keeps a session's cookie")),
        }
        let is_bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !is_bare {
            return Err(bad("it is more than scheme, name and port"));
        }
        let text = url.origin().ascii_serialization();
        Ok(Self { url, text, host })
    }

    /// `http://localhost` with the port of a listener on loopback, or `https` where it speaks TLS.
    ///
    /// # Errors
    /// [`AccountsError::NeedsOrigin`] for any other listener.
    pub fn of_loopback(listen: SocketAddr, tls: bool) -> Result<Self, AccountsError> {
        if !listen.ip().is_loopback() {
            return Err(AccountsError::NeedsOrigin { listen });
        }
        if listen.port() == 0 {
            let origin = "http://localhost:0".to_owned();
            return Err(AccountsError::Origin { origin, why: "accounts need a port that stays" });
        }
        let scheme = if tls { "https" } else { "http" };
        Self::parse(&format!("{scheme}://localhost:{}", listen.port()))
    }

    /// As browsers send it in `Origin`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The name: WebAuthn's relying party id.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// `https`, or `http` on localhost.
    pub(super) fn scheme(&self) -> &str {
        self.url.scheme()
    }

    /// `Host` of a request to it.
    pub(in crate::http) fn authority(&self) -> &str {
        self.text.split_once("://").map_or("", |(_, authority)| authority)
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_keeps_a_session_safe_is_taken_and_nothing_else() {
        for (text, wanted) in [
            ("https://vault.example", "https://vault.example"),
            ("https://Vault.Example:443/", "https://vault.example"),
            ("https://vault.example:8443", "https://vault.example:8443"),
            ("http://localhost:7070", "http://localhost:7070"),
        ] {
            assert_eq!(PublicOrigin::parse(text).unwrap().as_str(), wanted);
        }
        for bad in [
            "",
            "vault.example",
            "http://vault.example",
            "http://127.0.0.1:7070",
            "https://127.0.0.1",
            "https://[::1]",
            "https://vault.example/path",
            "https://vault.example/?q",
            "https://user@vault.example",
            "ftp://localhost",
        ] {
            assert!(PublicOrigin::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn without_one_only_loopback_has_one() {
        let local = PublicOrigin::of_loopback(([127, 0, 0, 1], 7070).into(), false).unwrap();
        assert_eq!((local.as_str(), local.host()), ("http://localhost:7070", "localhost"));
        assert_eq!(local.authority(), "localhost:7070");
        let open = PublicOrigin::of_loopback(([0, 0, 0, 0], 7070).into(), true);
        assert!(matches!(open, Err(AccountsError::NeedsOrigin { .. })));
        let any = PublicOrigin::of_loopback(([127, 0, 0, 1], 0).into(), false);
        assert!(matches!(any, Err(AccountsError::Origin { .. })));
    }
}
