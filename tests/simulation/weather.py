"""What may happen to a request, and when: decided by the seed alone.

Trouble comes as single fates of requests, and as outages of a side for minutes or hours. After
`calm_at` nothing goes wrong any more.
"""

import random
from dataclasses import dataclass
from enum import StrEnum

OK = 200
DAY = 24 * 3600.0
NEVER = (0.0, 0.0)
LATEST = 110.0
"""Seconds that a request may be under way: less than Discord remembers a nonce."""


class Side(StrEnum):
    """Who is spoken to."""

    RUNWARE = "runware"
    DISCORD = "discord"
    CDN = "cdn"


class Fate(StrEnum):
    """What becomes of a request. All but the first four may have had their effect."""

    FINE = "fine"
    NOT_CONNECTED = "not connected"
    LOST = "request lost"
    TURNED_AWAY = "turned away"
    CUT = "answer lost"
    SILENT = "answer never comes"
    LATE = "late"
    CUT_AND_LATE = "cut off, and arrives late"
    TWICE = "doubled"
    TWICE_AND_LATE = "doubled, the second late"
    BROKEN = "taken, and answered with an error"
    GARBLED = "taken, and the answer garbled"


_ODDS = {
    Fate.NOT_CONNECTED: 2,
    Fate.LOST: 1,
    Fate.TURNED_AWAY: 3,
    Fate.CUT: 3,
    Fate.SILENT: 1,
    Fate.LATE: 2,
    Fate.CUT_AND_LATE: 2,
    Fate.TWICE: 2,
    Fate.TWICE_AND_LATE: 2,
    Fate.BROKEN: 2,
    Fate.GARBLED: 1,
}
_OUT = (Fate.NOT_CONNECTED, Fate.LOST, Fate.TURNED_AWAY)
"""What an outage looks like from outside."""


@dataclass(frozen=True, slots=True)
class Outage:
    """A side that is away, from `start` to `end`, in seconds."""

    side: Side
    start: float
    end: float
    fate: Fate


class Weather:
    """Of one run. `is_harsh` makes trouble last for hours."""

    def __init__(self, chance: random.Random, *, is_harsh: bool) -> None:
        self._chance = chance
        self.calm_at = chance.uniform(2, 18) * 3600 if is_harsh else chance.uniform(60, 400)
        self._trouble = chance.choice((0.0, 0.05, 0.2, 0.2, 0.4))
        if is_harsh:
            self._trouble = min(self._trouble, 0.05)
        self.outages = self._outages(is_harsh)
        self.no_credit = self._span(0.15)
        self.disk_full = self._span(0.1)
        self.forbidden = self._span(0.15)

    def fate(self, side: Side, now: float) -> Fate:
        """Return what becomes of a request that leaves now."""
        if now >= self.calm_at:
            return Fate.FINE
        for outage in self.outages:
            if outage.side is side and outage.start <= now < outage.end:
                return outage.fate
        # Whoever is refused at the door has no story to tell.
        odds = self._trouble / 4 if side is Side.CDN else self._trouble
        if self._chance.random() >= odds:
            return Fate.FINE
        return self._chance.choices(tuple(_ODDS), tuple(_ODDS.values()))[0]

    def way(self) -> float:
        """Return the seconds that a request needs in one direction."""
        return self._chance.choice((0.002, 0.02, 0.02, 0.1, 0.6))

    def lateness(self) -> float:
        """Return the seconds that a late request needs."""
        return self._chance.uniform(5, LATEST)

    def pick(self, *values: int) -> int:
        """Return one of these."""
        return self._chance.choice(values)

    def has(self, span: tuple[float, float], now: float) -> bool:
        """Tell whether a span of trouble is under way."""
        return span[0] <= now < min(span[1], self.calm_at)

    def _outages(self, is_harsh: bool) -> list[Outage]:
        chance = self._chance
        found = []
        for side in (Side.RUNWARE, Side.DISCORD):
            if chance.random() < (0.6 if is_harsh else 0.15):
                start = chance.uniform(0, self.calm_at / 2)
                end = start + chance.uniform(0.2, 1) * (self.calm_at - start)
                found.append(Outage(side, start, end, chance.choice(_OUT)))
        return found

    def _span(self, odds: float) -> tuple[float, float]:
        if self._chance.random() >= odds:
            return NEVER
        start = self._chance.uniform(0, self.calm_at)
        return (start, start + self._chance.uniform(0.05, 1) * self.calm_at)
