-- Files going out and coming in. Who exported what: the id stands on every sheet, and leads back to him.
-- SQLite dialect. Keep step with migrations/postgres/0019_files.sql.
CREATE TABLE exports (
    id         TEXT NOT NULL PRIMARY KEY,
    at         BIGINT NOT NULL,
    by_user    TEXT NOT NULL,
    source     TEXT NOT NULL,
    -- csv, xlsx.
    format     TEXT NOT NULL,
    -- What was asked for, telephone numbers left out.
    filter     TEXT NOT NULL,
    -- Written into the file; NULL while it is under way, or when it was broken off.
    row_count  BIGINT
);
CREATE INDEX exports_by_time ON exports (at DESC, id DESC);
-- History from before this program: the number a ticket had then. It was imported exactly if it has one.
ALTER TABLE tickets ADD COLUMN old_no TEXT;
CREATE UNIQUE INDEX tickets_by_old_no ON tickets (old_no) WHERE old_no IS NOT NULL;
