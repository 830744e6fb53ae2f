//! `Signature-Input` and `Signature` as they came, parsed once.

use sfv::{BareItem, Dictionary, InnerList, Item, ListEntry, ListSerializer, Parser};
use symbolon_crypto::VerifyingKey;

use super::{Message, SignatureError};

/// One signature of a request, parsed and not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureInput {
    components: Vec<String>,
    parameters: String,
    created: u64,
    expires: Option<u64>,
    nonce: String,
    key_id: String,
    signature: [u8; 64],
}

impl SignatureInput {
    /// Reads both headers, which carry one signature under one label.
    ///
    /// # Errors
    /// [`SignatureError`] of form, of labels and of parameters: `created`, `nonce` and `keyid` must be there,
    /// `alg` may say `ed25519`, `expires` and `tag` may be there, anything else is refused.
    pub fn read(input: &str, signature: &str) -> Result<Self, SignatureError> {
        let (label, entry) = only(input, INPUT)?;
        let (signed_label, signed) = only(signature, SIGNATURE)?;
        if label != signed_label {
            return Err(SignatureError::Labels);
        }
        let ListEntry::InnerList(list) = entry else {
            return Err(SignatureError::Malformed(INPUT));
        };
        let signature = match signed {
            ListEntry::Item(Item { bare_item: BareItem::ByteSequence(bytes), params })
                if params.is_empty() =>
            {
                bytes.try_into().map_err(|_| SignatureError::Malformed(SIGNATURE))?
            }
            _ => return Err(SignatureError::Malformed(SIGNATURE)),
        };
        Self::of(list, signature)
    }

    fn of(list: InnerList, signature: [u8; 64]) -> Result<Self, SignatureError> {
        let parameters = written(&list).ok_or(SignatureError::Malformed(INPUT))?;
        let components = components(&list)?;
        let (mut created, mut expires, mut nonce, mut key_id) = (None, None, None, None);
        for (name, value) in &list.params {
            match name.as_str() {
                "created" => created = Some(seconds(value, "created")?),
                "expires" => expires = Some(seconds(value, "expires")?),
                "nonce" => nonce = Some(text(value, "nonce", NONCE_CHARS_MIN..=TEXT_CHARS_MAX)?),
                "keyid" => key_id = Some(text(value, "keyid", 1..=TEXT_CHARS_MAX)?),
                "tag" => _ = text(value, "tag", 1..=TEXT_CHARS_MAX)?,
                "alg" if text(value, "alg", 1..=TEXT_CHARS_MAX)? == ALGORITHM => {}
                "alg" => return Err(SignatureError::Parameter("alg")),
                _ => return Err(SignatureError::Parameter("unknown parameter")),
            }
        }
        Ok(Self {
            components,
            parameters,
            created: created.ok_or(SignatureError::Missing("created"))?,
            expires,
            nonce: nonce.ok_or(SignatureError::Missing("nonce"))?,
            key_id: key_id.ok_or(SignatureError::Missing("keyid"))?,
            signature,
        })
    }

    /// Checks that all that must be covered is, and that the signature is this key's over this request.
    ///
    /// A request with a body must cover its `content-digest`; that the body fits it is
    /// [`content_digest`](super::content_digest)'s to say, once it was read.
    ///
    /// # Errors
    /// [`SignatureError::Uncovered`], [`SignatureError::Component`], [`SignatureError::Signature`].
    pub fn verify(
        &self,
        message: &Message<'_>,
        has_body: bool,
        key: &VerifyingKey,
    ) -> Result<(), SignatureError> {
        let covers = |name: &str| self.components.iter().any(|covered| covered == name);
        for name in REQUIRED {
            if !covers(name) {
                return Err(SignatureError::Uncovered(name));
            }
        }
        if has_body && !covers(CONTENT_DIGEST) {
            return Err(SignatureError::Uncovered(CONTENT_DIGEST));
        }
        let base = message.base(self)?;
        key.verify(base.as_bytes(), &self.signature).map_err(|_| SignatureError::Signature)
    }

    /// The covered components in their order.
    pub fn components(&self) -> impl Iterator<Item = &str> {
        self.components.iter().map(String::as_str)
    }

    /// When it was made, in Unix seconds.
    pub fn created(&self) -> u64 {
        self.created
    }

    /// When it ends, in Unix seconds, where it says so.
    pub fn expires(&self) -> Option<u64> {
        self.expires
    }

    /// What makes it one of its kind.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// Whose it says it is.
    pub fn key_id(&self) -> &str {
        &self.key_id
    }

    /// The value of `@signature-params`.
    pub(super) fn parameters(&self) -> &str {
        &self.parameters
    }
}

/// The only member of a dictionary.
fn only(header: &str, name: &'static str) -> Result<(String, ListEntry), SignatureError> {
    if header.len() > HEADER_BYTES_MAX {
        return Err(SignatureError::TooLong(name));
    }
    let read: Dictionary =
        Parser::new(header).parse().map_err(|_| SignatureError::Malformed(name))?;
    let mut members = read.into_iter();
    match (members.next(), members.next()) {
        (Some((label, entry)), None) => Ok((label.into(), entry)),
        _ => Err(SignatureError::Labels),
    }
}

/// Names without parameters, each once.
fn components(list: &InnerList) -> Result<Vec<String>, SignatureError> {
    if list.items.len() > COMPONENTS_MAX {
        return Err(SignatureError::TooLong(INPUT));
    }
    let mut names: Vec<String> = Vec::with_capacity(list.items.len());
    for item in &list.items {
        let BareItem::String(name) = &item.bare_item else {
            return Err(SignatureError::Component);
        };
        let name = name.as_str();
        let is_lower = !name.bytes().any(|byte| byte.is_ascii_uppercase());
        if !item.params.is_empty() || !is_lower || names.iter().any(|known| known == name) {
            return Err(SignatureError::Component);
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

/// The inner list as RFC 9651 writes it.
fn written(list: &InnerList) -> Option<String> {
    let mut whole = ListSerializer::new();
    let mut inner = whole.inner_list();
    inner.items(&list.items);
    let _ = inner.finish().parameters(&list.params);
    whole.finish()
}

fn seconds(value: &BareItem, name: &'static str) -> Result<u64, SignatureError> {
    match value {
        BareItem::Integer(value) => {
            u64::try_from(i64::from(*value)).map_err(|_| SignatureError::Parameter(name))
        }
        _ => Err(SignatureError::Parameter(name)),
    }
}

fn text(
    value: &BareItem,
    name: &'static str,
    chars: std::ops::RangeInclusive<usize>,
) -> Result<String, SignatureError> {
    match value {
        BareItem::String(value) if chars.contains(&value.as_str().len()) => {
            Ok(value.as_str().to_owned())
        }
        _ => Err(SignatureError::Parameter(name)),
    }
}

/// What every signature covers.
const REQUIRED: [&str; 4] = ["@method", "@authority", "@path", "@query"];
const CONTENT_DIGEST: &str = "content-digest";
const ALGORITHM: &str = "ed25519";
const INPUT: &str = "Signature-Input";
const SIGNATURE: &str = "Signature";
const HEADER_BYTES_MAX: usize = 2048;
const COMPONENTS_MAX: usize = 16;
/// 96 bits in base64.
const NONCE_CHARS_MIN: usize = 16;
const TEXT_CHARS_MAX: usize = 128;
