"""Rows of the bench and how they are printed."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement, ours and the floor's, of the same rounds; values are in `unit`."""

    what: str
    unit: str
    ours: Sequence[float]
    floor: Sequence[float]
    floor_name: str
    most_ratio: float
    most_ours: float | None = None

    @property
    def ratio(self) -> float:
        return median(self.ours) / median(self.floor)

    @property
    def is_met(self) -> bool:
        within = self.most_ours is None or median(self.ours) <= self.most_ours
        return self.ratio <= self.most_ratio and within

    def cells(self) -> list[str]:
        target = f"≤ {self.most_ratio:g}×"
        if self.most_ours is not None:
            target += f" and ≤ {self.most_ours:g} {self.unit}"
        return [
            self.what,
            _spread(self.ours, self.unit),
            f"{self.floor_name}: {_spread(self.floor, self.unit)}",
            f"{self.ratio:.2f}×",
            target,
            "met" if self.is_met else "MISSED",
        ]


HEAD = ["measured", "ours", "floor, same run", "ratio", "target", ""]


def printed(rows: Sequence[Row]) -> str:
    """Return the rows as an aligned Markdown table."""
    lines = [HEAD, *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    texts = [
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    ]
    texts.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(texts)


def _spread(values: Sequence[float], unit: str) -> str:
    middle, low, high = median(values), min(values), max(values)
    return f"{_number(middle)} {unit} [{_number(low)}–{_number(high)}]"


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
