"""Trees of commands as quotas need them: for managers, about people and roles, in private."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bot.sandbox.discord import LocalDiscord
from bot.sandbox.person import Person, PersonError
from tests.sandbox.clerk import RECORDS, answer, clerk
from tests.sandbox.discord_client import PING, Api, connected, discord, png

MANAGE_GUILD = str(1 << 5)


@dataclass
class Office:
    """A bot that keeps quotas; Ada, who is an admin with a further role; Mia, who has none."""

    server: LocalDiscord
    ada: Person
    mia: Person


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with (
        LocalDiscord() as server,
        Person(server.url, "Ada") as ada,
        Person(server.url, "Mia") as mia,
        connected(server, clerk),
    ):
        await ada.wait_for_command("usage")
        yield Office(server, ada, mia)


async def test_a_target_is_a_member_or_a_role(office: Office) -> None:
    ada, mia, role = office.ada, office.mia, office.ada.role_id("Supporter")
    about_role = await answer(ada, "quota set", target=role, clips=5, per="w", share=0.5)
    assert about_role["embeds"][0]["description"] == f"role <@&{role}> 5 w 0.5"
    about_member = await answer(ada, "quota set", target=mia.id, clips=0)
    assert about_member["embeds"][0]["description"] == f"member <@{mia.id}> 0 day 1.0"
    assert about_member["mentions"] == about_member["mention_roles"] == [], "an embed pings nobody"


async def test_a_wrong_option_of_a_subcommand_is_named(office: Office) -> None:
    with pytest.raises(PersonError) as refused:
        await office.ada.command("quota set", target="1", clips=101, per="month", share=1.5)
    assert refused.value.errors == {
        "target": "This does not exist",
        "clips": "Enter a number of at most 100",
        "per": "Choose one of the listed values",
        "share": "Enter a number of at most 1.0",
    }
    with pytest.raises(PersonError) as missing:
        await office.ada.command("quota set")
    assert set(missing.value.errors) == {"target", "clips"}
    with pytest.raises(PersonError) as bare:
        await office.ada.command("quota")
    assert set(bare.value.errors.values()) == {"Choose a subcommand"}


async def test_a_command_for_managers_is_neither_listed_for_others_nor_let_through(
    office: Office,
) -> None:
    for_ada = await office.ada.wait_for_command("quota")
    for_mia = await office.mia.wait_for_command("quota")
    assert for_ada["default_member_permissions"] == MANAGE_GUILD
    assert set(for_ada["usable_in"]) == {one["id"] for one in office.ada.state["channels"]}
    assert for_mia["usable_in"] == []
    view = {"name": "timezone", "type": 1, "options": [{"name": "zone", "type": 3, "value": "x"}]}
    for kind in ("command", "autocomplete"):
        forged = {"kind": kind, "name": "quota", "type": 1, "options": [view]}
        with pytest.raises(PersonError, match="403: You do not have permission"):
            await office.mia.send_raw(forged)


async def test_an_admin_may_hand_a_command_to_others_than_the_bot_meant(office: Office) -> None:
    ada, mia = office.ada, office.mia
    everyone, staff = ada.state["guild"]["id"], ada.role_id("Staff")

    async def answers(permissions: dict[str, bool]) -> list[str | None]:
        await ada.control("PATCH", "command", {"name": "quota", "permissions": permissions})
        found: list[str | None] = []
        for person in (ada, mia):
            try:
                reply = await answer(person, "quota view", member=mia.id, role=staff)
                found.append(reply["content"])
            except PersonError:
                found.append(None)
        return found

    managers, others = "held False, allowed True", "held False, allowed False"
    assert await answers({everyone: True}) == [managers, others], "the bot has to look for itself"
    assert await answers({everyone: False, staff: True}) == [managers, None]
    assert await answers({everyone: True, staff: False, mia.id: False}) == [None, None]
    assert await answers({}) == [managers, None]


async def test_a_role_that_is_given_comes_with_the_next_interaction(office: Office) -> None:
    ada, mia = office.ada, office.mia
    roles = {"member": mia.id, "role": ada.role_id("Supporter")}
    before = await answer(ada, "quota view", **roles)
    assert before["content"] == "held False, allowed True"
    await ada.give_role("Mia", "Supporter")
    assert (await answer(ada, "quota view", **roles))["content"] == "held True, allowed True"
    await ada.take_role("Mia", "Supporter")
    assert (await answer(ada, "quota view", **roles))["content"] == "held False, allowed True"


async def test_only_roles_below_ones_own_are_given_and_only_by_those_who_may(
    office: Office,
) -> None:
    for person, role in ((office.mia, "Staff"), (office.ada, "Admin"), (office.ada, "animate-bot")):
        with pytest.raises(PersonError, match="403: You cannot give or take this role"):
            await person.give_role("Noah", role)
    with pytest.raises(PersonError, match="404"):
        await office.ada.give_role("Noah", "@everyone")
    assert office.ada.roles("Noah") == ["Supporter"]


async def test_the_control_makes_anybody_an_admin_and_the_commands_follow(office: Office) -> None:
    mia = office.mia
    await mia.control("PATCH", "member", {"user_id": mia.id, "roles": ["Admin", "Supporter"]})
    await mia.wait_for_event(
        "COMMANDS", lambda told: any(one["usable_in"] for one in told if one["name"] == "quota")
    )
    assert mia.roles("Mia") == ["Admin", "Supporter"]
    zone = await answer(mia, "quota timezone", zone="UTC")
    assert zone["content"] == "UTC"
    with pytest.raises(PersonError, match="no role Emperor"):
        await mia.control("PATCH", "member", {"user_id": mia.id, "roles": ["Emperor"]})
    with pytest.raises(PersonError, match="no such member"):
        await mia.control("PATCH", "member", {"user_id": "1", "roles": []})


async def test_a_subcommands_option_completes_while_the_others_are_unfinished(
    office: Office,
) -> None:
    offered = await office.ada.autocomplete("quota timezone", "zone", "ber")
    assert offered == [{"name": "Europe / Berlin", "value": "Europe/Berlin"}]


async def test_a_subcommand_may_lie_in_a_group(office: Office) -> None:
    reply = await answer(office.mia, "usage archive show", who=office.ada.id)
    assert reply["content"] == f"nothing of <@{office.ada.id}>"
    assert reply["interaction"]["name"] == "usage archive show"


async def test_a_private_report_carries_its_picture_in_the_embed(office: Office) -> None:
    reply = await answer(office.ada, "usage me")
    assert reply["flags"] == 64
    assert reply["attachments"] == [], "the embed shows it"
    [embed] = reply["embeds"]
    assert (embed["image"]["width"], embed["image"]["height"]) == (800, 400)
    assert "/ephemeral-attachments/" in embed["image"]["url"]
    assert await office.ada.download(embed["image"]) == png(800, 400)
    assert [field["inline"] for field in embed["fields"]] == [True, True, True, False]
    assert embed["fields"][3]["value"] == " ".join(
        f"<@&{office.ada.role_id(name)}>" for name in ("Staff", "Admin")
    )
    assert all(one["id"] != reply["id"] for one in office.mia.everything())


async def test_a_private_export_is_a_file_with_its_encoding(office: Office) -> None:
    [file] = (await answer(office.mia, "usage export"))["attachments"]
    assert (file["filename"], file["size"]) == ("usage.csv", len(RECORDS))
    assert file["content_type"] == "text/csv; charset=utf-8"
    assert file["ephemeral"] is True
    assert await office.mia.download(file) == RECORDS


async def test_a_command_for_nobody_is_left_to_administrators() -> None:
    async with (
        LocalDiscord() as server,
        Api(server) as api,
        Person(server.url, "Ada") as ada,
        Person(server.url, server.world.guild.owner_id) as owner,
    ):
        await api.register({**PING, "default_member_permissions": "0"})
        with pytest.raises(PersonError, match="403"):
            await ada.command("ping")
        started = await owner.command("ping")
        assert api.interaction(started).person_id == owner.id


async def test_a_member_that_is_resolved_has_the_permissions_of_the_channel() -> None:
    option = {"type": 9, "name": "target", "description": "Whom", "required": True}
    async with LocalDiscord() as server, Api(server) as api, Person(server.url, "Ada") as ada:
        await api.register({**PING, "options": [option]})
        started = await ada.command("ping", where="gallery", target=server.world.bot.id)
        resolved = api.interaction(started).data["resolved"]
        assert set(resolved) == {"users", "members"}
        allowed = discord.Permissions(int(resolved["members"][server.world.bot.id]["permissions"]))
        assert allowed.view_channel
        assert not allowed.send_messages


async def test_a_changed_member_is_announced_to_a_bot_with_the_intent() -> None:
    seen: asyncio.Queue[list[str]] = asyncio.Queue()

    async def on_member_update(_before: discord.Member, after: discord.Member) -> None:
        await seen.put([role.name for role in after.roles])

    intents = discord.Intents(guilds=True, members=True)
    listeners = {"on_member_update": on_member_update}
    async with LocalDiscord() as server, Person(server.url, "Ada") as ada:
        server.set_limits({"members_enabled": True})
        async with connected(server, intents=intents, events=listeners):
            assigned = {"user_id": ada.person_id("animate-bot"), "roles": ["Staff"]}
            await ada.control("PATCH", "member", assigned)
            assert await asyncio.wait_for(seen.get(), 5) == ["@everyone", "Staff"]
