-- Keys that are proven and never sent (specs/pzk-auth.md): services, the points of their keys, devices.
CREATE TABLE key_service (
    id              BYTEA PRIMARY KEY,
    account         BYTEA NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    audience        TEXT NOT NULL,           -- the service's address
    name            TEXT NOT NULL,
    scopes          TEXT NOT NULL,
    token_seconds   BIGINT NOT NULL,
    secret_hash     BYTEA NOT NULL UNIQUE,
    created_unix_ms BIGINT NOT NULL,
    tag             BYTEA NOT NULL
);
CREATE INDEX key_service_account ON key_service (account);

CREATE TABLE api_key (
    id              BYTEA PRIMARY KEY,
    service         BYTEA NOT NULL REFERENCES key_service (id) ON DELETE CASCADE,
    account         TEXT NOT NULL,           -- at the service; may be empty
    name            TEXT NOT NULL,
    scopes          TEXT NOT NULL,
    point           BYTEA NOT NULL,           -- of ristretto255
    created_unix_ms BIGINT NOT NULL,
    rotated_unix_ms BIGINT,
    revoked_unix_ms BIGINT,
    tag             BYTEA NOT NULL,
    UNIQUE (service, point)
);

CREATE TABLE key_device (
    id              BYTEA PRIMARY KEY,
    api_key         BYTEA NOT NULL REFERENCES api_key (id) ON DELETE CASCADE,
    public          BYTEA NOT NULL,           -- Ed25519
    name            TEXT NOT NULL,
    created_unix_ms BIGINT NOT NULL,
    used_unix_ms    BIGINT,
    revoked_unix_ms BIGINT,
    tag             BYTEA NOT NULL,
    UNIQUE (api_key, public)
);

-- What was used, until it is too old to come again.
CREATE TABLE key_nonce (
    id              BYTEA PRIMARY KEY,
    expires_unix_ms BIGINT NOT NULL,
    tag             BYTEA NOT NULL
);
CREATE INDEX key_nonce_expires ON key_nonce (expires_unix_ms);

CREATE TABLE revoked_token (
    id              BYTEA PRIMARY KEY,
    expires_unix_ms BIGINT NOT NULL,
    tag             BYTEA NOT NULL
);
CREATE INDEX revoked_token_expires ON revoked_token (expires_unix_ms);
