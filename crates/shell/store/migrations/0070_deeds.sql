-- Signers whose containers are opened, and the replay registry of deeds (specs/container.md).
CREATE TABLE trusted_signer (
    key             TEXT PRIMARY KEY,        -- Ed25519, hex
    name            TEXT NOT NULL UNIQUE,
    created_unix_ms INTEGER NOT NULL
) STRICT;

-- One event for each place in a deed: what this home signed there, it signs there no second time.
CREATE TABLE deed_signed (
    deed       TEXT NOT NULL,
    number     INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    at_unix_ms INTEGER NOT NULL,
    PRIMARY KEY (deed, number)
) STRICT, WITHOUT ROWID;
