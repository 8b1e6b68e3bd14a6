"""Draws what a server has spent, with matplotlib: a PNG for Discord's dark theme, fine on light.

The bot itself never imports this: `python -m bot.plot` reads the figures of `bot/chart.py` as JSON
and writes the picture. Nothing is told by colour alone: what is held is hatched, a limit is dashed
and named, today stands on a band and is called so.
"""

import io
import sys
from bisect import bisect
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.patches import Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.text import Text

from bot.chart import (
    Row,
    RunUp,
    Usage,
    date_labels,
    dates,
    from_json,
    index_of_today,
    legible,
    limit_label,
    rows,
    run_ups,
    tick_labels,
    ticks,
)
from bot.money import MICRO, usd
from bot.periods import Period

WIDTH, HEIGHT = 550, 350
"""Points: the pixels into which Discord fits a picture, which is drawn twice as fine."""
_DPI = 144
GROUND, BAND, GRID, MUTED, TEXT = "#2b2d31", "#36383e", "#43464d", "#b5bac1", "#f2f3f5"
SPENT, LIMIT, OTHERS = "#56b4e9", "#e69f00", "#949ba4"
"""A blue and an orange that every eye tells apart."""
_FONT = "DejaVu Sans"
_SIZES = (12, 11, 10)
"""Points of letters: a long name is written smaller before it is cut."""
_STYLE: Any = {
    "axes.axisbelow": True,
    "axes.edgecolor": MUTED,
    "axes.facecolor": GROUND,
    "axes.spines.left": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.facecolor": GROUND,
    "font.family": _FONT,
    "font.size": _SIZES[0],
    "hatch.linewidth": 1.5,
    "text.color": TEXT,
    "text.parse_math": False,  # a dollar is a dollar
}
_HELD: Any = {"facecolor": GROUND, "edgecolor": SPENT, "hatch": "////", "linewidth": 1}
_OUTLINE = (withStroke(linewidth=4, foreground=GROUND),)
"""Keeps words legible across whatever lies behind them."""

_LEFT, _MIDDLE, _RIGHT = 16, 348, 534
"""Points from the left: where the days begin, where the members begin, and where both end."""
_TOP, _BOTTOM = 84, 308
"""Points from the top, between which the days are drawn."""
_ROW = 27.5
"""Points that one member takes."""
_HEADROOM = 16
"""Points above the highest amount, for the name of a limit."""
_FAR = 8
"""A limit this many times the highest bar would flatten the bars: it is named, not drawn."""


def draw(usage: Usage) -> bytes:
    """Return the picture as a PNG of 1100 by 700 pixels, under 300 kB."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(WIDTH * 2 / _DPI, HEIGHT * 2 / _DPI), dpi=_DPI)
        FigureCanvasAgg(figure)
        _Picture(figure, usage).draw()
        out = io.BytesIO()
        figure.savefig(out, format="png")
    return out.getvalue()


class _Picture:
    """One figure while it is drawn. Places are points from the top left."""

    def __init__(self, figure: Figure, usage: Usage) -> None:
        self._figure = figure
        self._usage = usage
        self._today = index_of_today(usage)
        self._glyphs = frozenset(get_font(findfont(_FONT)).get_charmap())

    def draw(self) -> None:
        """Draw everything."""
        is_daily = self._usage.limit_period == Period.DAY
        periods = [] if is_daily else run_ups(self._usage)
        self._heading(is_limit_named=not (is_daily or periods))
        limit = self._usage.limit_micro
        if limit is None or not periods:
            labels = self._by_day(self._panel("by day", _TOP, _BOTTOM), limit if is_daily else None)
        else:
            caption = f"added up by {self._usage.limit_period}"
            labels = self._added_up(self._panel(caption, _TOP, 178), limit, periods)
            labels += self._by_day(self._panel("by day", 212, _BOTTOM), None)
        members = rows(self._usage, self._glyphs)
        left = _LEFT + max(self._width(label) for label in labels) + 6
        right = _MIDDLE - 26 if members else _RIGHT - 16
        for axes in self._figure.axes:
            place = axes.get_position()
            axes.set_position((left / WIDTH, place.y0, (right - left) / WIDTH, place.height))
        if members:
            self._by_member(members)

    def _heading(self, *, is_limit_named: bool) -> None:
        """Write the sums, each after the pattern that stands for it, and what they are of."""
        usage = self._usage
        self._box(_LEFT, 17, 11, 11, color=SPENT)
        spent = f"{usd(usage.spent_micro)} spent"
        end = self._text(_LEFT + 17, 28, spent, fontsize=17, fontweight="bold")
        if usage.held_micro:
            self._box(end + 16, 17, 11, 11, **_HELD)
            self._text(end + 33, 28, f"{usd(usage.held_micro)} held", fontsize=14)
        facts = [dates(usage), limit_label(usage) if is_limit_named else ""]
        line = " · ".join(filter(None, [*facts, legible(usage.title, self._glyphs)]))
        self._text(_LEFT, 50, self._cut(line, _RIGHT - _LEFT), color=MUTED)

    def _by_day(self, axes: Axes, limit_micro: int | None) -> list[str]:
        """Draw a bar a day, what is held on top of today's, and the limit of a day."""
        bars = [day.spent_micro for day in self._usage.days]
        highest = max(bars)
        axes.bar(range(len(bars)), bars, color=SPENT)
        if not highest:
            centre: Any = {"transform": axes.transAxes, "ha": "center", "va": "center"}
            axes.text(0.5, 0.5, "nothing spent yet", fontsize=14, path_effects=_OUTLINE, **centre)
        if self._today is not None:
            axes.axvspan(self._today - 0.5, self._today + 0.5, color=BAND, zorder=0)
            if held := self._usage.held_micro:
                axes.bar(self._today, held, bottom=bars[self._today], **_HELD)
                highest = max(highest, bars[self._today] + held)
        if limit_micro is not None and 0 < highest * _FAR < limit_micro:
            self._name_limit(axes, highest, "↑ ")
        elif limit_micro is not None:
            self._draw_limit(axes, limit_micro)
            highest = max(highest, limit_micro)
        self._dates(axes)
        return self._amounts(axes, highest)

    def _added_up(self, axes: Axes, limit_micro: int, periods: Sequence[RunUp]) -> list[str]:
        """Draw what was spent since each period began, and the limit."""
        highest = limit_micro
        line: dict[str, Any] = {"color": SPENT, "linewidth": 2, "clip_on": False}
        for period in periods:
            amounts = [0, *period.sums]
            edges = [period.start - 0.5 + index for index in range(len(amounts))]
            axes.plot(edges, amounts, **line)
            axes.fill_between(edges, amounts, color=SPENT, alpha=0.25, linewidth=0)
            highest = max(highest, amounts[-1])
        if self._today is not None:
            end, spent = self._today + 0.5, periods[-1].sums[-1]
            used = spent + self._usage.held_micro
            axes.plot([end, end], [spent, used], linestyle=":", **line)
            axes.plot(end, used, marker="o", markerfacecolor=GROUND, markersize=5, **line)
            axes.plot(end, spent, marker="o", markersize=5, **line)
            highest = max(highest, used)
        self._draw_limit(axes, limit_micro)
        axes.set_xticks([])
        return self._amounts(axes, highest)

    def _by_member(self, members: Sequence[Row]) -> None:
        """Draw a bar a member under the name and the amount."""
        most = max(row.spent_micro for row in members)
        width = _RIGHT - _MIDDLE
        self._text(_MIDDLE, _TOP - 9, "by member", color=MUTED)
        for index, row in enumerate(members):
            y = _TOP + _ROW * index
            amount = usd(row.spent_micro)
            room = width - self._width(amount) - 8
            sizes = (size for size in _SIZES if self._width(row.name, size) <= room)
            size = next(sizes, _SIZES[-1])
            self._text(_MIDDLE, y + 12, self._cut(row.name, room, size), fontsize=size)
            self._text(_RIGHT, y + 12, amount, ha="right")
            self._box(_MIDDLE, y + 16, width, 4, color=GRID)
            filled = width * row.spent_micro / most
            self._box(_MIDDLE, y + 16, filled, 4, color=OTHERS if row.is_others else SPENT)

    # --- Pieces ---

    def _panel(self, caption: str, top: float, bottom: float) -> Axes:
        """Add axes for the days under a caption; where they begin is known with their labels."""
        self._text(_LEFT, top - 9, caption, color=MUTED)
        axes = self._figure.add_axes((0, 1 - bottom / HEIGHT, 1, (bottom - top) / HEIGHT))
        number = len(self._usage.days)
        side = max(0.5, (7 - number) / 2)
        axes.set_xlim(-side, number - 1 + side)
        axes.tick_params(length=0, labelcolor=MUTED)
        axes.grid(axis="y", color=GRID)
        return axes

    def _amounts(self, axes: Axes, highest_micro: int) -> list[str]:
        """Set the scale to hold an amount, and return its labels."""
        highest = highest_micro or MICRO
        points = axes.get_position().height * HEIGHT
        axes.set_ylim(0, highest * points / (points - _HEADROOM))
        amounts = ticks(highest)
        labels = tick_labels(amounts)
        axes.set_yticks(amounts, labels)
        return labels

    def _dates(self, axes: Axes) -> None:
        labels = date_labels(self._usage)
        axes.set_xticks(list(labels), list(labels.values()))
        for index, label in zip(labels, axes.get_xticklabels(), strict=True):
            if index == self._today:
                label.set(color=TEXT, fontweight="bold")

    def _draw_limit(self, axes: Axes, limit_micro: int) -> None:
        axes.axhline(limit_micro, color=LIMIT, linewidth=1.5, linestyle="--")
        self._name_limit(axes, limit_micro)

    def _name_limit(self, axes: Axes, amount: int, mark: str = "") -> None:
        """Write the limit just above an amount."""
        axes.annotate(
            f"{mark}{limit_label(self._usage)}",
            (0, amount),
            xycoords=("axes fraction", "data"),
            xytext=(3, 3),
            textcoords="offset points",
            color=LIMIT,
            path_effects=_OUTLINE,
        )

    def _text(self, x: float, y: float, text: str, **style: Any) -> float:
        """Write a line on a baseline, and return where it ends."""
        written = self._figure.text(x / WIDTH, 1 - y / HEIGHT, text, **style)
        return float(written.get_window_extent().x1) / 2

    def _width(self, text: str, size: float = _SIZES[0]) -> float:
        """Return how wide a line is, in points."""
        line = Text(text=text, fontsize=size)
        line.set_figure(self._figure)
        return float(line.get_window_extent().width) / 2

    def _cut(self, text: str, room: float, size: float = _SIZES[0]) -> str:
        """Return as much of a line as fits, with an ellipsis where some is left out."""
        if self._width(text, size) <= room:
            return text

        def width(length: int) -> float:
            return self._width(f"{text[:length]}…", size)

        fitting = bisect(range(len(text)), room, key=width) - 1
        return f"{text[: max(0, fitting)].rstrip()}…"

    def _box(self, x: float, y: float, width: float, height: float, **style: Any) -> None:
        corner = (x / WIDTH, 1 - (y + height) / HEIGHT)
        self._figure.add_artist(Rectangle(corner, width / WIDTH, height / HEIGHT, **style))


if __name__ == "__main__":
    sys.stdout.buffer.write(draw(from_json(sys.stdin.buffer.read())))
