"""The moments at which the bot dies: each request that it makes, before and after it takes effect.

Each moment is a request to a local server and how far that has come with it. The servers strike.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from tests.matrix.lives import Lives, Stuck
from tests.town import JSON, Town, until

WHENS = ("before", "after", "halfway", "answered")
"""Not processed yet; processed; half of the answer is sent; all of it is, and not read yet."""
COMES_WITHIN = 12.0
_MORE = 6
"""Further wishes until a moment that does not come is missed."""


def nothing(_here: Town) -> None:
    """Prepare nothing."""


@dataclass(frozen=True, slots=True)
class Request:
    """A kind of request that the bot makes; `prepare` brings about that it does."""

    name: str
    server: str
    match: JSON
    prepare: Callable[[Town], object] = nothing
    is_at_start: bool = False
    most_skipped: int = 0
    """How many of them there are before the last one, with a few wishes."""
    bad: int = 0
    """Wishes without a picture that lead to it."""
    whens: tuple[str, ...] = WHENS


def lost(path: str, method: str) -> Callable[[Town], object]:
    """Have Discord's first answer to such a request be lost."""
    match = {"method": method, "path": path}
    return lambda here: here.trouble_at_discord(do="lose_answer", match=match)


def forget_commands(here: Town) -> None:
    """Have Discord know no commands, so that the bot publishes them anew."""
    here.discord.world.commands.clear()


_MESSAGES = "/channels/[0-9]+/messages"
_ORIGINAL = "/webhooks/.*/messages/@original"

AT_WORK = (
    Request("submit", "runware", {"label": "videoInference"}, most_skipped=1),
    Request("look", "runware", {"label": "getResponse"}, most_skipped=3),
    Request("fetch a clip", "runware", {"method": "GET", "path": r"\.mp4"}, most_skipped=2),
    Request(
        "fetch the picture", "discord", {"method": "GET", "path": "attachments/"}, most_skipped=2
    ),
    Request("defer", "discord", {"method": "POST", "path": "/callback"}, most_skipped=2),
    Request(
        "ask for the answer",
        "discord",
        {"method": "GET", "path": _ORIGINAL},
        prepare=lost("/callback", "POST"),
    ),
    Request("edit the answer", "discord", {"method": "PATCH", "path": _ORIGINAL}, most_skipped=2),
    Request("delete the answer", "discord", {"method": "DELETE", "path": _ORIGINAL}, bad=1),
    Request(
        "follow up", "discord", {"method": "POST", "path": r"/webhooks/[0-9]+/[^/]+(\?|$)"}, bad=1
    ),
    Request(
        "post the clip", "discord", {"method": "POST", "path": f"{_MESSAGES}$"}, most_skipped=2
    ),
    Request(
        "edit the status", "discord", {"method": "PATCH", "path": f"{_MESSAGES}/"}, most_skipped=4
    ),
    Request(
        "look for the clip",
        "discord",
        {"method": "GET", "path": rf"{_MESSAGES}\?"},
        prepare=lost(f"{_MESSAGES}$", "POST"),
    ),
)
AT_START = (
    Request("log in", "discord", {"method": "GET", "path": "/users/@me$"}, is_at_start=True),
    Request(
        "ask for itself",
        "discord",
        {"method": "GET", "path": "/applications/@me"},
        is_at_start=True,
    ),
    Request(
        "ask for the commands", "discord", {"method": "GET", "path": "/commands"}, is_at_start=True
    ),
    Request(
        "publish the commands",
        "discord",
        {"method": "PUT", "path": "/commands"},
        prepare=forget_commands,
        is_at_start=True,
    ),
    Request(
        "connect",
        "discord",
        {"method": "GET", "path": "^/gateway"},
        is_at_start=True,
        whens=("before",),  # what follows is no request: see `Greeting`
    ),
)


@dataclass(frozen=True, slots=True)
class Moment:
    """One request, and how far it has come."""

    request: Request
    when: str
    group: str = "a request of the bot's"

    @property
    def name(self) -> str:
        return f"{self.request.name}, {self.when}"

    async def play(self, lives: Lives, random: Random) -> None:
        """Bring the bot to this moment of its life, with clips in the making, and kill it there."""
        await lives.up()
        if self.request.is_at_start:
            await self._at_start(lives, random)
        else:
            await self._at_work(lives, random)
        lives.calm()

    async def _at_start(self, lives: Lives, random: Random) -> None:
        await lives.ask(3, random)
        await lives.kill()
        self.request.prepare(lives.here)
        await lives.start(lambda: self._arm(lives, 0))
        if not await lives.dies(COMES_WITHIN):
            raise Stuck(f"the bot starts, and never comes to: {self.name}")

    async def _at_work(self, lives: Lives, random: Random) -> None:
        self.request.prepare(lives.here)
        self._arm(lives, random.randint(0, self.request.most_skipped))
        await lives.ask(3, random, bad=self.request.bad)
        for _ in range(_MORE):
            if await lives.dies(COMES_WITHIN / _MORE):
                return
            await lives.ask(1, random, bad=self.request.bad)
        raise Stuck(f"the bot works, and never comes to: {self.name}")

    def _arm(self, lives: Lives, skip: int) -> None:
        lives.blow(self.request.server, self.request.match, self.when, skip)


@dataclass(frozen=True, slots=True)
class Greeting:
    """Killed as it says hello at the gateway: identified, and the answer not read yet."""

    name: str = "identify, after"
    group: str = "a request of the bot's"

    async def play(self, lives: Lives, random: Random) -> None:
        """Kill the bot as soon as the gateway has heard who it is."""
        await lives.up()
        await lives.ask(3, random)
        await lives.kill()
        received = lives.here.discord.gateway_server.received
        before = len(received)
        await lives.start()
        await until(lambda: len(received) > before, COMES_WITHIN, every=0)
        await lives.kill()


def moments() -> Iterator[Moment | Greeting]:
    """Every request of the bot's at every moment of it."""
    for request in (*AT_WORK, *AT_START):
        yield from (Moment(request, when) for when in request.whens)
    yield Greeting()
