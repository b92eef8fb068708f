-- What an agent can and may do at the telephone: levels by skill and the queues he serves as JSON (no queues named: all),
-- and the mobile that is rung when he is on call.
ALTER TABLE users ADD COLUMN skills TEXT NOT NULL DEFAULT '{}';
ALTER TABLE users ADD COLUMN queues TEXT;
ALTER TABLE users ADD COLUMN mobile TEXT;
