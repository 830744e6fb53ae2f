-- Tokens that were issued to a connection, and that the broker renews (specs/oauth.md).
CREATE TABLE issued_token (
    connection      TEXT PRIMARY KEY REFERENCES connection (name) ON DELETE CASCADE,
    access          BLOB NOT NULL,           -- envelope: connection/access-token, sealed to its expiry too
    expires_unix_ms INTEGER,                 -- absent where nobody said
    refresh         BLOB,                    -- envelope: connection/refresh-token
    problem         TEXT                     -- why only its owner can get another
) STRICT;
