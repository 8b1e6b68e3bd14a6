"""Many runs, beside each other on all cores: which seeds, which points of crash, and their sum.

A run is named by its seed and the point of its first crash, so that any of them can be replayed.
"""

import multiprocessing
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.simulation.mutants import MUTANTS
from tests.simulation.run import Outcome, run


@dataclass(slots=True)
class Sum:
    """What many runs come to."""

    runs: int = 0
    crashes: int = 0
    points: int = 0
    accepted: int = 0
    billed: int = 0
    clips: int = 0
    seconds: float = 0.0
    failed: list[Outcome] = field(default_factory=list)

    def add(self, outcome: Outcome) -> None:
        self.runs += 1
        self.crashes += outcome.crashes
        self.points += outcome.points
        self.accepted += outcome.accepted
        self.billed += outcome.billed
        self.clips += outcome.clips
        self.seconds += outcome.seconds
        if not outcome.is_fine:
            self.failed.append(outcome)

    def __str__(self) -> str:
        return (
            f"{self.runs} runs, {self.crashes} crashes, {self.accepted} jobs accepted,"
            f" {self.billed} tasks billed, {self.clips} clips posted,"
            f" {self.seconds / 86_400:.0f} virtual days, {len(self.failed)} failed"
        )


def swept(seed: int, points: int) -> Iterator[Outcome]:
    """Run a seed without a crash, and then with its first crash at `points` of its points."""
    calm = run(seed)
    yield calm
    for number in range(points):
        # Spread over the whole run, and elsewhere for each seed.
        crash = 1 + (number * calm.points + seed * 7 % max(1, calm.points)) // points
        yield run(seed, crash)


def spread(runs: int, first: int = 0) -> Iterator[tuple[int, int]]:
    """Name runs of ever other seeds, with a crash early, late or not at all."""
    for seed in (first, *range(first), *range(first + 1, runs)):
        yield seed, seed * 29 % 120


def fleet(seeds: Iterable[int], points: int) -> Sum:
    """Sweep these seeds, each over `points` crashes, in a process for each core."""
    total = Sum()
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        jobs = [(seed, points) for seed in seeds]
        for outcomes in pool.imap_unordered(_swept, jobs):
            for outcome in outcomes:
                total.add(outcome)
    total.failed.sort(key=lambda outcome: (outcome.seed, outcome.crash))
    return total


def _swept(job: tuple[int, int]) -> list[Outcome]:
    return list(swept(*job))


def caught(most_runs: int) -> dict[str, int | None]:
    """Return after how many runs each mutant is seen; None: not within `most_runs`."""
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        places = [(place, most_runs) for place in range(len(MUTANTS))]
        return dict(pool.imap_unordered(_caught, places))


def _caught(job: tuple[int, int]) -> tuple[str, int | None]:
    place, most_runs = job
    mutant = MUTANTS[place]
    with mutant.alive():
        for number, (seed, crash) in enumerate(spread(most_runs, mutant.seen_with), start=1):
            if run(seed, crash).violations:
                return mutant.says, number
    return mutant.says, None
