"""Everything that the local servers can do to a bot, by name, to be had alone and in pairs.

A fault is a stretch of bad weather: it begins, lasts while the bot works, dies and starts again,
and passes. What never passes (a clip that is declined, a price that rises) ends a job with a word.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, get_args

from bot.sandbox.runware.outcomes import SUCCESS, Ending, Outcome
from tests.town import JSON, Town

Weather = Callable[[Town], AbstractAsyncContextManager[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. Two of which `kinds` are the same make no pair: they would be in each other's way,
    or leave the bot no way to know.
    """

    name: str
    kinds: frozenset[str]
    weather: Weather
    is_paired: bool = True
    """Whether it is tried together with others; of faults that differ little, one is."""


# --- On the wire ---------------------------------------------------------------------------------

ACTIONS: dict[str, JSON] = {
    "lose the answer": {"do": "lose_answer"},
    "drop": {"do": "drop"},
    "cut the answer short": {"do": "truncate"},
    "stall": {"do": "stall", "seconds": 0.7},
    "stall the answer": {"do": "stall", "seconds": 0.7, "when": "after"},
    "500": {"do": "status", "status": 500, "body": {}},
    "502 of a proxy": {"do": "status", "status": 502},
    "503 though it was processed": {"do": "status", "status": 503, "when": "after"},
    "429": {
        "do": "status",
        "status": 429,
        "body": {"message": "slow down", "retry_after": 0.3, "global": False},
        "headers": {"Retry-After": "1", "Via": "1.1 google"},
    },
}
WIRES: dict[str, tuple[str, JSON]] = {
    "submit": ("runware", {"label": "videoInference"}),
    "look": ("runware", {"label": "getResponse"}),
    "fetch": ("runware", {"method": "GET", "path": r"\.mp4"}),
    "defer": ("discord", {"method": "POST", "path": "/callback"}),
    "answer": ("discord", {"path": "/webhooks/"}),
    "post": ("discord", {"method": "POST", "path": "/channels/[0-9]+/messages$"}),
    "status": ("discord", {"method": "PATCH", "path": "/channels/[0-9]+/messages/"}),
    "start": ("discord", {"path": "(/users/@me|/commands|^/gateway)"}),
}
TIMES = 2


@asynccontextmanager
async def _on_a_wire(here: Town, server: str, rule: JSON) -> AsyncIterator[None]:
    order = here.trouble_at_discord if server == "discord" else here.trouble_at_runware
    order(**rule)
    yield  # who plays takes all rules back


def _wires() -> Iterator[Fault]:
    for number, (action, do) in enumerate(ACTIONS.items()):
        for place, (wire, (server, match)) in enumerate(WIRES.items()):
            rule = do | {"match": match, "times": TIMES}
            yield Fault(
                f"{wire}: {action}",
                frozenset({wire}),
                partial(_on_a_wire, server=server, rule=rule),
                # Each action and each wire is in some pairs, not each action on each wire.
                is_paired=(number - place) % 3 == 0,
            )


# --- Switches ------------------------------------------------------------------------------------

SERVICE: dict[str, JSON] = {
    "a used UUID is a 409": {"duplicate": 409},
    "a used UUID is acknowledged again": {"duplicate": "accept"},
    "an unknown task is an error": {"unknown_task": "error"},
    "a running task is not mentioned": {"running_answer": "empty"},
    "no cost is told": {"cost": "never"},
    "the price rises": {"price_percent": 150},
    "clips move to other addresses": {"url_seconds": 0.3, "renew_urls": True},
    "the model is retired": {"model_state": "retired"},
    "the key is refused": {"api_key": "another one"},
    "the credit is used up": {"balance_micro": 0},
}
ONLY_ALONE = {"a used UUID is a 409", "no cost is told"}
DISCORD: dict[str, JSON] = {
    "acknowledged too late": {"interaction_deadline_s": 0.0},
    "no nonce is remembered": {"nonce_window_s": 0.0},
    "rate limits": {"rate_limits_enabled": True},
    "tokens die at once": {"token_life_s": 0.0},
    "no session is resumed": {"resume_window_s": 0.0},
}


@asynccontextmanager
async def _switched(here: Town, switches: JSON) -> AsyncIterator[None]:
    settings = here.runware.settings
    before = {name: getattr(settings, name) for name in switches}
    for name, value in switches.items():
        setattr(settings, name, value)
    yield
    for name, value in before.items():
        setattr(settings, name, value)


@asynccontextmanager
async def _limited(here: Town, limits: JSON) -> AsyncIterator[None]:
    before = {name: getattr(here.discord.limits, name) for name in limits}
    here.discord.set_limits(limits)
    yield
    here.discord.set_limits(before)


# --- How a task ends -----------------------------------------------------------------------------

NOT_SEEN_HERE = {"success", "wrong_size"}
"""No fault; and canned clips all have one size."""


@asynccontextmanager
async def _ending(here: Town, ending: Ending) -> AsyncIterator[None]:
    here.runware.outcomes.add(Outcome(next=ending, times=2))
    yield
    here.runware.outcomes.clear()
    for task in here.runware.ledger.book.tasks.values():
        if task.outcome.next in ("never", "expired", "corrupt"):
            task.outcome = SUCCESS  # for the service mended it


# --- Discord's own weather -----------------------------------------------------------------------

SHAKES: dict[str, JSON] = {
    "reconnect": {},
    "invalidate": {},
    "drop": {},
    "duplicate": {"count": 3},
    "close": {"code": 4000},
}
_BETWEEN_SHAKES = 0.4


@asynccontextmanager
async def _shaken(here: Town, what: str, form: JSON) -> AsyncIterator[None]:
    async def shake() -> None:
        while True:
            await asyncio.sleep(_BETWEEN_SHAKES)
            await here.control("POST", "gateway", {"do": what} | form)

    shaking = asyncio.create_task(shake())
    yield
    shaking.cancel()
    await asyncio.gather(shaking, return_exceptions=True)


@asynccontextmanager
async def _denied(here: Town, permission: str) -> AsyncIterator[None]:
    await here.deny("studio", permission)
    yield
    await here.deny("studio")


@asynccontextmanager
async def _thrown_out(here: Town) -> AsyncIterator[None]:
    kicking = asyncio.create_task(_later(0.3, here.control("POST", "bot", {"do": "kick"})))
    yield
    await kicking
    await here.control("POST", "bot", {"do": "invite"})


async def _later(seconds: float, action: Any) -> None:
    await asyncio.sleep(seconds)
    await action


def faults() -> Iterator[Fault]:
    """Every fault there is, each under a name of its own."""
    yield from _wires()
    for name, switches in SERVICE.items():
        weather = partial(_switched, switches=switches)
        yield Fault(name, frozenset(switches), weather, name not in ONLY_ALONE)
    for name, limits in DISCORD.items():
        yield Fault(name, frozenset(limits), partial(_limited, limits=limits))
    for ending in sorted(set(get_args(Ending)) - NOT_SEEN_HERE):
        is_paired = ending not in ("failed", "timeout")
        weather = partial(_ending, ending=ending)
        yield Fault(f"a task is {ending}", frozenset({"ending"}), weather, is_paired)
    for what, form in SHAKES.items():
        weather = partial(_shaken, what=what, form=form)
        yield Fault(f"gateway: {what}", frozenset({"gateway"}), weather)
    for permission in ("SEND_MESSAGES", "READ_MESSAGE_HISTORY"):
        # Who neither knows a nonce nor may look cannot tell what is there already.
        kinds = frozenset({"permission", "nonce_window_s"})
        yield Fault(f"no {permission}", kinds, partial(_denied, permission=permission))
    yield Fault("thrown out", frozenset({"permission"}), _thrown_out)
