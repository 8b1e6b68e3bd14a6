-- Pictures that are in a channel already, what people wish beside the order, and who may do what.

ALTER TABLE jobs ADD COLUMN door TEXT NOT NULL DEFAULT 'command'
    CHECK (door IN ('command', 'menu', 'reaction', 'reply', 'again'));
ALTER TABLE jobs ADD COLUMN wish TEXT NOT NULL DEFAULT '{}' CHECK (json_valid(wish));
-- The picture's message; NULL where the member handed over a picture of their own.
ALTER TABLE jobs ADD COLUMN picture_channel_id INTEGER;
ALTER TABLE jobs ADD COLUMN picture_message_id INTEGER;
ALTER TABLE jobs ADD COLUMN picture_key        TEXT;
ALTER TABLE jobs ADD COLUMN picture_author_id  INTEGER;

-- However often a reaction is seen, there is one clip in the making for it.
CREATE UNIQUE INDEX jobs_once_by_reaction ON jobs (picture_message_id, picture_key, member_id)
    WHERE door = 'reaction' AND state NOT IN ('delivered', 'failed');

-- The service's own word that a clip is not for everybody.
ALTER TABLE clips ADD COLUMN is_flagged INTEGER NOT NULL DEFAULT 0 CHECK (is_flagged IN (0, 1));

-- The token of a private answer: the one way to it, and only for minutes. Gone with the last word of
-- its job, or when it has expired.
CREATE TABLE answers (
    job_id      TEXT    PRIMARY KEY REFERENCES jobs (id),
    token       TEXT    NOT NULL,
    expires_at  INTEGER NOT NULL,
    most_bytes  INTEGER,  -- of a file in it, by Discord's word
    takes_clips INTEGER NOT NULL CHECK (takes_clips IN (0, 1))  -- whatever the wish was
) STRICT;

CREATE INDEX answers_by_end ON answers (expires_at);

CREATE TABLE policies (
    guild_id INTEGER PRIMARY KEY,
    policy   TEXT    NOT NULL CHECK (json_valid(policy))
) STRICT;

CREATE TABLE blocks (
    guild_id  INTEGER NOT NULL,
    member_id INTEGER NOT NULL,
    actor_id  INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    reason    TEXT    NOT NULL,
    PRIMARY KEY (guild_id, member_id)
) STRICT, WITHOUT ROWID;

-- What waits for the author of a picture to agree; nothing is held for it.
CREATE TABLE approvals (
    id           INTEGER PRIMARY KEY,
    guild_id     INTEGER NOT NULL,
    member_id    INTEGER NOT NULL,
    author_id    INTEGER NOT NULL,
    ask          TEXT    NOT NULL CHECK (json_valid(ask)),
    expires_at   INTEGER NOT NULL
) STRICT;

ALTER TABLE member_settings ADD COLUMN has_opted_out INTEGER NOT NULL DEFAULT 0 CHECK (has_opted_out IN (0, 1));
ALTER TABLE member_settings ADD COLUMN duration      REAL;
ALTER TABLE member_settings ADD COLUMN shape         TEXT;
ALTER TABLE member_settings ADD COLUMN fit           TEXT;
ALTER TABLE member_settings ADD COLUMN is_private    INTEGER NOT NULL DEFAULT 0 CHECK (is_private IN (0, 1));
