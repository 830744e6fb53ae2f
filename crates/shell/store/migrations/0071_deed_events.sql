-- What was signed at a place, so that the same event may be asked for again where a crash came before
-- its file (specs/container.md). Absent where a version before signed it: such a one is not the same.
ALTER TABLE deed_signed ADD COLUMN event TEXT;
