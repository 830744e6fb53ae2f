-- Grants under grants (specs/capability.md). A parent's number is lower than its child's.
ALTER TABLE agent_grant ADD COLUMN parent INTEGER;
ALTER TABLE agent_grant ADD COLUMN delegable INTEGER NOT NULL DEFAULT 0;   -- levels that may come under it
ALTER TABLE agent_grant ADD COLUMN by_agent INTEGER NOT NULL DEFAULT 0;    -- made by its parent's agent

-- The agent that a key was made by, where the owner did not.
ALTER TABLE agent ADD COLUMN made_by TEXT;

-- One call takes of the budgets of several grants.
CREATE TABLE budget_reserved_of_lineage (
    intent   BLOB NOT NULL,
    grant_id INTEGER NOT NULL,
    budget   INTEGER NOT NULL,
    slot     INTEGER NOT NULL,
    micros   INTEGER NOT NULL CHECK (micros >= 0),
    by_count INTEGER NOT NULL,
    log_size INTEGER NOT NULL,
    relaxed  INTEGER NOT NULL,
    PRIMARY KEY (intent, grant_id, budget)
) STRICT, WITHOUT ROWID;
INSERT INTO budget_reserved_of_lineage (intent, grant_id, budget, slot, micros, by_count, log_size, relaxed)
    SELECT intent, grant_id, budget, slot, micros, by_count, log_size, relaxed FROM budget_reserved;
DROP TABLE budget_reserved;
ALTER TABLE budget_reserved_of_lineage RENAME TO budget_reserved;
