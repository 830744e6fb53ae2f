-- Keys that are proven and never sent (specs/pzk-auth.md): services, the points of their keys, devices.
CREATE TABLE key_service (
    id              BLOB PRIMARY KEY,
    account         BLOB NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    audience        TEXT NOT NULL,           -- the service's address
    name            TEXT NOT NULL,
    scopes          TEXT NOT NULL,
    token_seconds   INTEGER NOT NULL,
    secret_hash     BLOB NOT NULL UNIQUE,
    created_unix_ms INTEGER NOT NULL,
    tag             BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX key_service_account ON key_service (account);

CREATE TABLE api_key (
    id              BLOB PRIMARY KEY,
    service         BLOB NOT NULL REFERENCES key_service (id) ON DELETE CASCADE,
    account         TEXT NOT NULL,           -- at the service; may be empty
    name            TEXT NOT NULL,
    scopes          TEXT NOT NULL,
    point           BLOB NOT NULL,           -- of ristretto255
    created_unix_ms INTEGER NOT NULL,
    rotated_unix_ms INTEGER,
    revoked_unix_ms INTEGER,
    tag             BLOB NOT NULL,
    UNIQUE (service, point)
) STRICT, WITHOUT ROWID;

CREATE TABLE key_device (
    id              BLOB PRIMARY KEY,
    api_key         BLOB NOT NULL REFERENCES api_key (id) ON DELETE CASCADE,
    public          BLOB NOT NULL,           -- Ed25519
    name            TEXT NOT NULL,
    created_unix_ms INTEGER NOT NULL,
    used_unix_ms    INTEGER,
    revoked_unix_ms INTEGER,
    tag             BLOB NOT NULL,
    UNIQUE (api_key, public)
) STRICT, WITHOUT ROWID;

-- What was used, until it is too old to come again.
CREATE TABLE key_nonce (
    id              BLOB PRIMARY KEY,
    expires_unix_ms INTEGER NOT NULL,
    tag             BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX key_nonce_expires ON key_nonce (expires_unix_ms);

CREATE TABLE revoked_token (
    id              BLOB PRIMARY KEY,
    expires_unix_ms INTEGER NOT NULL,
    tag             BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX revoked_token_expires ON revoked_token (expires_unix_ms);
