"""All the cells of the matrix: which there are, and in which order they are played."""

from collections.abc import Sequence
from random import Random

from tests.matrix.crowds import crowds
from tests.matrix.moments import moments
from tests.matrix.runs import Cell
from tests.matrix.weathers import alone, pairs


def every(seed: int, crowd_count: int, pair_count: int | None = None) -> list[Cell]:
    """Return the cells, well mixed; `pair_count` draws so many of the pairs of faults."""
    random = Random(seed)
    paired = list(pairs())
    if pair_count is not None:
        paired = random.sample(paired, min(pair_count, len(paired)))
    cells: list[Cell] = [*moments(), *alone(), *paired, *crowds(crowd_count)]
    random.shuffle(cells)
    return cells


def by_name(cells: Sequence[Cell], name: str) -> Cell:
    """Return the cell of that name. Raises `SystemExit` with the names there are."""
    found = [cell for cell in cells if cell.name == name]
    if not found:
        raise SystemExit("there is no such cell: " + "; ".join(sorted(one.name for one in cells)))
    return found[0]
