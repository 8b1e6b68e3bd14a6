"""What several test modules need: one factory per record, a settable clock, a store in a folder."""

import itertools
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from bot.accounts import Accounts
from bot.database import Database
from bot.ledger import Balance
from bot.lifecycle import Job, Order
from bot.periods import Period
from bot.rules import Account, Limits, Measure
from bot.store import Store

hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")  # no test is about how fast a machine is

ROOT = Path(__file__).parents[1]
FAULT = "fault"
"""The property of a row of the fault table: (step, end, accepted, billed, spent, held)."""

NOON = 1_794_052_800_000
"""2026-11-07 12:00 UTC in Unix milliseconds: the middle of a month."""

UNLIMITED = Limits()

NO_REST = 86_400.0
"""Seconds that a database rests before it goes on by itself: SimCord waits for what is near."""

LONGEST = {
    name: place
    for place, name in enumerate(
        (
            *("test_simulation", "test_corpus", "test_restart", "test_log", "test_matrix"),
            *("test_sizes", "test_demo", "test_kills", "test_command_line", "test_admin_cogs"),
            *("test_doors", "test_runware_clips", "test_gateway_trouble", "test_house_rules"),
        )
    )
}
"""The files that keep a worker longest, the longest first."""

OrderFactory = Callable[..., Order]
JobFactory = Callable[..., Job]

_numbers = itertools.count(1)


def make_order(**changes: Any) -> Order:
    """Return what a plain `/animate` becomes, with `changes`."""
    order = Order(
        model="klingai:2@1", width=1280, height=720, duration=5.0, results=1, guidance=0.5
    )
    return replace(order, **changes)


def make_job(**changes: Any) -> Job:
    """Return a job nobody has seen before, queued at noon unless `changes` say otherwise."""
    number = next(_numbers)
    created_at = changes.get("created_at", NOON)
    job = Job(
        id=f"{number:08x}-0000-4000-8000-000000000001",
        source=f"interaction:{number}",
        task_uuid=f"{number:08x}-0000-4000-8000-000000000002",
        guild_id=1000,
        channel_id=2000,
        member_id=3000,
        status_message_id=4000 + number,
        order=make_order(),
        quote_micro=184_800,
        due_at=created_at,
        created_at=created_at,
        updated_at=created_at,
    )
    return replace(job, **changes)


def monthly(member: int | None = None, server: int | None = None, bot: int | None = None) -> Limits:
    """Return limits of an operator who knows months only; micro-dollars, None is unlimited."""
    return Limits(
        member={Measure.MONTH: member}, server={Measure.MONTH: server}, bot={Measure.MONTH: bot}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the three accounts of a job have used in its month."""

    member: Balance
    server: Balance
    bot: Balance


async def standing(accounts: Accounts, job: Job) -> Standing:
    """Return the balances that a job counts in."""
    view = await accounts.statement(job.guild_id, job.member_id, (), job.created_at)
    return Standing(
        member=view.balances[Account.MEMBER, Period.MONTH],
        server=view.balances[Account.SERVER, Period.MONTH],
        bot=view.balances[Account.BOT, Period.MONTH],
    )


class Clock:
    """A clock that stands still until it is told otherwise; Unix milliseconds."""

    def __init__(self, now: int = NOON) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def forward(self, *, seconds: float) -> int:
        self.now += round(seconds * 1000)
        return self.now


def readme_part(marker: str) -> str:
    """Return what README.md has between `<!-- marker -->` and `<!-- /marker -->`."""
    text = (ROOT / "README.md").read_text("utf-8")
    _, start, rest = text.partition(f"<!-- {marker} -->")
    inside, end, _ = rest.partition(f"<!-- /{marker} -->")
    assert start, f"README.md lacks <!-- {marker} -->"
    assert end, f"README.md lacks <!-- /{marker} -->"
    return inside.strip()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: no worker is left alone with one at the end."""
    items.sort(key=lambda item: LONGEST.get(item.path.stem, len(LONGEST)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count the rows of the fault table that passed, by step and by what became of the job."""
    passed = terminalreporter.getreports("passed")
    rows = [row for report in passed for name, row in report.user_properties if name == FAULT]
    if not rows:
        return
    ends = sorted({end for _, end, *_ in rows})
    terminalreporter.section("fault table")
    counts = Counter((step, end) for step, end, *_ in rows)
    for step in dict.fromkeys(step for step, *_ in rows):
        each = ", ".join(f"{counts[step, end]} {end}" for end in ends if counts[step, end])
        terminalreporter.line(f"{step:>8}: {each}")
    accepted, billed, spent, held = (sum(row[place] for row in rows) for place in range(2, 6))
    terminalreporter.line(
        f"{len(rows)} faults, each on a job of its own: {accepted} tasks accepted,"
        f" ${billed / 1e6:.4f} billed, ${spent / 1e6:.4f} booked, ${held / 1e6:.4f} still held"
    )


@pytest.fixture
def order_factory() -> OrderFactory:
    return make_order


@pytest.fixture
def job_factory() -> JobFactory:
    return make_job


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database(tmp_path / "data") as opened:
        yield opened


@pytest.fixture
def store(database: Database) -> Store:
    return Store(database)


@pytest.fixture
def accounts(database: Database) -> Accounts:
    return Accounts(database, UNLIMITED)
