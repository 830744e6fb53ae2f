-- Facts that are proven and not shown (specs/proof.md): sessions, who came once, issuers whose keys were revoked.
CREATE TABLE proof_session (
    nonce           BYTEA PRIMARY KEY,
    service         BYTEA REFERENCES key_service (id) ON DELETE CASCADE,  -- none where the server asks for itself
    operator        BYTEA,
    audience        TEXT NOT NULL,
    account         TEXT NOT NULL,           -- at the audience
    request_hash    BYTEA NOT NULL,
    expires_unix_ms BIGINT NOT NULL,
    binding         BYTEA,                    -- that was registered
    shown_binding   BYTEA,                    -- with what it was used up
    evidence        TEXT,
    tag             BYTEA NOT NULL
);
CREATE INDEX proof_session_expires ON proof_session (expires_unix_ms);
CREATE INDEX proof_session_service ON proof_session (service);
CREATE INDEX proof_session_operator ON proof_session (operator);

CREATE TABLE proof_nullifier (
    operator        BYTEA NOT NULL,           -- empty where the server asks for itself
    audience        TEXT NOT NULL,
    epoch           BIGINT NOT NULL,
    nullifier       BYTEA NOT NULL,
    tag             BYTEA NOT NULL,
    PRIMARY KEY (operator, audience, epoch, nullifier)
);

CREATE TABLE revoked_issuer (
    issuer          BYTEA PRIMARY KEY,
    at_unix_ms      BIGINT NOT NULL,
    tag             BYTEA NOT NULL
);
