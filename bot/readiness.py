"""Whether new clips are taken at this moment, and if not, why: for `/readyz`, so for supervisors.

Asks the parts as they are now and changes nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable

from bot.client import AnimateBot
from bot.errors import StoreError
from bot.gate import Gate
from bot.intake import Intake
from bot.store import Store

_STORE_WITHIN = 1.0
"""Seconds in which the store answers if it is well."""


def readiness(
    store: Store, intake: Intake, gate: Gate, client: AnimateBot
) -> Callable[[], Awaitable[str]]:
    """Return what tells why the bot is not ready; "" where it is."""

    async def reason() -> str:
        if not (client.doors_are_open.is_set() and intake.is_open):
            return "the doors are not open"
        if not client.is_connected:
            return "not connected to Discord"
        if gate.needs_owner:
            return "the video service refuses the account"
        if not gate.is_open:
            return "the video service does not answer"
        try:
            async with asyncio.timeout(_STORE_WITHIN):
                await store.touch()
        except (StoreError, TimeoutError):
            return "the store does not answer"
        return ""

    return reason
