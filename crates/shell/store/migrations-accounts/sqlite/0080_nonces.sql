-- Ordered by their end: nonces of one time stand side by side, so that those which come together are written into one
-- page or two, and those that are over are taken off the front. A nonce has one end, so it still comes once.
CREATE TABLE key_nonce_by_end (
    expires_unix_ms INTEGER NOT NULL,
    id              BLOB NOT NULL,
    tag             BLOB NOT NULL,
    PRIMARY KEY (expires_unix_ms, id)
) STRICT, WITHOUT ROWID;
INSERT INTO key_nonce_by_end (expires_unix_ms, id, tag) SELECT expires_unix_ms, id, tag FROM key_nonce;
DROP TABLE key_nonce;
ALTER TABLE key_nonce_by_end RENAME TO key_nonce;
