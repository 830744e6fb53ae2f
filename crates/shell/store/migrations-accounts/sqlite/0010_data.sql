-- Handles of accounts that were deleted, as the server's key hashes them: nobody takes the name of one who left.
CREATE TABLE retired (
    handle     BLOB PRIMARY KEY,
    at_unix_ms INTEGER NOT NULL,
    tag        BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- What deleting an account looks for.
CREATE INDEX challenge_account ON challenge (account);
