"""A sample of the crash matrix; `python -m tests.matrix` plays all of it.

What failed is told with the seed and the name of its cell, with which it can be played again.
"""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from random import Random

import pytest

from tests.matrix.crowds import crowds
from tests.matrix.moments import Moment, moments
from tests.matrix.runs import Cell, Run
from tests.matrix.weathers import alone, pairs

SEED = 1
SHARPEST = ("before", "after")
"""Of the moments of a request; the long form has all."""
TOWNS = 4
"""A bot that starts keeps a processor busy; one that waits for a clip does not."""

pytestmark = pytest.mark.timeout(300)  # half a minute each, where nobody else is at work


async def played(cells: Sequence[Cell], folder: Path) -> int:
    """Play cells in several towns, fail with what is wrong in any, and return the kills."""
    run = Run(SEED, folder)
    await run.play(cells, TOWNS)
    again = f"again: python -m tests.matrix --seed {SEED} --cell NAME"
    assert not run.violations, "\n".join([*run.violations, again])
    return sum(tally.counts["kills"] for tally in run.tallies.values())


async def test_a_bot_that_dies_before_or_after_any_of_its_requests_loses_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    cells = [one for one in moments() if not isinstance(one, Moment) or one.when in SHARPEST]
    assert await played(cells, tmp_path) >= len(cells)


async def test_a_bot_that_dies_at_any_moment_with_twenty_clips_loses_and_doubles_nothing(
    tmp_path: Path,
) -> None:
    assert await played([*crowds(2)], tmp_path) == 10


async def test_a_bot_that_dies_in_bad_weather_loses_and_doubles_nothing(tmp_path: Path) -> None:
    random = Random(SEED)
    cells = [*random.sample([*alone()], 8), *random.sample([*pairs()], 8)]
    assert await played(cells, tmp_path) > len(cells) // 2  # some faults end the bot first


def test_every_cell_has_a_name_of_its_own() -> None:
    names = [cell.name for cell in chain(moments(), crowds(3), alone(), pairs())]
    assert len(set(names)) == len(names)
