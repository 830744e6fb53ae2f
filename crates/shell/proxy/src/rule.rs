//! Rules for hosts that a run may reach without a connection.

use std::fmt;
use std::str::FromStr;

use symbolon_connector::ssrf::{Allow, Authority, ReachError, Scheme, check_host};

/// One host, or all below a name, that passes through untouched: its TLS is its own. Text:
/// `HOST[:PORT]` or `*.DOMAIN[:PORT]`; the port is 443 where none is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    authority: Authority,
    is_suffix: bool,
}

/// Why a text is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a pass-through rule is HOST, HOST:PORT or *.DOMAIN, with a name of two parts or more")]
pub struct RuleError;

impl Rule {
    /// Whether it admits this destination.
    pub fn admits(&self, to: &Authority) -> bool {
        if to.port() != self.authority.port() {
            return false;
        }
        let (own, host) = (self.authority.host(), to.host());
        if !self.is_suffix {
            return own == host;
        }
        let below = host.as_str().strip_suffix(own.as_str());
        host.ip().is_none() && below.is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
    }

    /// Which addresses its hosts may have: public ones, and beside them only what the rule itself
    /// names, a loopback or private address or a name that only a private network has.
    pub fn allow(&self) -> Allow {
        let host = self.authority.host();
        let private = Allow { loopback: false, private: true };
        let needs_private =
            check_host(host, Allow::default()).is_err() && check_host(host, private).is_ok();
        Allow { loopback: host.is_loopback(), private: needs_private }
    }

    /// Whether any address could be reached by it.
    fn check(&self) -> Result<(), ReachError> {
        check_host(self.authority.host(), self.allow())
    }
}

impl FromStr for Rule {
    type Err = RuleError;
    fn from_str(text: &str) -> Result<Self, RuleError> {
        let (named, is_suffix) = match text.strip_prefix("*.") {
            Some(domain) => (domain, true),
            None => (text, false),
        };
        let authority = Authority::parse(Scheme::Https, named).map_err(|_| RuleError)?;
        let host = authority.host();
        // `*.com` is nobody's intent.
        if is_suffix && (host.ip().is_some() || !host.as_str().contains('.')) {
            return Err(RuleError);
        }
        let rule = Self { authority, is_suffix };
        rule.check().map_err(|_| RuleError)?;
        Ok(rule)
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let star = if self.is_suffix { "*." } else { "" };
        write!(f, "{star}{}", self.authority.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn to(text: &str) -> Authority {
        Authority::parse(Scheme::Https, text).unwrap()
    }

    #[test]
    fn a_rule_admits_what_it_names() {
        let one: Rule = "Example.com".parse().unwrap();
        assert!(one.admits(&to("example.com")) && !one.admits(&to("example.com:8443")));
        assert!(!one.admits(&to("a.example.com")) && !one.admits(&to("badexample.com")));
        let below: Rule = "*.example.com:8443".parse().unwrap();
        assert!(below.admits(&to("a.b.example.com:8443")));
        assert!(!below.admits(&to("example.com:8443")) && !below.admits(&to("a.example.com")));
        assert!(!below.admits(&to("badexample.com:8443")));
        assert_eq!(below.to_string(), "*.example.com:8443");
    }

    #[test]
    fn only_what_is_named_opens_addresses_that_are_not_public() {
        let allow = |text: &str| text.parse::<Rule>().unwrap().allow();
        assert_eq!(allow("example.com"), Allow::default());
        assert_eq!(allow("localhost:3000"), Allow { loopback: true, private: false });
        assert_eq!(allow("10.0.0.7:443"), Allow { loopback: false, private: true });
        assert_eq!(allow("git.corp.internal"), Allow { loopback: false, private: true });
        for bad in [
            "",
            "*",
            "*.com",
            "*.10.0.0.1",
            "169.254.169.254",
            "metadata.google.internal",
            "a/b",
            "user@a.com",
            "a.com:0",
            "0.0.0.0",
        ] {
            assert!(bad.parse::<Rule>().is_err(), "{bad}");
        }
    }
}
