-- Budgets, cooldowns, time windows and shadow mode (specs/policy.md). Amounts are millionths.
ALTER TABLE agent_grant ADD COLUMN budgets TEXT NOT NULL DEFAULT '[]';   -- JSON list, as written
ALTER TABLE agent_grant ADD COLUMN cooldown_seconds INTEGER;
ALTER TABLE agent_grant ADD COLUMN hours TEXT NOT NULL DEFAULT '[]';     -- JSON list, as written

-- What counts as spent, reservations included.
CREATE TABLE budget_spent (
    grant_id INTEGER NOT NULL,
    budget   INTEGER NOT NULL,               -- its place in the grant's list
    slot     INTEGER NOT NULL,               -- part of its period
    micros   INTEGER NOT NULL CHECK (micros >= 0),
    PRIMARY KEY (grant_id, budget, slot)
) STRICT, WITHOUT ROWID;

-- What can still be given back, until the call is settled.
CREATE TABLE budget_reserved (
    intent   BLOB NOT NULL,
    budget   INTEGER NOT NULL,
    grant_id INTEGER NOT NULL,
    slot     INTEGER NOT NULL,
    micros   INTEGER NOT NULL CHECK (micros >= 0),
    by_count INTEGER NOT NULL,
    log_size INTEGER NOT NULL,
    relaxed  INTEGER NOT NULL,
    PRIMARY KEY (intent, budget)
) STRICT, WITHOUT ROWID;

CREATE TABLE cooldown (
    grant_id   INTEGER NOT NULL,
    scope      TEXT NOT NULL,
    at_unix_ms INTEGER NOT NULL,
    seconds    INTEGER NOT NULL,
    PRIMARY KEY (grant_id, scope)
) STRICT, WITHOUT ROWID;

CREATE TABLE shadowed (
    agent         TEXT NOT NULL,
    connection    TEXT NOT NULL,
    tool          TEXT NOT NULL,
    code          TEXT NOT NULL,
    scope         TEXT NOT NULL,
    gate          TEXT NOT NULL,
    message       TEXT NOT NULL,
    count         INTEGER NOT NULL,
    first_unix_ms INTEGER NOT NULL,
    last_unix_ms  INTEGER NOT NULL,
    PRIMARY KEY (agent, connection, tool, code)
) STRICT, WITHOUT ROWID;

-- Shadow mode that comes back after a restart: one row, or none.
CREATE TABLE shadow_kept (
    one INTEGER PRIMARY KEY CHECK (one = 1)
) STRICT;
