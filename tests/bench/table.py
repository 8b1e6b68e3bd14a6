"""Rows of the bench and how they are printed."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One measurement, ours and the floor's (or a peer's), of the same rounds, in `unit`.

    Without a floor there is nothing but ours, and without a bound it is shown and cannot miss.
    """

    what: str
    unit: str
    ours: Sequence[float]
    floor: Sequence[float] = ()
    floor_name: str = ""
    most_ratio: float | None = None
    least_ratio: float | None = None
    most_ours: float | None = None
    most_above: float | None = None
    """How far the median may be above the floor's."""
    holds_for_each: bool = False
    """Whether `most_ours` is for every round, and not for their median."""

    @property
    def ratio(self) -> float | None:
        return median(self.ours) / median(self.floor) if self.floor else None

    @property
    def is_met(self) -> bool:
        highest = max(self.ours) if self.holds_for_each else median(self.ours)
        above = median(self.ours) - median(self.floor) if self.floor else None
        pairs = (
            (self.ratio, self.most_ratio),
            (highest, self.most_ours),
            (above, self.most_above),
        )
        is_low = all(most is None or (value is not None and value <= most) for value, most in pairs)
        least = self.least_ratio
        return is_low and (least is None or (self.ratio is not None and self.ratio >= least))

    def cells(self) -> list[str]:
        bounds = []
        if self.most_ratio is not None:
            bounds.append(f"≤ {self.most_ratio:g}×")
        if self.least_ratio is not None:
            bounds.append(f"≥ {self.least_ratio:g}×")
        if self.most_ours is not None:
            ever = "always " if self.holds_for_each else ""
            bounds.append(f"{ever}≤ {self.most_ours:g} {self.unit}".rstrip())
        if self.most_above is not None:
            bounds.append(f"≤ {self.most_above:g} {self.unit} above")
        verdict = "met" if self.is_met else "MISSED"
        return [
            self.what,
            _spread(self.ours, self.unit),
            f"{self.floor_name}: {_spread(self.floor, self.unit)}" if self.floor else "–",
            "–" if self.ratio is None else f"{self.ratio:.2f}×",
            " and ".join(bounds) or "–",
            verdict if bounds else "",
        ]


HEAD = ["measured", "ours", "floor or peer, same run", "ratio", "target", ""]


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
    return " ".join(filter(None, (_number(middle), unit, f"[{_number(low)}–{_number(high)}]")))


def _number(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
