"""A server's entries as CSV, for spreadsheets. Pure."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime
from unicodedata import normalize

from bot.ledger import Entry
from bot.money import MICRO

_COLUMNS = (
    *("time", "day", "kind", "member", "job", "held", "spent", "excused", "credit"),
    *("expires", "actor", "note", "server", "utc_day"),
)
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet would run instead of showing it."""


def to_csv(entries: Iterable[Entry]) -> str:
    """Return one line per entry, under a header.

    Amounts are changes in dollars, exact; times are in UTC, to the second; ids are whole.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for entry in entries:
        amounts = (entry.held_micro, entry.spent_micro, entry.excused_micro, entry.credit_micro)
        writer.writerow(
            (
                _time(entry.at),
                entry.day.isoformat(),
                entry.kind,
                _mention(entry.member_id),
                entry.job_id or "",
                *map(_dollars, amounts),
                "" if entry.expires_at is None else _time(entry.expires_at),
                "" if entry.actor_id is None else _mention(entry.actor_id),
                _harmless(entry.note),
                f"server {entry.guild_id}",
                entry.utc_day.isoformat(),
            )
        )
    return out.getvalue()


def _time(at: int) -> str:
    return datetime.fromtimestamp(at // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _mention(member_id: int) -> str:
    # A bare id is a number to a spreadsheet, which keeps fifteen of its digits.
    return f"<@{member_id}>"


def _dollars(micro: int) -> str:
    sign = "-" if micro < 0 else ""
    whole, part = divmod(abs(micro), MICRO)
    return f"{sign}{whole}.{part:06d}"


def _harmless(text: str) -> str:
    # In some languages a spreadsheet runs the wide forms of these signs too.
    return f"'{text}" if normalize("NFKC", text[:1]) in _FORMULAS else text
