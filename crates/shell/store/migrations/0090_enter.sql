-- The account that is the owner's: whoever signs in to it, with a proof of the last minutes, is the owner in that
-- browser (specs/page.md). One at most.
CREATE TABLE owner_account (
    one             INTEGER PRIMARY KEY CHECK (one = 1),
    account         BLOB NOT NULL CHECK (length(account) = 16),
    joined_unix_ms  INTEGER NOT NULL
) STRICT;
