"""The simulation's command line: many runs with their counts, or one run with its events."""

import argparse
import sys
import time

from tests.simulation.fleet import fleet
from tests.simulation.run import Outcome, run

_POINTS = 30


def main() -> int:
    """Run what is asked for; 1 where a run fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--runs", type=int, default=3000, help="how many, over all seeds")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="replay one seed")
    parser.add_argument("--crash", type=int, default=0, help="its first crash is at this point")
    parser.add_argument("--verbose", action="store_true", help="print the run's events")
    asked = parser.parse_args()
    if asked.seed is not None:
        return _replay(asked.seed, asked.crash, is_verbose=asked.verbose)
    start = time.monotonic()
    seeds = range(asked.first, asked.first + -(-asked.runs // (_POINTS + 1)))
    total = fleet(seeds, _POINTS)
    for outcome in total.failed:
        _tell(outcome)
    taken = time.monotonic() - start
    _say(f"{total} in {taken:.0f} s, {total.runs / taken:.0f} runs/s")
    return bool(total.failed)


def _replay(seed: int, crash: int, *, is_verbose: bool) -> int:
    outcome = run(seed, crash, keep_log=is_verbose)
    if is_verbose:
        sys.stdout.write(outcome.log)
    _say(f"{outcome.points} points, {outcome.crashes} crashes, events {outcome.digest[:16]}")
    _tell(outcome)
    return not outcome.is_fine


def _tell(outcome: Outcome) -> None:
    for violation in (*outcome.violations, *outcome.surprises):
        _say(f"--seed {outcome.seed} --crash {outcome.crash}: {violation}")


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")


if __name__ == "__main__":
    sys.exit(main())
