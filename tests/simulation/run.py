"""One run: members ask, the world is unkind for a while and then kind, until all is settled.

Everything in it follows from its seed and the point of its first crash.
"""

import asyncio
import contextlib
import logging
import random
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from bot.errors import StoreError, UserError
from tests.conftest import NOON
from tests.simulation.audit import Hopes, audit
from tests.simulation.chat import Chat
from tests.simulation.disk import Disk
from tests.simulation.journal import Journal
from tests.simulation.life import Habits, Life, Surroundings
from tests.simulation.loop import Crash, Stuck, VirtualLoop, ignored
from tests.simulation.peril import Peril
from tests.simulation.runware import Runware
from tests.simulation.weather import DAY, NEVER, Weather
from tests.simulation.wire import Wire
from tests.simulation.wishes import Wish, wishes

_LOOK_EVERY = 20.0
"""Seconds between two looks at whether all is settled."""
_SOON = 900.0
"""Seconds after which an impatient bot gives a task up."""
_LINGERS = 400.0
"""Seconds after which what failed before has been tried again."""
_KEPT_FOR = 100.0
"""Seconds for which a bot keeps clips that it has posted."""
_SWEEPS = (60.0, 600.0, 600.0, 600.0)
"""Seconds. Mostly rare: two of five crashes hit nothing but a sweep while a run waited."""
_HARSH = 0.02
"""The share of runs whose trouble lasts for hours."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run; read on only where it is not fine."""

    seed: int
    crash: int
    violations: tuple[str, ...]
    """Of what was promised."""
    surprises: tuple[str, ...]
    """What broke in a way that nobody had foreseen, whatever came of it."""
    points: int
    crashes: int
    accepted: int
    """Jobs."""
    billed: int
    """Tasks."""
    clips: int
    seconds: float
    """Of virtual time."""
    digest: str
    log: str = field(repr=False)

    @property
    def is_fine(self) -> bool:
        return not self.violations and not self.surprises


def run(seed: int, crash: int = 0, *, keep_log: bool = False) -> Outcome:
    """Simulate one run; `crash` is the number of the point at which the first life ends, or 0."""
    disk = Disk()
    loop = VirtualLoop()
    try:
        return loop.run_until_complete(_simulated(loop, disk, seed, crash, keep_log))
    finally:
        disk.close()
        loop.close()


async def _simulated(
    loop: VirtualLoop, disk: Disk, seed: int, crash: int, keep_log: bool
) -> Outcome:
    world = _World(loop, disk, seed, crash)
    with _surprises(world.surprises):
        loop.set_exception_handler(world.on_trouble)
        try:
            await world.history()
        except Stuck as error:
            world.violations.append(f"stuck {error}")
        world.violations += audit(world.disk, world.runware, world.chat, world.wishes, world.hopes)
        if not world.lingers:  # what a crash leaves behind is swept at the next start
            world.violations += [f"left behind: {name}" for name in disk.leftovers()]
    return Outcome(
        seed=seed,
        crash=crash,
        violations=tuple(world.violations),
        surprises=tuple(world.surprises),
        points=world.peril.points,
        crashes=world.peril.crashes,
        accepted=len(disk.rows("SELECT 1 FROM jobs")),
        billed=sum(task.billed_micro > 0 for task in world.runware.tasks.values()),
        clips=sum(len(message.files) for message in world.chat.messages.values()),
        seconds=loop.time(),
        digest=world.journal.digest(),
        log=world.journal.text() if keep_log else "",
    )


class _World:
    """What is there whether the bot lives or not, and the lives of the bot in it."""

    def __init__(self, loop: VirtualLoop, disk: Disk, seed: int, crash: int) -> None:
        chance = random.Random(seed)
        self._loop = loop
        self.disk = disk
        self.violations: list[str] = []
        self.surprises: list[str] = []
        self.journal = Journal(loop)
        self.weather = Weather(_branch(chance), is_harsh=chance.random() < _HARSH)
        self.peril = Peril(self.journal, crash, _branch(chance))
        self.wire = Wire(self.weather, self.peril, self.journal)
        patience = chance.choice((6 * 3600.0,) * 7 + (_SOON,))
        self._habits = Habits(
            look_every=chance.choice((5.0, 10.0, 30.0)),
            patience=patience,
            keep_for=chance.choice((0.0, 0.0, _KEPT_FOR)),
            sweeps_every=chance.choice(_SWEEPS),
        )
        self.hopes = Hopes(
            patience=patience,
            has_credit=self.weather.no_credit == NEVER,
            may_edit=self.weather.forbidden == NEVER,
        )
        self.runware = Runware(self.weather, self.journal, _branch(chance), patience)
        self.chat = Chat(self.weather, self.journal)
        self.wishes = wishes(_branch(chance), min(self.weather.calm_at, 600.0))
        self._around = Surroundings(
            wire=self.wire,
            runware=self.runware,
            chat=self.chat,
            disk=disk,
            pictures={wish.path: wish.picture for wish in self.wishes},
            chance=_branch(chance),
        )
        self.lingers = chance.random() < 0.5
        self._chance = _branch(chance)
        self._life: Life | None = None
        self._asking: asyncio.Task[None] | None = None
        disk.connection.at_commit = self._at_commit

    async def history(self) -> None:
        """Live life after life until all is settled; and one more, or on for a while."""
        for wish in self.wishes:
            self._loop.call_later(wish.at, self._knock, wish)
            if wish.again_at is not None:
                self._loop.call_later(wish.again_at, self._knock, wish)
        until = self.weather.calm_at + DAY
        await self._peace(until)
        if not self.lingers:
            await asyncio.sleep(_KEPT_FOR)
            await self._peace(until)
        self.journal.note(f"settled after {self.peril.points} points")

    async def _peace(self, until: float) -> None:
        is_over = False
        while not is_over:
            is_over = await self._live(until)
            await asyncio.sleep(self._pause())

    async def _live(self, until: float) -> bool:
        """Live one life; tell whether it ended in peace, all being settled."""
        self.peril.revive()
        self._loop.watch = self.peril.point
        self.journal.note("the bot starts")
        life = self._life = Life(self._around, self._habits)
        start = self._loop.create_task(self._started(life))
        is_over = False
        while not is_over and not self.peril.is_dead:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(
                    max(_LOOK_EVERY, self.weather.calm_at - self._loop.time())
                ):
                    await self.peril.died.wait()
            is_over = self._loop.time() >= until or self._is_settled()
            if is_over and self.lingers:
                await asyncio.sleep(_LINGERS)
        del start
        if is_over and not self.peril.is_dead:
            await life.stop()
        is_over = is_over and not self.peril.is_dead
        await self._bury()
        if self._loop.time() >= until and not self._is_settled():
            self.violations.append("not settled within a day")
        return is_over

    async def _started(self, life: Life) -> None:
        try:
            await life.start()
        except StoreError as error:
            self.journal.note(f"the start fails: {error}")
            self.peril.end()

    async def _bury(self) -> None:
        """Have nothing of a life go on, and nothing that it still does be seen."""
        self.peril.end()
        self.disk.crash(NOON / 1000 + self._loop.time())
        self._loop.watch = ignored
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.wait(others, timeout=1)

    def _pause(self) -> float:
        return self._chance.choice((0.1, 3.0, 3.0, 30.0, 400.0))

    def _is_settled(self) -> bool:
        now = self._loop.time()
        if now < self.weather.calm_at or self.wire.under_way:
            return False
        if any(now < task.ready_at for task in self.runware.tasks.values()):
            return False
        if any(now < max(wish.at, wish.again_at or 0) for wish in self.wishes):
            return False
        states = self.disk.rows("SELECT task_uuid, state FROM jobs")
        return all(
            state in ("delivered", "failed")
            or (state == "lost" and task_uuid not in self.runware.tasks)
            for task_uuid, state in states
        )

    def _knock(self, wish: Wish) -> None:
        life = self._life
        if life is None or not life.is_open or self.peril.is_dead:
            self.journal.note(f"member: {wish.number} finds nobody")
            return
        if wish.message_id is None:
            wish.message_id = self.chat.placeholder(wish.channel_id)
        self._asking = self._loop.create_task(self._ask(life, wish))

    async def _ask(self, life: Life, wish: Wish) -> None:
        assert wish.message_id is not None
        try:
            admitted = await life.intake.accept(wish.ask(life.reply_to(wish.message_id)))
        except UserError as error:
            wish.is_refused = True
            self.journal.note(f"member: {wish.number} is refused: {type(error).__name__}")
        else:
            wish.job_id = admitted.job.id
            self.journal.note(f"member: {wish.number} is job {admitted.job.short_id}")

    def _at_commit(self, when: str) -> None:
        self.peril.point(f"commit: {when}")
        if when == "before" and self.weather.has(self.weather.disk_full, self._loop.time()):
            full = sqlite3.OperationalError("database or disk is full")
            full.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise full

    def on_trouble(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not isinstance(error, Crash):
            self.surprises.append(f"nobody heard of {error!r}: {context['message']}")


def _branch(chance: random.Random) -> random.Random:
    """Return a source of chance of its own: more use of one changes nothing in another."""
    return random.Random(chance.getrandbits(64))


class _Surprises(logging.Handler):
    """Collects what broke in a way that nobody had foreseen."""

    def __init__(self, found: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._found = found

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and not isinstance(error, StoreError | sqlite3.Error):
            self._found.append(f"{record.getMessage()}: {error!r}")


@contextlib.contextmanager
def _surprises(found: list[str]) -> Iterator[None]:
    """Collect surprises of the bot; say nothing of what it logs."""
    handler = _Surprises(found)
    loggers = [logging.getLogger(name) for name in ("bot", "discord", "asyncio", "httpx")]
    before = [(logger.level, logger.propagate) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
        logger.propagate = False
    loggers[0].addHandler(handler)
    try:
        yield
    finally:
        loggers[0].removeHandler(handler)
        for logger, (level, propagate) in zip(loggers, before, strict=True):
            logger.setLevel(level)
            logger.propagate = propagate
