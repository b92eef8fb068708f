-- Sessions in which the head of a department takes calls (一把手接听), dial tests of duty numbers, signatures of hand-overs.
-- PostgreSQL dialect. Keep step with migrations/sqlite/0009_leader_sessions.sql.

CREATE TABLE leader_sessions (
    id         TEXT NOT NULL PRIMARY KEY,
    -- Its number in the series.
    no         BIGINT NOT NULL UNIQUE,
    unit       TEXT NOT NULL,
    -- YYYY-MM-DD, and minutes of that day.
    day        TEXT NOT NULL,
    from_min   BIGINT NOT NULL,
    to_min     BIGINT NOT NULL,
    -- Who answers: names and posts; and what may be asked.
    names      TEXT NOT NULL,
    scope      TEXT NOT NULL,
    -- By whose sign-in and device the head takes his calls, and who listens and writes.
    seat       TEXT NOT NULL,
    recorder   TEXT,
    cancelled  BIGINT NOT NULL,
    version    BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL
);
CREATE INDEX leader_sessions_by_day ON leader_sessions (day);

-- The session in which the caller asked for the head.
ALTER TABLE calls ADD COLUMN leader_session TEXT;
CREATE INDEX calls_by_session ON calls (leader_session) WHERE leader_session IS NOT NULL;

-- Reports by number dialled count diversions too.
CREATE INDEX calls_by_redirected ON calls (redirected_from, started_at DESC) WHERE redirected_from IS NOT NULL;

-- One row for each test that was dialled; the duty number's own row has the last.
CREATE TABLE duty_tests (
    call_id    TEXT NOT NULL PRIMARY KEY,
    duty_id    TEXT NOT NULL,
    number     TEXT NOT NULL,
    at         BIGINT NOT NULL,
    by_user    TEXT NOT NULL,
    -- answered, busy, no_answer, failed.
    result     TEXT NOT NULL,
    -- Final SIP status; 200 where somebody answered, 0 where none came.
    sip_status BIGINT NOT NULL,
    -- From the dialling to the answer, or to the end without one.
    ring_ms    BIGINT NOT NULL
);
CREATE INDEX duty_tests_by_number ON duty_tests (duty_id, at DESC);
ALTER TABLE duty_numbers ADD COLUMN sip_status BIGINT;
ALTER TABLE duty_numbers ADD COLUMN ring_ms BIGINT;

-- Appended, never changed: who signed which change of shifts, and what the sheet said.
CREATE TABLE handover_signatures (
    -- The minute at which the next shift begins, YYYY-MM-DDTHH:MM.
    turn    TEXT NOT NULL,
    n       BIGINT NOT NULL,
    -- out, in.
    part    TEXT NOT NULL,
    at      BIGINT NOT NULL,
    by_user TEXT NOT NULL,
    -- JSON, as it was signed; whoever signs in signs the same.
    sheet   TEXT NOT NULL,
    PRIMARY KEY (turn, n)
);
