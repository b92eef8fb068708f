-- 语音催签: attempts to tell somebody by telephone of an urgent ticket that nobody signed for.
CREATE TABLE voice_urges (
    id        TEXT NOT NULL PRIMARY KEY,
    ticket_id TEXT NOT NULL,
    unit      TEXT NOT NULL,
    -- duty, deputy, office.
    rung      TEXT NOT NULL,
    number    TEXT NOT NULL,
    begun_at  BIGINT NOT NULL,
    -- NULL while it is under way; then a line of the ticket's history says the same.
    result    TEXT
);
CREATE UNIQUE INDEX voice_urges_open ON voice_urges (ticket_id) WHERE result IS NULL;
-- The attempt that a call is.
ALTER TABLE calls ADD COLUMN urge TEXT;
CREATE INDEX calls_by_urge ON calls (urge) WHERE urge IS NOT NULL;
