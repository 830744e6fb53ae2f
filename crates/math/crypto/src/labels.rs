//! Every domain separation string and envelope tag of the project, in one table.
//!
//! **Invariant**: no two entries are equal, and nothing outside this file can make one, so a key,
//! digest or envelope made for one purpose is never valid for another.

use std::fmt;

/// The purpose of a derived key or digest: `symbolon/<purpose>/v1`.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Label(&'static str);

impl Label {
    /// The text that goes into the derivation.
    pub const fn as_str(&self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl fmt::Debug for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// What an envelope holds: an object, a purpose and the version of the plaintext's meaning.
/// See `specs/envelope.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tag {
    object: &'static str,
    purpose: &'static str,
    version: u32,
}

impl Tag {
    const fn new(object: &'static str, purpose: &'static str, version: u32) -> Self {
        Self { object, purpose, version }
    }

    /// The kind of thing, such as `connection`.
    pub const fn object(&self) -> &'static str {
        self.object
    }

    /// What for, such as `credential`.
    pub const fn purpose(&self) -> &'static str {
        self.purpose
    }

    /// The version of the plaintext's meaning.
    pub const fn version(&self) -> u32 {
        self.version
    }
}

macro_rules! table {
    ($all:ident: $type:ident { $($(#[$doc:meta])* $name:ident = $value:expr;)* }) => {
        $($(#[$doc])* pub const $name: $type = $value;)*
        /// The whole table, for the test of uniqueness.
        #[cfg(test)]
        const $all: &[$type] = &[$($name),*];
    };
}

table! { LABELS: Label {
    /// Authenticated data of every envelope.
    ENVELOPE = Label("symbolon/envelope/v1");
    /// The tag id in an envelope's header.
    ENVELOPE_TAG = Label("symbolon/envelope-tag/v1");
    /// The commitment to an AEAD key.
    KEY_COMMITMENT = Label("symbolon/key-commitment/v1");

    /// Key-encryption key from a passphrase.
    KEK_PASSPHRASE = Label("symbolon/kek/passphrase/v1");
    /// Key-encryption key from the device key file and the machine's fingerprint.
    KEK_DEVICE = Label("symbolon/kek/device/v1");
    /// Key-encryption key from a secret sealed in a TPM.
    KEK_TPM = Label("symbolon/kek/tpm/v1");
    /// Key-encryption key from a recovery code.
    KEK_RECOVERY = Label("symbolon/kek/recovery/v1");

    /// What a wrap says about itself, in its authenticated data.
    WRAP = Label("symbolon/wrap/v1");
    /// The checksum of a stored wrap.
    WRAP_CHECK = Label("symbolon/wrap-check/v1");

    /// Subkey of the data key: seals credentials of connections.
    KEY_CONNECTIONS = Label("symbolon/key/connections/v1");
    /// Subkey of the data key: seals the operator's signing seed.
    KEY_OPERATOR = Label("symbolon/key/operator/v1");
    /// Subkey of the data key: seals rows of the state database.
    KEY_STATE = Label("symbolon/key/state/v1");
    /// Subkey of the data key: seals TLS keys and certificate authorities.
    KEY_TLS = Label("symbolon/key/tls/v1");
    /// Subkey of the data key: seals the state of a request that waits for an answer.
    KEY_REQUEST_STATE = Label("symbolon/key/request-state/v1");
    /// Subkey of the data key: seals flows, their runs and what these keep.
    KEY_FLOWS = Label("symbolon/key/flows/v1");

    /// Secret of the vault that its key for containers comes from.
    KEY_RECIPIENT = Label("symbolon/key/recipient/v1");
    /// Key-encryption key from a container's passphrase.
    KEK_CONTAINER = Label("symbolon/kek/container/v1");
    /// A container's header, and what its layers are bound to.
    CONTAINER = Label("symbolon/container/v1");
    /// What is signed of a container.
    CONTAINER_SIGNATURE = Label("symbolon/container-signature/v1");
    /// A layer's key, sealed to a recipient.
    CONTAINER_LAYER_KEY = Label("symbolon/container-layer-key/v1");
    /// One event of a deed.
    DEED_EVENT = Label("symbolon/deed-event/v1");

    /// The hash at rest of an agent's key.
    AGENT_KEY = Label("symbolon/agent-key/v1");
    /// The hash of a run's proxy password.
    RUN_KEY = Label("symbolon/run-key/v1");
    /// An agent's session.
    AGENT_SESSION = Label("symbolon/agent-session/v1");
    /// The id under which a capability token is kept.
    CAPABILITY_TOKEN = Label("symbolon/token/v1");
    /// The digest of an execution context.
    CONTEXT = Label("symbolon/context/v1");
    /// The digest of an exact request.
    REQUEST = Label("symbolon/request/v1");
    /// The digest of a call's parameters.
    PARAMETERS = Label("symbolon/parameters/v1");
    /// The id of a minted credential: of its placeholder.
    MINTED = Label("symbolon/minted/v1");
    /// The digest of an exact request that a minted credential goes out with.
    MINTED_REQUEST = Label("symbolon/minted-request/v1");
    /// The name at rest of a webhook's delivery.
    FLOW_DELIVERY = Label("symbolon/flow-delivery/v1");
    /// What is drawn from the name of a flow's run: ids, and keys of its calls.
    FLOW_UUID = Label("symbolon/flow-uuid/v1");
    /// An intent's entry in the log.
    INTENT = Label("symbolon/intent/v1");
    /// A question's entry in the log.
    ASK = Label("symbolon/ask/v1");
    /// An approval's entry in the log.
    APPROVAL = Label("symbolon/approval/v1");
    /// The hash at rest of an owner's token for HTTP.
    OWNER_TOKEN = Label("symbolon/owner-token/v1");
    /// Secret of the vault that salts of receipts come from.
    RECEIPT_SALT = Label("symbolon/receipt-salt/v1");
    /// A receipt's entry in the log.
    RECEIPT = Label("symbolon/receipt/v1");

    /// The digest of a machine's facts.
    FINGERPRINT = Label("symbolon/fingerprint/v1");
    /// The recorded hash of a fingerprint, which says "another machine" without the fingerprint.
    FINGERPRINT_CHECK = Label("symbolon/fingerprint-check/v1");
    /// The file that holds a device key.
    DEVICE_KEY = Label("symbolon/device-key/v1");
    /// What a TPM sealed, as stored.
    TPM_SEALED = Label("symbolon/tpm-sealed/v1");
} }

table! { TAGS: Tag {
    /// A vault's data key under a custody method's key-encryption key.
    VAULT_WRAP = Tag::new("vault", "data-key", 1);
    /// A connection's credential.
    CONNECTION_CREDENTIAL = Tag::new("connection", "credential", 1);
    /// A connection's refresh token (RFC 6749).
    REFRESH_TOKEN = Tag::new("connection", "refresh-token", 1);
    /// A connection's access token, as it goes out.
    ACCESS_TOKEN = Tag::new("connection", "access-token", 1);
    /// A credential that a service made through a connection, as it goes out.
    MINTED_TOKEN = Tag::new("connection", "minted-token", 1);
    /// A stored flow.
    FLOW = Tag::new("flow", "definition", 1);
    /// What signs webhooks that begin a flow.
    FLOW_HOOK = Tag::new("flow", "hook-secret", 1);
    /// What a run of a flow was begun with.
    FLOW_RUN = Tag::new("flow", "run", 1);
    /// What a step of a run gave.
    FLOW_STEP = Tag::new("flow", "step", 1);
    /// What a mounted MCP server is, and how it is started.
    MOUNT = Tag::new("mount", "server", 1);
    /// The operator's Ed25519 seed.
    OPERATOR_SEED = Tag::new("operator", "signing-seed", 1);
    /// A row of the state database.
    STATE_ROW = Tag::new("state", "row", 1);
    /// A TLS private key.
    TLS_KEY = Tag::new("tls", "private-key", 1);
    /// A layer of a container, padded.
    CONTAINER_LAYER = Tag::new("container", "layer", 1);
    /// A container's credentials under their passphrase.
    CONTAINER_CREDENTIALS = Tag::new("container", "credentials", 1);
    /// The state of a request that waits for an answer.
    REQUEST_STATE = Tag::new("mcp", "request-state", 1);
} }

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Aad;
    use std::collections::HashSet;

    #[test]
    fn no_label_is_used_twice_and_all_have_the_form() {
        let unique: HashSet<_> = LABELS.iter().map(Label::as_str).collect();
        assert_eq!(unique.len(), LABELS.len());
        for l in LABELS {
            let s = l.as_str();
            assert!(s.starts_with("symbolon/") && s.ends_with("/v1"), "{s}");
            assert!(s.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'/' | b'-')), "{s}");
        }
    }

    #[test]
    fn no_tag_and_no_tag_id_is_used_twice() {
        let unique: HashSet<_> = TAGS.iter().collect();
        let ids: HashSet<_> = TAGS.iter().map(|t| Aad::new(t, &[]).tag_id()).collect();
        assert_eq!((unique.len(), ids.len()), (TAGS.len(), TAGS.len()));
    }
}
