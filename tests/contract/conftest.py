"""A server with a person in it, whose every word is recorded."""

from collections.abc import AsyncIterator

import pytest

from bot.sandbox.discord import Limits, LocalDiscord
from bot.sandbox.person import Person
from tests.contract.recording import Recording
from tests.sandbox.discord_client import Api


@pytest.fixture
async def recording() -> AsyncIterator[Recording]:
    async with (
        LocalDiscord(limits=Limits(rate_limits_enabled=False)) as server,
        Api(server) as api,
        Person(server.url, "Mia") as mia,
    ):
        yield Recording(server, api, mia)
