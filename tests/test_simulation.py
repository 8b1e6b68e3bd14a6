"""The simulation: what it proves of the bot, that it can be replayed, and that it sees mistakes."""

import os
import subprocess
import sys

import pytest

from tests.conftest import ROOT
from tests.simulation.fleet import caught, fleet
from tests.simulation.mutants import MUTANTS
from tests.simulation.run import run

SEEDS = 100
POINTS = 30
MOST_RUNS = 500


@pytest.mark.timeout(600)  # it takes 40 s where nothing else runs
def test_each_job_is_one_paid_task_and_one_posted_clip_or_no_charge_and_a_word() -> None:
    total = fleet(range(SEEDS), POINTS)
    failed = [
        f"python -m tests.simulation --seed {one.seed} --crash {one.crash} --verbose"
        f"  # {'; '.join((*one.violations, *one.surprises))}"
        for one in total.failed
    ]

    assert not failed, "\n".join(failed)
    assert total.runs == SEEDS * (POINTS + 1)
    assert total.crashes >= SEEDS * POINTS


@pytest.mark.timeout(600)
def test_each_mistake_that_the_design_rules_out_is_seen() -> None:
    runs = caught(MOST_RUNS)

    assert not [says for says, needed in runs.items() if needed is None]
    assert len(runs) == len(MUTANTS) >= 10


@pytest.mark.parametrize(("seed", "crash"), [(3, 0), (3, 40), (21, 83)])
def test_the_same_seed_tells_the_same_story_to_the_byte(seed: int, crash: int) -> None:
    first, again = run(seed, crash, keep_log=True), run(seed, crash, keep_log=True)

    assert first.log == again.log
    assert len(first.log.splitlines()) > 10


def test_a_story_does_not_depend_on_the_process_that_tells_it() -> None:
    command = [sys.executable, "-m", "tests.simulation", "--seed", "3", "--crash", "40"]
    told = {
        subprocess.run(
            [*command, "--verbose"],
            check=True,
            capture_output=True,
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": hash_seed},
        ).stdout
        for hash_seed in ("1", "2")
    }

    assert len(told) == 1
