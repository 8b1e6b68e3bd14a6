"""What is kept of a member, in all servers: told, handed over as JSON, and deleted.

The SQL on that. What stays is what accounts are made of: amounts and days with the member's id,
which are only ever added to, and what moderators have set, blocked and noted. Of a job that is
forgotten nothing else is left, its channel is 0, and nobody finds it any more; but where a clip of
somebody else's picture is, and whose, stays as long as it is there: that person may delete it.
"""

import asyncio
import gzip
import json
import logging
import sqlite3
from dataclasses import dataclass
from typing import Any

from bot.database import Database
from bot.keeper import ClipFiles
from bot.lifecycle import FORGOTTEN

log = logging.getLogger(__name__)

_AT_ONCE = 200
"""Jobs that are forgotten in one transaction: whoever waits to be accepted is not kept waiting."""
_MOST_PLAIN = 8_000_000
"""Bytes of an export that is not packed; Discord takes somewhat more anywhere."""

# The way to a member's jobs is by server: there is an index on (guild_id, member_id).
_JOBS = "running CROSS JOIN jobs ON jobs.guild_id = running.guild_id AND jobs.member_id = :member"
_TABLES = {
    "clips you asked for": f"SELECT jobs.* FROM {_JOBS} ORDER BY created_at",
    "clips that were made": (
        "SELECT job_id, ordinal, video_uuid, url, seed, cost_micro, is_flagged"
        f" FROM {_JOBS} JOIN clips ON clips.job_id = jobs.id"
    ),
    "further messages with them": f"SELECT posts.* FROM {_JOBS} JOIN posts ON job_id = jobs.id",
    "reviews of them": (
        f"SELECT job_id, held_at, told_at, let_out_at FROM {_JOBS} JOIN reviews ON job_id = jobs.id"
    ),
    "lines about them for servers' logs": (
        f"SELECT log_lines.* FROM {_JOBS} JOIN log_lines ON log_lines.job_id = jobs.id"
    ),
    "the accounts of them": (
        f"SELECT entries.* FROM {_JOBS} JOIN entries ON entries.job_id = jobs.id ORDER BY at"
    ),
    "what they drew of credits": f"SELECT draws.* FROM {_JOBS} JOIN draws ON job_id = jobs.id",
    "your credits": (
        "SELECT entries.*, revoked.at AS revoked_at FROM running CROSS JOIN entries"
        " ON entries.guild_id = running.guild_id AND entries.member_id = :member"
        " AND kind = 'grant' LEFT JOIN revoked ON grant_id = entries.id"
    ),
    "your totals by day": (
        "SELECT totals.* FROM running CROSS JOIN totals ON totals.guild_id = running.guild_id"
        " AND totals.member_id = :member"
    ),
    "limits that are set for you": (
        "SELECT * FROM rules WHERE target = 'member' AND target_id = :member"
    ),
    "changes by moderators about you": (
        "SELECT guild_id, action, before, after, at, reason FROM audit"
        " WHERE target = 'member ' || :member"
    ),
    "blocks": "SELECT guild_id, at, reason FROM blocks WHERE member_id = :member",
    "your settings": "SELECT * FROM member_settings WHERE member_id = :member",
    "what you were choosing": ("SELECT draft, expires_at FROM drafts WHERE member_id = :member"),
    "pictures of others that you asked for": ("SELECT * FROM approvals WHERE member_id = :member"),
    "what others asked of your pictures": (
        "SELECT guild_id, channel_id, message_id, picture, asked_at, expires_at, outcome"
        " FROM approvals WHERE author_id = :member"
    ),
    "clips of others that were made of your pictures": (
        "SELECT id, guild_id, picture_channel_id, picture_message_id, picture_key, state,"
        " created_at, deleted_at FROM jobs"
        " WHERE picture_author_id = :member AND member_id <> :member"
    ),
}

_NOT_YET = f"channel_id <> 0 AND source NOT GLOB '{FORGOTTEN}*'"
_DONE = f"FROM {_JOBS} WHERE state IN ('delivered', 'failed') AND {_NOT_YET}"
_FORGET = f"""
UPDATE jobs SET source = '{FORGOTTEN}' || id, door = 'command', parent_channel_id = NULL,
       role_ids = '[]', status_message_id = NULL, wish = '{{}}', "order" = json_remove(
           "order", '$.prompt', '$.negative_prompt', '$.seed', '$.guidance')
 WHERE id = ?
"""
_IS_OF_OTHERS = "picture_author_id <> member_id AND state = 'delivered' AND deleted_at IS NULL"
_FORGET_WHERE = f"""
UPDATE jobs SET channel_id = 0,
       message_id = iif(state = 'delivered', 0, NULL), message_channel_id = NULL,
       picture_channel_id = NULL, picture_message_id = NULL, picture_key = NULL,
       picture_author_id = NULL
 WHERE id = ? AND NOT ifnull({_IS_OF_OTHERS}, 0)
"""
_BESIDES = (
    "DELETE FROM drafts WHERE member_id = :member",
    # That somebody opted out is kept, or it would be undone.
    "DELETE FROM member_settings WHERE member_id = :member AND has_opted_out = 0",
    (
        "UPDATE member_settings SET dm_copies = 0, dm_when_lost = 0, duration = NULL, shape = NULL,"
        " fit = NULL, is_private = 0 WHERE member_id = :member"
    ),
    # That an author was asked, and said no, counts for a day: what was wished is nobody's affair.
    ("UPDATE approvals SET outcome = 'withdrawn' WHERE member_id = :member AND outcome IS NULL"),
    (
        "UPDATE approvals SET ask = '{}'"
        " WHERE member_id = :member AND (outcome <> 'agreed' OR is_told = 1)"
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """How much there is of a member."""

    clips: int
    open_clips: int
    """Of these, those that are not at their end."""
    servers: int
    of_their_pictures: int
    """Clips of others that were made of their pictures."""
    has_settings: bool
    """Whether they have ever set something for themselves."""


class Privacy:
    """Methods raise `StoreError`."""

    def __init__(self, database: Database, files: ClipFiles) -> None:
        self._database = database
        self._files = files

    @property
    def keep_hours(self) -> float:
        """How long a clip's file is kept after it was posted."""
        return self._files.keep_for / 3600

    async def kept(self, member_id: int) -> Kept:
        """Count what there is of a member."""
        who = {"member": member_id}
        query = (
            "SELECT count(*), count(*) FILTER (WHERE state NOT IN ('delivered', 'failed')),"
            f" count(DISTINCT jobs.guild_id) FROM {_JOBS} WHERE {_NOT_YET}"
        )
        theirs = "picture_author_id = :member AND member_id <> :member"

        def transaction(db: sqlite3.Connection) -> Kept:
            clips, open_clips, servers = db.execute(query, who).fetchone()
            of_theirs = db.execute(f"SELECT count(*) FROM jobs WHERE {theirs}", who).fetchone()[0]
            settings = db.execute(_TABLES["your settings"], who).fetchone()
            return Kept(
                clips=clips,
                open_clips=open_clips,
                servers=servers,
                of_their_pictures=of_theirs,
                has_settings=settings is not None,
            )

        return await self._database.run(transaction)

    async def export(self, member_id: int) -> tuple[str, bytes]:
        """Return all that is kept of a member: the name of a file, and its content."""
        found: dict[str, Any] = {"your id": f"{member_id}", "times are": "Unix milliseconds"}
        for name, query in _TABLES.items():
            found[name] = await self._rows(query, member_id)
        text = await asyncio.to_thread(json.dumps, found, ensure_ascii=False, indent=1)
        content = text.encode()
        if len(content) <= _MOST_PLAIN:
            return "privacy.json", content
        return "privacy.json.gz", await asyncio.to_thread(gzip.compress, content)

    async def _rows(self, query: str, member_id: int) -> list[dict[str, Any]]:
        def transaction(db: sqlite3.Connection) -> list[dict[str, Any]]:
            return [_readable(row) for row in db.execute(query, {"member": member_id})]

        return await self._database.run(transaction)

    async def forget(self, member_id: int) -> int:
        """Delete what may be deleted of a member; return how many clips that was.

        Clips that are not at their end stay. Done in steps, each of which is whole.
        """
        who = {"member": member_id}
        count = 0
        while ids := await self._database.run(lambda db: _forget_some(db, who)):
            for job_id in ids:
                await asyncio.to_thread(self._files.remove, job_id)
            count += len(ids)

        def besides(db: sqlite3.Connection) -> None:
            for statement in _BESIDES:
                db.execute(statement, who)

        await self._database.run(besides)
        log.info("a member was forgotten, with %d clips", count)
        return count


def _forget_some(db: sqlite3.Connection, who: dict[str, int]) -> list[str]:
    found = db.execute(f"SELECT jobs.id {_DONE} LIMIT {_AT_ONCE}", who)
    ids = [str(row["id"]) for row in found]
    for job_id in ids:
        db.execute(_FORGET, (job_id,))
        if db.execute(_FORGET_WHERE, (job_id,)).rowcount:
            db.execute("DELETE FROM posts WHERE job_id = ?", (job_id,))
        db.execute("UPDATE clips SET url = '', seed = NULL WHERE job_id = ?", (job_id,))
        for table in ("answers", "reviews", "log_lines"):
            db.execute(f"DELETE FROM {table} WHERE job_id = ?", (job_id,))
    return ids


def _readable(row: sqlite3.Row) -> dict[str, Any]:
    """Return a row as JSON takes it; numbers of Discord's are too large for some readers."""
    return {
        name: f"{value}" if name.endswith("_id") and value is not None else value
        for name, value in zip(row.keys(), row, strict=True)
    }
