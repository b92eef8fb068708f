-- The search over tickets: each has its place in time, and its terms (see ticket::search) twice: all of it, and what units may read.
CREATE TABLE ticket_search (
    seq       INTEGER PRIMARY KEY AUTOINCREMENT,
    ticket_id TEXT NOT NULL UNIQUE
);
-- The terms alone, without the texts.
CREATE VIRTUAL TABLE ticket_words USING fts5(
    words, open, content = '', contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 0'
);
