-- Swaps and leave, asked and decided. Plans, people and shifts are files; this is what was changed of them since.
CREATE TABLE roster_requests (
    id        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    asked_at  BIGINT NOT NULL,
    asker     TEXT NOT NULL,
    -- Who has to agree before a lead decides.
    other     TEXT,
    plan      TEXT COLLATE "C" NOT NULL,
    wish      TEXT NOT NULL,
    stage     TEXT NOT NULL,
    -- Lines of its history: whoever changes it says which of them he has seen.
    version   BIGINT NOT NULL
);
CREATE INDEX roster_requests_by_time ON roster_requests (asked_at DESC, id DESC);

CREATE TABLE roster_request_events (
    request_id TEXT COLLATE "C" NOT NULL,
    n          BIGINT NOT NULL,
    at         BIGINT NOT NULL,
    stage      TEXT NOT NULL,
    by_user    TEXT NOT NULL,
    why        TEXT NOT NULL,
    PRIMARY KEY (request_id, n)
);
CREATE FUNCTION roster_request_events_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'roster_request_events is append-only';
END $$;
CREATE TRIGGER roster_request_events_keep BEFORE UPDATE OR DELETE ON roster_request_events
    FOR EACH ROW EXECUTE FUNCTION roster_request_events_refuse();

-- What an approved request made of a person's day, in the place of all that the plan says of it.
CREATE TABLE roster_days (
    plan       TEXT COLLATE "C" NOT NULL,
    person     TEXT COLLATE "C" NOT NULL,
    day        TEXT COLLATE "C" NOT NULL,
    duties     TEXT NOT NULL,
    request_id TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (plan, person, day)
);

-- Who answers for what the approved requests break.
CREATE TABLE roster_approvals (
    request_id TEXT COLLATE "C" NOT NULL,
    n          BIGINT NOT NULL,
    plan       TEXT COLLATE "C" NOT NULL,
    code       TEXT NOT NULL,
    person     TEXT COLLATE "C",
    day        TEXT COLLATE "C",
    by_user    TEXT NOT NULL,
    reason     TEXT NOT NULL,
    PRIMARY KEY (request_id, n)
);

-- Counts approvals: two leads never approve on the same view of the plan.
CREATE TABLE roster_state (
    id BIGINT NOT NULL PRIMARY KEY,
    n  BIGINT NOT NULL
);
INSERT INTO roster_state (id, n) VALUES (1, 0);

-- 必读: what every shift must have read, and who has.
CREATE TABLE roster_notices (
    id      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    at      BIGINT NOT NULL,
    until   BIGINT NOT NULL,
    by_user TEXT NOT NULL,
    text    TEXT NOT NULL
);
CREATE INDEX roster_notices_by_end ON roster_notices (until);
CREATE TABLE roster_notice_reads (
    notice_id TEXT COLLATE "C" NOT NULL,
    user_name TEXT COLLATE "C" NOT NULL,
    at        BIGINT NOT NULL,
    PRIMARY KEY (notice_id, user_name)
);
