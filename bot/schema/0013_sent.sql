-- Since when the service may have a job's task: patience with it is counted from there, and what was
-- sent too long ago is not sent again. Of what is open now, the acceptance is the safe answer.

ALTER TABLE jobs ADD COLUMN sent_at INTEGER;

UPDATE jobs SET sent_at = created_at WHERE state IN ('submitting', 'rendering', 'lost');
