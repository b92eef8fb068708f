-- What the unit reads instead of the caller's own words, and the second axis beside the category: short words, commas between.
ALTER TABLE tickets ADD COLUMN brief TEXT;
ALTER TABLE tickets ADD COLUMN tags TEXT;
-- How a call fared with the queues, for half hours and rates: when it first waited, how long in all, how the last wait ended.
ALTER TABLE calls ADD COLUMN queued_at BIGINT;
ALTER TABLE calls ADD COLUMN waited_ms BIGINT;
ALTER TABLE calls ADD COLUMN outcome TEXT;
-- The running day and the 24 hours behind it; older calls are in no figure of the floor.
UPDATE calls SET queued_at = json_extract(detail, '$.queued_at'),
    waited_ms = (SELECT SUM(json_extract(w.value, '$.waited_ms')) FROM json_each(detail, '$.queues') w),
    outcome = json_extract(detail, '$.queues[#-1].outcome')
    WHERE started_at >= (CAST(strftime('%s', 'now') AS INTEGER) - 172800) * 1000;
