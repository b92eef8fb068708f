-- The loop: who has a ticket, until when, who else works on it, whom it complains about. `detail` is the fold of its history as one
-- JSON object, from which the columns are drawn; drafts, and tickets that were answered at once, have none.
ALTER TABLE tickets ADD COLUMN detail TEXT;
ALTER TABLE tickets ADD COLUMN owner_role TEXT;
ALTER TABLE tickets ADD COLUMN owner_unit TEXT;
-- By when the next thing has to be done, and when four fifths of that time are over.
ALTER TABLE tickets ADD COLUMN next_due_at BIGINT;
ALTER TABLE tickets ADD COLUMN soon_at BIGINT;
-- When time will next do something by itself: a reminder, lateness.
ALTER TABLE tickets ADD COLUMN watch_at BIGINT;
-- Units below the lead that it was passed down to, commas between.
ALTER TABLE tickets ADD COLUMN subs TEXT;
-- For them it does not exist.
ALTER TABLE tickets ADD COLUMN complained_unit TEXT;
ALTER TABLE tickets ADD COLUMN complained_person TEXT;
CREATE INDEX tickets_by_next ON tickets (next_due_at, id) WHERE next_due_at IS NOT NULL;
CREATE INDEX tickets_by_watch ON tickets (watch_at, id) WHERE watch_at IS NOT NULL;
CREATE INDEX tickets_by_promise ON tickets (due_at, id) WHERE due_at IS NOT NULL;
-- 三率两度: whether the ticket counts, whether it is a reasonable demand, and hundredths it adds to each numerator (NULL: no answer).
ALTER TABLE tickets ADD COLUMN counted BIGINT;
ALTER TABLE tickets ADD COLUMN reasonable BIGINT;
ALTER TABLE tickets ADD COLUMN v_on_time BIGINT;
ALTER TABLE tickets ADD COLUMN v_feedback BIGINT;
ALTER TABLE tickets ADD COLUMN v_told BIGINT;
ALTER TABLE tickets ADD COLUMN v_solved BIGINT;
ALTER TABLE tickets ADD COLUMN v_satisfaction BIGINT;
ALTER TABLE tickets ADD COLUMN v_satisfied BIGINT;
ALTER TABLE tickets ADD COLUMN v_match BIGINT;
