-- Credits that were taken back: what is left of one, and what a clip gives back to it, pays nothing any more.

CREATE TABLE revoked (
    grant_id INTEGER PRIMARY KEY REFERENCES entries (id),
    at       INTEGER NOT NULL
) STRICT;

CREATE TRIGGER revoked_are_grants BEFORE INSERT ON revoked
BEGIN
    SELECT RAISE(ABORT, 'only a grant is revoked, and only once')
     WHERE NOT EXISTS (SELECT 1 FROM entries WHERE id = NEW.grant_id AND kind = 'grant')
        OR EXISTS (SELECT 1 FROM revoked WHERE grant_id = NEW.grant_id);
END;

CREATE TRIGGER revoked_are_never_edited BEFORE UPDATE ON revoked
BEGIN SELECT RAISE(ABORT, 'what is revoked stays so'); END;

CREATE TRIGGER revoked_are_never_deleted BEFORE DELETE ON revoked
BEGIN SELECT RAISE(ABORT, 'what is revoked stays so'); END;

CREATE TRIGGER draws_leave_revoked_grants_alone BEFORE INSERT ON draws WHEN NEW.micro > 0
BEGIN
    SELECT RAISE(ABORT, 'this grant was revoked')
     WHERE EXISTS (SELECT 1 FROM revoked WHERE grant_id = NEW.grant_id);
END;
