-- Assistants that may use a vault (specs/remote-mcp.md): who registered, what a person allowed, the tokens of it.
CREATE TABLE oauth_client (
    id              TEXT PRIMARY KEY,
    name            TEXT NOT NULL,           -- what it says that it is called
    redirect_uris   TEXT NOT NULL,           -- one a line
    created_unix_ms BIGINT NOT NULL,
    expires_unix_ms BIGINT NOT NULL,        -- when it is forgotten, without a grant
    tag             BYTEA NOT NULL
);
CREATE INDEX oauth_client_expires ON oauth_client (expires_unix_ms);

CREATE TABLE oauth_grant (
    id                BYTEA PRIMARY KEY,
    account           BYTEA NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    client            TEXT NOT NULL,         -- no reference: some are described at their own address
    client_name       TEXT NOT NULL,
    redirect_uri      TEXT NOT NULL,
    scopes            TEXT NOT NULL,
    resource          TEXT NOT NULL,
    created_unix_ms   BIGINT NOT NULL,
    ends_unix_ms      BIGINT NOT NULL,
    used_unix_ms      BIGINT,
    revoked_unix_ms   BIGINT,
    code_hash         BYTEA NOT NULL UNIQUE,
    code_challenge    TEXT NOT NULL,
    code_used_unix_ms BIGINT,
    tag               BYTEA NOT NULL
);
CREATE INDEX oauth_grant_account ON oauth_grant (account);
CREATE INDEX oauth_grant_ends ON oauth_grant (ends_unix_ms);

CREATE TABLE oauth_token (
    hash            BYTEA PRIMARY KEY,
    grant_id        BYTEA NOT NULL REFERENCES oauth_grant (id) ON DELETE CASCADE,
    kind            TEXT NOT NULL,
    scopes          TEXT NOT NULL,
    expires_unix_ms BIGINT NOT NULL,
    used_unix_ms    BIGINT,                 -- of a refresh token: it is kept, to be known if it comes again
    tag             BYTEA NOT NULL
);
CREATE INDEX oauth_token_grant ON oauth_token (grant_id);
CREATE INDEX oauth_token_expires ON oauth_token (expires_unix_ms);
