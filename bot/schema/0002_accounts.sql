-- Accounts: servers, their rules, credits, adjustments, an audit, and running totals.
-- Jobs may be lost, and found. Run with foreign keys off, and checked before the commit.

DROP TRIGGER entries_resolve_their_own_hold;
DROP TRIGGER entries_are_never_edited;
DROP TRIGGER entries_are_never_deleted;
DROP TRIGGER jobs_begin_queued;
DROP TRIGGER jobs_end_resolved;

-- --- Jobs ---------------------------------------------------------------------------------------

CREATE TABLE new_jobs (
    id                TEXT    PRIMARY KEY,
    source            TEXT    NOT NULL UNIQUE,  -- a doubled event finds the job that is there
    task_uuid         TEXT    NOT NULL UNIQUE,  -- the provider's idempotency key, stored before it is sent
    guild_id          INTEGER NOT NULL,
    channel_id        INTEGER NOT NULL,
    member_id         INTEGER NOT NULL,
    role_ids          TEXT    NOT NULL DEFAULT '[]' CHECK (json_valid(role_ids)),
    status_message_id INTEGER,
    "order"           TEXT    NOT NULL CHECK (json_valid("order")),
    quote_micro       INTEGER NOT NULL CHECK (quote_micro > 0),
    state             TEXT    NOT NULL CHECK (state IN
                      ('queued', 'submitting', 'rendering', 'rendered', 'lost', 'delivered', 'failed')),
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

INSERT INTO new_jobs (id, source, task_uuid, guild_id, channel_id, member_id, status_message_id, "order",
                      quote_micro, state, due_at, attempts, failure, message_id, created_at, updated_at)
SELECT id, source, task_uuid, guild_id, channel_id, member_id, status_message_id, "order",
       quote_micro, state, due_at, attempts, failure, message_id, created_at, updated_at FROM jobs;
DROP TABLE jobs;
ALTER TABLE new_jobs RENAME TO jobs;

CREATE INDEX jobs_due       ON jobs (due_at) WHERE state NOT IN ('delivered', 'failed');
CREATE INDEX jobs_running   ON jobs (guild_id, member_id) WHERE state IN ('queued', 'submitting', 'rendering');
CREATE INDEX jobs_waiting   ON jobs (created_at) WHERE state IN ('queued', 'submitting');
CREATE INDEX jobs_by_member ON jobs (guild_id, member_id, created_at);

-- How many jobs are in flight, per server; server 0 is the whole bot.
CREATE TABLE running (
    guild_id INTEGER PRIMARY KEY,
    jobs     INTEGER NOT NULL CHECK (jobs >= 0)
) STRICT;

INSERT INTO running (guild_id, jobs)
SELECT guild_id, count(*) FROM jobs WHERE state IN ('queued', 'submitting', 'rendering') GROUP BY guild_id
UNION ALL
SELECT 0, count(*) FROM jobs WHERE state IN ('queued', 'submitting', 'rendering');

CREATE TRIGGER jobs_begin_queued BEFORE INSERT ON jobs WHEN NEW.state <> 'queued'
BEGIN SELECT RAISE(ABORT, 'a new job is queued'); END;

CREATE TRIGGER jobs_begin_to_run AFTER INSERT ON jobs
BEGIN
    INSERT INTO running (guild_id, jobs) VALUES (0, 1), (NEW.guild_id, 1)
        ON CONFLICT (guild_id) DO UPDATE SET jobs = jobs + 1;
END;

CREATE TRIGGER jobs_stop_to_run AFTER UPDATE OF state ON jobs
WHEN OLD.state IN ('queued', 'submitting', 'rendering')
 AND NEW.state NOT IN ('queued', 'submitting', 'rendering')
BEGIN
    UPDATE running SET jobs = jobs - 1 WHERE guild_id IN (0, NEW.guild_id);
END;

-- --- Entries ------------------------------------------------------------------------------------

CREATE TABLE new_entries (
    id            INTEGER PRIMARY KEY,
    kind          TEXT    NOT NULL CHECK (kind IN ('hold', 'spend', 'release', 'grant', 'adjustment')),
    job_id        TEXT    REFERENCES jobs (id),
    member_id     INTEGER NOT NULL,
    guild_id      INTEGER NOT NULL,
    day           TEXT    NOT NULL CHECK (day IS date(day, '+0 days')),  -- of acceptance, in the server's zone
    utc_day       TEXT    NOT NULL CHECK (utc_day IS date(utc_day, '+0 days')),
    held_micro    INTEGER NOT NULL,
    spent_micro   INTEGER NOT NULL CHECK (spent_micro >= 0),
    excused_micro INTEGER NOT NULL,  -- the part of these two that the member's limits do not see
    credit_micro  INTEGER NOT NULL CHECK (credit_micro >= 0),
    expires_at    INTEGER,
    actor_id      INTEGER,
    at            INTEGER NOT NULL,
    note          TEXT    NOT NULL,
    CONSTRAINT a_hold_holds CHECK (kind <> 'hold' OR
        (job_id IS NOT NULL AND held_micro > 0 AND spent_micro = 0 AND excused_micro BETWEEN 0 AND held_micro)),
    CONSTRAINT a_resolution_gives_back CHECK (kind NOT IN ('spend', 'release') OR
        (job_id IS NOT NULL AND held_micro < 0 AND excused_micro <= 0)),
    CONSTRAINT a_release_costs_nothing CHECK (kind <> 'release' OR spent_micro = 0),
    CONSTRAINT only_a_grant_grants CHECK ((kind = 'grant') = (credit_micro > 0)),
    CONSTRAINT a_grant_moves_no_money CHECK (kind <> 'grant' OR
        (job_id IS NULL AND held_micro = 0 AND spent_micro = 0 AND excused_micro = 0)),
    CONSTRAINT an_adjustment_holds_nothing CHECK (kind <> 'adjustment' OR
        (held_micro = 0 AND ((job_id IS NOT NULL AND excused_micro = 0)
                          OR (job_id IS NULL AND spent_micro = 0 AND excused_micro > 0)))),
    CONSTRAINT people_say_why CHECK (kind NOT IN ('grant', 'adjustment') OR note <> '')
) STRICT;

INSERT INTO new_entries (id, kind, job_id, member_id, guild_id, day, utc_day, held_micro, spent_micro,
                         excused_micro, credit_micro, at, note)
SELECT entries.id, kind, job_id, entries.member_id, entries.guild_id,
       date(jobs.created_at / 1000, 'unixepoch'), date(jobs.created_at / 1000, 'unixepoch'),
       held_micro, spent_micro, 0, 0, at, note
  FROM entries JOIN jobs ON jobs.id = entries.job_id;
DROP TABLE entries;
ALTER TABLE new_entries RENAME TO entries;

-- The first is also the way to all of a job's entries; every such question must name job_id.
CREATE UNIQUE INDEX entries_once           ON entries (job_id, kind) WHERE job_id IS NOT NULL;
CREATE UNIQUE INDEX entries_one_resolution ON entries (job_id) WHERE kind IN ('spend', 'release');
CREATE INDEX entries_grants  ON entries (guild_id, member_id) WHERE kind = 'grant';
CREATE INDEX entries_by_day  ON entries (guild_id, day);

CREATE TRIGGER entries_resolve_their_own_hold BEFORE INSERT ON entries WHEN NEW.kind IN ('spend', 'release')
BEGIN
    SELECT RAISE(ABORT, 'a resolution gives back exactly the hold of its job')
     WHERE NOT EXISTS (
        SELECT 1 FROM entries
         WHERE job_id = NEW.job_id AND kind = 'hold' AND held_micro = -NEW.held_micro
           AND excused_micro + NEW.excused_micro BETWEEN 0 AND NEW.spent_micro
           AND member_id = NEW.member_id AND guild_id = NEW.guild_id
           AND day = NEW.day AND utc_day = NEW.utc_day);
END;

CREATE TRIGGER entries_find_what_was_released BEFORE INSERT ON entries
WHEN NEW.kind = 'adjustment' AND NEW.job_id IS NOT NULL
BEGIN
    SELECT RAISE(ABORT, 'only a released job can be found, in its own period')
     WHERE NOT EXISTS (
        SELECT 1 FROM entries
         WHERE job_id = NEW.job_id AND kind = 'release'
           AND member_id = NEW.member_id AND guild_id = NEW.guild_id
           AND day = NEW.day AND utc_day = NEW.utc_day);
END;

CREATE TRIGGER entries_are_never_edited BEFORE UPDATE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;

CREATE TRIGGER entries_are_never_deleted BEFORE DELETE ON entries
BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;

-- A final or paid state has its money resolved, whoever writes it.
CREATE TRIGGER jobs_end_resolved BEFORE UPDATE OF state ON jobs
WHEN NEW.state IN ('rendered', 'lost', 'delivered', 'failed') AND NEW.state <> OLD.state
BEGIN
    SELECT RAISE(ABORT, 'the hold of this job is still open')
     WHERE NOT EXISTS (SELECT 1 FROM entries WHERE job_id = NEW.id AND kind IN ('spend', 'release'));
    SELECT RAISE(ABORT, 'what this job did cost is not booked')
     WHERE NEW.state IN ('rendered', 'delivered')
       AND NOT EXISTS (SELECT 1 FROM entries WHERE job_id = NEW.id AND kind IN ('spend', 'adjustment'));
END;

-- --- What clips draw from grants; below 0 it is given back ---------------------------------------

CREATE TABLE draws (
    id       INTEGER PRIMARY KEY,
    job_id   TEXT    NOT NULL REFERENCES jobs (id),
    grant_id INTEGER NOT NULL REFERENCES entries (id),
    micro    INTEGER NOT NULL CHECK (micro <> 0)
) STRICT;

CREATE INDEX draws_by_grant ON draws (grant_id, micro);
CREATE UNIQUE INDEX draws_once      ON draws (job_id, grant_id) WHERE micro > 0;
CREATE UNIQUE INDEX draws_back_once ON draws (job_id, grant_id) WHERE micro < 0;

CREATE TRIGGER draws_stay_within_their_grant BEFORE INSERT ON draws
BEGIN
    SELECT RAISE(ABORT, 'a clip draws on grants of its own member only')
     WHERE NOT EXISTS (
        SELECT 1 FROM entries JOIN jobs USING (guild_id, member_id)
         WHERE entries.id = NEW.grant_id AND entries.kind = 'grant' AND jobs.id = NEW.job_id);
    SELECT RAISE(ABORT, 'more would be drawn than was granted')
     WHERE NEW.micro > (SELECT credit_micro FROM entries WHERE id = NEW.grant_id)
                     - (SELECT coalesce(sum(micro), 0) FROM draws WHERE grant_id = NEW.grant_id);
    SELECT RAISE(ABORT, 'more would be given back than was drawn')
     WHERE NEW.micro < 0 AND -NEW.micro > coalesce(
        (SELECT micro FROM draws WHERE job_id = NEW.job_id AND grant_id = NEW.grant_id AND micro > 0), 0);
END;

CREATE TRIGGER draws_are_never_edited BEFORE UPDATE ON draws
BEGIN SELECT RAISE(ABORT, 'draws are append-only'); END;

CREATE TRIGGER draws_are_never_deleted BEFORE DELETE ON draws
BEGIN SELECT RAISE(ABORT, 'draws are append-only'); END;

-- --- Running totals, proved equal to the entries by `check` --------------------------------------

-- Member 0 is the server's own account, server 0 with member 0 the whole bot's, which counts by UTC days.
CREATE TABLE totals (
    guild_id      INTEGER NOT NULL,
    member_id     INTEGER NOT NULL,
    day           TEXT    NOT NULL,
    spent_micro   INTEGER NOT NULL,
    held_micro    INTEGER NOT NULL,
    excused_micro INTEGER NOT NULL,
    PRIMARY KEY (guild_id, member_id, day)
) STRICT, WITHOUT ROWID;

CREATE INDEX totals_by_day ON totals (guild_id, day);

INSERT INTO totals (guild_id, member_id, day, spent_micro, held_micro, excused_micro)
SELECT guild_id, member_id, day, sum(spent_micro), sum(held_micro), sum(excused_micro)
  FROM entries GROUP BY guild_id, member_id, day
UNION ALL
SELECT guild_id, 0, day, sum(spent_micro), sum(held_micro), 0 FROM entries GROUP BY guild_id, day
UNION ALL
SELECT 0, 0, utc_day, sum(spent_micro), sum(held_micro), 0 FROM entries GROUP BY utc_day;

CREATE TRIGGER entries_add_up AFTER INSERT ON entries WHEN NEW.kind <> 'grant'
BEGIN
    INSERT INTO totals (guild_id, member_id, day, spent_micro, held_micro, excused_micro)
    VALUES (NEW.guild_id, NEW.member_id, NEW.day, NEW.spent_micro, NEW.held_micro, NEW.excused_micro),
           (NEW.guild_id, 0, NEW.day, NEW.spent_micro, NEW.held_micro, 0),
           (0, 0, NEW.utc_day, NEW.spent_micro, NEW.held_micro, 0)
        ON CONFLICT (guild_id, member_id, day) DO UPDATE
       SET spent_micro   = spent_micro + excluded.spent_micro,
           held_micro    = held_micro + excluded.held_micro,
           excused_micro = excused_micro + excluded.excused_micro;
END;

-- --- Servers, their rules, and who changed what --------------------------------------------------

CREATE TABLE servers (
    guild_id INTEGER PRIMARY KEY,
    timezone TEXT    NOT NULL DEFAULT 'UTC',
    receipts INTEGER NOT NULL DEFAULT 1 CHECK (receipts IN (0, 1))
) STRICT;

CREATE TABLE rules (
    guild_id  INTEGER NOT NULL,
    target    TEXT    NOT NULL CHECK (target IN ('server', 'default', 'role', 'member')),
    target_id INTEGER NOT NULL CHECK ((target IN ('server', 'default')) = (target_id = 0)),
    measure   TEXT    NOT NULL CHECK (measure IN ('day', 'week', 'month', 'clips', 'cooldown')),
    value     INTEGER CHECK (value >= 0),  -- micro-dollars, clips or seconds; NULL is unlimited
    PRIMARY KEY (guild_id, target, target_id, measure)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit (
    id       INTEGER PRIMARY KEY,
    guild_id INTEGER NOT NULL,
    actor_id INTEGER NOT NULL,
    action   TEXT    NOT NULL,
    target   TEXT    NOT NULL,
    before   TEXT    NOT NULL,
    after    TEXT    NOT NULL,
    at       INTEGER NOT NULL,
    reason   TEXT    NOT NULL
) STRICT;

CREATE INDEX audit_by_server ON audit (guild_id, at);

CREATE TRIGGER audit_is_never_edited BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;

CREATE TRIGGER audit_is_never_deleted BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;

-- What the service last charged for one clip of a kind, so that the next hold knows.
CREATE TABLE prices (
    clip_kind  TEXT    PRIMARY KEY,
    cost_micro INTEGER NOT NULL CHECK (cost_micro >= 0),
    at         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
