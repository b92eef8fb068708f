-- Citizens who asked to be called back, by the call in which they did: what their list is sorted and filtered by. Everything else,
-- numbers above all, is in the call's own row.
CREATE TABLE callbacks (
    call_id  TEXT NOT NULL PRIMARY KEY,
    queue    TEXT NOT NULL,
    -- waiting, dialling, or how it is over.
    state    TEXT NOT NULL,
    asked_at BIGINT NOT NULL
);
CREATE INDEX callbacks_by_time ON callbacks (asked_at DESC, call_id DESC);
CREATE INDEX callbacks_open ON callbacks (asked_at) WHERE state IN ('waiting', 'dialling');
