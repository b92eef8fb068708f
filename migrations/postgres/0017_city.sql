-- The city's 12345. Its number is one ticket, however often the order comes.
CREATE TABLE city_orders (
    city_no   TEXT NOT NULL PRIMARY KEY,
    ticket_id TEXT NOT NULL UNIQUE,
    -- Of the order as it came first: another text under the same number is told apart.
    digest    BYTEA NOT NULL,
    at        BIGINT NOT NULL
);
-- What the city says afterwards: rulings, its own callbacks, points. Never added to our rates.
CREATE TABLE city_messages (
    -- The city's own id.
    id        TEXT NOT NULL PRIMARY KEY,
    ticket_id TEXT NOT NULL,
    -- decision, visit, points.
    kind      TEXT NOT NULL,
    at        BIGINT NOT NULL,
    -- JSON without anything personal.
    payload   TEXT NOT NULL,
    -- Its words, under the ticket's key.
    sealed    BYTEA
);
CREATE INDEX city_messages_by_ticket ON city_messages (ticket_id, at);
CREATE INDEX city_messages_by_time ON city_messages (at DESC, id DESC);

-- The city's number on the ticket: of its order, or of the receipt for one of ours.
ALTER TABLE tickets ADD COLUMN city_no TEXT;
CREATE INDEX tickets_by_city_no ON tickets (city_no) WHERE city_no IS NOT NULL;
CREATE INDEX outbox_by_ticket ON outbox (ticket_id, created_at) WHERE kind = 'city';
