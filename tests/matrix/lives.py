"""The lives of the bot in one town: killed, started again as a supervisor would, never helped.

Knows how to ask for clips and how to wait until everything has settled; what is right then is
`audit.py`'s. Cells play on it, one after the other.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from bot.demo import bot_process
from bot.sandbox.discord.limits import Limits
from bot.sandbox.faults import Rule
from bot.sandbox.person import PersonError, Started
from tests.town import JSON, NO_LIMITS, NOT_CHARGED, Books, Town, photo_file, town, until

CHANNELS = ("studio", "general", "after-dark")
ONLINE_WITHIN = 40.0
TAKEN_WITHIN = 4.0
SETTLES_WITHIN = 60.0
MOST_STARTS = 12
"""Failed starts in a row after which a supervisor would give up."""
QUEUED = "⏳ Queued"
NOT_A_PICTURE = b"this is no picture"
ENDS = {"delivered", "failed", "lost"}


class Stuck(Exception):
    """Something did not happen in time; the message says what."""


@dataclass(slots=True)
class Lives:
    """One town and its bot. `process` is the present life, or the last one."""

    here: Town
    settings: dict[str, str]
    process: asyncio.subprocess.Process | None = None
    wishes: list[Started] = field(default_factory=list)
    starts: int = 0
    kills: int = 0
    ends: list[int] = field(default_factory=list)
    """Exit codes of lives that nobody ended."""
    _life: AsyncExitStack = field(default_factory=AsyncExitStack)

    # --- Life and death --------------------------------------------------------------------------

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.returncode is None

    async def start(self, arm: Callable[[], object] | None = None) -> None:
        """Begin a life; `arm` is called before its first request."""
        await self._bury()
        await self.here.mia.wait_for_bot(online=False, within=ONLINE_WITHIN)
        given = self.settings | self.here.settings
        log = self.here.folder / "bot.log"
        self.process = await self._life.enter_async_context(bot_process(given, os.environ, log))
        self.starts += 1
        for server in (self.here.discord, self.here.runware):
            server.faults.may_kill(self.process.pid)
        if arm is not None:
            arm()

    async def up(self) -> None:
        """Have the bot online, started as often as it takes."""
        for _ in range(MOST_STARTS):
            if not self.is_alive:
                await self.start()
            if await self._comes_online():
                return
        raise Stuck(f"the bot does not stay up: exit codes {self.ends[-MOST_STARTS:]}")

    async def _comes_online(self) -> bool:
        assert self.process is not None
        online = asyncio.create_task(self.here.mia.wait_for_bot(within=ONLINE_WITHIN))
        ended = asyncio.create_task(self.process.wait())
        await asyncio.wait([online, ended], return_when=asyncio.FIRST_COMPLETED)
        for task in (online, ended):
            task.cancel()
        await asyncio.gather(online, ended, return_exceptions=True)
        if self.is_alive and (online.cancelled() or online.exception() is not None):
            raise Stuck("the bot lives, and does not come online")
        return self.is_alive

    async def kill(self) -> None:
        """Kill the bot as a power cut would."""
        assert self.process is not None
        if self.is_alive:
            self.process.kill()
        await self._bury()

    async def stop(self) -> int:
        """Tell the bot to stop, and return its exit code."""
        await self.up()
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = await asyncio.wait_for(self.process.wait(), 12)
        await self._bury()
        return code

    async def dies(self, within: float) -> bool:
        """Wait for the blow of a local server; whether it came."""
        if self.process is None:
            return True
        try:
            await asyncio.wait_for(self.process.wait(), within)
        except TimeoutError:
            return False
        await self._bury()
        return True

    async def end(self) -> None:
        """End the present life, kindly."""
        await self._life.aclose()

    async def _bury(self) -> None:
        """Take note of how the last life ended."""
        if self.process is None:
            return
        code = await self.process.wait()
        await self._life.aclose()
        self.process = None
        if code == -signal.SIGKILL:
            self.kills += 1
        elif code != 0:
            self.ends.append(code)

    def blow(self, server: str, match: JSON, when: str, skip: int = 0) -> str:
        """Have a local server kill the present life at such a request; the answer is the rule's id.

        `when` it was not processed yet, was processed, or is answered halfway or as a whole.
        """
        assert self.process is not None
        pid = self.process.pid
        rule = Rule.model_validate(
            {"do": "kill", "pid": pid, "match": match, "when": when, "skip": skip}
        )
        return getattr(self.here, server).faults.add(rule)  # type: ignore[no-any-return]

    def calm(self) -> None:
        """Take every fault of the wires back."""
        self.here.discord.faults.clear()
        self.here.runware.faults.clear()

    # --- Wishes ----------------------------------------------------------------------------------

    async def ask(self, count: int, random: Random, *, bad: int = 0) -> None:
        """Have Mia send `/animate` so many times at once, and `bad` times with no picture."""
        wishes = [photo_file()] * count + [NOT_A_PICTURE] * bad
        random.shuffle(wishes)
        await asyncio.gather(*(self._wish(content, random) for content in wishes))

    async def _wish(self, content: bytes, random: Random) -> None:
        options: dict[str, Any] = {"where": random.choice(CHANNELS)}
        if random.random() < 0.2:
            options["results"] = random.choice((2, 3))
        try:
            self.wishes.append(await self.here.animate(content, **options))
        except PersonError:
            return  # Discord itself had nobody to hand it to

    @property
    def in_flight(self) -> int:
        """Jobs that are not at their end."""
        return len(self._open(self.here.books()))

    async def has_in_flight(self, count: int) -> None:
        """Wait until so many jobs are in the making, but not for long: some may be done by then."""
        with contextlib.suppress(TimeoutError):
            await until(lambda: self.in_flight >= count, TAKEN_WITHIN)

    # --- The end of everything -------------------------------------------------------------------

    async def settle(self) -> Books:
        """Wait until every job is at its end and everybody was told; return the accounts.

        Raises `Stuck`. A bot that ends meanwhile is started again.
        """
        try:
            async with asyncio.timeout(SETTLES_WITHIN):
                while True:
                    await self.up()
                    books = self.here.books()
                    if not self._open(books) and not self.untold(books):
                        return books
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise Stuck(self._what_is_open()) from None

    def _open(self, books: Books) -> list[JSON]:
        return [job for job in books.jobs if job["state"] not in ENDS]

    def untold(self, books: Books) -> list[JSON]:
        """Jobs that will have no clip, whose status message does not say so."""
        return [
            job
            for job in books.jobs
            if job["state"] in ("failed", "lost") and NOT_CHARGED not in self.status(job)
        ]

    def status(self, job: JSON) -> str:
        """What everybody reads in the status message of a job; "" if it is gone."""
        where, which = str(job["channel_id"]), str(job["status_message_id"])
        message = self.here.discord.world.message(where, which)
        if message is None:
            return ""
        parts = [f"{one.get('title', '')}\n{one.get('description', '')}" for one in message.embeds]
        return "\n".join([message.content, *parts])

    def _what_is_open(self) -> str:
        books = self.here.books()
        still = [f"{job['id'][:8]} is {job['state']}" for job in self._open(books)]
        untold = [
            f"{job['id'][:8]} is {job['state']}, and its status says {self.status(job)[:30]!r}"
            for job in self.untold(books)
        ]
        return f"not settled within {SETTLES_WITHIN:g} s: {'; '.join(still + untold)}"


@asynccontextmanager
async def lives(folder: Path) -> AsyncIterator[Lives]:
    """Open a town in which a bot may live often: nothing limits it but what a cell orders."""
    limits = Limits(rate_limits_enabled=False)
    service: JSON = {"render_seconds": 0.4, "stagger": 0.6, "balance_micro": 10**12}
    async with town(folder, limits=limits, canned_apart=True, **service) as here:
        made = Lives(here, NO_LIMITS)
        try:
            await made.up()
            await here.mia.wait_for_command("animate", within=ONLINE_WITHIN)
            yield made
        finally:
            await made.end()
