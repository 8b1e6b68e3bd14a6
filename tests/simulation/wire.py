"""Carries the bot's requests, as the weather has it: lost, cut off, late, doubled, turned away.

A request under way belongs to the world: it arrives also where the bot that sent it is gone.
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tests.simulation.journal import Journal
from tests.simulation.loop import Crash
from tests.simulation.peril import Peril
from tests.simulation.weather import OK, Fate, Side, Weather

_LATE = (Fate.LATE, Fate.CUT_AND_LATE)
_AGAIN = (Fate.TWICE, Fate.TWICE_AND_LATE)


class Silence(StrEnum):
    """How a request can go without an answer."""

    CONNECT = "no connection"
    TIMEOUT = "timeout"
    RESET = "connection reset"


class NoAnswer(Exception):
    """There is none."""

    def __init__(self, silence: Silence) -> None:
        super().__init__(silence)
        self.silence = silence


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server says."""

    status: int = OK
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


class Wire:
    """One per run."""

    def __init__(self, weather: Weather, peril: Peril, journal: Journal) -> None:
        self._loop = asyncio.get_running_loop()
        self.weather = weather
        self.peril = peril
        self.journal = journal
        self.under_way = 0
        """Requests that have not arrived yet."""

    def fate(self, side: Side) -> Fate:
        """Return what becomes of a request, or of a part of an answer, at this moment."""
        return self.weather.fate(side, self._loop.time())

    async def exchange(
        self, side: Side, label: str, handle: Callable[[], Answer], patience: float
    ) -> Answer:
        """Bring a request to `handle` and its answer back. Raises `NoAnswer`."""
        self.peril.point(f"{label}: before it leaves")
        fate = self.fate(side)
        if fate is not Fate.FINE:
            self.journal.note(f"{label}: {fate}")
        match fate:
            case Fate.NOT_CONNECTED:
                await asyncio.sleep(self.weather.way())
                raise NoAnswer(Silence.CONNECT)
            case Fate.LOST:
                await asyncio.sleep(patience)
                raise NoAnswer(Silence.TIMEOUT)
            case Fate.TURNED_AWAY:
                await asyncio.sleep(self.weather.way())
                return self._error(429, 503, 500)
        answer = self._loop.create_future()
        self._send(fate, label, handle, answer)
        try:
            async with asyncio.timeout(
                self.weather.way() if fate is Fate.CUT_AND_LATE else patience
            ):
                got: Answer = await answer
        except TimeoutError:
            is_cut = fate is Fate.CUT_AND_LATE
            raise NoAnswer(Silence.RESET if is_cut else Silence.TIMEOUT) from None
        if fate is Fate.CUT:
            raise NoAnswer(Silence.RESET)
        self.peril.point(f"{label}: before its answer is read")
        return got

    def _send(
        self,
        fate: Fate,
        label: str,
        handle: Callable[[], Answer],
        answer: "asyncio.Future[Answer]",
    ) -> None:
        way = self.weather.lateness() if fate in _LATE else self.weather.way()
        self._loop.call_later(way, self._arrive, fate, label, handle, answer)
        self.under_way += 1

    def _arrive(
        self,
        fate: Fate,
        label: str,
        handle: Callable[[], Answer],
        answer: "asyncio.Future[Answer]",
    ) -> None:
        self.under_way -= 1
        said = handle()
        # What is refused is not repeated on its way; who sent it has the answer and believes it.
        if fate in _AGAIN and said.status < 400:
            is_late = fate is Fate.TWICE_AND_LATE
            more = self.weather.lateness() if is_late else self.weather.way()
            self._loop.call_later(more, self._arrive_again, label, handle)
            self.under_way += 1
        if answer.done():
            return
        with contextlib.suppress(Crash):
            self.peril.point(f"{label}: after it was processed")
        if fate is Fate.BROKEN:
            said = self._error(500, 502, 504)
        elif fate is Fate.GARBLED:
            said = Answer(OK, b"<html>", {"content-type": "text/html"})
        if fate is not Fate.SILENT:
            self._loop.call_later(self.weather.way(), _bring, answer, said)

    def _arrive_again(self, label: str, handle: Callable[[], Answer]) -> None:
        self.under_way -= 1
        self.journal.note(f"{label}: arrives once more")
        handle()

    def _error(self, *codes: int) -> Answer:
        return Answer(self.weather.pick(*codes), b"trouble", {"content-type": "text/plain"})


def _bring(answer: "asyncio.Future[Answer]", said: Answer) -> None:
    if not answer.done():
        answer.set_result(said)
