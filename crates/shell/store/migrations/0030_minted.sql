-- Credentials that services made through connections (specs/minted.md).
CREATE TABLE minted_token (
    id              TEXT PRIMARY KEY,        -- hash of the placeholder, which is not kept
    connection      TEXT NOT NULL REFERENCES connection (name) ON DELETE CASCADE,
    agent           TEXT NOT NULL,           -- whose it is
    tool            TEXT NOT NULL,           -- the operation that made it
    intent          INTEGER NOT NULL,        -- the log entry of that call's intent
    created_unix_ms INTEGER NOT NULL,
    expires_unix_ms INTEGER,                 -- absent where nobody said
    token           BLOB NOT NULL            -- envelope: connection/minted-token, sealed to id, agent and end too
) STRICT;
CREATE INDEX minted_token_connection ON minted_token (connection);
