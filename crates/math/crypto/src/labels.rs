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

    /// Key-encryption key from a passkey's PRF output (WebAuthn).
    KEK_PASSKEY = Label("symbolon/kek/passkey/v1");
    /// Key-encryption key from OPAQUE's export key.
    KEK_PASSWORD = Label("symbolon/kek/password/v1");
    /// Key-encryption key from a signature of an Ethereum wallet.
    KEK_ETHEREUM = Label("symbolon/kek/ethereum/v1");
    /// Key-encryption key from a signature of a Solana wallet.
    KEK_SOLANA = Label("symbolon/kek/solana/v1");

    /// The input of a passkey's PRF (WebAuthn).
    PASSKEY_PRF = Label("symbolon/passkey-prf/v1");
    /// Subkey of the data key: seals the data keys of earlier epochs.
    KEY_RING = Label("symbolon/key/ring/v1");

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
    /// The hash in memory of a link to the page.
    PAGE_LINK = Label("symbolon/page-link/v1");
    /// The hash in memory of a page session's cookie.
    PAGE_SESSION = Label("symbolon/page-session/v1");
    /// The hash in memory of what a page session says beside its cookie.
    PAGE_CSRF = Label("symbolon/page-csrf/v1");
    /// Secret of the vault that salts of receipts come from.
    RECEIPT_SALT = Label("symbolon/receipt-salt/v1");
    /// A receipt's entry in the log.
    RECEIPT = Label("symbolon/receipt/v1");

    /// Key of a server that tags the rows of its accounts' database.
    KEY_ROWS = Label("symbolon/key/rows/v1");
    /// Key of a server that hashes tokens of sessions.
    KEY_SESSIONS = Label("symbolon/key/sessions/v1");
    /// Key of a server that seals its secrets in its accounts' database.
    KEY_SERVER_SECRETS = Label("symbolon/key/server-secrets/v1");
    /// Key of a server that seals the states of challenges.
    KEY_CHALLENGES = Label("symbolon/key/challenges/v1");
    /// Key of a server that hashes the handles of accounts that were deleted.
    KEY_HANDLES = Label("symbolon/key/handles/v1");
    /// The hash of a deleted account's handle.
    RETIRED_HANDLE = Label("symbolon/retired-handle/v1");
    /// A row of the accounts' database.
    ROW = Label("symbolon/row/v1");
    /// The hash at rest of a session's token.
    SESSION_TOKEN = Label("symbolon/session-token/v1");
    /// Key-encryption key from a backup's passphrase.
    KEK_BACKUP = Label("symbolon/kek/backup/v1");
    /// A backup's header, and what its chunks are bound to.
    BACKUP = Label("symbolon/backup/v1");
    /// An event of an account.
    ACCOUNT_EVENT = Label("symbolon/account-event/v1");

    /// The token that a page sends beside its session's cookie.
    SESSION_CSRF = Label("symbolon/session-csrf/v1");
    /// What a device's key signs to sign in.
    KEY_PROOF = Label("symbolon/key-proof/v1");
    /// The seed of the key by which a recovery code signs in.
    RECOVERY_SIGN_IN = Label("symbolon/recovery-sign-in/v1");

    /// The hash at rest of a code or token of an assistant (OAuth 2.1).
    OAUTH_BEARER = Label("symbolon/oauth-bearer/v1");

    /// Where a sealed field belongs: its authenticated data.
    FIELD = Label("symbolon/field/v1");
    /// Subkey of the data key: seals the fields of a vault's items.
    KEY_VAULT_FIELDS = Label("symbolon/key/vault-fields/v1");
    /// Subkey of the data key: seals the holder's replica with its search index.
    KEY_VAULT_INDEX = Label("symbolon/key/vault-index/v1");
    /// Subkey of the data key: the Ed25519 seed that signs a vault's heads.
    KEY_VAULT_HEAD = Label("symbolon/key/vault-head/v1");
    /// Subkey of the data key: the secret that a vault's key for shares comes from.
    KEY_VAULT_SHARE = Label("symbolon/key/vault-share/v1");
    /// A sealed revision of an item.
    VAULT_REVISION = Label("symbolon/vault-revision/v1");
    /// What commits a revision to its plaintext.
    VAULT_COMMITMENT = Label("symbolon/vault-commitment/v1");
    /// The list of all current revisions.
    VAULT_ROOT = Label("symbolon/vault-root/v1");
    /// A vault's head, as it is signed.
    VAULT_HEAD = Label("symbolon/vault-head/v1");
    /// A head with its signature.
    VAULT_SIGNED_HEAD = Label("symbolon/vault-signed-head/v1");
    /// New keys of a vault, signed by the ones before.
    VAULT_SUCCESSION = Label("symbolon/vault-succession/v1");
    /// A commit, as it is sent.
    VAULT_COMMIT = Label("symbolon/vault-commit/v1");
    /// What an item says of itself.
    VAULT_ABOUT = Label("symbolon/vault-about/v1");
    /// What an item says.
    VAULT_CONTENT = Label("symbolon/vault-content/v1");
    /// What of an item is secret.
    VAULT_SECRETS = Label("symbolon/vault-secrets/v1");
    /// A holder's replica at rest.
    VAULT_SNAPSHOT = Label("symbolon/vault-snapshot/v1");
    /// What of a replica is sealed.
    VAULT_REPLICA = Label("symbolon/vault-replica/v1");
    /// An item that is handed to somebody, before it is sealed.
    VAULT_SHARED = Label("symbolon/vault-shared/v1");
    /// An item sealed to another vault.
    VAULT_SHARE = Label("symbolon/vault-share/v1");
    /// What the sender of a share signs.
    VAULT_SHARE_SIGNATURE = Label("symbolon/vault-share-signature/v1");
    /// The key of a shared item, sealed to its recipient.
    VAULT_SHARE_KEY = Label("symbolon/vault-share-key/v1");
    /// An item behind a link.
    VAULT_LINK = Label("symbolon/vault-link/v1");
    /// Key of what is behind a link, from the link's secret.
    KEY_VAULT_LINK = Label("symbolon/key/vault-link/v1");
    /// What people compare of a vault's key for shares.
    VAULT_SHARE_FINGERPRINT = Label("symbolon/vault-share-fingerprint/v1");

    /// Subkey of the data key: seals the key that a holder's device signs requests with.
    KEY_HOLDER_DEVICE = Label("symbolon/key/holder-device/v1");

    /// A data key that is lent to a server for a while.
    LEASE = Label("symbolon/lease/v1");

    /// The key of a passkey's wrap, handed over by a tap in a page.
    TAP = Label("symbolon/tap/v1");
    /// Key of a server that its keys of possession come from.
    KEY_POSSESSION = Label("symbolon/key/possession/v1");
    /// Seed of the keys under which a server evaluates blinded API keys (RFC 9497).
    KEY_POSSESSION_OPRF = Label("symbolon/key/possession-oprf/v1");
    /// Key under which a server makes nonces.
    KEY_POSSESSION_NONCES = Label("symbolon/key/possession-nonces/v1");
    /// Seed of the key that signs a server's tokens.
    KEY_POSSESSION_TOKENS = Label("symbolon/key/possession-tokens/v1");
    /// Key under which a server hashes the secrets of services.
    KEY_POSSESSION_SERVICES = Label("symbolon/key/possession-services/v1");
    /// The scalar of an API key.
    POSSESSION_SCALAR = Label("symbolon/possession-scalar/v1");
    /// What a proof of possession says.
    POSSESSION_STATEMENT = Label("symbolon/possession-statement/v1");
    /// What the commitment of a proof is drawn from.
    SCHNORR_COMMITMENT = Label("symbolon/schnorr-commitment/v1");
    /// What the challenge of a proof is hashed from.
    SCHNORR_CHALLENGE = Label("symbolon/schnorr-challenge/v1");
    /// What a device signs beside a proof.
    POSSESSION_DEVICE = Label("symbolon/possession-device/v1");
    /// The digest of a proof, as it stands in a token.
    POSSESSION_PROOF = Label("symbolon/possession-proof/v1");
    /// The tag of a compiled capsule in the home.
    CAPSULE_CACHE = Label("symbolon/capsule-cache/v1");
    /// The seed of an operator's key for runs of one capsule.
    CAPSULE_KEY = Label("symbolon/capsule-key/v1");
    /// A salted commitment to one field of a capsule's receipt.
    CAPSULE_FIELD = Label("symbolon/capsule-field/v1");
    /// The terms of a disclosure of such fields to some, or for later.
    CAPSULE_SEALED = Label("symbolon/capsule-sealed/v1");
    /// A holder's share of the key of such a disclosure.
    CAPSULE_SHARE = Label("symbolon/capsule-share/v1");
    /// What a capsule's receipt proves, all of it: the statement of its proof of identity.
    CAPSULE_TRANSCRIPT = Label("symbolon/capsule-transcript/v1");
    /// What a receipt of a capsule that is proven by an execution key proves, all of it.
    CAPSULE_UNLINKED = Label("symbolon/capsule-unlinked/v1");
    /// What a receipt that does not say which capsule ran proves, all of it.
    CAPSULE_PRIVATE = Label("symbolon/capsule-private/v1");
    /// What a log has of a capsule's receipt.
    CAPSULE_ENTRY = Label("symbolon/capsule-entry/v1");
    /// Which run an execution key is of, salted.
    IDENTITY_RUN = Label("symbolon/identity-run/v1");
    /// A leaf of the chain of an operator's derived keys.
    IDENTITY_LEAF = Label("symbolon/identity-leaf/v1");
    /// The root of that chain, as the operator's key signs it.
    IDENTITY_CHAIN = Label("symbolon/identity-chain/v1");
    /// That an operator's key is believed no more.
    IDENTITY_REVOCATION = Label("symbolon/identity-revocation/v1");
    /// What the commitment of a proof of an Ed25519 key is drawn from.
    IDENTITY_COMMITMENT = Label("symbolon/identity-commitment/v1");
    /// What the challenge of a proof of an Ed25519 key is hashed from.
    IDENTITY_CHALLENGE = Label("symbolon/identity-challenge/v1");
    /// What a node knows of operators, at rest.
    TRUST_SCORES = Label("symbolon/trust-scores/v1");
    /// The key that an operator's checkpoints are anchored with on a chain.
    ANCHOR_EVM_KEY = Label("symbolon/anchor-evm-key/v1");
    /// The seed of the key that an operator's mesh node answers with.
    MESH_ENDPOINT = Label("symbolon/mesh-endpoint/v1");
    /// What an operator signs of such a key.
    MESH_CERTIFICATE = Label("symbolon/mesh-certificate/v1");
    /// The short name of a log in the mesh.
    MESH_LOG = Label("symbolon/mesh-log/v1");
    /// What an endpoint signs of entries: the place of the first, and their leaves.
    MESH_CLAIM = Label("symbolon/mesh-claim/v1");
    /// Entries that follow each other, as they spread.
    MESH_ENTRIES = Label("symbolon/mesh-entries/v1");
    /// A checkpoint, as it spreads.
    MESH_CHECKPOINT = Label("symbolon/mesh-checkpoint/v1");
    /// What shows that an operator signed two things that cannot both be true.
    MESH_EVIDENCE = Label("symbolon/mesh-evidence/v1");
    /// What one node asks another.
    MESH_REQUEST = Label("symbolon/mesh-request/v1");
    /// What it is answered.
    MESH_ANSWER = Label("symbolon/mesh-answer/v1");
    /// The checkpoints that a copy of a log is held against, at rest.
    MESH_NOTES = Label("symbolon/mesh-notes/v1");
    /// A server's nonce.
    POSSESSION_NONCE = Label("symbolon/possession-nonce/v1");
    /// The hash at rest of a service's secret.
    SERVICE_SECRET = Label("symbolon/service-secret/v1");
    /// Key of a device that seals the API keys which it proves.
    KEK_POSSESSION = Label("symbolon/kek/possession/v1");
    /// A relying party's name, as an element of the circuits' field.
    FIELD_AUDIENCE = Label("symbolon/field/audience/v1");
    /// An account's name at a relying party, as an element.
    FIELD_ACCOUNT = Label("symbolon/field/account/v1");
    /// A claim's text, as an element.
    FIELD_TEXT = Label("symbolon/field/text/v1");
    /// A document, as an element.
    FIELD_DOCUMENT = Label("symbolon/field/document/v1");
    /// An API key, as an element.
    FIELD_KEY = Label("symbolon/field/key/v1");
    /// A device, as an element.
    FIELD_DEVICE = Label("symbolon/field/device/v1");
    /// A capsule's name and version, as an element.
    FIELD_CAPSULE = Label("symbolon/field/capsule/v1");
    /// A capsule's policy, as an element.
    FIELD_POLICY = Label("symbolon/field/policy/v1");
    /// The transcript of a capsule's receipt, as an element.
    FIELD_RECEIPT = Label("symbolon/field/receipt/v1");
    /// The nonce of an issuer's signature.
    ISSUER_NONCE = Label("symbolon/issuer-nonce/v1");
    /// A salted commitment to bytes.
    COMMITMENT = Label("symbolon/commitment/v1");
    /// What an artefact of the circuits is recognised by.
    INTEGRITY = Label("symbolon/integrity/v1");

    /// What a relying party wants shown.
    PROOF_POLICY = Label("symbolon/proof-policy/v1");
    /// What a relying party asks a holder.
    PROOF_REQUEST = Label("symbolon/proof-request/v1");
    /// A proof's bytes.
    PROOF_BYTES = Label("symbolon/proof-bytes/v1");
    /// Proofs that were shown together.
    PROOF_SET = Label("symbolon/proof-set/v1");
    /// What a holder agreed to show.
    PROOF_CONSENT = Label("symbolon/proof-consent/v1");
    /// The key of the issuer that anybody can be, for trying.
    DEMO_ISSUER = Label("symbolon/demo-issuer/v1");

    /// The digest of a note's canonical text, under a salt.
    AUTHORSHIP_DIGEST = Label("symbolon/authorship-digest/v1");
    /// What is registered of a digest before it is shown.
    AUTHORSHIP_COMMITMENT = Label("symbolon/authorship-commitment/v1");
    /// The account that an authorship is held by, as a log has it.
    AUTHORSHIP_HOLDER = Label("symbolon/authorship-holder/v1");
    /// What an author signs to register a commitment.
    AUTHORSHIP_COMMIT = Label("symbolon/authorship-commit/v1");
    /// What an owner signs to show a digest.
    AUTHORSHIP_REVEAL = Label("symbolon/authorship-reveal/v1");
    /// What an owner signs to hand an authorship over.
    AUTHORSHIP_TRANSFER = Label("symbolon/authorship-transfer/v1");
    /// What the next owner signs to take it.
    AUTHORSHIP_ACCEPT = Label("symbolon/authorship-accept/v1");
    /// One of these acts as an entry of a log.
    AUTHORSHIP_ENTRY = Label("symbolon/authorship-entry/v1");
    /// A run of words, as a sketch hashes it.
    SKETCH_SHINGLE = Label("symbolon/sketch-shingle/v1");
    /// The permutation of one slot of a sketch.
    SKETCH_SLOT = Label("symbolon/sketch-slot/v1");

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
    /// The data key of an earlier epoch under a later one's.
    VAULT_OLD_KEY = Tag::new("vault", "old-data-key", 1);
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
    /// A secret of a server that keeps accounts.
    SERVER_SECRET = Tag::new("server", "secret", 1);
    /// A chunk of a backup.
    BACKUP_CHUNK = Tag::new("backup", "chunk", 1);
    /// What the answer to a challenge is checked against.
    CHALLENGE_STATE = Tag::new("server", "challenge-state", 1);
    /// A TLS private key.
    TLS_KEY = Tag::new("tls", "private-key", 1);
    /// A layer of a container, padded.
    CONTAINER_LAYER = Tag::new("container", "layer", 1);
    /// A container's credentials under their passphrase.
    CONTAINER_CREDENTIALS = Tag::new("container", "credentials", 1);
    /// The state of a request that waits for an answer.
    REQUEST_STATE = Tag::new("mcp", "request-state", 1);

    /// A field of an item of a vault.
    VAULT_FIELD = Tag::new("vault", "field", 1);
    /// A holder's replica of a vault.
    VAULT_REPLICA_STATE = Tag::new("vault", "replica", 1);
    /// A chunk of an attachment.
    VAULT_CHUNK = Tag::new("vault", "chunk", 1);
    /// An item that was shared.
    VAULT_SHARED_ITEM = Tag::new("vault", "shared-item", 1);

    /// The Ed25519 seed of a holder's device.
    HOLDER_DEVICE_SEED = Tag::new("holder", "device-seed", 1);

    /// An API key on its holder's device, with the seed of the key that the device signs with.
    POSSESSED_KEY = Tag::new("possession", "api-key", 1);

    /// Fields of a capsule's receipt, disclosed to some or for later.
    CAPSULE_FIELDS = Tag::new("capsule", "fields", 1);
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
