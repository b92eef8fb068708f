-- Messages from the public page: one for each form, however often it is sent. Of the form's token only a hash is kept.
CREATE TABLE web_messages (
    token     BLOB NOT NULL PRIMARY KEY,
    ticket_id TEXT NOT NULL,
    at        BIGINT NOT NULL
);
-- Pictures of tickets; the files are named by the id.
CREATE TABLE attachments (
    id        TEXT NOT NULL PRIMARY KEY,
    ticket_id TEXT NOT NULL,
    bytes     BIGINT NOT NULL,
    width     BIGINT NOT NULL,
    height    BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    by_whom   TEXT NOT NULL
);
CREATE INDEX attachments_by_ticket ON attachments (ticket_id, at);
