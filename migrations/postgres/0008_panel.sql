-- What the unit reads instead of the caller's own words, and the second axis beside the category: short words, commas between.
ALTER TABLE tickets ADD COLUMN brief TEXT;
ALTER TABLE tickets ADD COLUMN tags TEXT;
-- How a call fared with the queues, for half hours and rates: when it first waited, how long in all, how the last wait ended.
ALTER TABLE calls ADD COLUMN queued_at BIGINT;
ALTER TABLE calls ADD COLUMN waited_ms BIGINT;
ALTER TABLE calls ADD COLUMN outcome TEXT;
-- The running day and the 24 hours behind it; older calls are in no figure of the floor.
UPDATE calls SET queued_at = (detail::json ->> 'queued_at')::BIGINT,
    waited_ms = (SELECT SUM((w ->> 'waited_ms')::BIGINT)::BIGINT FROM json_array_elements(detail::json -> 'queues') w),
    outcome = detail::json #>> '{queues,-1,outcome}'
    WHERE started_at >= (EXTRACT(EPOCH FROM now())::BIGINT - 172800) * 1000;
