-- How long the last clips of each kind took to be made; and who waits in line, from an index alone.

CREATE TABLE renders (
    id        INTEGER PRIMARY KEY,
    clip_kind TEXT    NOT NULL,
    took_ms   INTEGER NOT NULL CHECK (took_ms >= 0)  -- from the service's yes to our seeing it
) STRICT;

CREATE INDEX renders_by_kind ON renders (clip_kind);

DROP INDEX jobs_waiting;
CREATE INDEX jobs_waiting ON jobs (created_at, state, guild_id, member_id) WHERE state IN ('queued', 'submitting');
