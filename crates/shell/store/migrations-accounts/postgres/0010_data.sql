-- Handles of accounts that were deleted, as the server's key hashes them: nobody takes the name of one who left.
CREATE TABLE retired (
    handle     BYTEA PRIMARY KEY,
    at_unix_ms BIGINT NOT NULL,
    tag        BYTEA NOT NULL
);

-- What deleting an account looks for.
CREATE INDEX challenge_account ON challenge (account);
