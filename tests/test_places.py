"""What is known of the places that clips go to, from Discord's own events and its refusals."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import discord
import pytest

from bot.lifecycle import Job
from bot.places import MIB, Places, below
from bot.sandbox.discord import LocalDiscord
from tests.conftest import make_job
from tests.sandbox.discord_client import connected
from tests.town import until


@dataclass(slots=True)
class Scene:
    """A connected bot, and a job in one of its channels."""

    server: LocalDiscord
    bot: discord.Client
    places: Places
    job: Job

    @property
    def guild(self) -> discord.Guild:
        found = self.bot.get_guild(self.job.guild_id)
        assert found is not None
        return found

    async def control(self, method: str, path: str, form: dict[str, object]) -> None:
        url = f"{self.server.url}/sandbox/control/{path}"
        async with (
            aiohttp.ClientSession() as http,
            http.request(method, url, json=form) as response,
        ):
            assert response.ok, await response.text()

    async def boost(self, tier: int) -> None:
        await self.control("PATCH", "guild", {"premium_tier": tier})
        await until(lambda: self.guild.premium_tier == tier)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with LocalDiscord() as server, connected(server) as bot:
        channel = next(iter(server.world.channels.values()))
        job = make_job(guild_id=int(server.world.guild.id), channel_id=int(channel.id))
        yield Scene(server, bot, Places(bot, 20 * MIB), job)


@pytest.mark.parametrize(("tier", "most"), [(0, 20), (1, 20), (2, 50), (3, 100)])
async def test_a_boosted_server_takes_larger_files(scene: Scene, tier: int, most: int) -> None:
    await scene.boost(tier)
    assert scene.places.most_bytes(scene.job.guild_id) == most * MIB


async def test_what_is_not_known_takes_what_is_usual(scene: Scene) -> None:
    await scene.boost(3)
    assert scene.places.most_bytes(None) == 20 * MIB
    assert scene.places.most_bytes(1) == 20 * MIB


async def test_a_refusal_is_remembered_for_its_server_until_that_is_boosted(scene: Scene) -> None:
    assert scene.places.refused(scene.job.guild_id, 15 * MIB) == 10 * MIB
    assert scene.places.most_bytes(scene.job.guild_id) == 10 * MIB
    assert scene.places.most_bytes(1) == 20 * MIB
    await scene.boost(2)
    assert scene.places.most_bytes(scene.job.guild_id) == 50 * MIB


async def test_a_refusal_of_something_tiny_says_nothing_of_what_fits(scene: Scene) -> None:
    assert scene.places.refused(scene.job.guild_id, 1000) == 0
    assert scene.places.most_bytes(scene.job.guild_id) == 20 * MIB


@pytest.mark.parametrize(
    ("size", "left"),
    [(200, 100), (100, 50), (60, 50), (50, 25), (25, 20), (20, 10), (11, 10), (9, 8), (8, 0)],
)
def test_below_what_is_refused_are_the_limits_that_discord_has_had(size: int, left: int) -> None:
    assert below(size * MIB) == left * MIB


async def test_a_channel_for_adults_is_one_and_so_are_its_threads(scene: Scene) -> None:
    assert not scene.places.is_age_restricted(scene.job)
    channel = scene.guild.get_channel(scene.job.channel_id)
    assert isinstance(channel, discord.TextChannel)
    await scene.control("PATCH", "channel", {"channel_id": str(channel.id), "nsfw": True})
    await until(channel.is_nsfw)
    assert scene.places.is_age_restricted(scene.job)
    in_thread = make_job(
        guild_id=scene.job.guild_id, channel_id=7, parent_channel_id=scene.job.channel_id
    )
    assert scene.places.is_age_restricted(in_thread)
    assert not scene.places.is_age_restricted(make_job(guild_id=1))
