-- What a server keeps of accounts and vaults (specs/accounts.md). Each row has a tag by the server's key over all its
-- columns; `sealed` is covered by `digest`.
CREATE TABLE account (
    id              BLOB PRIMARY KEY,
    handle          TEXT UNIQUE,
    created_unix_ms INTEGER NOT NULL,
    state           TEXT NOT NULL,
    events          INTEGER NOT NULL,        -- how many rows of `event` are its own
    events_head     BLOB NOT NULL,           -- the digest of the last of them
    tag             BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE credential (
    id                BLOB PRIMARY KEY,
    account           BLOB NOT NULL REFERENCES account (id),
    method            TEXT NOT NULL,
    subject           BLOB NOT NULL,         -- what a sign-in is looked up by
    state             BLOB NOT NULL,         -- what its proof is checked against
    name              TEXT NOT NULL,
    created_unix_ms   INTEGER NOT NULL,
    last_used_unix_ms INTEGER,
    tag               BLOB NOT NULL,
    UNIQUE (method, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX credential_account ON credential (account);

CREATE TABLE challenge (
    id              BLOB PRIMARY KEY,
    purpose         TEXT NOT NULL,
    method          TEXT NOT NULL,
    account         BLOB,
    state           BLOB NOT NULL,
    expires_unix_ms INTEGER NOT NULL,
    tag             BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX challenge_expires ON challenge (expires_unix_ms);

-- Nonces of signed requests (RFC 9421), each seen once.
CREATE TABLE nonce (
    credential      BLOB NOT NULL,
    nonce           BLOB NOT NULL,
    expires_unix_ms INTEGER NOT NULL,
    tag             BLOB NOT NULL,
    PRIMARY KEY (credential, nonce)
) STRICT, WITHOUT ROWID;
CREATE INDEX nonce_expires ON nonce (expires_unix_ms);

CREATE TABLE session (
    id                      BLOB PRIMARY KEY,
    token_hash              BLOB NOT NULL UNIQUE,
    account                 BLOB NOT NULL REFERENCES account (id),
    method                  TEXT NOT NULL,
    created_unix_ms         INTEGER NOT NULL,
    seen_unix_ms            INTEGER NOT NULL,
    expires_unix_ms         INTEGER NOT NULL,
    confirmed_until_unix_ms INTEGER,
    user_agent              TEXT NOT NULL,
    revoked_unix_ms         INTEGER,
    tag                     BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_account ON session (account);
CREATE INDEX session_expires ON session (expires_unix_ms);

CREATE TABLE vault (
    id           BLOB PRIMARY KEY,
    account      BLOB NOT NULL UNIQUE REFERENCES account (id),
    head_key     BLOB NOT NULL,              -- Ed25519, signs heads
    share_key    BLOB NOT NULL,              -- X25519, shares are sealed to it
    wraps        TEXT NOT NULL,              -- JSON
    ring         BLOB NOT NULL,              -- earlier data keys, sealed
    epoch        INTEGER NOT NULL,
    keys_version INTEGER NOT NULL,
    tag          BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What every commit changes, apart from what it does not.
CREATE TABLE vault_state (
    vault       BLOB PRIMARY KEY REFERENCES vault (id),
    counter     INTEGER NOT NULL,
    head        BLOB NOT NULL,
    used_bytes  INTEGER NOT NULL,
    quota_bytes INTEGER NOT NULL,
    tag         BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Which revision of an item is the current one, and with which commit it came.
CREATE TABLE item (
    vault      BLOB NOT NULL REFERENCES vault (id),
    item       BLOB NOT NULL,
    revision   INTEGER NOT NULL,
    counter    INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    tag        BLOB NOT NULL,
    PRIMARY KEY (vault, item)
) STRICT, WITHOUT ROWID;
CREATE INDEX item_counter ON item (vault, counter, item);

CREATE TABLE revision (
    vault           BLOB NOT NULL REFERENCES vault (id),
    item            BLOB NOT NULL,
    revision        INTEGER NOT NULL,
    counter         INTEGER NOT NULL,
    parent          BLOB,
    epoch           INTEGER NOT NULL,
    state           TEXT NOT NULL,
    created_unix_ms INTEGER NOT NULL,
    updated_unix_ms INTEGER NOT NULL,
    digest          BLOB NOT NULL,
    size_bytes      INTEGER NOT NULL,
    tag             BLOB NOT NULL,
    sealed          BLOB NOT NULL,
    PRIMARY KEY (vault, item, revision)
) STRICT;

CREATE TABLE chunk (
    vault      BLOB NOT NULL REFERENCES vault (id),
    blob       BLOB NOT NULL,
    number     INTEGER NOT NULL,
    digest     BLOB NOT NULL,
    size_bytes INTEGER NOT NULL,
    tag        BLOB NOT NULL,
    sealed     BLOB NOT NULL,
    PRIMARY KEY (vault, blob, number)
) STRICT;

CREATE TABLE share (
    id              BLOB PRIMARY KEY,
    sender          BLOB NOT NULL REFERENCES account (id),
    recipient       BLOB REFERENCES account (id), -- none: who has the link
    item            BLOB,
    created_unix_ms INTEGER NOT NULL,
    expires_unix_ms INTEGER,
    views_max       INTEGER,
    views           INTEGER NOT NULL,
    revoked_unix_ms INTEGER,
    digest          BLOB NOT NULL,
    tag             BLOB NOT NULL,
    sealed          BLOB NOT NULL
) STRICT;
CREATE INDEX share_sender ON share (sender);
CREATE INDEX share_recipient ON share (recipient);
CREATE INDEX share_expires ON share (expires_unix_ms);

CREATE TABLE event (
    account    BLOB NOT NULL REFERENCES account (id),
    number     INTEGER NOT NULL,
    prev       BLOB NOT NULL,
    at_unix_ms INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    detail     TEXT NOT NULL,
    tag        BLOB NOT NULL,
    PRIMARY KEY (account, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE server_secret (
    name     TEXT PRIMARY KEY,
    envelope BLOB NOT NULL,
    tag      BLOB NOT NULL
) STRICT, WITHOUT ROWID;
