-- Facts that are proven and not shown (specs/proof.md): sessions, who came once, issuers whose keys were revoked.
CREATE TABLE proof_session (
    nonce           BLOB PRIMARY KEY,
    service         BLOB REFERENCES key_service (id) ON DELETE CASCADE,  -- none where the server asks for itself
    operator        BLOB,
    audience        TEXT NOT NULL,
    account         TEXT NOT NULL,           -- at the audience
    request_hash    BLOB NOT NULL,
    expires_unix_ms INTEGER NOT NULL,
    binding         BLOB,                    -- that was registered
    shown_binding   BLOB,                    -- with what it was used up
    evidence        TEXT,
    tag             BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX proof_session_expires ON proof_session (expires_unix_ms);
CREATE INDEX proof_session_service ON proof_session (service);
CREATE INDEX proof_session_operator ON proof_session (operator);

CREATE TABLE proof_nullifier (
    operator        BLOB NOT NULL,           -- empty where the server asks for itself
    audience        TEXT NOT NULL,
    epoch           INTEGER NOT NULL,
    nullifier       BLOB NOT NULL,
    tag             BLOB NOT NULL,
    PRIMARY KEY (operator, audience, epoch, nullifier)
) STRICT, WITHOUT ROWID;

CREATE TABLE revoked_issuer (
    issuer          BLOB PRIMARY KEY,
    at_unix_ms      INTEGER NOT NULL,
    tag             BLOB NOT NULL
) STRICT, WITHOUT ROWID;
