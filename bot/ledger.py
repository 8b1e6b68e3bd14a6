"""May we pay? Money in whole micro-dollars, entries that only ever add up, and limits.

An entry moves two accounts: what is held and what is spent. A hold is followed by exactly one spend
or release that takes the whole hold back. Pure: no I/O, no clock. `store.py` keeps the entries and
asks `first_limit_reached` inside the transaction that books the hold.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from enum import StrEnum

from bot.errors import LimitReached
from bot.lifecycle import Job

MICRO = 1_000_000
_MOST_USD = 10**9
"""No single amount is larger, so that every sum stays far inside SQLite's 64 bits."""


class Kind(StrEnum):
    """What an entry does."""

    HOLD = "hold"
    SPEND = "spend"
    RELEASE = "release"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the accounts; never changed, never removed. Amounts are changes."""

    job_id: str
    kind: Kind
    member_id: int
    guild_id: int
    month: str
    """The period of acceptance, "2026-11": a clip counts where it was accepted."""
    held_micro: int
    spent_micro: int
    at: int
    """Unix milliseconds."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Balance:
    """What one account has spent and holds in one period, micro-dollars."""

    spent_micro: int = 0
    held_micro: int = 0

    @property
    def used_micro(self) -> int:
        """What is not free any more."""
        return self.spent_micro + self.held_micro


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Monthly limits in micro-dollars; None is unlimited, 0 is nothing."""

    member_micro: int | None
    server_micro: int | None
    bot_micro: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """The three balances that a hold must fit."""

    member: Balance
    server: Balance
    bot: Balance


def hold(job: Job) -> Entry:
    """Set the quote aside."""
    return _entry(job, Kind.HOLD, held=job.quote_micro, spent=0, at=job.created_at)


def spend(job: Job, cost_micro: int, at: int, note: str = "") -> Entry:
    """Book what the service reported, in full, and give the hold back."""
    return _entry(job, Kind.SPEND, held=-job.quote_micro, spent=cost_micro, at=at, note=note)


def release(job: Job, at: int, note: str = "") -> Entry:
    """Give the hold back; nothing was paid."""
    return _entry(job, Kind.RELEASE, held=-job.quote_micro, spent=0, at=at, note=note)


def _entry(job: Job, kind: Kind, *, held: int, spent: int, at: int, note: str = "") -> Entry:
    return Entry(
        job_id=job.id,
        kind=kind,
        member_id=job.member_id,
        guild_id=job.guild_id,
        month=month_of(job.created_at),
        held_micro=held,
        spent_micro=spent,
        at=at,
        note=note,
    )


def total_cost(reported: Iterable[int | None], quote_micro: int, expected: int) -> tuple[int, str]:
    """Return what to book for finished clips, and a flag where it is not just the reported cost.

    A clip without a reported cost is booked at its share of the quote: unknown is never free.
    """
    costs = list(reported)
    share = -(-quote_micro // expected)
    total = sum(share if cost is None else cost for cost in costs)
    flags = []
    if None in costs:
        flags.append("cost not reported, estimate booked")
    if total > quote_micro:
        flags.append("reported cost above the hold")
    return total, "; ".join(flags)


def first_limit_reached(
    standing: Standing, limits: Limits, wanted_micro: int, now: int
) -> LimitReached | None:
    """Return the narrowest limit that a hold of `wanted_micro` would break, or None."""
    for whom, balance, limit in (
        ("member", standing.member, limits.member_micro),
        ("server", standing.server, limits.server_micro),
        ("bot", standing.bot, limits.bot_micro),
    ):
        if limit is not None and balance.used_micro + wanted_micro > limit:
            return LimitReached(
                whom=whom,
                limit_micro=limit,
                spent_micro=balance.spent_micro,
                held_micro=balance.held_micro,
                wanted_micro=wanted_micro,
                resets_at=month_end(now),
            )
    return None


def left_micro(standing: Standing, limits: Limits) -> int | None:
    """Return what the member may still use this month, never below 0; None is unlimited."""
    rooms = [
        max(0, limit - balance.used_micro)
        for balance, limit in (
            (standing.member, limits.member_micro),
            (standing.server, limits.server_micro),
            (standing.bot, limits.bot_micro),
        )
        if limit is not None
    ]
    return min(rooms, default=None)


def month_of(at: int) -> str:
    """Return the period key of a moment in Unix milliseconds, in UTC: "2026-11"."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m")


def month_end(at: int) -> int:
    """Return the Unix second at which the month of `at` (Unix milliseconds) ends, in UTC."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    year, month = divmod(moment.year * 12 + moment.month, 12)
    return int(datetime(year, month + 1, 1, tzinfo=UTC).timestamp())


def to_micro(usd: Decimal) -> int:
    """Return dollars as whole micro-dollars, half rounded up.

    ValueError if it is not finite, or over a billion dollars.
    """
    if not usd.is_finite() or usd.copy_abs() > _MOST_USD:
        raise ValueError("not a finite amount, or over a billion dollars")
    return int((usd * MICRO).to_integral_value(ROUND_HALF_UP))


def parse_usd(text: str) -> int:
    """Read "2.50" or "$2.50" as micro-dollars. ValueError if it is no amount, or negative."""
    try:
        micro = to_micro(Decimal(text.strip().removeprefix("$")))
    except InvalidOperation:
        raise ValueError("not an amount in dollars") from None
    if micro < 0:
        raise ValueError("an amount cannot be negative")
    return micro


def usd(micro: int) -> str:
    """Write micro-dollars for people, exactly: "$5.00", "$0.1848"; cents at least."""
    sign = "-" if micro < 0 else ""
    whole, part = divmod(abs(micro), MICRO)
    digits = f"{part:06d}".rstrip("0").ljust(2, "0")
    return f"{sign}${whole:,}.{digits}"
