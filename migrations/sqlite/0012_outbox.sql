-- What goes out to people and machines: one row for each push, written in the transaction of the event that causes it.
-- SQLite dialect. Keep step with migrations/postgres/0012_outbox.sql.

CREATE TABLE outbox (
    -- Drawn from the key; receivers get it to know a repetition by.
    id          TEXT NOT NULL PRIMARY KEY,
    -- What must not be sent twice: <ticket id>:<line of its history>:<kind>.
    key         TEXT NOT NULL UNIQUE,
    -- sms, mail, webhook, city.
    kind        TEXT NOT NULL,
    ticket_id   TEXT,
    -- Which text, or what a machine is told.
    subject     TEXT NOT NULL,
    -- A unit's code where a machine or an office is told; NULL where it is a person.
    place       TEXT,
    -- JSON without anything personal.
    payload     TEXT NOT NULL,
    -- The person's number and what else is only his, under the ticket's key; NULL once its time is over.
    sealed      BLOB,
    -- queued, held, sent, dead, discarded.
    state       TEXT NOT NULL,
    tries       BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    -- When it is tried next.
    due_at      BIGINT NOT NULL,
    -- Later it would only confuse.
    until_at    BIGINT,
    -- Who is sending it, and until when nobody else may.
    lease_by    TEXT,
    lease_until BIGINT NOT NULL,
    -- Why the last try failed, in one word and a number.
    reason      TEXT,
    -- The receiver's own number for it.
    receipt     TEXT,
    done_at     BIGINT,
    -- Who tried again or gave up, and why.
    by_user     TEXT,
    by_reason   TEXT,
    -- A text for somebody who is only written to: its delivery is the first contact.
    contact     BIGINT NOT NULL
);
CREATE INDEX outbox_due ON outbox (due_at, id) WHERE state = 'queued';
CREATE INDEX outbox_by_time ON outbox (created_at DESC, id DESC);
CREATE INDEX outbox_by_state ON outbox (state, created_at DESC, id DESC);
CREATE INDEX outbox_sealed ON outbox (created_at) WHERE sealed IS NOT NULL;

-- The look-up code under the ticket's own key, so that a text can name it; its hash stays what is compared.
ALTER TABLE tickets ADD COLUMN code_sealed BLOB;
