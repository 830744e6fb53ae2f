//! A signature by HMAC, as a catalogue file describes it.

use serde::Deserialize;

use super::error::Problem;
use super::header::is_header_name;

/// What is signed, how, and where the signature goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HmacSpec {
    /// The hash.
    pub algorithm: MacAlgorithm,
    /// How the key is written where the service shows it.
    pub key: KeyText,
    /// What is signed.
    pub message: Template,
    /// How the signature is written.
    pub encoding: MacText,
    /// Headers that are set, the one with the signature among them: names in lower case.
    pub headers: Vec<(Box<str>, Template)>,
    /// How a point of time is written.
    pub timestamp: Timestamp,
}

/// The hash of an HMAC.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum MacAlgorithm {
    /// For services that know nothing else.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// How a key is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum KeyText {
    /// Its bytes are the text's.
    #[default]
    Text,
    /// Hexadecimal digits.
    Hex,
    /// Base64, either alphabet, padded or not.
    Base64,
}

/// How a signature is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum MacText {
    /// Lower-case hexadecimal digits.
    #[default]
    Hex,
    /// Padded base64.
    Base64,
}

/// How a point of time is written.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Timestamp {
    /// Unix seconds.
    #[default]
    Seconds,
    /// Unix milliseconds.
    Milliseconds,
    /// RFC 3339 in UTC, with milliseconds.
    Rfc3339,
}

/// Text with parts of the request in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<SignedPart>);

impl Template {
    /// Its parts, in order.
    pub fn parts(&self) -> &[SignedPart] {
        &self.0
    }

    /// Whether it has this part.
    pub fn has(&self, part: &SignedPart) -> bool {
        self.0.contains(part)
    }

    fn parse(text: &str) -> Result<Self, Problem> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after
                .split_once('}')
                .ok_or(Problem::Rule("auth: a brace in a template opens a name and closes it"))?;
            if !before.is_empty() {
                parts.push(SignedPart::Text(before.into()));
            }
            parts.push(SignedPart::named(name)?);
            rest = after;
        }
        if rest.contains('}') {
            return Err(Problem::Rule("auth: a brace in a template opens a name and closes it"));
        }
        if !rest.is_empty() {
            parts.push(SignedPart::Text(rest.into()));
        }
        let fits = text.len() <= 512 && !parts.is_empty() && parts.len() <= 32;
        if fits {
            Ok(Self(parts))
        } else {
            Err(Problem::Rule("auth: a template has 1 to 32 parts"))
        }
    }
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignedPart {
    /// As it stands.
    Text(Box<str>),
    /// The method, upper case.
    Method,
    /// Host, with the port where it is not the scheme's own.
    Host,
    /// The path as it goes out.
    Path,
    /// The query as it goes out, without `?`.
    Query,
    /// Path and query as they go out, with `?` where there is a query.
    PathQuery,
    /// The time.
    Timestamp,
    /// 128 random bits in lower-case hex, new for each request.
    Nonce,
    /// The body's bytes.
    Body,
    /// SHA-256 of the body in lower-case hex.
    BodySha256,
    /// SHA-256 of the body in padded base64.
    BodySha256Base64,
    /// The part of the credential before its first colon.
    KeyId,
    /// The signature; in headers alone.
    Signature,
}

impl SignedPart {
    fn named(name: &str) -> Result<Self, Problem> {
        Ok(match name {
            "method" => Self::Method,
            "host" => Self::Host,
            "path" => Self::Path,
            "query" => Self::Query,
            "path_query" => Self::PathQuery,
            "timestamp" => Self::Timestamp,
            "nonce" => Self::Nonce,
            "body" => Self::Body,
            "body_sha256" => Self::BodySha256,
            "body_sha256_base64" => Self::BodySha256Base64,
            "key_id" => Self::KeyId,
            "signature" => Self::Signature,
            _ => return Err(Problem::Rule("auth: a template names a part that there is not")),
        })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawHmac {
    algorithm: MacAlgorithm,
    #[serde(default)]
    key: KeyText,
    message: String,
    #[serde(default)]
    encoding: MacText,
    headers: std::collections::BTreeMap<String, String>,
    #[serde(default)]
    timestamp: Timestamp,
}

impl HmacSpec {
    pub(super) fn read(raw: &RawHmac) -> Result<Self, Problem> {
        let rule = |holds: bool, text| if holds { Ok(()) } else { Err(Problem::Rule(text)) };
        let message = Template::parse(&raw.message)?;
        rule(!message.has(&SignedPart::Signature), "auth: a signature does not sign itself")?;
        let bound = [SignedPart::Path, SignedPart::PathQuery, SignedPart::Body];
        let hashed = [SignedPart::BodySha256, SignedPart::BodySha256Base64];
        rule(
            bound.iter().chain(&hashed).any(|part| message.has(part)),
            "auth: what is signed has the path or the body in it",
        )?;
        rule((1..=8).contains(&raw.headers.len()), "auth: 1 to 8 headers carry the signature")?;
        let mut headers = Vec::new();
        for (name, text) in &raw.headers {
            let template = Template::parse(text)?;
            rule(
                is_header_name(name) && !matches!(name.as_str(), "content-type" | "cookie"),
                "auth: a header name in lower case, not one of the transport's",
            )?;
            let is_shown = |part: &SignedPart| match part {
                SignedPart::Text(text) => text.bytes().all(|b| (0x20..0x7f).contains(&b)),
                SignedPart::Body | SignedPart::Query | SignedPart::PathQuery => false,
                _ => true,
            };
            rule(
                template.parts().iter().all(is_shown),
                "auth: a header's text is printable ASCII",
            )?;
            headers.push((name.as_str().into(), template));
        }
        let signs = |(_, t): &&(Box<str>, Template)| t.has(&SignedPart::Signature);
        rule(headers.iter().filter(signs).count() == 1, "auth: one header has {signature}")?;
        let shown = |part: &SignedPart| headers.iter().any(|(_, t)| t.has(part));
        for part in [SignedPart::Timestamp, SignedPart::Nonce] {
            rule(
                !message.has(&part) || shown(&part),
                "auth: a timestamp or nonce that is signed stands in a header too",
            )?;
        }
        let (algorithm, key, encoding) = (raw.algorithm, raw.key, raw.encoding);
        Ok(Self { algorithm, key, message, encoding, headers, timestamp: raw.timestamp })
    }

    /// Whether the credential is `id:key`.
    #[must_use]
    pub fn has_key_id(&self) -> bool {
        let id = SignedPart::KeyId;
        self.message.has(&id) || self.headers.iter().any(|(_, t)| t.has(&id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<HmacSpec, String> {
        let raw: RawHmac = toml::from_str(text).map_err(|e| e.to_string())?;
        HmacSpec::read(&raw).map_err(|e| e.to_string())
    }

    #[test]
    fn a_description_is_read_and_a_loose_one_refused() {
        let good = r#"
            algorithm = "sha256"
            message = "{timestamp}.{method}{path_query}{body}"
            headers = { x-signature = "v1={signature}", x-timestamp = "{timestamp}", x-key = "{key_id}" }
        "#;
        let spec = read(good).unwrap();
        assert!(spec.has_key_id() && spec.message.parts().len() == 5);
        for (from, to) in [
            ("{signature}", "x"),
            ("x-signature", "host"),
            ("x-signature", "X-Signature"),
            ("x-key = \"{key_id}\"", "x-key = \"{signature}\""),
            ("{path_query}{body}", ""),
            ("{body}", "{body"),
            ("{body}", "}"),
            ("{body}", "{cookie}"),
            ("{body}", "{signature}"),
            ("x-timestamp = \"{timestamp}\"", "x-timestamp = \"0\""),
            ("v1=", "v1=\\n"),
            ("sha256", "md5"),
        ] {
            assert!(read(&good.replacen(from, to, 1)).is_err(), "{from} -> {to}");
        }
    }
}
