-- Questions to the authors of pictures: their place, and what became of them. None was ever asked before.

DROP TABLE approvals;

CREATE TABLE approvals (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,  -- none comes twice: it is in the ids of buttons
    guild_id   INTEGER NOT NULL,
    channel_id INTEGER NOT NULL,
    message_id INTEGER,           -- NULL until the question is known to be posted
    member_id  INTEGER NOT NULL,
    author_id  INTEGER NOT NULL,
    picture    TEXT    NOT NULL,  -- its message and its key
    ask        TEXT    NOT NULL CHECK (json_valid(ask)),
    asked_at   INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    outcome    TEXT    CHECK (outcome IN ('agreed', 'declined', 'expired', 'withdrawn')),
    is_told    INTEGER NOT NULL DEFAULT 0 CHECK (is_told IN (0, 1)),
    CONSTRAINT only_an_end_is_told CHECK (is_told = 0 OR outcome IS NOT NULL)
) STRICT;

CREATE UNIQUE INDEX approvals_once ON approvals (picture, member_id) WHERE outcome IS NULL;
CREATE INDEX approvals_by_server   ON approvals (guild_id, asked_at);
CREATE INDEX approvals_untold      ON approvals (id) WHERE outcome IS NOT NULL AND is_told = 0;

-- An answer is given once.
CREATE TRIGGER approvals_end_once BEFORE UPDATE OF outcome ON approvals WHEN OLD.outcome IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'this question has its answer'); END;
