"""Discord's ids: unique, rising, and carrying the real time, for clients read ages from them."""

import time
from datetime import UTC, datetime

#: The first second of 2015, in Unix milliseconds: where Discord's ids begin.
EPOCH_MS = 1_420_070_400_000
TIME_SHIFT = 22


class Snowflakes:
    """A source of ids. Ids are strings, as in Discord's JSON; later ids are larger numbers."""

    def __init__(self) -> None:
        self._last = 0

    def next(self) -> str:
        """Return a new id with the present time in it."""
        now_ms = time.time_ns() // 1_000_000
        self._last = max(self._last + 1, (now_ms - EPOCH_MS) << TIME_SHIFT)
        return str(self._last)


def unix_seconds(snowflake: str) -> float:
    """When an id was made, in Unix seconds."""
    return ((int(snowflake) >> TIME_SHIFT) + EPOCH_MS) / 1000


def iso(moment: float) -> str:
    """Return a Unix time as Discord writes it, with microseconds and `+00:00`."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds")


def is_snowflake(value: object) -> bool:
    """Whether a value from outside is an id: digits, as a string or a number."""
    return isinstance(value, str | int) and not isinstance(value, bool) and str(value).isdecimal()
