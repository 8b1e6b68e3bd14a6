-- Whose pictures were animated, so that each can be told what of theirs is kept.

CREATE INDEX jobs_by_author ON jobs (picture_author_id) WHERE picture_author_id IS NOT NULL;
