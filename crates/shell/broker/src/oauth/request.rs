//! What is posted to an authorization server (RFC 6749, 7636, 8628).

use symbolon_capability::{ClientAuth, OAuth2};
use symbolon_secret::Secret;

use super::TokenError;
use super::app::statement;
use super::text::{basic, secret_text};

/// What is asked for, and on what grounds.
pub(super) enum Ask<'a> {
    /// RFC 6749, section 4.1.3, and RFC 7636, section 4.5.
    Code { code: &'a Secret<[u8]>, verifier: &'a Secret<[u8]>, redirect_uri: &'a str },
    /// RFC 8628, section 3.4.
    Device { device_code: &'a Secret<[u8]> },
    /// RFC 6749, section 4.4.2.
    ClientCredentials,
    /// RFC 6749, section 6.
    Refresh { token: &'a Secret<[u8]> },
    /// A token of a GitHub App's installation.
    Installation { now_unix_s: u64 },
    /// RFC 8628, section 3.1: at the device authorization endpoint.
    DeviceCodes,
}

/// The request's own header lines, an empty line, the body. `secret` is the client's, or empty.
pub(super) fn tail(
    oauth: &OAuth2,
    secret: &Secret<[u8]>,
    ask: &Ask<'_>,
) -> Result<Secret<[u8]>, TokenError> {
    if let Ask::Installation { now_unix_s } = ask {
        return installation(&statement(secret, oauth.client_id.as_str(), *now_unix_s)?);
    }
    let body = secret_text(|w| {
        match ask {
            Ask::Code { code, verifier, redirect_uri } => {
                w.field("grant_type", "authorization_code");
                // EXPOSE: written from its secret page into the request's.
                w.field("code", code.expose());
                w.field("redirect_uri", redirect_uri);
                // EXPOSE: as above.
                w.field("code_verifier", verifier.expose());
            }
            Ask::Device { device_code } => {
                w.field("grant_type", "urn:ietf:params:oauth:grant-type:device_code");
                // EXPOSE: as above.
                w.field("device_code", device_code.expose());
            }
            Ask::ClientCredentials => w.field("grant_type", "client_credentials"),
            Ask::Refresh { token } => {
                w.field("grant_type", "refresh_token");
                // EXPOSE: as above.
                w.field("refresh_token", token.expose());
            }
            Ask::DeviceCodes | Ask::Installation { .. } => {}
        }
        let names_scope = matches!(ask, Ask::ClientCredentials | Ask::DeviceCodes);
        if names_scope && !oauth.scope.as_str().is_empty() {
            w.field("scope", oauth.scope.as_str());
        }
        if oauth.client_auth != ClientAuth::Basic {
            w.field("client_id", oauth.client_id.as_str());
        }
        if oauth.client_auth == ClientAuth::Post {
            // EXPOSE: as above.
            w.field("client_secret", secret.expose());
        }
    })?;
    let authorization = match oauth.client_auth {
        ClientAuth::Basic => Some(basic(oauth.client_id.as_str(), secret)?),
        ClientAuth::None | ClientAuth::Post | ClientAuth::AppJwt => None,
    };
    secret_text(|w| {
        if let Some(pair) = &authorization {
            w.plain("authorization: Basic ");
            // EXPOSE: written from one secret page into another.
            w.plain(pair.expose());
            w.plain("\r\n");
        }
        w.plain("accept: application/json\r\n");
        w.plain("content-type: application/x-www-form-urlencoded\r\n");
        w.plain(format!("content-length: {}\r\n\r\n", body.len()));
        // EXPOSE: as above.
        w.plain(body.expose());
    })
}

/// As GitHub's REST API wants it: all permissions and repositories that the installation has.
fn installation(statement: &Secret<[u8]>) -> Result<Secret<[u8]>, TokenError> {
    secret_text(|w| {
        w.plain("authorization: Bearer ");
        // EXPOSE: written from one secret page into another.
        w.plain(statement.expose());
        w.plain("\r\naccept: application/vnd.github+json\r\n");
        w.plain("x-github-api-version: 2022-11-28\r\ncontent-length: 0\r\n\r\n");
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret<[u8]> {
        Secret::<[u8]>::make_slice(text.len(), |out| out.copy_from_slice(text.as_bytes()))
    }

    fn sent(oauth: &str, ask: &Ask<'_>) -> String {
        let oauth = oauth.parse().unwrap();
        // EXPOSE: a test's own text.
        String::from_utf8(tail(&oauth, &secret("client-s&cret"), ask).unwrap().expose().to_vec())
            .unwrap()
    }

    #[test]
    fn each_way_to_authenticate_is_used_alone() {
        let token = secret("r+1");
        let ask = Ask::Refresh { token: &token };
        let text = sent("code:basic:https%3A//id.example/t:c%3A1:read", &ask);
        assert!(
            text.starts_with("authorization: Basic YyUzQTE6Y2xpZW50LXMlMjZjcmV0\r\n"),
            "{text}"
        );
        assert!(text.ends_with("\r\n\r\ngrant_type=refresh_token&refresh_token=r%2B1"), "{text}");
        let text = sent("code:post:https%3A//id.example/t:c%3A1:read", &ask);
        assert!(!text.contains("authorization"), "{text}");
        assert!(text.ends_with("&client_id=c%3A1&client_secret=client-s%26cret"), "{text}");
        let text = sent("code:none:https%3A//id.example/t:c:read", &ask);
        assert!(text.ends_with("&refresh_token=r%2B1&client_id=c"), "{text}");
        let body = text.split_once("\r\n\r\n").unwrap().1;
        assert!(text.contains(&format!("content-length: {}\r\n", body.len())), "{text}");
    }

    #[test]
    fn a_code_comes_with_its_verifier_and_a_device_with_its_scope() {
        let (code, verifier) = (secret("co/de"), secret("verifier"));
        let redirect_uri = "http://127.0.0.1:1/callback";
        let ask = Ask::Code { code: &code, verifier: &verifier, redirect_uri };
        let text = sent("code:none:https%3A//id.example/t:c:read", &ask);
        assert!(text.ends_with(
            "grant_type=authorization_code&code=co%2Fde&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcallback&code_verifier=verifier&client_id=c"
        ), "{text}");
        let text = sent("device:none:https%3A//id.example/t:c:a%20b", &Ask::DeviceCodes);
        assert!(text.ends_with("\r\n\r\nscope=a%20b&client_id=c"), "{text}");
    }
}
