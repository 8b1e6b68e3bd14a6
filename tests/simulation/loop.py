"""An event loop whose time jumps to the next timer: hours pass in milliseconds, in one thread.

What is handed to a thread is run in the loop, so that a run depends on nothing but its seed.
"""

import asyncio
import contextlib
import selectors
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

_MOST_ROUNDS = 400_000
"""Of the loop in one run: a bot that is busy for ever is stopped here."""


class Stuck(Exception):
    """Nothing will ever happen again, or things happen without end."""


class Crash(BaseException):
    """The process is gone: nothing of ours runs any more."""


class _Jumps(selectors.SelectSelector):
    """Waits for nothing: it moves the time forward instead."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.rounds = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.rounds += 1
        if timeout is None or self.rounds > _MOST_ROUNDS:
            raise Stuck(f"after {self.rounds} rounds, {self.now:.0f} s")
        self.now += max(0.0, timeout)
        return []


def ignored(_: str) -> None:
    """Watch over nothing."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """`watch` is told before and after each piece of work that a thread would have done."""

    def __init__(self) -> None:
        self._jumps = _Jumps()
        self.watch: Callable[[str], None] = ignored
        super().__init__(self._jumps)

    def time(self) -> float:
        return self._jumps.now

    def run_in_executor(  # type: ignore[override] # the work is done here, whatever the executor
        self, executor: object, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        del executor
        self.watch("thread: begins")
        future: asyncio.Future[T] = self.create_future()
        self.call_soon(self._work, future, func, args)
        return future

    def _work(self, future: asyncio.Future[T], func: Callable[..., T], args: Any) -> None:
        if future.cancelled():
            return
        try:
            result = func(*args)
        except Crash:
            return
        except Exception as error:  # noqa: BLE001 - whoever waits is told
            future.set_exception(error)
        else:
            future.set_result(result)
        with contextlib.suppress(Crash):
            self.watch("thread: done")
