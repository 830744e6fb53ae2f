-- What an issued token may do, in the provider's words (specs/oauth.md).
ALTER TABLE issued_token ADD COLUMN scope TEXT;
