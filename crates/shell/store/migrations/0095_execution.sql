-- The chain of the operator's execution keys (specs/identity.md). No row is ever changed or taken away: a number
-- that was given to a run of a component is given to no other.
CREATE TABLE execution (
    position   INTEGER PRIMARY KEY CHECK (position >= 0),
    component  BLOB NOT NULL CHECK (length(component) = 64),
    number     INTEGER NOT NULL CHECK (number >= 0),
    leaf       BLOB NOT NULL CHECK (length(leaf) = 32),
    UNIQUE (component, number)
) STRICT;

-- The newest head, signed by the operator's key over every leaf above.
CREATE TABLE execution_head (
    one        INTEGER PRIMARY KEY CHECK (one = 1),
    body       BLOB NOT NULL,
    signature  BLOB NOT NULL CHECK (length(signature) = 64)
) STRICT;
