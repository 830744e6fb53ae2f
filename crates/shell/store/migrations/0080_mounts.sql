-- MCP servers whose tools are services of the catalogue (specs/mount.md). What is run and where, and
-- the owner's marks, are sealed: a changed row starts nothing.
CREATE TABLE mount (
    name            TEXT PRIMARY KEY,        -- of the service, and of its connection
    created_unix_ms INTEGER NOT NULL,
    body            BLOB NOT NULL            -- envelope
) STRICT;
