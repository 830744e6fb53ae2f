-- Who registered a text first (specs/authorship.md). The log has the entries; no row says whose they are but the second's.
CREATE TABLE authorship (
    commitment      BLOB PRIMARY KEY,
    log             TEXT NOT NULL,
    registered_at   INTEGER NOT NULL,         -- the index of the commit's entry
    digest          BLOB,                     -- where it was revealed
    entries         BLOB NOT NULL,            -- indices, eight bytes each
    tag             BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX authorship_digest ON authorship (digest, registered_at);

CREATE TABLE authorship_name (
    commitment      BLOB PRIMARY KEY REFERENCES authorship (commitment) ON DELETE CASCADE,
    account         BLOB NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    tag             BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX authorship_name_account ON authorship_name (account);
