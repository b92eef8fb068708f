-- The knowledge base: entries with their versions, what was done with them, what agents quoted and looked for in vain.
CREATE TABLE kb_entries (
    id            TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    -- Of the newest version.
    unit          TEXT COLLATE "C" NOT NULL,
    category      TEXT COLLATE "C" NOT NULL,
    title         TEXT NOT NULL,
    stage         TEXT NOT NULL,
    head          BIGINT NOT NULL,
    -- The version agents read, and since when.
    live          BIGINT,
    live_at       BIGINT,
    -- Why the live version may not be quoted.
    doubt         TEXT,
    -- What it contradicts: in words, the other entry, the newest version when it was found.
    conflict_text TEXT,
    conflict_with TEXT COLLATE "C",
    conflict_at   BIGINT,
    writer        TEXT NOT NULL,
    -- Lines of its history: whoever changes it says which of them he has seen.
    events        BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    changed_at    BIGINT NOT NULL
);
CREATE INDEX kb_entries_by_time ON kb_entries (changed_at DESC, id DESC);
CREATE INDEX kb_entries_by_unit ON kb_entries (unit, changed_at DESC);

-- Append-only: what was quoted once can be read for ever.
CREATE TABLE kb_versions (
    entry_id    TEXT COLLATE "C" NOT NULL,
    n           BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    by_user     TEXT NOT NULL,
    title       TEXT NOT NULL,
    -- JSON array.
    questions   TEXT NOT NULL,
    answer      TEXT NOT NULL,
    full_text   TEXT NOT NULL,
    papers      TEXT NOT NULL,
    place       TEXT NOT NULL,
    basis       TEXT NOT NULL,
    unit        TEXT COLLATE "C" NOT NULL,
    category    TEXT COLLATE "C" NOT NULL,
    -- Days, YYYY-MM-DD.
    valid_from  TEXT,
    valid_until TEXT,
    review_by   TEXT NOT NULL,
    source      TEXT NOT NULL,
    confidence  TEXT NOT NULL,
    PRIMARY KEY (entry_id, n)
);
CREATE FUNCTION kb_versions_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'kb_versions is append-only';
END $$;
CREATE TRIGGER kb_versions_keep BEFORE UPDATE OR DELETE ON kb_versions
    FOR EACH ROW EXECUTE FUNCTION kb_versions_refuse();

CREATE TABLE kb_events (
    entry_id TEXT COLLATE "C" NOT NULL,
    n        BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    step     TEXT NOT NULL,
    by_user  TEXT NOT NULL,
    -- The newest version then.
    version  BIGINT NOT NULL,
    reason   TEXT NOT NULL,
    PRIMARY KEY (entry_id, n)
);
CREATE FUNCTION kb_events_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'kb_events is append-only';
END $$;
CREATE TRIGGER kb_events_keep BEFORE UPDATE OR DELETE ON kb_events
    FOR EACH ROW EXECUTE FUNCTION kb_events_refuse();

-- n: changes of what agents read, so that an index knows that it is old. made: entries made so far.
CREATE TABLE kb_state (
    id   BIGINT NOT NULL PRIMARY KEY,
    n    BIGINT NOT NULL,
    made BIGINT NOT NULL
);
INSERT INTO kb_state (id, n, made) VALUES (1, 0, 0);

-- Which answer was given in which call, in the very version.
CREATE TABLE kb_quotes (
    id        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    entry_id  TEXT COLLATE "C" NOT NULL,
    version   BIGINT NOT NULL,
    call_id   TEXT COLLATE "C" NOT NULL,
    ticket_id TEXT COLLATE "C",
    at        BIGINT NOT NULL,
    by_user   TEXT NOT NULL
);
CREATE UNIQUE INDEX kb_quotes_by_call ON kb_quotes (call_id, entry_id, version);
CREATE INDEX kb_quotes_by_ticket ON kb_quotes (ticket_id) WHERE ticket_id IS NOT NULL;
CREATE INDEX kb_quotes_by_entry ON kb_quotes (entry_id, at DESC);
CREATE FUNCTION kb_quotes_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'kb_quotes is append-only';
END $$;
CREATE TRIGGER kb_quotes_keep BEFORE UPDATE OR DELETE ON kb_quotes
    FOR EACH ROW EXECUTE FUNCTION kb_quotes_refuse();

-- Finished searches, without long numbers. used: the entry that was quoted or read at length; none: a gap.
CREATE TABLE kb_searches (
    id      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    at      BIGINT NOT NULL,
    by_user TEXT NOT NULL,
    q       TEXT COLLATE "C" NOT NULL,
    found   BIGINT NOT NULL,
    used    TEXT COLLATE "C"
);
CREATE INDEX kb_searches_by_time ON kb_searches (at);

-- 纠错: an error somebody found, and what came of it.
CREATE TABLE kb_corrections (
    id       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    entry_id TEXT COLLATE "C" NOT NULL,
    version  BIGINT NOT NULL,
    unit     TEXT COLLATE "C" NOT NULL,
    at       BIGINT NOT NULL,
    by_user  TEXT NOT NULL,
    text     TEXT NOT NULL,
    due_at   BIGINT NOT NULL,
    -- fixed, unfounded.
    outcome  TEXT,
    answer   TEXT,
    done_at  BIGINT,
    done_by  TEXT
);
CREATE INDEX kb_corrections_by_time ON kb_corrections (at DESC, id DESC);
CREATE INDEX kb_corrections_by_entry ON kb_corrections (entry_id, at DESC);

-- 政策变更单: what changes from when, and the entries it touches, each done with its next publication.
CREATE TABLE kb_notices (
    id           TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    unit         TEXT COLLATE "C" NOT NULL,
    at           BIGINT NOT NULL,
    by_user      TEXT NOT NULL,
    effective_on TEXT NOT NULL,
    text         TEXT NOT NULL,
    due_at       BIGINT NOT NULL,
    done_at      BIGINT,
    -- Who closed it; none: the last of its entries was published.
    done_by      TEXT
);
CREATE INDEX kb_notices_by_time ON kb_notices (at DESC, id DESC);
CREATE TABLE kb_notice_entries (
    notice_id TEXT COLLATE "C" NOT NULL,
    entry_id  TEXT COLLATE "C" NOT NULL,
    done_at   BIGINT,
    PRIMARY KEY (notice_id, entry_id)
);
CREATE INDEX kb_notice_entries_open ON kb_notice_entries (entry_id) WHERE done_at IS NULL;

-- 口径单: the agreed wording for one hot matter; it withdraws itself.
CREATE TABLE kb_wordings (
    id       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    unit     TEXT COLLATE "C" NOT NULL,
    title    TEXT NOT NULL,
    text     TEXT NOT NULL,
    from_at  BIGINT NOT NULL,
    until_at BIGINT NOT NULL,
    at       BIGINT NOT NULL,
    by_user  TEXT NOT NULL
);
CREATE INDEX kb_wordings_by_end ON kb_wordings (until_at);
