//! Base URLs that a connection may have.

use symbolon_capability::url::{BaseUrl, BaseUrlError};

use super::{Allow, ReachError, check_host};

/// Parses a connection's base URL and checks its host against what the owner opened: `https`, or
/// `http` to this machine where [`Allow::loopback`] says so.
///
/// # Errors
/// [`DestinationError`].
pub fn base_url(text: &str, allow: Allow) -> Result<BaseUrl, DestinationError> {
    // A loopback host passes the check only with `Allow::loopback`, so plain HTTP needs it too.
    let url = BaseUrl::insecure_parse_loopback(text)?;
    check_host(url.authority().host(), allow)?;
    Ok(url)
}

/// Why a connection cannot go there. The fault is that of whoever made it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DestinationError {
    /// It is no base URL.
    #[error(transparent)]
    Url(#[from] BaseUrlError),
    /// Its host is out of reach.
    #[error(transparent)]
    Host(#[from] ReachError),
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHUT: Allow = Allow { loopback: false, private: false };
    const LOOPBACK: Allow = Allow { loopback: true, private: false };
    const PRIVATE: Allow = Allow { loopback: false, private: true };
    const OPEN: Allow = Allow { loopback: true, private: true };

    #[test]
    fn a_public_host_needs_nothing_opened() {
        for text in ["https://api.github.com", "https://[2606:4700::1111]/x", "https://8.8.8.8"] {
            assert_eq!(base_url(text, SHUT).unwrap().to_string(), text);
        }
        let error = base_url("https://API.github.com", OPEN).unwrap_err();
        assert!(matches!(error, DestinationError::Url(BaseUrlError::Spelling { .. })), "{error}");
    }

    #[test]
    fn plain_http_reaches_this_machine_only() {
        for text in ["http://localhost:8080", "http://127.0.0.1:1", "http://[::1]:1"] {
            for allow in [LOOPBACK, OPEN] {
                assert!(base_url(text, allow).is_ok(), "{text}");
            }
            for allow in [SHUT, PRIVATE] {
                let error = base_url(text, allow).unwrap_err();
                assert!(matches!(error, DestinationError::Host(_)), "{text}: {error}");
            }
        }
        for text in ["http://10.0.0.1", "http://api.github.com", "http://router"] {
            let error = DestinationError::Url(BaseUrlError::NotLoopback);
            assert_eq!(base_url(text, OPEN), Err(error), "{text}");
        }
    }

    #[test]
    fn a_host_that_is_not_public_is_opened_by_its_own_allowance() {
        let refused = |text, allow| base_url(text, allow).unwrap_err();
        let loopback = DestinationError::Host(ReachError::Loopback);
        assert_eq!(refused("https://localhost", SHUT), loopback);
        assert_eq!(refused("https://a.localhost", PRIVATE), loopback);
        assert!(base_url("https://a.localhost", LOOPBACK).is_ok());
        assert_eq!(refused("https://router", SHUT), DestinationError::Host(ReachError::Private));
        assert!(base_url("https://10.0.0.1", PRIVATE).is_ok());
        assert!(base_url("https://10.0.0.1", LOOPBACK).is_err());
        assert!(base_url("https://127.0.0.1", PRIVATE).is_err());
        for text in ["https://169.254.169.254", "https://[fd00:ec2::254]", "https://metadata.goog"]
        {
            let error = refused(text, OPEN);
            assert!(matches!(error, DestinationError::Host(_)), "{text}: {error}");
        }
    }
}
