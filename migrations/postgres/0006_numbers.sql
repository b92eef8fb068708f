-- Numbers beside calls: those of one key (统一接转), the units' duty numbers, and old numbers that still ring here.
-- PostgreSQL dialect. Keep step with migrations/sqlite/0006_numbers.sql.

CREATE TABLE service_numbers (
    key        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    name_zh    TEXT NOT NULL,
    name_en    TEXT NOT NULL,
    number     TEXT NOT NULL,
    -- Place on the panel, from 1.
    rank       BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    -- "system": as the program came.
    changed_by TEXT NOT NULL
);
INSERT INTO service_numbers (key, name_zh, name_en, number, rank, changed_at, changed_by) VALUES
    ('110',   '公安 110',   'Police',    '110',   1, 0, 'system'),
    ('119',   '消防 119',   'Fire',      '119',   2, 0, 'system'),
    ('120',   '急救 120',   'Ambulance', '120',   3, 0, 'system'),
    ('122',   '交通 122',   'Traffic',   '122',   4, 0, 'system'),
    ('gas',   '燃气抢修',   'Gas',       '96777', 5, 0, 'system'),
    ('water', '供水抢修',   'Water',     '96116', 6, 0, 'system'),
    ('power', '电力抢修',   'Power',     '95598', 7, 0, 'system'),
    ('heat',  '供热服务',   'Heat',      '96069', 8, 0, 'system');

CREATE TABLE duty_numbers (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    unit       TEXT NOT NULL,
    label      TEXT NOT NULL,
    number     TEXT NOT NULL,
    -- Of workday, weekend, holiday; separated by commas.
    days       TEXT NOT NULL,
    -- Minutes of the day. A duty that ends at or before its beginning goes on into the next day.
    from_min   BIGINT NOT NULL,
    to_min     BIGINT NOT NULL,
    -- 1 is asked first, then 2 and so on.
    rank       BIGINT NOT NULL,
    -- The last dial test, its result and who dialled.
    tested_at  BIGINT,
    result     TEXT,
    tested_by  TEXT,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL
);
CREATE INDEX duty_by_unit ON duty_numbers (unit, rank);

CREATE TABLE legacy_numbers (
    number     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    unit       TEXT,
    queue      TEXT,
    skill      TEXT,
    greeting   TEXT,
    -- The last day on which it is kept, YYYY-MM-DD.
    ends_on    TEXT,
    note       TEXT,
    changed_at BIGINT NOT NULL,
    changed_by TEXT NOT NULL
);

-- Reports by number dialled.
CREATE INDEX calls_by_called ON calls (called, started_at DESC);
