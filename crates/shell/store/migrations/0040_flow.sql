-- Flows and their runs (specs/flow.md).
CREATE TABLE flow (
    name            TEXT PRIMARY KEY,
    agent           TEXT NOT NULL,           -- as whom it runs
    created_unix_ms INTEGER NOT NULL,
    body            BLOB NOT NULL,           -- envelope: flow/definition
    schedule        TEXT,                    -- five cron fields and a zone; absent where the clock does not begin it
    watched_unix_ms INTEGER NOT NULL,        -- up to when its times were looked at
    missed          INTEGER NOT NULL,        -- times that came while nobody was there
    hook            BLOB                     -- envelope: flow/hook-secret; absent where no webhook begins it
) STRICT;
CREATE TABLE flow_delivery (
    flow            TEXT NOT NULL REFERENCES flow (name) ON DELETE CASCADE,
    id              TEXT NOT NULL,           -- hash of the webhook's id
    taken_unix_ms   INTEGER NOT NULL,
    run             TEXT,                    -- what it began; absent until that is known
    PRIMARY KEY (flow, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE flow_run (
    id              TEXT PRIMARY KEY,        -- 128 random bits, in hexadecimal
    flow            TEXT NOT NULL,
    agent           TEXT NOT NULL,
    state           TEXT NOT NULL,
    epoch           INTEGER NOT NULL,        -- how often it was begun again
    log_from        INTEGER NOT NULL,        -- entries of the log before this epoch
    created_unix_ms INTEGER NOT NULL,
    changed_unix_ms INTEGER NOT NULL,
    body            BLOB NOT NULL            -- envelope: flow/run, definition and inputs
) STRICT;
CREATE INDEX flow_run_created ON flow_run (created_unix_ms);
CREATE TABLE flow_step (
    run             TEXT NOT NULL REFERENCES flow_run (id) ON DELETE CASCADE,
    step            INTEGER NOT NULL,        -- its place in the definition
    ordinal         INTEGER NOT NULL,        -- the order in which steps came to something
    state           TEXT NOT NULL,
    receipt         INTEGER,
    body            BLOB NOT NULL,           -- envelope: flow/step, what it gave or why it failed
    PRIMARY KEY (run, step)
) STRICT, WITHOUT ROWID;
