-- 三率两度 as they were told: a period that was published never changes, what changes afterwards is listed as a correction.
-- SQLite dialect. Keep step with migrations/postgres/0020_rates.sql.
-- The unit's claim alone, beside 反馈率 and the caller's answer.
ALTER TABLE tickets ADD COLUMN v_claimed BIGINT;
-- By which formulas the values were counted: those of before are counted again after a start.
ALTER TABLE tickets ADD COLUMN measured BIGINT NOT NULL DEFAULT 0;
CREATE INDEX tickets_to_measure ON tickets (measured, id) WHERE detail IS NOT NULL;
-- Sums over a year read this and no ticket.
CREATE INDEX tickets_by_rates ON tickets (due_at, id, lead, reasonable, v_on_time, v_feedback, v_claimed, v_told, v_solved, v_satisfaction, v_satisfied, v_match) WHERE counted = 1;

CREATE TABLE published_periods (
    id           TEXT NOT NULL PRIMARY KEY,
    title        TEXT NOT NULL,
    from_at      BIGINT NOT NULL,
    to_at        BIGINT NOT NULL,
    published_at BIGINT NOT NULL,
    published_by TEXT NOT NULL,
    tickets      BIGINT NOT NULL,
    UNIQUE (from_at, to_at)
);
CREATE TABLE published_values (
    period_id     TEXT NOT NULL,
    ticket_id     TEXT NOT NULL,
    unit          TEXT,
    owed_at       BIGINT NOT NULL,
    is_reasonable BIGINT NOT NULL,
    p_on_time BIGINT,
    p_feedback BIGINT,
    p_claimed BIGINT,
    p_told BIGINT,
    p_solved BIGINT,
    p_satisfaction BIGINT,
    p_satisfied BIGINT,
    p_match BIGINT,
    PRIMARY KEY (period_id, ticket_id)
);
CREATE TRIGGER published_periods_keep BEFORE UPDATE ON published_periods BEGIN SELECT RAISE(ABORT, 'published_periods is append-only'); END;
CREATE TRIGGER published_periods_stay BEFORE DELETE ON published_periods BEGIN SELECT RAISE(ABORT, 'published_periods is append-only'); END;
CREATE TRIGGER published_values_keep BEFORE UPDATE ON published_values BEGIN SELECT RAISE(ABORT, 'published_values is append-only'); END;
CREATE TRIGGER published_values_stay BEFORE DELETE ON published_values BEGIN SELECT RAISE(ABORT, 'published_values is append-only'); END;
