"""Jobs as rows: their columns, a row read into a `Job`, a `Job` written as a new row.

Called inside somebody's transaction, by whoever reads jobs; `store.py` alone changes them.
"""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict
from functools import lru_cache
from operator import attrgetter
from typing import Any

from bot.lifecycle import Failure, Job, Order, State
from bot.wish import Door, Origin, Wish

COLUMNS = """id, source, task_uuid, guild_id, channel_id, parent_channel_id, member_id, role_ids,
          status_message_id, "order", door, wish, picture_channel_id, picture_message_id,
          picture_key, picture_author_id, quote_micro, state, due_at, attempts, sent_at, failure,
          message_id, message_channel_id, created_at, updated_at, deleted_at"""
_NAMES = [name.strip(' "') for name in COLUMNS.replace("\n", "").split(",")]
SHORT = "CASE substr(id, 15, 1) WHEN '7' THEN substr(id, -8) ELSE substr(id, 1, 8) END"
"""As `ids.short` has it."""
_PICTURE = [name for name in _NAMES if name.startswith("picture_")]
_TEXTS = ["order", "role_ids", "wish"]
_PLAIN = [name for name in _NAMES if name not in (*_PICTURE, *_TEXTS)]
_ALL = ", ".join(f'"{name}"' for name in (*_PLAIN, *_TEXTS, *_PICTURE))
_NEW = f"INSERT INTO jobs ({_ALL}) VALUES ({', '.join('?' * len(_NAMES))})"
_plain = attrgetter(*_PLAIN)
_STATES = {f"{state}": state for state in State}  # looking one up here is faster than by its type
_DOORS = {f"{door}": door for door in Door}


def find(db: sqlite3.Connection, where: str, *values: object) -> Iterator[Job]:
    """Read the jobs that `where` names, a constant of the caller's with what follows it."""
    return map(job_of, db.execute(f"SELECT {COLUMNS} FROM jobs WHERE {where}", values))


def one(db: sqlite3.Connection, where: str, *values: object) -> Job | None:
    """Read one job, if it is there."""
    return next(find(db, where, *values), None)


def job_of(row: sqlite3.Row) -> Job:
    """Read a row of `COLUMNS`."""
    fields: dict[str, Any] = dict(zip(_NAMES, row, strict=True))
    channel, message, key, author = (fields.pop(name) for name in _PICTURE)
    if message is not None:
        fields["picture"] = Origin(
            channel_id=channel, message_id=message, key=key, author_id=author
        )
    fields["order"] = _order(fields["order"])
    fields["wish"] = Wish.from_json(fields["wish"])
    fields["door"] = _DOORS[fields["door"]]
    fields["role_ids"] = _role_ids(fields["role_ids"])
    fields["state"] = _STATES[fields["state"]]
    fields["failure"] = Failure(fields["failure"]) if fields["failure"] else None
    return Job(**fields)


def insert(db: sqlite3.Connection, job: Job) -> None:
    """Write a new job."""
    texts = (_order_text(job.order), _role_text(job.role_ids), job.wish.to_json())
    at = job.picture
    origin = (at.channel_id, at.message_id, at.key, at.author_id) if at else (None,) * 4
    db.execute(_NEW, (*_plain(job), *texts, *origin))


@lru_cache(maxsize=1024)
def _role_ids(text: str) -> tuple[int, ...]:
    return tuple(json.loads(text))


@lru_cache(maxsize=1024)
def _role_text(role_ids: tuple[int, ...]) -> str:
    return json.dumps(role_ids)


@lru_cache(maxsize=1024)
def _order(text: str) -> Order:
    """Read an order; most open jobs have one of a few, and all are read again at each step."""
    return Order(**json.loads(text))


@lru_cache(maxsize=1024)
def _order_text(order: Order) -> str:
    return json.dumps(asdict(order))
