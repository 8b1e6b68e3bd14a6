"""Who somebody is where they ask: their roles, as Discord says them with every event."""

from typing import Any, cast

import discord
import pytest

from bot import spot
from bot.client import AnimateBot
from tests.test_finder import user

GUILD, SUPPORTER, STAFF = 4, 21, 22


def guild(*roles: int) -> discord.Guild:
    """A server that the bot knows with these roles; without any it has not heard of it yet."""
    client = AnimateBot()
    plain = {"name": "one", "permissions": "0", "color": 0, "colors": {"primary_color": 0}}
    known = [plain | {"id": f"{role}", "position": place} for place, role in enumerate(roles)]
    data = {"id": f"{GUILD}", "unavailable": not roles, "roles": known}
    return discord.Guild(data=cast("Any", data), state=client._connection)  # noqa: SLF001 - there is no other way to one


def member(there: discord.Guild, *roles: int) -> discord.Member:
    data = {"user": user(31), "roles": [f"{role}" for role in roles], "flags": 0}
    state = there._state  # noqa: SLF001 - the same
    return discord.Member(data=cast("Any", data), guild=there, state=state)


@pytest.mark.parametrize(
    "known",
    [
        pytest.param((GUILD, SUPPORTER, STAFF), id="known"),
        pytest.param((GUILD, STAFF), id="where one is new"),
        pytest.param((), id="not heard of yet"),
    ],
)
def test_a_member_has_the_roles_that_discord_says_whether_or_not_the_bot_knows_the_server(
    known: tuple[int, ...],
) -> None:
    asker = member(guild(*known), SUPPORTER, STAFF)
    assert sorted(spot.roles_of(asker)) == [GUILD, SUPPORTER, STAFF]


def test_somebody_without_a_role_has_everybodys_and_who_is_no_member_has_none() -> None:
    assert spot.roles_of(member(guild())) == (GUILD,)
    client = AnimateBot()
    data = cast("Any", user(31))
    assert spot.roles_of(discord.User(state=client._connection, data=data)) == ()  # noqa: SLF001 - the same
