-- Which calls of a grant wait for a person, and who may answer (specs/approvals.md).
ALTER TABLE agent_grant ADD COLUMN ask TEXT NOT NULL DEFAULT '["destructive"]';
ALTER TABLE agent_grant ADD COLUMN ask_via TEXT NOT NULL DEFAULT 'owner';

CREATE TABLE owner_token (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    key_hash        TEXT NOT NULL UNIQUE,
    created_unix_ms INTEGER NOT NULL
) STRICT;
