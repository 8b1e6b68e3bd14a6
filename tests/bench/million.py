"""A database with a million entries, made through the schema: its checks and triggers are on.

Ninety days of a bot that is well used: 40 servers of 500 members each, one of which has 40 % of all
clips. Some servers have a time zone, rules and roles of their own. Every clip is paid and posted.
"""

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from random import Random
from uuid import UUID
from zoneinfo import ZoneInfo

from bot import ids
from bot.database import Database
from bot.lifecycle import Job
from bot.periods import day_of
from tests.conftest import NOON, make_job

JOBS = 500_000
"""Each with a hold and a spend: two entries."""
SERVERS = range(1000, 1040)
BIG = SERVERS[0]
_BIG_SHARE = 0.4
_MEMBERS = 500
ROLES = (71, 72)
_ZONES = {guild: ZoneInfo("Europe/Berlin") for guild in SERVERS[::3]}
_UTC = ZoneInfo("UTC")
_PLENTY = 10**12
_SPAN_MS = 90 * 86_400_000
_PER_TRANSACTION = 50_000

_JOB = """
INSERT INTO jobs (id, source, task_uuid, guild_id, channel_id, member_id, role_ids, "order",
                  quote_micro, state, due_at, attempts, created_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'queued', ?, 0, ?, ?)
"""
_ENTRY = """
INSERT INTO entries (kind, job_id, member_id, guild_id, day, utc_day, held_micro, spent_micro,
                     excused_micro, credit_micro, at, note)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, '')
"""
_RULE = "INSERT INTO rules (guild_id, target, target_id, measure, value) VALUES (?, ?, ?, ?, ?)"


async def make(folder: Path) -> Path:
    """Make the database in `folder` and return its file."""
    async with Database(folder) as database:
        path = database.path
    chance = Random(1)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        # Nothing is at stake yet. What is measured opens the file in its own, durable way.
        for pragma in ("journal_mode = MEMORY", "synchronous = OFF", "cache_size = -1000000"):
            db.execute(f"PRAGMA {pragma}")
        _settle_servers(db)
        for first in range(0, JOBS, _PER_TRANSACTION):
            places = range(first, min(first + _PER_TRANSACTION, JOBS))
            _live(db, [job(chance, NOON - _SPAN_MS + _SPAN_MS * n // JOBS) for n in places])
    return path


def job(chance: Random, at: int) -> Job:
    """Return what some member asks for `at`, Unix milliseconds; no two at the same."""
    is_big = chance.random() < _BIG_SHARE
    return make_job(
        id=ids.job_id(at, uuid4(chance)),
        task_uuid=ids.task_uuid(at, uuid4(chance)),
        source=f"interaction:{at << 22}",
        guild_id=BIG if is_big else chance.choice(SERVERS[1:]),
        member_id=chance.randint(1, _MEMBERS),
        role_ids=ROLES,
        created_at=at,
        due_at=at,
        updated_at=at,
    )


def uuid4(chance: Random) -> str:
    return str(UUID(int=chance.getrandbits(128), version=4))


def _settle_servers(db: sqlite3.Connection) -> None:
    zones = [(guild, zone.key) for guild, zone in _ZONES.items()]
    db.executemany("INSERT INTO servers (guild_id, timezone) VALUES (?, ?)", zones)
    for guild in SERVERS[::2]:
        db.execute(_RULE, (guild, "server", 0, "month", _PLENTY))
        db.execute(_RULE, (guild, "default", 0, "week", _PLENTY))
    for guild in SERVERS[::4]:
        db.executemany(_RULE, [(guild, "role", role, "day", _PLENTY) for role in ROLES])
        db.executemany(_RULE, [(guild, "member", who, "month", None) for who in range(1, 51)])


def _live(db: sqlite3.Connection, jobs: Sequence[Job]) -> None:
    """Take jobs from the hold to the posted clip, in one transaction."""
    order = json.dumps(asdict(jobs[0].order))
    roles = json.dumps(ROLES)
    db.execute("BEGIN")
    db.executemany(
        _JOB,
        (
            (
                *(one.id, one.source, one.task_uuid, one.guild_id, one.channel_id, one.member_id),
                *(roles, order, one.quote_micro, one.due_at, one.created_at, one.updated_at),
            )
            for one in jobs
        ),
    )
    for kind in ("hold", "spend"):
        db.executemany(_ENTRY, (_entry(kind, one) for one in jobs))
    db.execute("UPDATE jobs SET state = 'delivered', message_id = 1 WHERE state = 'queued'")
    db.execute("COMMIT")


def _entry(kind: str, one: Job) -> tuple[object, ...]:
    quote = one.quote_micro
    money = (quote, 0) if kind == "hold" else (-quote, quote)
    days = (day_of(one.created_at, _ZONES.get(one.guild_id, _UTC)), day_of(one.created_at))
    written = [day.isoformat() for day in days]
    return (kind, one.id, one.member_id, one.guild_id, *written, *money, one.created_at)
