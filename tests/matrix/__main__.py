"""The long form: every cell of the matrix, a table, and 1 as exit code where anything was wrong."""

import argparse
import asyncio
import logging
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from random import Random

from tests.matrix.cells import by_name, every
from tests.matrix.runs import Run
from tests.matrix.table import table


def main() -> int:
    """Run what the command line asks for and return the exit code."""
    chosen = _arguments()
    seed = Random().randrange(10**6) if chosen.seed is None else chosen.seed
    folder = Path(tempfile.mkdtemp(prefix="animate-matrix-"))
    # The local servers tell of every client that dies on them.
    logging.basicConfig(filename=folder / "servers.log", level=logging.WARNING)
    cells = every(seed, chosen.crowds, chosen.pairs)
    if chosen.cell:
        cells = [by_name(cells, chosen.cell)] * chosen.times
    say(f"seed {seed}: {len(cells)} cells in {chosen.towns} towns, in {folder}")

    def tell(failure: str) -> None:
        name = failure.partition("\n")[0]
        say(f"FAILED {failure}\n    again: python -m tests.matrix --seed {seed} --cell '{name}'")

    run = Run(seed, folder, tell)
    asyncio.run(run.play(cells, chosen.towns))
    say(f"\n{table(run)}\n\nseed {seed}: {'FAILED' if run.violations else 'all well'}")
    return bool(run.violations)


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__)
    parser.add_argument("--seed", type=int, help="of a run before this one (default: a new one)")
    parser.add_argument("--towns", type=int, default=2, help="side by side (default: 2)")
    parser.add_argument("--crowds", type=int, default=40, help="of 5 deaths each (default: 40)")
    parser.add_argument("--pairs", type=int, help="of faults, drawn from all (default: all)")
    parser.add_argument("--cell", help="this one alone, by its name")
    parser.add_argument("--times", type=int, default=1, help="how often to play that cell")
    return parser.parse_args(given)


def say(line: str) -> None:
    """Print at once, for whoever watches a pipe."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
