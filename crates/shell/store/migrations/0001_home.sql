-- Everything secret in here is an envelope (specs/envelope.md); nothing is readable without the vault.
CREATE TABLE wrap (
    id         TEXT PRIMARY KEY,
    body       TEXT NOT NULL                 -- custody's JSON form
) STRICT;

CREATE TABLE operator (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    seed       BLOB NOT NULL                 -- envelope: operator/signing-seed
) STRICT;

CREATE TABLE connection (
    name            TEXT PRIMARY KEY,
    service         TEXT NOT NULL,
    base_url        TEXT NOT NULL,
    auth            TEXT NOT NULL,
    ca_pem          TEXT,
    allow_loopback  INTEGER NOT NULL,
    allow_private   INTEGER NOT NULL,
    scopes          TEXT NOT NULL,           -- JSON list of patterns
    fingerprint     TEXT NOT NULL,
    created_unix_ms INTEGER NOT NULL,
    credential      BLOB NOT NULL            -- envelope: connection/credential, sealed to all but scopes and created
) STRICT;

CREATE TABLE agent_grant (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    agent           TEXT NOT NULL,
    connection      TEXT NOT NULL,
    scopes          TEXT NOT NULL,
    limits          TEXT NOT NULL,
    created_unix_ms INTEGER NOT NULL,
    expires_unix_ms INTEGER NOT NULL,
    revoked         INTEGER NOT NULL
) STRICT;

CREATE TABLE agent (
    name            TEXT PRIMARY KEY,
    key_hash        TEXT NOT NULL,
    created_unix_ms INTEGER NOT NULL
) STRICT;
