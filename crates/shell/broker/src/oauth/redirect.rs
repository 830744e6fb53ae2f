//! What an authorization server says to a person's browser (RFC 6749, section 4.1.2; RFC 9207).

use symbolon_secret::Secret;

use super::text::decoded;

/// The parameters of a redirect, each in a page of its own. One that comes twice counts as none.
#[derive(Debug, Default)]
pub(super) struct Redirect {
    pub(super) code: Option<Secret<[u8]>>,
    pub(super) state: Option<Secret<[u8]>>,
    pub(super) issuer: Option<Secret<[u8]>>,
    pub(super) error: Option<Secret<[u8]>>,
}

impl Redirect {
    /// Reads the query of a redirect.
    pub(super) fn read(query: &Secret<[u8]>) -> Self {
        let mut redirect = Self::default();
        let mut twice = [false; 4];
        // EXPOSE: taken apart into secret pages.
        for pair in query.expose().split(|b| *b == b'&') {
            let at = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
            let (place, nth) = match &pair[..at] {
                b"code" => (&mut redirect.code, 0),
                b"state" => (&mut redirect.state, 1),
                b"iss" => (&mut redirect.issuer, 2),
                b"error" => (&mut redirect.error, 3),
                _ => continue,
            };
            let value = decoded(pair.get(at + 1..).unwrap_or_default());
            twice[nth] |= place.is_some();
            *place = value.filter(|_| !twice[nth]);
        }
        redirect
    }

    /// Whether its state is the one that was made for this flow.
    pub(super) fn is_of(&self, state: &str) -> bool {
        self.state.as_ref().is_some_and(|own| own.ct_eq_bytes(state.as_bytes()))
    }

    /// Whether it comes from the server that was asked: where one is named it must say so.
    pub(super) fn is_from(&self, issuer: Option<&str>) -> bool {
        match issuer {
            None => true,
            Some(issuer) => {
                self.issuer.as_ref().is_some_and(|own| own.ct_eq_bytes(issuer.as_bytes()))
            }
        }
    }

    /// The server's word for why it gives no code; anything else becomes `error`.
    pub(super) fn refusal(&self) -> Option<String> {
        let error = self.error.as_ref()?;
        // EXPOSE: a word of the standard is no secret; it is looked at before it is shown.
        let word = error.expose();
        let is_word = word.len() <= 40 && word.iter().all(|b| b.is_ascii_lowercase() || *b == b'_');
        let word = std::str::from_utf8(word).ok().filter(|_| is_word);
        Some(word.unwrap_or("error").to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(query: &str) -> Redirect {
        let query = query.as_bytes();
        Redirect::read(&Secret::<[u8]>::make_slice(query.len(), |out| out.copy_from_slice(query)))
    }

    #[test]
    fn code_and_state_are_read_and_the_issuer_is_compared() {
        let redirect = read("code=a%2Fb&state=xyz&iss=https%3A%2F%2Fid.example&session_state=1");
        assert!(redirect.code.as_ref().unwrap().ct_eq_bytes(b"a/b"));
        assert!(redirect.is_of("xyz") && !redirect.is_of("xy") && !redirect.is_of(""));
        assert!(redirect.is_from(Some("https://id.example")) && redirect.is_from(None));
        assert!(!redirect.is_from(Some("https://id.example/")));
        assert!(!read("code=a&state=xyz").is_from(Some("https://id.example")));
        assert!(!read("").is_of(""));
    }

    #[test]
    fn what_comes_twice_counts_as_none() {
        let redirect = read("code=a&state=x&code=b&code=c");
        assert!(redirect.code.is_none() && redirect.is_of("x"));
        assert!(!read("state=x&state=x").is_of("x"));
    }

    #[test]
    fn a_refusal_is_a_word() {
        assert_eq!(read("error=access_denied&state=x").refusal().unwrap(), "access_denied");
        assert_eq!(read("error=%1b%5b31m").refusal(), None);
        assert_eq!(read("error=Some+Text").refusal().unwrap(), "error");
        assert_eq!(read("code=a").refusal(), None);
    }
}
