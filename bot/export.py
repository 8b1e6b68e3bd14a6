"""A server's entries as CSV, for spreadsheets. Pure."""

import csv
import io
from collections.abc import Iterable
from datetime import UTC, datetime
from unicodedata import normalize

from bot.ledger import Entry
from bot.money import MICRO

_COLUMNS = ("time", "day", "kind", "member", "job", "held", "spent", "excused", "credit", "note")
_FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet would run instead of showing it."""


def to_csv(entries: Iterable[Entry]) -> str:
    """Return one line per entry, under a header. Amounts are changes in dollars, exact."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(_COLUMNS)
    for entry in entries:
        moment = datetime.fromtimestamp(entry.at // 1000, UTC)
        writer.writerow(
            (
                moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
                entry.day.isoformat(),
                entry.kind,
                str(entry.member_id),
                entry.job_id or "",
                *map(
                    _dollars,
                    (
                        entry.held_micro,
                        entry.spent_micro,
                        entry.excused_micro,
                        entry.credit_micro,
                    ),
                ),
                _harmless(entry.note),
            )
        )
    return out.getvalue()


def _dollars(micro: int) -> str:
    sign = "-" if micro < 0 else ""
    whole, part = divmod(abs(micro), MICRO)
    return f"{sign}{whole}.{part:06d}"


def _harmless(text: str) -> str:
    # In some languages a spreadsheet runs the wide forms of these signs too.
    return f"'{text}" if normalize("NFKC", text[:1]) in _FORMULAS else text
