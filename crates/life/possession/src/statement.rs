//! What a proof is about: everything that must be the same for prover and server.

use symbolon_codec::Fields;
use symbolon_crypto::{VerifyingKey, labels};
use symbolon_token::Scopes;

use crate::{Domain, NONCE_BYTES};

/// What a proof is for; a proof of one purpose is none of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To enrol a device.
    Enrol,
    /// To have a token.
    Login,
    /// By the old key: to have a new one in its place.
    Rotate,
    /// By the new key: that it is to stand in the old one's place.
    Replace,
    /// To list devices, remove one, or revoke the key.
    Manage,
}

impl Purpose {
    /// As it stands in the statement.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enrol => "enrol",
            Self::Login => "login",
            Self::Rotate => "rotate",
            Self::Replace => "replace",
            Self::Manage => "manage",
        }
    }
}

/// What is done beside, where the purpose leaves it open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Nothing more.
    None,
    /// A device's name, at enrolment.
    Name(String),
    /// The other key's point, at a rotation.
    Point([u8; 32]),
    /// `list`, `remove DEVICE` or `revoke`.
    Words(String),
}

impl Act {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::None => &[],
            Self::Name(text) | Self::Words(text) => text.as_bytes(),
            Self::Point(point) => point,
        }
    }
}

/// All that a proof is bound to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// What for.
    pub purpose: Purpose,
    /// Server, service, account.
    pub domain: Domain,
    /// The server's nonce.
    pub nonce: [u8; NONCE_BYTES],
    /// The device's public key.
    pub device: VerifyingKey,
    /// What is asked for; none but at a login.
    pub scopes: Scopes,
    /// The exporter of the TLS connection (RFC 9266), where both ends know it.
    pub channel: Option<[u8; 32]>,
    /// What is done beside.
    pub act: Act,
}

impl Statement {
    /// `F(label, purpose, issuer, service, audience, account, nonce, device, scopes, channel, act)`.
    pub fn to_bytes(&self) -> Vec<u8> {
        Fields::new(labels::POSSESSION_STATEMENT.as_str())
            .str(self.purpose.as_str())
            .str(&self.domain.issuer)
            .bytes(self.domain.service.as_bytes())
            .str(self.domain.audience.as_str())
            .str(self.domain.account.as_str())
            .bytes(&self.nonce)
            .bytes(self.device.as_bytes())
            .str(self.scopes.as_str())
            .bytes(self.channel.as_ref().map_or(&[], |bytes| &bytes[..]))
            .bytes(self.act.bytes())
            .finish()
    }
}
