"""The picture of what a server spent: bars, limits, names of any kind, and the process it is of."""

import asyncio
import io
import os
import subprocess
import sys
from datetime import date, timedelta
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.ImageColor import getrgb

from bot.chart import (
    Day,
    Share,
    Usage,
    alt_text,
    date_labels,
    dates,
    drawn,
    from_json,
    legible,
    rows,
    run_ups,
    tick_labels,
    ticks,
    to_json,
)
from bot.errors import ChartBroken
from bot.money import MICRO
from bot.periods import Period
from bot.plot import LIMIT, SPENT, draw
from tests.conftest import ROOT

TODAY = date(2026, 11, 23)
HOSTILE = (
    "🔥🔥🔥",
    "田中さくら",
    "שָׁלוֹם דוד",
    "شادي العربي",
    "z̸̢͎̖̀̀a̵͎̎l̶̨̛g̷̡̈́o̴͕͝",
    "back\u202eward\r\n\tline\x00",
    "$x^2$ \\frac{1}{2} $",
    "W" * 300,
    "\ud800\U000f0000\u2028\ufffe",
)


def usage(*spent: int, last: date = TODAY, **changes: Any) -> Usage:
    """Return a usage with what was spent on each day up to `last`, micro-dollars."""
    first = last - timedelta(days=len(spent) - 1)
    given: dict[str, Any] = {
        "title": "Animation club",
        "days": tuple(
            Day(day=first + timedelta(days=index), spent_micro=micro)
            for index, micro in enumerate(spent)
        ),
        "shares": (),
        "limit_micro": None,
        "limit_period": Period.MONTH,
        "held_micro": 0,
        "today": TODAY,
    }
    return Usage(**given | changes)


def shares(*spent: int) -> tuple[Share, ...]:
    return tuple(Share(name=f"m{index}", spent_micro=micro) for index, micro in enumerate(spent))


class Seen:
    """A drawn picture, looked at pixel by pixel."""

    def __init__(self, png: bytes) -> None:
        self.bytes = len(png)
        self.image = Image.open(io.BytesIO(png)).convert("RGB")

    def rows_of(self, colour: str) -> list[int]:
        """Return the rows of which this colour fills more than a third."""
        wanted, (width, height) = getrgb(colour), self.image.size
        line = [self.image.crop((0, y, width, y + 1)) for y in range(height)]
        return [y for y in range(height) if line[y].tobytes().count(bytes(wanted)) > width / 3]

    def runs(self, colour: str, y: int) -> list[int]:
        """Return where this colour begins along a row."""
        wanted = getrgb(colour)
        row = [self.image.getpixel((x, y)) == wanted for x in range(self.image.width)]
        ends = [(hit, len(list(run))) for hit, run in groupby(row)]
        starts = [sum(length for _, length in ends[:index]) for index in range(len(ends))]
        return [start for start, (hit, _) in zip(starts, ends, strict=True) if hit]

    def top(self, colour: str, x: int) -> int:
        """Return the highest place of this colour in a column, below the heading."""
        wanted = getrgb(colour)
        return next(y for y in range(120, 700) if self.image.getpixel((x, y)) == wanted)


FOOT = 610
"""A row of pixels through the feet of the daily bars."""


# --- The picture ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(usage(0), id="one day, nothing spent"),
        pytest.param(usage(0, 0, 0, limit_micro=0), id="nothing allowed"),
        pytest.param(usage(0, 0, held_micro=5), id="only held"),
        pytest.param(usage(*range(92), limit_micro=9, held_micro=3), id="92 days"),
        pytest.param(usage(*range(366), limit_period=Period.WEEK, limit_micro=1), id="a year"),
        pytest.param(usage(1, 0, 2, limit_micro=1, limit_period=Period.DAY), id="tiny"),
        pytest.param(
            usage(10**18, 10**17, limit_micro=10**18, held_micro=10**18, shares=shares(10**18)),
            id="huge",
        ),
        pytest.param(usage(5, last=date(2026, 12, 5), limit_micro=1), id="nothing of it has come"),
        pytest.param(usage(5, 6, last=date(2026, 9, 5), held_micro=5), id="long past"),
        pytest.param(usage(5, shares=shares(*range(30))), id="30 members"),
        pytest.param(
            usage(
                5,
                title="".join(HOSTILE),
                shares=tuple(Share(name=n, spent_micro=5) for n in HOSTILE),
            ),
            id="hostile names",
        ),
    ],
)
def test_whatever_was_spent_makes_a_picture_of_one_size_without_a_warning(case: Usage) -> None:
    seen = Seen(draw(case))
    assert seen.image.size == (1100, 700)
    assert seen.bytes < 300_000


def test_each_day_on_which_something_was_spent_has_a_bar_as_high_as_the_sum() -> None:
    seen = Seen(draw(usage(1_000_000, 0, 2_000_000, 4_000_000, 0, 0, 3_000_000)))
    bars = seen.runs(SPENT, FOOT)
    heights = [616 - seen.top(SPENT, x + 4) for x in bars]
    assert len(bars) == 4
    assert [round(height / heights[0], 1) for height in heights] == [1.0, 2.0, 4.0, 3.0]


def test_the_limit_of_a_day_is_a_line_at_its_amount() -> None:
    spent = (1_000_000, 2_000_000, 4_000_000)
    case = usage(*spent, limit_micro=2_000_000, limit_period=Period.DAY)
    seen = Seen(draw(case))
    line = seen.rows_of(LIMIT)
    without = Seen(draw(usage(*spent)))
    second = without.top(SPENT, without.runs(SPENT, FOOT)[1] + 4)
    assert line
    assert abs(line[0] - second) <= 3


@pytest.mark.parametrize("period", [Period.WEEK, Period.MONTH])
def test_the_limit_of_longer_periods_has_a_panel_of_its_own(period: Period) -> None:
    seen = Seen(draw(usage(*[500_000] * 30, limit_micro=9_000_000, limit_period=period)))
    line = seen.rows_of(LIMIT)
    assert line
    assert max(line) < 356 < FOOT
    assert len(seen.runs(SPENT, FOOT)) == 30


def test_a_limit_that_would_flatten_the_bars_is_named_and_not_drawn() -> None:
    case = usage(5, 4, limit_micro=5_000, limit_period=Period.DAY)
    assert not Seen(draw(case)).rows_of(LIMIT)


def test_without_a_limit_there_is_no_line() -> None:
    assert not Seen(draw(usage(1, 2, 3))).rows_of(LIMIT)


# --- The figures ---------------------------------------------------------------------------------


def test_what_is_spent_adds_up_from_the_first_day_of_each_period() -> None:
    found = run_ups(usage(*[1] * 17, limit_period=Period.WEEK))  # from a Saturday to a Monday
    assert [(period.start, period.sums[-1]) for period in found] == [(2, 7), (9, 7), (16, 1)]


def test_a_period_that_began_before_the_range_is_not_added_up() -> None:
    assert run_ups(usage(1, 2, 3)) == []


def test_nothing_is_added_up_beyond_today() -> None:
    [month] = run_ups(usage(*[1] * 30, last=date(2026, 11, 30)))
    assert len(month.sums) == 23


@pytest.mark.parametrize(("number", "lines"), [(0, 0), (8, 8), (9, 9), (10, 9), (30, 9)])
def test_the_eight_who_spent_most_are_named_and_the_others_counted(number: int, lines: int) -> None:
    found = rows(usage(0, shares=shares(*range(number + 1))))  # the first of them spent nothing
    assert len(found) == lines
    assert sum(row.spent_micro for row in found) == sum(range(number + 1))
    assert [row.name for row in found if row.is_others] == (
        [f"{number - 8} others"] if number > 9 else []
    )


@pytest.mark.parametrize("top", [0, 1, 7, 99_999, 25 * MICRO, 10**9 * MICRO, 10**20])
def test_an_axis_has_few_round_amounts_up_to_the_highest(top: int) -> None:
    amounts = ticks(top)
    assert amounts[0] == 0
    assert amounts[-1] <= top
    assert len(amounts) <= 6


@pytest.mark.parametrize(
    ("amounts", "labels"),
    [
        ([0, 500_000, 1_000_000], ["$0.00", "$0.50", "$1.00"]),
        ([0, 5], ["$0.00", "$0.000005"]),
        ([0, 5 * MICRO, 10 * MICRO], ["$0", "$5", "$10"]),
        ([0, 500 * MICRO, 1_000 * MICRO], ["$0", "$500", "$1,000"]),
        ([0, 20_000 * MICRO], ["$0", "$20k"]),
        ([0, 5 * 10**12, 10**13], ["$0", "$5M", "$10M"]),
    ],
)
def test_an_axis_is_written_as_short_as_it_can_be(amounts: list[int], labels: list[str]) -> None:
    assert tick_labels(amounts) == labels


@pytest.mark.parametrize("number", [1, 2, 7, 8, 14, 15, 28, 29, 30, 31, 49, 50, 92, 366])
def test_at_most_seven_days_are_named_evenly_and_today_is_one(number: int) -> None:
    labels = date_labels(usage(*[0] * number))
    assert len(labels) <= 7
    assert labels[number - 1] == "23\ntoday"
    assert len({after - before for before, after in pairwise(labels)}) <= 1


def test_the_month_is_named_once() -> None:
    labels = date_labels(usage(*[0] * 7, last=date(2026, 11, 3)))
    assert list(labels.values()) == ["28\nOct", "29\n", "30\n", "31\n", "1\nNov", "2\n", "3\n"]


@pytest.mark.parametrize(
    ("number", "last", "text"),
    [
        (1, TODAY, "23 Nov 2026"),
        (23, TODAY, "1–23 Nov 2026"),
        (24, TODAY, "31 Oct – 23 Nov 2026"),
        (7, date(2027, 1, 3), "28 Dec 2026 – 3 Jan 2027"),
    ],
)
def test_a_range_of_days_says_nothing_twice(number: int, last: date, text: str) -> None:
    assert dates(usage(*[0] * number, last=last)) == text


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("\U0001d4db\U0001d4fe\U0001d4f7\U0001d4ea  ✨", "Luna ✨"),
        ("back\u202eward\nline", "backward line"),
        ("e" + "\u0316" * 9, "e" + "\u0316" * 2),
        ("שָׁלוֹם", "שָׁלוֹם"),
        ("123456789012345678", "123456789012345678"),
        ("🔥!", ""),
        ("", ""),
    ],
)
def test_a_name_is_made_fit_for_a_line(name: str, line: str) -> None:
    assert legible(name) == line


def test_of_a_name_only_what_the_font_has_is_drawn() -> None:
    assert legible("Mia 田", frozenset(map(ord, "Mia "))) == "Mia"
    [row] = rows(usage(0, shares=(Share(name="田", spent_micro=1),)), frozenset())
    assert row.name == "member 1"


# --- In words ------------------------------------------------------------------------------------


def test_the_words_say_what_the_picture_shows() -> None:
    case = usage(
        *[500_000] * 22,
        750_000,
        limit_micro=25_000_000,
        held_micro=184_800,
        shares=(Share(name="Bo", spent_micro=1_750_000), Share(name="Mia", spent_micro=10_000_000)),
    )
    assert alt_text(case) == (
        "Animation club · 1–23 Nov 2026: $11.75 spent, $0.1848 held."
        " Limit $25.00 a month; $11.75 spent in the latest."
        " Most on 23 Nov: $0.75."
        " By member: Mia $10.00, Bo $1.75."
    )


def test_the_words_say_that_nothing_was_spent() -> None:
    assert alt_text(usage(0, title="")) == "23 Nov 2026: nothing spent yet."


def test_the_words_fit_where_discord_takes_them() -> None:
    names = tuple(Share(name="ﷺ" * 99, spent_micro=10**30 + n) for n in range(30))
    text = alt_text(usage(10**30, title="W" * 900, limit_micro=10**30, shares=names))
    assert len(text) == 1024
    assert text.endswith("…")


# --- The process ---------------------------------------------------------------------------------


def test_the_bot_does_not_load_matplotlib() -> None:
    code = "import sys, bot.chart; sys.exit(any(m in sys.modules for m in ('matplotlib', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_the_figures_arrive_as_they_were_sent() -> None:
    case = usage(
        1, 2, limit_micro=10**20, shares=tuple(Share(name=n, spent_micro=5) for n in HOSTILE)
    )
    assert from_json(to_json(case)) == case


async def test_a_process_of_its_own_draws_the_same() -> None:
    case = usage(1, 2, shares=tuple(Share(name=name, spent_micro=5) for name in HOSTILE))
    mine, its = Image.open(io.BytesIO(draw(case))), Image.open(io.BytesIO(await drawn(case)))
    assert mine.tobytes() == its.tobytes()


def python(folder: Path, script: str) -> str:
    """Return a program to be run in Python's place."""
    program = folder / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return str(program)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("echo Traceback >&2; echo MemoryError >&2; exit 1", "exit 1: MemoryError"),
        ("kill -9 $$", "exit -9"),
        ("echo hello", "exit 0"),
    ],
)
async def test_a_process_that_draws_nothing_is_said_to_be_broken(
    tmp_path: Path, script: str, message: str
) -> None:
    with pytest.raises(ChartBroken, match=message):
        await drawn(usage(1), python=python(tmp_path, script))


async def test_a_process_that_cannot_start_is_said_to_be_broken(tmp_path: Path) -> None:
    with pytest.raises(ChartBroken, match="does not start"):
        await drawn(usage(1), python=str(tmp_path / "nothing"))


async def test_a_process_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(ChartBroken, match=r"within 0\.1 s"):
        await drawn(usage(1), python=python(tmp_path, "exec sleep 60"), within=0.1)


async def test_the_process_ends_with_its_caller(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pid")
    script = f"echo $$ > {tmp_path}/pid; exec sleep 60"
    drawing = asyncio.create_task(drawn(usage(1), python=python(tmp_path, script)))
    pid = int(await asyncio.to_thread((tmp_path / "pid").read_text))
    os.kill(pid, 0)
    drawing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await drawing
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
