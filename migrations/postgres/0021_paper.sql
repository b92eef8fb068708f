-- 系统中断: sheets of paper written while the system was down, entered afterwards with the time that stands on them.
-- PostgreSQL dialect. Keep step with migrations/sqlite/0021_paper.sql.
-- When the citizen said it, where that was before the ticket was written: his clock begins then.
ALTER TABLE tickets ADD COLUMN received_at BIGINT;
CREATE TABLE paper_sheets (
    series      TEXT COLLATE "C" NOT NULL,
    n           BIGINT NOT NULL,
    -- NULL: the sheet is void, and `reason` says why.
    ticket_id   TEXT COLLATE "C",
    reason      TEXT,
    received_at BIGINT,
    entered_at  BIGINT NOT NULL,
    by_user     TEXT NOT NULL,
    PRIMARY KEY (series, n)
);
CREATE UNIQUE INDEX paper_sheets_by_ticket ON paper_sheets (ticket_id) WHERE ticket_id IS NOT NULL;
CREATE INDEX paper_sheets_by_time ON paper_sheets (entered_at DESC, series DESC, n DESC);
