//! The signature base (RFC 9421, section 2.5).

use std::borrow::Cow;

use super::{SignatureError, SignatureInput};

/// What of a request can be signed.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The method, as sent.
    pub method: &'a str,
    /// `Host`, as sent.
    pub authority: &'a str,
    /// The scheme, whose own port is left out of the authority.
    pub scheme: &'a str,
    /// The path of the target, as sent.
    pub path: &'a str,
    /// The query of the target, as sent, without its question mark.
    pub query: Option<&'a str>,
    /// Header fields by lower-case name. One that came several times stands several times.
    pub fields: &'a [(&'a str, &'a str)],
}

impl<'a> Message<'a> {
    /// The bytes that are signed.
    ///
    /// # Errors
    /// [`SignatureError::Component`].
    pub fn base(&self, input: &SignatureInput) -> Result<String, SignatureError> {
        let mut base = String::with_capacity(512);
        for name in input.components() {
            let value = self.component(name)?;
            base.push('"');
            base.push_str(name);
            base.push_str("\": ");
            base.push_str(&value);
            base.push('\n');
        }
        base.push_str("\"@signature-params\": ");
        base.push_str(input.parameters());
        Ok(base)
    }

    /// The value of one header field, of all its lines (RFC 9421, section 2.1); none where it is not there.
    pub fn field(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut lines = self.fields.iter().filter(|(found, _)| *found == name);
        let first = lines.next()?.1.trim_matches([' ', '\t']);
        let mut value = Cow::Borrowed(first);
        for (_, line) in lines {
            let value = value.to_mut();
            value.push_str(", ");
            value.push_str(line.trim_matches([' ', '\t']));
        }
        Some(value)
    }

    fn component(&self, name: &str) -> Result<Cow<'a, str>, SignatureError> {
        Ok(match name {
            "@method" => self.method.into(),
            "@authority" => self.normal_authority().into(),
            "@path" if self.path.is_empty() => "/".into(),
            "@path" => self.path.into(),
            "@query" => format!("?{}", self.query.unwrap_or_default()).into(),
            "@scheme" => self.scheme.into(),
            derived if derived.starts_with('@') => return Err(SignatureError::Component),
            field => self.field(field).ok_or(SignatureError::Component)?,
        })
    }

    /// Lower case, without the scheme's own port (RFC 9421, section 2.2.3).
    fn normal_authority(&self) -> String {
        let own = if self.scheme == "https" { ":443" } else { ":80" };
        let lower = self.authority.to_ascii_lowercase();
        lower.strip_suffix(own).map(str::to_owned).unwrap_or(lower)
    }
}
