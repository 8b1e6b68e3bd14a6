"""What a server has spent, by day against its limit and by member: the figures of a picture.

What is shown is worked out here, without matplotlib; `bot/plot.py` draws it. `drawn` has that done
by a process of its own, so that the running bot never carries matplotlib. Who may see what, and
what is counted, is the caller's affair.
"""

import asyncio
import json
import os
import sys
import unicodedata
from collections.abc import Container, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from itertools import count
from pathlib import Path

from bot.errors import ChartBroken
from bot.money import MICRO, usd
from bot.periods import Period, first_day
from bot.quota_words import usage_alt

_MOST_MEMBERS = 8
MOST_NAMED = _MOST_MEMBERS + 1
"""As many members as a picture ever names."""
_MOST_TICKS = 5
_MOST_DATES = 7
_MOST_MARKS = 2
"""More accents than that on one letter are a tower that reaches into the lines around it."""
_MOST_OF_A_NAME = 40
_WITHIN = 20.0
"""Seconds after which the drawing process is given up."""
_PNG = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """What was spent on one day, micro-dollars."""

    day: date
    spent_micro: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one member spent, micro-dollars; the name may be anything, or only an id."""

    name: str
    spent_micro: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """All that is in the picture."""

    title: str
    """The server's name, or ""."""
    days: tuple[Day, ...]
    """Each day of the range, oldest first, at least one; those after `today` are still empty."""
    shares: tuple[Share, ...]
    limit_micro: int | None
    """None is unlimited."""
    limit_period: Period
    held_micro: int
    today: date

    @property
    def spent_micro(self) -> int:
        """What was spent in the whole range."""
        return sum(day.spent_micro for day in self.days)


@dataclass(frozen=True, slots=True)
class RunUp:
    """What was spent since a period began, up to each of its days; micro-dollars."""

    start: int
    """The index of its first day."""
    sums: list[int]


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the list of members."""

    name: str
    spent_micro: int
    is_others: bool = False


def run_ups(usage: Usage) -> list[RunUp]:
    """Return the periods of the limit, oldest first, up to today.

    Without one that began before the range: nobody here knows what was spent in it.
    """
    found: dict[date, RunUp] = {}
    for index, day in enumerate(usage.days):
        first = first_day(usage.limit_period, day.day)
        if usage.days[0].day <= first and day.day <= usage.today:
            sums = found.setdefault(first, RunUp(index, [])).sums
            sums.append((sums[-1] if sums else 0) + day.spent_micro)
    return list(found.values())


def rows(usage: Usage, glyphs: Container[int] | None = None) -> list[Row]:
    """Return who spent most, and the others in one line; `glyphs` as for `legible`."""
    spenders = [share for share in usage.shares if share.spent_micro > 0]
    spenders.sort(key=lambda share: (-share.spent_micro, share.name))
    # One other takes the line that "1 other" would take.
    most = _MOST_MEMBERS + (len(spenders) == _MOST_MEMBERS + 1)
    top, others = spenders[:most], spenders[most:]
    found = [
        Row(legible(share.name, glyphs) or f"member {place}", share.spent_micro)
        for place, share in enumerate(top, 1)
    ]
    if others:
        total = sum(share.spent_micro for share in others)
        found.append(Row(f"{len(others)} others", total, is_others=True))
    return found


def ticks(top_micro: int) -> list[int]:
    """Return round amounts from 0 to at most `top_micro`, few and evenly."""
    steps = (digit * 10**power for power in count() for digit in (1, 2, 5))
    step = next(step for step in steps if step * _MOST_TICKS >= top_micro)
    return list(range(0, top_micro + 1, step))


def tick_labels(amounts: Sequence[int]) -> list[str]:
    """Write amounts for an axis: exactly, but no cents, no thousands where none has any."""
    for unit, letter in ((10**9, "B"), (10**6, "M"), (10**3, "k"), (1, "")):
        if not any(amount % (unit * MICRO) for amount in amounts):
            return [
                f"${amount // (unit * MICRO):,}{letter if amount else ''}" for amount in amounts
            ]
    return [usd(amount) for amount in amounts]


def date_labels(usage: Usage) -> dict[int, str]:
    """Return the days that are named under the axis, by index: evenly, few, today among them.

    The month stands under the first day of it that is named.
    """
    number = len(usage.days)
    step = next(step for step in (1, 2, *range(7, number + 7, 7)) if number <= step * _MOST_DATES)
    anchor = index_of_today(usage)
    labels: dict[int, str] = {}
    month = ""
    for index in range((number - 1 if anchor is None else anchor) % step, number, step):
        day = usage.days[index].day
        under = f"{day:%b}" if f"{day:%b}" != month else ""
        month = f"{day:%b}"
        labels[index] = f"{day.day}\n{'today' if index == anchor else under}"
    return labels


def dates(usage: Usage) -> str:
    """Write the range of days: "1–30 Nov 2026"."""
    first, last = usage.days[0].day, usage.days[-1].day
    end = f"{last.day} {last:%b %Y}"
    if first == last:
        return end
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{end}"
    return f"{first.day} {first:%b}{f' {first:%Y}' if first.year != last.year else ''} – {end}"


def legible(text: str, glyphs: Container[int] | None = None) -> str:
    """Return what of a name is fit for a line: fancy letters plain, no turned direction.

    With `glyphs`, the characters that a font has, nothing that it would draw as an empty box. "" if
    no letter or figure is left.
    """
    kept: list[str] = []
    marks = 0
    for char in unicodedata.normalize("NFKC", text):
        marks = marks + 1 if unicodedata.combining(char) else 0
        if char.isspace():
            kept.append(" ")
        elif unicodedata.category(char)[0] != "C" and marks <= _MOST_MARKS:
            kept.append(char if glyphs is None or ord(char) in glyphs else "")
    line = " ".join("".join(kept).split())
    return line if any(char.isalnum() for char in line) else ""


def index_of_today(usage: Usage) -> int | None:
    """Return which day is today, or None outside of the range."""
    days = [day.day for day in usage.days]
    return days.index(usage.today) if usage.today in days else None


def limit_label(usage: Usage) -> str:
    """Name the limit, or "" where there is none."""
    if usage.limit_micro is None:
        return ""
    return f"limit {usd(usage.limit_micro)} a {usage.limit_period}"


def alt_text(usage: Usage) -> str:
    """Say in words and figures what the picture shows, in at most 1024 characters."""
    busiest = max(usage.days, key=lambda day: day.spent_micro)
    latest = run_ups(usage)[-1:]
    return usage_alt(
        heading=" · ".join(filter(None, (legible(usage.title), dates(usage)))),
        spent_micro=usage.spent_micro,
        held_micro=usage.held_micro,
        limit=limit_label(usage),
        used_micro=latest[0].sums[-1] if latest else None,
        busiest=(f"{busiest.day.day} {busiest.day:%b}", busiest.spent_micro),
        members=[(row.name[:_MOST_OF_A_NAME], row.spent_micro) for row in rows(usage)],
    )


# --- Through a process of its own ----------------------------------------------------------------


async def drawn(usage: Usage, *, python: str = sys.executable, within: float = _WITHIN) -> bytes:
    """Return the picture as a PNG; `ChartBroken` if there is none `within` seconds.

    The process knows the figures and nothing else, no token either, and ends with its caller.
    """
    try:
        process = await asyncio.create_subprocess_exec(
            *(python, "-m", "bot.plot"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            cwd=Path(__file__).parent.parent,
            env={"MATPLOTLIBRC": os.devnull},  # nobody's own style
        )
    except OSError as error:
        raise ChartBroken(f"the drawing process does not start: {error}") from error
    try:
        async with asyncio.timeout(within):
            png, complaint = await process.communicate(to_json(usage))
    except TimeoutError:
        raise ChartBroken(f"not drawn within {within:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if not png.startswith(_PNG):
        last = complaint.decode(errors="replace").strip().splitlines()[-1:]
        raise ChartBroken(f"not drawn, exit {process.returncode}: {''.join(last)}")
    return png


def to_json(usage: Usage) -> bytes:
    """Write the figures for the drawing process."""
    return json.dumps(asdict(usage), default=str).encode()


def from_json(data: bytes) -> Usage:
    """Read what `to_json` wrote."""
    raw = json.loads(data)
    return Usage(
        title=raw["title"],
        days=tuple(
            Day(day=date.fromisoformat(day["day"]), spent_micro=day["spent_micro"])
            for day in raw["days"]
        ),
        shares=tuple(Share(**share) for share in raw["shares"]),
        limit_micro=raw["limit_micro"],
        limit_period=Period(raw["limit_period"]),
        held_micro=raw["held_micro"],
        today=date.fromisoformat(raw["today"]),
    )
