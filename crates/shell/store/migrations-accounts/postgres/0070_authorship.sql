-- Who registered a text first (specs/authorship.md). The log has the entries; no row says whose they are but the second's.
CREATE TABLE authorship (
    commitment      BYTEA PRIMARY KEY,
    log             TEXT NOT NULL,
    registered_at   BIGINT NOT NULL,         -- the index of the commit's entry
    digest          BYTEA,                     -- where it was revealed
    entries         BYTEA NOT NULL,            -- indices, eight bytes each
    tag             BYTEA NOT NULL
);
CREATE INDEX authorship_digest ON authorship (digest, registered_at);

CREATE TABLE authorship_name (
    commitment      BYTEA PRIMARY KEY REFERENCES authorship (commitment) ON DELETE CASCADE,
    account         BYTEA NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    tag             BYTEA NOT NULL
);
CREATE INDEX authorship_name_account ON authorship_name (account);
