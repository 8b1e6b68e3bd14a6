"""The accounts under any order of events: what Hypothesis can think of, beside a plain model."""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bot import ledger
from bot.accounts import Accounts, Server
from bot.admin import Admin, Change
from bot.database import Database
from bot.errors import CoolingDown, LimitReached, StaleJob, StoreError, TooManyAtOnce, ZoneSetLately
from bot.ledger import Kind, Resolution, Statement, total_cost
from bot.lifecycle import FINAL, TRANSITIONS, Clip, Event, Failure, Job, State, advance, again
from bot.periods import Period
from bot.rules import Account, Limits, Measure, Rule, Target
from bot.store import Store
from tests.conftest import make_job, make_order
from tests.model import Granted, Model, Refusal, number, used

T = TypeVar("T")

SECOND, HOUR = 1000, 3_600_000
ADMIN = 1
GUILDS, MEMBERS, ROLES = (1, 2), (11, 12), (21, 22)
ZONES = (
    "UTC",
    "America/New_York",
    "America/Havana",
    "Asia/Beirut",
    "Africa/Cairo",
    "America/Santiago",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "Pacific/Kiritimati",
    "Etc/GMT+12",
)
DAYS = (
    *("2027-12-31", "2028-01-31", "2028-02-28", "2028-02-29", "2028-05-31"),  # months, years, leaps
    *("2028-03-12", "2028-11-05"),  # clocks change in New York and Havana,
    *("2028-03-26", "2028-10-29", "2028-04-28", "2028-10-27"),  # in Beirut, in Cairo,
    *("2028-04-02", "2028-09-03", "2028-10-01"),  # in Santiago, and on Lord Howe
)
PAUSE = st.sampled_from((0, 1, 5, 60))
"""Seconds of a cooldown, or from one clip to the next: often the same."""

DAY = st.sampled_from(DAYS)
MAYBE_ANOTHER_DAY = st.sampled_from((None,) * 50 + DAYS)
MINUTES = st.sampled_from(range(-14 * 60, 38 * 60, 15))
"""From the first begin of a day anywhere to its last end; all clocks change at a quarter."""
MONEY = st.none() | st.just(0) | st.integers(50, 300)
VALUES = {
    **dict.fromkeys(map(Measure, Period), MONEY),
    Measure.CLIPS: st.none() | st.integers(1, 4),
    Measure.COOLDOWN: st.none() | PAUSE,
}
OF_A_MEMBER = st.builds(
    lambda month, others: others | {Measure.MONTH: month},
    st.integers(0, 200),
    st.fixed_dictionaries({}, optional=VALUES),
)
OF_MANY = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(map(Measure, Period), st.integers(100, 900))
    | {Measure.CLIPS: st.integers(3, 9)},
)
LIMITS = st.builds(Limits, member=OF_A_MEMBER, server=OF_MANY, bot=OF_MANY)


@dataclass(frozen=True)
class Wish:
    """What a member asks for."""

    guild: int
    member: int
    roles: tuple[int, ...]
    seconds: float
    results: int
    quote: int

    def job(self, now: int, **changes: Any) -> Job:
        return make_job(
            guild_id=self.guild,
            member_id=self.member,
            role_ids=self.roles,
            order=make_order(duration=self.seconds, results=self.results),
            quote_micro=self.quote,
            created_at=now,
            **changes,
        )


GUILD, MEMBER = st.sampled_from(GUILDS), st.sampled_from(MEMBERS)
WISH = st.builds(
    Wish,
    guild=GUILD,
    member=MEMBER,
    roles=st.sampled_from([(), ROLES[:1], ROLES[1:], ROLES]),
    seconds=st.sampled_from((5.0, 10.0)),
    results=st.integers(1, 2),
    quote=st.integers(1, 100),
)
GRANT = st.tuples(st.integers(1, 300), st.none() | st.integers(0, 200))
"""Micro-dollars, and the hours for which they last."""
COSTS = st.lists(st.none() | st.integers(0, 200), min_size=2, max_size=2)
"""What the service reports for each clip, if it does."""


@st.composite
def a_rule(draw: st.DrawFn) -> Rule:
    target = draw(st.sampled_from([*Target, Target.ROLE, Target.ROLE]))
    target_id = {Target.ROLE: st.sampled_from(ROLES), Target.MEMBER: MEMBER}.get(target, st.just(0))
    measure = draw(st.sampled_from(Measure))
    value = draw(VALUES[measure])
    return Rule(target=target, target_id=draw(target_id), measure=measure, value=value)


@cache
def empty_file() -> bytes:
    """Return a database of today's schema, made once."""

    async def make(folder: Path) -> Path:
        async with Database(folder) as database:
            return database.path

    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(make(Path(folder))).read_bytes()


class Books(RuleBasedStateMachine):
    """The store, the accounts and their admins beside the model."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.folder = Path(tempfile.mkdtemp())
        (self.folder / "animate.db").write_bytes(empty_file())
        self.model = Model()
        self.jobs: dict[str, Job] = {}
        self.old: list[Job] = []
        self.now = 0
        self.ticks = 0
        self.steps = 0
        self.open()

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def open(self) -> None:
        self.database = self.do(Database(self.folder).__aenter__())
        self.store, self.admin = Store(self.database), Admin(self.database)
        self.accounts = Accounts(self.database, self.model.limits)

    def tick(self) -> int:
        """Return a moment that no other change had, within some milliseconds of now."""
        self.ticks += 1
        return self.now + self.ticks

    def change(self, guild: int) -> Change:
        return Change(guild_id=guild, actor_id=ADMIN, at=self.now, reason="because")

    # --- Clips -----------------------------------------------------------------------------------

    @initialize(limits=LIMITS, day=DAY, zones=st.tuples(*[st.sampled_from(ZONES)] * 2))
    def begin(self, limits: Limits, day: str, zones: tuple[str, str]) -> None:
        self.set_the_clock(day, 0, 0)
        for guild, zone in zip(GUILDS, zones, strict=True):
            self.move_server(guild, zone)
        self.restart(limits)

    @rule(wish=WISH, seconds=PAUSE)
    def accept(self, wish: Wish, seconds: int) -> None:
        """Accept a clip some time after the last."""
        self.now += seconds * SECOND
        self.accept_at_once([wish])

    @rule(wishes=st.lists(WISH, min_size=2, max_size=6))
    def accept_at_once(self, wishes: list[Wish]) -> None:
        """Accept clips that are all asked for in the same moment."""

        async def together(jobs: list[Job]) -> list[Any]:
            tasks = (self.store.accept(job, self.model.limits) for job in jobs)
            return list(await asyncio.gather(*tasks, return_exceptions=True))

        jobs = [wish.job(self.now) for wish in wishes]
        for job, outcome in zip(jobs, self.do(together(jobs)), strict=True):
            self.judge(job, outcome)

    def judge(self, job: Job, outcome: Any) -> None:
        """Hold what came of an `accept` against the model."""
        price = self.model.price(job.order.clip_kind, job.created_at) * job.order.results
        wanted = max(job.quote_micro, price)
        refusal = self.model.refusal(job, wanted)
        assert refusal_of(outcome) == refusal
        if refusal is None:
            assert outcome.is_new
            assert outcome.job.quote_micro == wanted
            self.within_limits(job, wanted)
            self.model.hold(job, wanted)
            self.jobs[job.id] = outcome.job

    def within_limits(self, job: Job, wanted: int) -> None:
        """No limit is exceeded by a hold, beyond what the member's credit pays of it."""
        who = (job.guild_id, job.member_id)
        for account in Account:
            credit = self.model.credit(account, *who, self.now)
            for period in Period:
                before = used(self.model.balance(account, period, *who, self.now))
                values = self.model.values(account, Measure(period), *who, job.role_ids)
                assert all(before + wanted <= max(limit, before) + credit for limit in values)

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), wish=WISH)
    def ask_again(self, data: st.DataObject, wish: Wish) -> None:
        known = data.draw(st.sampled_from(list(self.jobs.values())))
        twin = wish.job(self.now, source=known.source)
        admitted = self.do(self.store.accept(twin, self.model.limits))
        assert (admitted.job, admitted.is_new) == (known, False)

    @precondition(lambda self: self.unfinished())
    @rule(data=st.data(), costs=COSTS)
    def move(self, data: st.DataObject, costs: list[int | None]) -> None:
        job = data.draw(st.sampled_from(self.unfinished()))
        event = data.draw(st.sampled_from(list(TRANSITIONS[job.state])))
        self.advance(job, event, costs, data.draw(st.sampled_from(Failure)))

    @precondition(lambda self: self.unfinished())
    @rule(data=st.data(), costs=COSTS, is_lost=st.booleans())
    def finish(self, data: st.DataObject, costs: list[int | None], is_lost: bool) -> None:
        """Take a job to its clips, perhaps by way of its loss."""
        job = data.draw(st.sampled_from(self.unfinished()))
        way = [Event.SUBMIT, Event.ACCEPTED, *[Event.GIVE_UP] * is_lost, Event.FINISHED]
        for event in way:
            if event in TRANSITIONS[job.state]:
                job = self.advance(job, event, costs)

    def unfinished(self) -> list[Job]:
        return [job for job in self.jobs.values() if job.state not in FINAL]

    def advance(
        self,
        job: Job,
        event: Event,
        costs: list[int | None],
        failure: Failure = Failure.REFUSED,
    ) -> Job:
        after = TRANSITIONS[job.state][event]
        moment = self.tick()
        resolution = None
        clips: list[Clip] = []
        if after is State.RENDERED:
            clips = clips_of(job, costs[: job.order.results])
            resolution = self.pay(job, [clip.cost_micro for clip in clips], moment)
        elif after in (State.LOST, State.FAILED) and job.state is not State.LOST:
            resolution = ledger.release(job, self.now)
            self.model.spend(job.id, 0)
        if after is State.FAILED:
            self.model.fail(job.id, is_shunned=failure is Failure.DECLINED)
        moved = advance(
            job,
            event,
            moment,
            failure=failure if after is State.FAILED else None,
            message_id=1 if after is State.DELIVERED else None,
        )
        assert self.do(self.store.move(job, moved, resolution=resolution, clips=clips)) == moved
        self.old.append(job)
        self.jobs[job.id] = moved
        return moved

    def pay(self, job: Job, reported: list[int | None], moment: int) -> Resolution:
        cost, note = total_cost(reported, job.quote_micro, job.order.results)
        known = [micro for micro in reported if micro is not None]
        if known:
            self.model.prices[job.order.clip_kind] = (max(known), moment)
        if job.state is State.LOST:
            self.model.find(job.id, cost)
            return ledger.found(job, cost, self.now, note or "turned up")
        self.model.spend(job.id, cost)
        return ledger.spend(job, cost, self.now, note)

    @precondition(lambda self: self.old)
    @rule(data=st.data())
    def move_from_the_past(self, data: st.DataObject) -> None:
        job = data.draw(st.sampled_from(self.old))
        with pytest.raises(StaleJob):
            self.do(
                self.store.move(
                    job,
                    again(job, self.tick(), self.now),
                    resolution=ledger.spend(job, 1, self.now),
                )
            )

    @precondition(lambda self: any(not clip.is_running for clip in self.model.clips.values()))
    @rule(data=st.data(), kind=st.sampled_from([Kind.SPEND, Kind.RELEASE, Kind.ADJUSTMENT]))
    def resolve_twice(self, data: st.DataObject, kind: Kind) -> None:
        ended = [name for name, clip in self.model.clips.items() if not clip.is_running]
        job = self.jobs[data.draw(st.sampled_from(ended))]
        may_be_found = job.state in (State.LOST, State.FAILED)
        if kind is Kind.ADJUSTMENT and may_be_found:
            return
        cost = 0 if kind is Kind.RELEASE else 1
        twice = Resolution(job_id=job.id, kind=kind, cost_micro=cost, at=self.now, note="again")
        with pytest.raises(StoreError):
            self.do(self.store.move(job, again(job, self.tick(), 0), resolution=twice))

    # --- Admins, clocks and crashes --------------------------------------------------------------

    @rule(guild=GUILD, rules=st.lists(a_rule(), min_size=1, max_size=5))
    def set_rules(self, guild: int, rules: list[Rule]) -> None:
        for one in rules:
            before = self.do(self.admin.set_rule(self.change(guild), one))
            self.replaced(guild, one, before)
            self.model.rules[guild][one.target, one.target_id, one.measure] = number(one.value)

    @rule(guild=GUILD, one=a_rule())
    def drop_a_rule(self, guild: int, one: Rule) -> None:
        self.replaced(guild, one, self.do(self.admin.drop_rule(self.change(guild), one)))

    def replaced(self, guild: int, one: Rule, before: Rule | None) -> None:
        """Hold what a rule is said to have replaced against what was there."""
        there = self.model.rules[guild].pop((one.target, one.target_id, one.measure), None)
        assert (None if before is None else number(before.value)) == there

    @rule(guild=GUILD, zone=st.sampled_from(ZONES), days=st.sampled_from((7, 7, 7, 0)))
    def move_server(self, guild: int, zone: str, days: int = 0) -> None:
        """Move a server's days, nearly always when that may be again."""
        self.now += days * 24 * HOUR
        change = self.admin.set_server(self.change(guild), lambda _: Server(zone))
        if not self.model.may_move(guild, zone, self.now):
            with pytest.raises(ZoneSetLately):
                self.do(change)
            return
        before, _ = self.do(change)
        assert before.zone == self.model.zones[guild]
        self.model.move(guild, zone, self.now)

    @rule(guild=GUILD, member=MEMBER, grants=st.lists(GRANT, min_size=1, max_size=3))
    def grant(self, guild: int, member: int, grants: list[tuple[int, int | None]]) -> None:
        for micro, hours in grants:
            expires_at = None if hours is None else self.now + hours * HOUR
            self.do(self.admin.grant(self.change(guild), member, micro, expires_at))
            self.model.grants.append(
                Granted(guild=guild, member=member, left=micro, expires_at=number(expires_at))
            )

    @precondition(lambda self: self.model.grants)
    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        grant = data.draw(st.sampled_from(self.model.grants))
        left = self.do(self.admin.revoke(self.change(grant.guild), grant.member))
        assert left == self.model.revoke(grant.guild, grant.member, self.now)

    @precondition(lambda self: self.model.clips)
    @rule(data=st.data())
    def reset(self, data: st.DataObject) -> None:
        clip = data.draw(st.sampled_from(list(self.model.clips.values())))
        excused = self.do(self.admin.reset(self.change(clip.guild), clip.member))
        assert excused == self.model.reset(clip.guild, clip.member, self.now)

    @rule(day=MAYBE_ANOTHER_DAY, minutes=MINUTES, offset=st.sampled_from((-1, 0, 1)))
    def set_the_clock(self, day: str | None, minutes: int, offset: int) -> None:
        """Go to a moment of the day, forward or back, or of another."""
        if day is not None:
            self.today = datetime.fromisoformat(day).replace(tzinfo=UTC)
        self.now = round(self.today.timestamp() * 1000) + minutes * 60 * SECOND + offset

    @rule(hours=st.integers(1, 50))
    def wait(self, hours: int) -> None:
        self.now += hours * HOUR

    @rule(limits=st.none() | LIMITS)
    def restart(self, limits: Limits | None) -> None:
        """Close the file and open it again, perhaps under other limits of the operator."""
        self.model.limits = limits or self.model.limits
        self.do(self.database.__aexit__())
        self.open()

    # --- What must be true -----------------------------------------------------------------------

    @invariant()
    def the_accounts_are_proved_and_say_what_the_model_says(self) -> None:
        self.steps += 1
        if self.steps % 3 == 0:
            self.check(self.places())

    def places(self) -> list[tuple[int, int, int]]:
        return [(guild, member, self.now) for guild in GUILDS for member in MEMBERS]

    def check(self, places: list[tuple[int, int, int]]) -> None:
        """Prove the accounts, and compare the statements of members at moments."""

        async def together() -> tuple[tuple[str, ...], list[Statement]]:
            statements = (
                self.accounts.statement(guild, member, ROLES, now) for guild, member, now in places
            )
            return await asyncio.gather(self.accounts.discrepancies(), asyncio.gather(*statements))

        proof, views = self.do(together())
        assert proof == ()
        for place, view in zip(places, views, strict=True):
            self.compare(view, *place)

    def compare(self, view: Statement, guild: int, member: int, now: int) -> None:
        for account in Account:
            assert view.running[account] == self.model.running(account, guild, member)
            tightest = view.tightest(account)
            left = number(None if tightest is None else view.left_micro(tightest))
            assert left == self.model.left(account, guild, member, ROLES, now)
            for period in Period:
                balance = self.model.balance(account, period, guild, member, now)
                assert view.balances[account, period] == balance
            for measure in Measure:
                values = [
                    number(line.value)
                    for line in view.lines
                    if (line.account, line.measure) == (account, measure)
                ]
                if account is Account.MEMBER or measure is not Measure.COOLDOWN:
                    expected = self.model.values(account, measure, guild, member, ROLES)
                    assert min(values, default=number(None)) == min(expected)
        assert view.last_at == self.model.last_at(guild, member, now)
        assert [(credit.left_micro, number(credit.expires_at)) for credit in view.credits] == [
            (grant.left, grant.expires_at)
            for grant in map(self.model.grants.__getitem__, self.model.usable(guild, member, now))
        ]

    def teardown(self) -> None:
        try:
            self.check(self.places())
            for job in self.unfinished():
                one = job
                while one.state not in FINAL:
                    one = self.advance(one, next(iter(TRANSITIONS[one.state])), [1, None])
            for job in self.jobs.values():
                assert self.do(self.store.job(job.id)) == job
                assert not sum(entry.held_micro for entry in self.do(self.store.entries(job.id)))
            then = [(job.guild_id, job.member_id, job.created_at) for job in self.jobs.values()]
            self.check(self.places() + then)
        finally:
            self.do(self.database.__aexit__())
            self.runner.close()
            shutil.rmtree(self.folder)


def refusal_of(outcome: Any) -> Refusal | None:
    match outcome:
        case CoolingDown():
            return CoolingDown, Account.MEMBER
        case LimitReached() | TooManyAtOnce():
            return type(outcome), Account(outcome.whom)
        case Exception():
            raise outcome
    return None


def clips_of(job: Job, costs: list[int | None]) -> list[Clip]:
    return [
        Clip(job_id=job.id, ordinal=n, video_uuid=f"{n}", url="", seed=None, cost_micro=cost)
        for n, cost in enumerate(costs)
    ]


TestBooks = pytest.mark.timeout(180)(Books.TestCase)  # some 10 s where nothing else runs
TestBooks.settings = settings(
    max_examples=30,
    stateful_step_count=50,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
