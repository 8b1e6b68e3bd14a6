-- The logs of servers: lines are written with the steps of clips, and posted after.

CREATE TABLE log_lines (
    id        INTEGER PRIMARY KEY,
    guild_id  INTEGER NOT NULL,
    job_id    TEXT    NOT NULL REFERENCES jobs (id),
    line      TEXT    NOT NULL CHECK (line IN ('held', 'stuck', 'delivered', 'failed')),
    at        INTEGER NOT NULL,
    is_begun  INTEGER NOT NULL DEFAULT 0 CHECK (is_begun IN (0, 1)),  -- on the page that is being posted
    is_posted INTEGER NOT NULL DEFAULT 0 CHECK (is_posted IN (0, 1)),
    UNIQUE (job_id, line)
) STRICT;

CREATE INDEX log_lines_waiting ON log_lines (guild_id, id) WHERE is_posted = 0;

CREATE TABLE logs (
    guild_id   INTEGER PRIMARY KEY,
    page_at    INTEGER NOT NULL,  -- of its last page; no two have the same, and whole seconds
    channel_id INTEGER,           -- of the page that is being posted; NULL: there is none
    first_day  TEXT,              -- where that page is a digest
    last_day   TEXT,
    tries      INTEGER NOT NULL DEFAULT 0,
    due_at     INTEGER NOT NULL DEFAULT 0,
    told_day   TEXT,              -- the last that a digest was about; NULL: none is wanted
    CONSTRAINT a_digest_has_both_days CHECK ((first_day IS NULL) = (last_day IS NULL))
) STRICT;

CREATE INDEX logs_open ON logs (guild_id) WHERE channel_id IS NOT NULL;
