-- The desk's tables, PostgreSQL dialect. Keep step with migrations/sqlite/0001_desk.sql; columns have the same names and order.
-- Times are milliseconds since 1970 (UTC). Booleans are 0 and 1. Migrations only add within a version.

CREATE TABLE calls (
    id              TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    sip_call_id     TEXT NOT NULL,
    direction       TEXT NOT NULL,
    caller          TEXT,
    called          TEXT NOT NULL,
    redirected_from TEXT,
    trunk           TEXT NOT NULL,
    state           TEXT NOT NULL,
    queue           TEXT,
    agent           TEXT,
    started_at      BIGINT NOT NULL,
    answered_at     BIGINT,
    ended_at        BIGINT,
    end_reason      TEXT,
    fault           TEXT,
    flow_file       TEXT NOT NULL,
    flow_version    TEXT NOT NULL,
    recording       TEXT,
    message         TEXT,
    mos_x100        BIGINT,
    lost            BIGINT,
    jitter_us       BIGINT,
    duration_ms     BIGINT,
    -- Everything known of the call as one JSON object: the projector's fold, from which the columns above are drawn.
    detail          TEXT NOT NULL
);
CREATE INDEX calls_by_time ON calls (started_at DESC, id DESC);
CREATE INDEX calls_by_caller ON calls (caller, started_at DESC) WHERE caller IS NOT NULL;
CREATE INDEX calls_by_recording ON calls (recording) WHERE recording IS NOT NULL;
CREATE INDEX calls_by_message ON calls (message) WHERE message IS NOT NULL;
-- What retention looks for.
CREATE INDEX calls_recorded ON calls (started_at) WHERE recording IS NOT NULL;
CREATE INDEX calls_live ON calls (id) WHERE state <> 'ended';

CREATE TABLE call_events (
    call_id TEXT COLLATE "C" NOT NULL,
    -- Position of the fact in its node's journal; the node is in the call's id.
    seq     BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    mono_ns BIGINT NOT NULL,
    kind    TEXT NOT NULL,
    data    TEXT NOT NULL,
    PRIMARY KEY (call_id, seq)
);

CREATE TABLE tickets (
    id          TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    no          TEXT,
    code_hash   BYTEA,
    state       TEXT NOT NULL,
    channel     TEXT NOT NULL,
    type        TEXT,
    category    TEXT,
    street      TEXT,
    lead        TEXT,
    assist      TEXT,
    urgency     TEXT,
    title       TEXT,
    content     TEXT,
    caller      TEXT,
    secrecy     TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    accepted_at BIGINT,
    due_at      BIGINT,
    closed_at   BIGINT,
    -- The ticket's own key for the personal parts of its history; destroying it erases them.
    seal_key    BYTEA,
    -- The chain's length and head: the fold of ticket_events.
    events      BIGINT NOT NULL,
    head        BYTEA NOT NULL
);
CREATE INDEX tickets_by_time ON tickets (created_at DESC, id DESC);
CREATE INDEX tickets_by_state ON tickets (state, created_at DESC);
CREATE INDEX tickets_by_lead ON tickets (lead, created_at DESC) WHERE lead IS NOT NULL;
CREATE UNIQUE INDEX tickets_by_no ON tickets (no) WHERE no IS NOT NULL;

CREATE TABLE call_tickets (
    call_id   TEXT COLLATE "C" NOT NULL,
    ticket_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (call_id, ticket_id)
);
CREATE INDEX call_tickets_by_ticket ON call_tickets (ticket_id);

-- Append-only: nothing updates or deletes here.
CREATE TABLE ticket_events (
    ticket_id TEXT COLLATE "C" NOT NULL,
    n         BIGINT NOT NULL,
    at        BIGINT NOT NULL,
    kind      TEXT NOT NULL,
    actor     TEXT NOT NULL,
    -- JSON without personal text; what is personal is sealed under the ticket's key.
    payload   TEXT NOT NULL,
    sealed    BYTEA NOT NULL,
    hash      BYTEA NOT NULL,
    PRIMARY KEY (ticket_id, n)
);
CREATE FUNCTION ticket_events_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ticket_events is append-only';
END $$;
CREATE TRIGGER ticket_events_keep BEFORE UPDATE OR DELETE ON ticket_events
    FOR EACH ROW EXECUTE FUNCTION ticket_events_refuse();

-- Wrong look-up codes within the running hour, over all ways in.
CREATE TABLE code_tries (
    ticket_id TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    since     BIGINT NOT NULL,
    tries     BIGINT NOT NULL
);

CREATE TABLE users (
    name       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    display    TEXT NOT NULL,
    unit       TEXT,
    password   TEXT NOT NULL,
    disabled   BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE TABLE roles (
    user_name TEXT COLLATE "C" NOT NULL,
    role      TEXT NOT NULL,
    PRIMARY KEY (user_name, role)
);

CREATE TABLE sessions (
    -- SHA-256 of the token; the token itself is only in the client's hands.
    token_hash BYTEA NOT NULL PRIMARY KEY,
    user_name  TEXT COLLATE "C" NOT NULL,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    source     TEXT NOT NULL,
    agent      TEXT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_name);

CREATE TABLE access_log (
    id        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    at        BIGINT NOT NULL,
    user_name TEXT COLLATE "C" NOT NULL,
    source    TEXT NOT NULL,
    action    TEXT NOT NULL,
    subject   TEXT NOT NULL,
    outcome   TEXT NOT NULL
);
CREATE INDEX access_log_by_time ON access_log (at DESC);
CREATE INDEX access_log_by_subject ON access_log (subject, at DESC);

CREATE TABLE flows (
    node    BIGINT NOT NULL,
    seq     BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    file    TEXT NOT NULL,
    version TEXT NOT NULL,
    hash    TEXT NOT NULL,
    refused TEXT,
    PRIMARY KEY (node, seq)
);

CREATE TABLE node_events (
    node BIGINT NOT NULL,
    seq  BIGINT NOT NULL,
    at   BIGINT NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (node, seq)
);

CREATE TABLE projector_cursor (
    node BIGINT NOT NULL PRIMARY KEY,
    seq  BIGINT NOT NULL,
    at   BIGINT NOT NULL
);

CREATE TABLE settings (
    name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value BYTEA NOT NULL
);
