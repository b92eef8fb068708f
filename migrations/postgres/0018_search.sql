-- The search over tickets: each has its place in time, and its terms (see ticket::search) twice: all of it, and what units may read.
CREATE TABLE ticket_search (
    seq       BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket_id TEXT NOT NULL UNIQUE,
    words     tsvector NOT NULL,
    open      tsvector NOT NULL
);
CREATE INDEX ticket_search_words ON ticket_search USING gin (words);
CREATE INDEX ticket_search_open ON ticket_search USING gin (open);
