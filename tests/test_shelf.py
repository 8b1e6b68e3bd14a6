"""What is paid and cannot be posted: counted, and offered again as soon as the way may be free.

The first half asks the shelf itself; in the second, the bot in a process of its own hears from
Discord that it may post again, long before its next try would be due.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.admin import Admin
from bot.desk import Desk
from bot.errors import TooLarge, Unpostable
from bot.lifecycle import Job, State
from bot.members import MemberSettings
from bot.sandbox.discord import guild_payloads, payloads
from bot.sandbox.discord.permissions import Permission
from bot.sandbox.person import Started
from bot.sandbox.runware.outcomes import Outcome
from bot.shelf import Waiting
from tests.conftest import UNLIMITED
from tests.corridor import Bot, World, world
from tests.town import Town, photo_file, town, until

HALF_HOUR = 1_800_000
"""Milliseconds."""


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as made:
        yield made


async def kept(bot: Bot, tries: int = 12, **wish: int) -> Job:
    """Have a clip that could not be posted in so many tries."""
    job = await bot.until(await bot.accept(**wish), [State.RENDERED])
    for _ in range(tries):
        bot.world.channel.refusals.append(Unpostable("403"))
        await bot.pipeline.step(await bot.reread(job))
    return await bot.reread(job)


# --- The shelf itself ----------------------------------------------------------------------------


async def test_an_empty_shelf_says_so(here: World) -> None:
    async with here.bot() as bot:
        assert await bot.shelf.waiting() == Waiting(0, None)
        await bot.finished(await bot.accept())
        assert await bot.shelf.waiting() == Waiting(0, None)
        assert await bot.shelf.offer(10) == 0


async def test_what_waits_is_counted_by_clips_for_a_member_and_for_all(here: World) -> None:
    async with here.bot() as bot:
        first = await kept(bot, member_id=30, results=3)
        await kept(bot, member_id=31, guild_id=11)
        await kept(bot, member_id=30, guild_id=12)
        assert await bot.shelf.waiting(30) == Waiting(4, first.created_at)
        assert (await bot.shelf.waiting(31)).clips == 1
        assert await bot.shelf.waiting(32) == Waiting(0, None)
        assert await bot.shelf.waiting() == Waiting(5, first.created_at)


async def test_what_is_offered_is_due_at_once_in_that_server_and_nowhere_else(here: World) -> None:
    async with here.bot() as bot:
        mine, other = await kept(bot), await kept(bot, guild_id=11)
        assert mine.due_at - here.clock() > HALF_HOUR
        assert await bot.shelf.offer(10) == 1
        assert (await bot.reread(mine)).due_at == here.clock()
        assert await bot.reread(other) == other

        now = here.clock()
        assert (await bot.finished(mine)).state is State.DELIVERED
        assert here.clock() == now


async def test_a_thread_that_opens_again_concerns_what_was_asked_for_in_it(here: World) -> None:
    async with here.bot() as bot:
        mine, other = await kept(bot, channel_id=20), await kept(bot, channel_id=21)
        assert await bot.shelf.offer(10, 20) == 1
        assert (await bot.reread(mine)).due_at == here.clock()
        assert await bot.reread(other) == other


async def test_an_offer_that_comes_during_a_try_is_not_lost_with_it(
    here: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with here.bot() as bot:
        job = await kept(bot)

        async def refuse_and_open(*_: object, **__: object) -> None:
            await bot.shelf.offer(10)
            raise TooLarge("413")

        monkeypatch.setattr(bot.delivery, "post", refuse_and_open)
        await bot.pipeline.step(job)
        assert (await bot.reread(job)).due_at == here.clock()


async def test_an_offer_wakes_the_worker_and_touches_nothing_but_the_time(here: World) -> None:
    async with here.bot() as bot:
        before = await kept(bot)
        await bot.shelf.offer(10)
        assert await bot.reread(before) == replace(before, due_at=here.clock())


async def test_direct_messages_are_for_those_who_asked_for_them(here: World) -> None:
    async with here.bot() as bot:
        await bot.members.set(31, MemberSettings(dm_when_lost=True))
        await bot.members.set(32, MemberSettings(dm_copies=True))
        for member_id in (30, 31, 32):
            await bot.finished(await bot.accept(member_id=member_id))
    assert here.channel.may_dm == [False, True, False]


async def test_a_member_sees_on_their_card_what_waits_for_them(here: World) -> None:
    async with here.bot() as bot:
        await kept(bot, results=2)
        desk = Desk(bot.accounts, Admin(bot.database), bot.shelf, UNLIMITED, here.clock)
        assert "📦 2 finished clips wait to be posted" in (await desk.card(10, 30, ())).body
        assert "📦" not in (await desk.card(10, 31, ())).body


# --- Discord says that the way is free -----------------------------------------------------------


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path) as made:
        yield made


async def stuck(place: Town, where: str | None = None) -> Started:
    """Have a paid clip that no server takes, so that its next try is an hour away."""
    place.trouble_at_discord(
        match={"method": "POST", "path": "/messages$"},
        do="status",
        status=413,
        body={"message": "Request entity too large", "code": 40005},
        times=2,  # nor a link to it
    )
    started = await place.animate(photo_file(), where=where)
    await place.says(await place.status(started), "Too large for this server")
    return started


async def a_permission_changes(place: Town) -> None:
    await place.deny("general", "ADD_REACTIONS")


async def a_role_may_do_more(place: Town) -> None:
    world = place.discord.world
    role = world.guild.roles[world.guild.members[world.bot.id].roles[0]]
    role.permissions |= int(Permission.MANAGE_MESSAGES)
    publish(place, "GUILD_ROLE_UPDATE", {"role": guild_payloads.role(role)})


async def the_bot_is_given_a_role(place: Town) -> None:
    # Discord tells a bot of changes to itself, whatever its intents.
    world = place.discord.world
    publish(place, "GUILD_MEMBER_UPDATE", payloads.member(world, world.guild.members[world.bot.id]))


async def the_bot_is_thrown_out(place: Town) -> None:
    await place.control("POST", "bot", {"do": "kick"})


async def the_bot_is_invited(place: Town) -> None:
    await place.control("POST", "bot", {"do": "invite"})


async def the_bot_is_invited_again(place: Town) -> None:
    await the_bot_is_thrown_out(place)
    await the_bot_is_invited(place)


async def the_connection_is_a_new_one(place: Town) -> None:
    await place.control("POST", "gateway", {"do": "invalidate"})


def publish(place: Town, event: str, data: dict[str, Any]) -> None:
    guild_id = place.discord.world.guild.id
    place.discord.gateway_server.publish(event, {"guild_id": guild_id} | data, guild_id=guild_id)


@pytest.mark.parametrize(
    "opened",
    [
        a_permission_changes,
        a_role_may_do_more,
        the_bot_is_given_a_role,
        the_bot_is_invited_again,
        the_connection_is_a_new_one,
    ],
)
async def test_a_clip_is_posted_as_soon_as_the_way_may_be_free(
    place: Town, opened: Callable[[Town], Awaitable[None]]
) -> None:
    async with place.bot():
        started = await stuck(place)
        await opened(place)
        await place.clip(started)
        await place.settled()
        assert place.trouble() == []


async def the_channel_is_closed(place: Town) -> None:
    await place.deny("studio", "VIEW_CHANNEL", "SEND_MESSAGES")


async def the_channel_is_opened(place: Town) -> None:
    await place.deny("studio")


@pytest.mark.parametrize(
    ("closed", "opened"),
    [
        (the_channel_is_closed, the_channel_is_opened),
        (the_bot_is_thrown_out, the_bot_is_invited),
    ],
)
async def test_how_a_wish_ended_is_told_as_soon_as_the_way_may_be_free(
    tmp_path: Path,
    closed: Callable[[Town], Awaitable[None]],
    opened: Callable[[Town], Awaitable[None]],
) -> None:
    async with town(tmp_path, render_seconds=1) as place, place.bot():
        place.runware.outcomes.add(Outcome(next="moderated"))
        started = await place.animate(photo_file(), where="studio")
        status = await place.status(started)
        await closed(place)
        await until(lambda: "status not shown" in place.log.partition("nothing is held")[2])
        await opened(place)
        await place.says(status, "You were not charged.")


async def test_what_changes_nothing_for_the_bot_offers_nothing(place: Town) -> None:
    async with place.bot():
        await stuck(place)
        await place.control("PATCH", "channel", {"channel_id": place.mia.channel_id("studio")})
        await place.deny("general", "ADD_REACTIONS", "MANAGE_ROLES")
        await until(lambda: place.posts)
        assert place.log.count("the way may be free again") == 1
