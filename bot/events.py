"""Which of the gateway's events discord.py gets to read, and when.

Messages that do not mention the bot are thrown away unread: there may be thousands. What people do
before the doors are open waits for them. An event that makes no sense is ignored, for discord.py
would end the connection over it, and the bot with it. A second event of the same is known as one.
"""

from __future__ import annotations

import logging
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from discord.state import ConnectionState

    Read = Callable[[Any], None]

log = logging.getLogger(__name__)

NONSENSE = (ValueError, LookupError, TypeError, AttributeError)
"""What discord.py raises over answers and events that are not as promised."""
_NO_SESSION_WITHOUT = {"READY", "RESUMED"}
_COMMAND, _AUTOCOMPLETE = 2, 4
_OF_PEOPLE: dict[str, tuple[int, ...]] = {
    "INTERACTION_CREATE": (_COMMAND, _AUTOCOMPLETE),  # these wait in the commands' tree
    "MESSAGE_CREATE": (),
    "MESSAGE_REACTION_ADD": (),
    "MESSAGE_REACTION_REMOVE": (),
}
"""What people do, and the types of it that do not wait here."""
_REMEMBERED = 1000


class Events:
    """Stands between the gateway and discord.py's readers of `connection`."""

    def __init__(self, connection: ConnectionState[Any]) -> None:
        self._connection = connection
        self._early: deque[Callable[[], None]] | None = deque(maxlen=_REMEMBERED)
        self._ids: deque[int] = deque(maxlen=_REMEMBERED)
        readers = connection.parsers
        for name in readers.keys() - _NO_SESSION_WITHOUT:
            readers[name] = _forgiving(name, readers[name])
        for name, but_not in _OF_PEOPLE.items():
            readers[name] = _forgiving(name, self._waiting(readers[name], but_not))
        to_us = self._if_to_us(readers["MESSAGE_CREATE"])
        readers["MESSAGE_CREATE"] = _forgiving("MESSAGE_CREATE", to_us)
        readers["MESSAGE_UPDATE"] = lambda _: None  # nobody listens

    def let_in(self) -> None:
        """Have read what waited for the doors, in order; from now on nothing waits."""
        early, self._early = self._early, None
        for read in early or ():
            read()

    def is_repeat(self, event_id: int) -> bool:
        """Note an interaction or a message, and tell whether its event came before."""
        if event_id in self._ids:
            log.info("an event came twice")
            return True
        self._ids.append(event_id)
        return False

    def _waiting(self, read: Read, but_not: tuple[int, ...]) -> Read:
        def read_or_wait(event: Any) -> None:
            if self._early is None or event.get("type") in but_not:
                read(event)
            else:
                self._early.append(partial(read, event))

        return read_or_wait

    def _if_to_us(self, read: Read) -> Read:
        def read_if_to_us(event: Any) -> None:
            us = f"{self._connection.self_id}"
            if any(one["id"] == us for one in event["mentions"]):
                read(event)

        return read_if_to_us


def _forgiving(name: str, read: Read) -> Read:
    def read_or_ignore(event: Any) -> None:
        try:
            read(event)
        except NONSENSE as error:
            log.warning("ignored an event that makes no sense: %s, %s", name, type(error).__name__)

    return read_or_ignore
