-- After the clip: what was taken away again, and where else it was posted.

-- Since when the clips of a job are deleted, by a button; nothing posts them again.
ALTER TABLE jobs ADD COLUMN deleted_at INTEGER;

-- Messages with clips of a job besides the first one: posted again by their person, or one for each clip.
CREATE TABLE posts (
    job_id     TEXT    NOT NULL REFERENCES jobs (id),
    channel_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    PRIMARY KEY (job_id, message_id)
) STRICT, WITHOUT ROWID;
