-- What somebody is still choosing: which of several pictures, or how one is cut. Nothing is held for it.

CREATE TABLE drafts (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used again: it is in the source of a wish
    member_id  INTEGER NOT NULL,
    draft      TEXT    NOT NULL CHECK (json_valid(draft)),
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX drafts_by_end ON drafts (expires_at);
