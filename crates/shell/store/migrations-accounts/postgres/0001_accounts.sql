-- What a server keeps of accounts and vaults (specs/accounts.md). Each row has a tag by the server's key over all its
-- columns; `sealed` is covered by `digest`.
CREATE TABLE account (
    id              BYTEA PRIMARY KEY,
    handle          TEXT UNIQUE,
    created_unix_ms BIGINT NOT NULL,
    state           TEXT NOT NULL,
    events          BIGINT NOT NULL,        -- how many rows of `event` are its own
    events_head     BYTEA NOT NULL,           -- the digest of the last of them
    tag             BYTEA NOT NULL
);

CREATE TABLE credential (
    id                BYTEA PRIMARY KEY,
    account           BYTEA NOT NULL REFERENCES account (id),
    method            TEXT NOT NULL,
    subject           BYTEA NOT NULL,         -- what a sign-in is looked up by
    state             BYTEA NOT NULL,         -- what its proof is checked against
    name              TEXT NOT NULL,
    created_unix_ms   BIGINT NOT NULL,
    last_used_unix_ms BIGINT,
    tag               BYTEA NOT NULL,
    UNIQUE (method, subject)
);
CREATE INDEX credential_account ON credential (account);

CREATE TABLE challenge (
    id              BYTEA PRIMARY KEY,
    purpose         TEXT NOT NULL,
    method          TEXT NOT NULL,
    account         BYTEA,
    state           BYTEA NOT NULL,
    expires_unix_ms BIGINT NOT NULL,
    tag             BYTEA NOT NULL
);
CREATE INDEX challenge_expires ON challenge (expires_unix_ms);

-- Nonces of signed requests (RFC 9421), each seen once.
CREATE TABLE nonce (
    credential      BYTEA NOT NULL,
    nonce           BYTEA NOT NULL,
    expires_unix_ms BIGINT NOT NULL,
    tag             BYTEA NOT NULL,
    PRIMARY KEY (credential, nonce)
);
CREATE INDEX nonce_expires ON nonce (expires_unix_ms);

CREATE TABLE session (
    id                      BYTEA PRIMARY KEY,
    token_hash              BYTEA NOT NULL UNIQUE,
    account                 BYTEA NOT NULL REFERENCES account (id),
    method                  TEXT NOT NULL,
    created_unix_ms         BIGINT NOT NULL,
    seen_unix_ms            BIGINT NOT NULL,
    expires_unix_ms         BIGINT NOT NULL,
    confirmed_until_unix_ms BIGINT,
    user_agent              TEXT NOT NULL,
    revoked_unix_ms         BIGINT,
    tag                     BYTEA NOT NULL
);
CREATE INDEX session_account ON session (account);
CREATE INDEX session_expires ON session (expires_unix_ms);

CREATE TABLE vault (
    id           BYTEA PRIMARY KEY,
    account      BYTEA NOT NULL UNIQUE REFERENCES account (id),
    head_key     BYTEA NOT NULL,              -- Ed25519, signs heads
    share_key    BYTEA NOT NULL,              -- X25519, shares are sealed to it
    wraps        TEXT NOT NULL,              -- JSON
    ring         BYTEA NOT NULL,              -- earlier data keys, sealed
    epoch        BIGINT NOT NULL,
    keys_version BIGINT NOT NULL,
    tag          BYTEA NOT NULL
);

-- What every commit changes, apart from what it does not.
CREATE TABLE vault_state (
    vault       BYTEA PRIMARY KEY REFERENCES vault (id),
    counter     BIGINT NOT NULL,
    head        BYTEA NOT NULL,
    used_bytes  BIGINT NOT NULL,
    quota_bytes BIGINT NOT NULL,
    tag         BYTEA NOT NULL
);

-- Which revision of an item is the current one, and with which commit it came.
CREATE TABLE item (
    vault      BYTEA NOT NULL REFERENCES vault (id),
    item       BYTEA NOT NULL,
    revision   BIGINT NOT NULL,
    counter    BIGINT NOT NULL,
    size_bytes BIGINT NOT NULL,
    tag        BYTEA NOT NULL,
    PRIMARY KEY (vault, item)
);
CREATE INDEX item_counter ON item (vault, counter, item);

CREATE TABLE revision (
    vault           BYTEA NOT NULL REFERENCES vault (id),
    item            BYTEA NOT NULL,
    revision        BIGINT NOT NULL,
    counter         BIGINT NOT NULL,
    parent          BYTEA,
    epoch           BIGINT NOT NULL,
    state           TEXT NOT NULL,
    created_unix_ms BIGINT NOT NULL,
    updated_unix_ms BIGINT NOT NULL,
    digest          BYTEA NOT NULL,
    size_bytes      BIGINT NOT NULL,
    tag             BYTEA NOT NULL,
    sealed          BYTEA NOT NULL,
    PRIMARY KEY (vault, item, revision)
);

CREATE TABLE chunk (
    vault      BYTEA NOT NULL REFERENCES vault (id),
    blob       BYTEA NOT NULL,
    number     BIGINT NOT NULL,
    digest     BYTEA NOT NULL,
    size_bytes BIGINT NOT NULL,
    tag        BYTEA NOT NULL,
    sealed     BYTEA NOT NULL,
    PRIMARY KEY (vault, blob, number)
);

CREATE TABLE share (
    id              BYTEA PRIMARY KEY,
    sender          BYTEA NOT NULL REFERENCES account (id),
    recipient       BYTEA REFERENCES account (id), -- none: who has the link
    item            BYTEA,
    created_unix_ms BIGINT NOT NULL,
    expires_unix_ms BIGINT,
    views_max       BIGINT,
    views           BIGINT NOT NULL,
    revoked_unix_ms BIGINT,
    digest          BYTEA NOT NULL,
    tag             BYTEA NOT NULL,
    sealed          BYTEA NOT NULL
);
CREATE INDEX share_sender ON share (sender);
CREATE INDEX share_recipient ON share (recipient);
CREATE INDEX share_expires ON share (expires_unix_ms);

CREATE TABLE event (
    account    BYTEA NOT NULL REFERENCES account (id),
    number     BIGINT NOT NULL,
    prev       BYTEA NOT NULL,
    at_unix_ms BIGINT NOT NULL,
    kind       TEXT NOT NULL,
    detail     TEXT NOT NULL,
    tag        BYTEA NOT NULL,
    PRIMARY KEY (account, number)
);

CREATE TABLE server_secret (
    name     TEXT PRIMARY KEY,
    envelope BYTEA NOT NULL,
    tag      BYTEA NOT NULL
);
