-- Where a clip may go when its channel is closed, where it went, and what members wish for themselves.

ALTER TABLE jobs ADD COLUMN parent_channel_id  INTEGER;  -- of a public thread: who sees it, sees that
ALTER TABLE jobs ADD COLUMN message_channel_id INTEGER;  -- NULL in jobs from before this column

-- The shelf: paid, and not posted yet.
CREATE INDEX jobs_kept ON jobs (guild_id, member_id) WHERE state = 'rendered';

CREATE TABLE member_settings (
    member_id    INTEGER PRIMARY KEY,
    dm_copies    INTEGER NOT NULL CHECK (dm_copies IN (0, 1)),     -- each clip also as a direct message
    dm_when_lost INTEGER NOT NULL CHECK (dm_when_lost IN (0, 1))   -- only what can be posted nowhere else
) STRICT;
