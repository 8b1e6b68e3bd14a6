-- Jobs, their clips, and the accounts. Times are Unix milliseconds, money is whole micro-dollars.

CREATE TABLE jobs (
    id                TEXT    PRIMARY KEY,
    source            TEXT    NOT NULL UNIQUE,  -- a doubled event finds the job that is there
    task_uuid         TEXT    NOT NULL UNIQUE,  -- the provider's idempotency key, stored before it is sent
    guild_id          INTEGER NOT NULL,
    channel_id        INTEGER NOT NULL,
    member_id         INTEGER NOT NULL,
    status_message_id INTEGER,
    "order"           TEXT    NOT NULL CHECK (json_valid("order")),
    quote_micro       INTEGER NOT NULL CHECK (quote_micro > 0),
    state             TEXT    NOT NULL CHECK (state IN
                      ('queued', 'submitting', 'rendering', 'rendered', 'delivered', 'failed')),
    due_at            INTEGER NOT NULL,
    attempts          INTEGER NOT NULL CHECK (attempts >= 0),
    failure           TEXT,
    message_id        INTEGER,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    -- state and outcome cannot disagree
    CONSTRAINT delivered_has_a_message CHECK ((state = 'delivered') = (message_id IS NOT NULL)),
    CONSTRAINT failed_has_a_reason     CHECK ((state = 'failed') = (failure IS NOT NULL))
) STRICT;

CREATE INDEX jobs_due ON jobs (due_at) WHERE state NOT IN ('delivered', 'failed');

CREATE TABLE clips (
    job_id     TEXT    NOT NULL REFERENCES jobs (id),
    ordinal    INTEGER NOT NULL CHECK (ordinal >= 0),
    video_uuid TEXT    NOT NULL,
    url        TEXT    NOT NULL,
    seed       INTEGER,
    cost_micro INTEGER CHECK (cost_micro >= 0),
    PRIMARY KEY (job_id, ordinal),
    UNIQUE (job_id, video_uuid)
) STRICT;

CREATE TABLE entries (
    id          INTEGER PRIMARY KEY,
    job_id      TEXT    NOT NULL REFERENCES jobs (id),
    kind        TEXT    NOT NULL CHECK (kind IN ('hold', 'spend', 'release')),
    member_id   INTEGER NOT NULL,
    guild_id    INTEGER NOT NULL,
    month       TEXT    NOT NULL CHECK (month GLOB '[0-9][0-9][0-9][0-9]-[01][0-9]'),
    held_micro  INTEGER NOT NULL,
    spent_micro INTEGER NOT NULL CHECK (spent_micro >= 0),
    at          INTEGER NOT NULL,
    note        TEXT    NOT NULL,
    CONSTRAINT a_hold_holds CHECK (kind <> 'hold' OR (held_micro > 0 AND spent_micro = 0)),
    CONSTRAINT a_resolution_gives_back CHECK (kind = 'hold' OR held_micro < 0),
    CONSTRAINT a_release_costs_nothing CHECK (kind <> 'release' OR spent_micro = 0)
) STRICT;

CREATE UNIQUE INDEX entries_one_hold       ON entries (job_id) WHERE kind = 'hold';
CREATE UNIQUE INDEX entries_one_resolution ON entries (job_id) WHERE kind <> 'hold';
CREATE INDEX entries_by_member ON entries (month, guild_id, member_id, held_micro, spent_micro);

CREATE TRIGGER entries_resolve_their_own_hold BEFORE INSERT ON entries WHEN NEW.kind <> 'hold'
BEGIN
    SELECT RAISE(ABORT, 'a resolution gives back exactly the hold of its job')
     WHERE NOT EXISTS (
        SELECT 1 FROM entries
         WHERE job_id = NEW.job_id AND kind = 'hold' AND held_micro = -NEW.held_micro
           AND member_id = NEW.member_id AND guild_id = NEW.guild_id AND month = NEW.month);
END;

CREATE TRIGGER entries_are_never_edited BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;

CREATE TRIGGER entries_are_never_deleted BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;

-- A job begins at the beginning, and a final state has its money resolved, whoever writes it.
CREATE TRIGGER jobs_begin_queued BEFORE INSERT ON jobs WHEN NEW.state <> 'queued'
BEGIN SELECT RAISE(ABORT, 'a new job is queued'); END;

CREATE TRIGGER jobs_end_resolved BEFORE UPDATE OF state ON jobs
WHEN NEW.state IN ('rendered', 'delivered', 'failed')
BEGIN
    SELECT RAISE(ABORT, 'the hold of this job is still open')
     WHERE NOT EXISTS (SELECT 1 FROM entries WHERE job_id = NEW.id AND kind <> 'hold');
END;

-- Small facts that outlive a process, such as the hash of the synced commands.
CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
