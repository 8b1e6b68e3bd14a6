-- Clips that wait for a moderator, and who let them out.

CREATE TABLE reviews (
    job_id     TEXT    PRIMARY KEY REFERENCES jobs (id),
    held_at    INTEGER NOT NULL,
    told_at    INTEGER,  -- when the moderators were told
    let_out_at INTEGER,
    let_out_by INTEGER,
    CONSTRAINT somebody_lets_out CHECK ((let_out_at IS NULL) = (let_out_by IS NULL))
) STRICT;
