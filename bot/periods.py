"""Days, weeks and months in somebody's own time zone. Pure.

A moment is Unix milliseconds; a day is the local calendar's. A week begins on Monday. What a period
holds is told by the days in it alone, so the day is the only key that is kept.
"""

from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from functools import lru_cache


class Period(StrEnum):
    """How long a limit counts."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def day_of(at: int, zone: tzinfo = UTC) -> date:
    """Return the local day of a moment."""
    return datetime.fromtimestamp(at / 1000, zone).date()


def first_day(period: Period, day: date) -> date:
    """Return the first day of the period that `day` is in."""
    match period:
        case Period.DAY:
            return day
        case Period.WEEK:
            return day - timedelta(days=day.weekday())
        case Period.MONTH:
            return day.replace(day=1)


def next_first_day(period: Period, day: date) -> date:
    """Return the first day of the period after the one that `day` is in."""
    first = first_day(period, day)
    match period:
        case Period.DAY:
            return first + timedelta(days=1)
        case Period.WEEK:
            return first + timedelta(days=7)
        case Period.MONTH:
            return first_day(period, first + timedelta(days=31))


def last_day(period: Period, day: date) -> date:
    """Return the last day of the period that `day` is in."""
    return next_first_day(period, day) - timedelta(days=1)


@lru_cache(maxsize=1024)
def ends_at(period: Period, day: date, zone: tzinfo = UTC) -> int:
    """Return the Unix second at which the period of `day` ends and the next one begins.

    Where the clocks go forward at midnight, that is the moment at which they do. Where they go back
    over midnight, as at one minute past it in Newfoundland until 2011, a day comes twice: its end
    is the last.
    """
    first = next_first_day(period, day)
    midnight = datetime.combine(first, datetime.min.time(), zone)
    ends, again = (int(midnight.replace(fold=fold).timestamp()) for fold in (0, 1))
    is_end = day_of(again * 1000 - 1, zone) < first <= day_of(again * 1000, zone)
    return again if is_end else ends
