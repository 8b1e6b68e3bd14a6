"""The town: two servers, their members, languages, boosts and Nitro, and who may use commands."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from bot.sandbox.discord import Limits, LocalDiscord
from bot.sandbox.discord.limits import MIB
from bot.sandbox.person import Person, PersonError
from tests.sandbox.discord_client import ANIMATE, JSON, PING, Api, commands, connected, discord, png

GERMAN: JSON = {
    "name": "animate",
    "description": "Animate a picture",
    "name_localizations": {"de": "animieren"},
    "description_localizations": {"de": "Ein Bild animieren"},
    "options": [
        {
            "type": 3,
            "name": "shape",
            "description": "The shape",
            "name_localizations": {"de": "format"},
            "choices": [
                {"name": "Wide", "value": "16:9", "name_localizations": {"de": "Breit"}},
            ],
        }
    ],
}


@dataclass
class Town:
    """A server, the bot's token, and a person of each sort."""

    server: LocalDiscord
    api: Api
    mia: Person
    noah: Person
    ada: Person
    otto: Person


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    limits = Limits(rate_limits_enabled=False, upload_limit_bytes=1000)
    async with (
        LocalDiscord(limits=limits) as server,
        Api(server) as api,
        Person(server.url, "Mia") as mia,
        Person(server.url, "Noah") as noah,
        Person(server.url, "Ada") as ada,
        Person(server.url, "Otto", "night-studio") as otto,
    ):
        yield Town(server, api, mia, noah, ada, otto)


# --- Two servers ---------------------------------------------------------------------------------


async def test_people_see_their_own_servers_and_whom_they_share_them_with(town: Town) -> None:
    names = [[one["name"] for one in each.state["guilds"]] for each in (town.mia, town.noah)]
    assert names == [["Pixel Garden"], ["Pixel Garden", "Night Owls"]]
    assert [one["name"] for one in town.otto.state["channels"]] == ["lobby", "night-studio"]
    assert {one["username"] for one in town.otto.state["people"]} == {
        *("noah", "otto", "animate-bot")
    }
    assert "otto" not in {one["username"] for one in town.mia.state["people"]}
    with pytest.raises(KeyError):
        await town.mia.send("hello", channel="lobby")


async def test_an_interaction_comes_from_the_server_it_happens_in(town: Town) -> None:
    seen: list[discord.Interaction[Any]] = []

    def prepare(bot: commands.Bot) -> None:
        @bot.tree.command(description="Answer")
        async def ping(interaction: discord.Interaction[Any], who: discord.Member) -> None:
            seen.append(interaction)
            await interaction.response.send_message(f"{who} of {interaction.guild}")

    async with connected(town.server, prepare):
        await town.otto.command("ping", who=town.otto.person_id("Noah"))
        await town.otto.sees("noah of Night Owls")
        await town.noah.command("ping", who=town.noah.id)
        await town.noah.sees("noah of Pixel Garden")
    [keeper] = [role.name for role in seen[0].user.roles[1:]]  # type: ignore[union-attr]
    assert keeper == "Keeper"
    assert seen[0].guild_id != seen[1].guild_id


async def test_another_servers_channel_or_role_does_not_exist(town: Town) -> None:
    options = [
        {"type": 7, "name": "place", "description": "x"},
        {"type": 8, "name": "role", "description": "x"},
    ]
    await town.api.register({"name": "point", "description": "Point", "options": options})
    role = town.mia.role_id("Staff")
    with pytest.raises(PersonError) as refused:
        await town.otto.command("point", place=town.mia.channel_id("studio"), role=role)
    assert set(refused.value.errors) == {"place", "role"}
    mention = await town.otto.send(f"<@&{role}>")
    assert mention["mention_roles"] == []


async def test_a_servers_own_command_is_for_it_alone(town: Town) -> None:
    owls = town.otto.guild_id("Night Owls")
    path = f"/applications/{town.server.world.application_id}/guilds/{owls}/commands"
    assert (await town.api.call("PUT", path, [PING]))[0] == 200
    await town.otto.command("ping")
    with pytest.raises(PersonError, match="404"):
        await town.mia.command("ping")
    await town.noah.command("ping", "lobby")


async def test_the_bot_can_leave_one_server_and_stay_in_the_other(town: Town) -> None:
    owls = town.otto.guild_id("Night Owls")
    async with connected(town.server) as bot:
        await town.otto.control("POST", "bot", {"do": "kick", "guild_id": owls})
        status, refused = await town.api.call("GET", f"/guilds/{owls}")
        assert (status, refused["code"]) == (403, 50001)
        while len(bot.guilds) > 1:
            await town.mia.control("GET", "limits")
        assert [one.name for one in bot.guilds] == ["Pixel Garden"]


async def test_a_person_starts_a_thread_and_a_command_works_in_it(town: Town) -> None:
    await town.api.register(PING)
    posted = await town.otto.send("look", await town.otto.attach(png(), "cat.png"))
    thread = await town.otto.thread(posted, "About the cat")
    started = await town.otto.command("ping", thread)
    _, body = await town.api.callback(started, 4, {"content": "pong"})
    assert body["interaction"]["guild_id"] == town.otto.guild_id("Night Owls")
    await town.noah.sees("pong", channel=thread)
    with pytest.raises(PersonError, match="already been created"):
        await town.otto.thread(posted, "Again")


async def test_a_channel_becomes_age_restricted_for_the_bot_and_for_people(town: Town) -> None:
    await town.api.register({**PING, "nsfw": True})
    with pytest.raises(PersonError, match="age-restricted"):
        await town.mia.command("ping")
    async with connected(town.server) as bot:
        lever = {"channel_id": town.mia.channel_id(), "nsfw": True}
        await town.mia.control("PATCH", "channel", lever)
        channel: Any = bot.get_channel(int(town.mia.channel_id()))
        while not channel.is_nsfw():
            await town.mia.control("GET", "limits")
    assert town.mia.state["channels"][1]["nsfw"]


# --- Languages -----------------------------------------------------------------------------------


async def test_an_interaction_carries_the_languages_of_the_person_and_the_server(
    town: Town,
) -> None:
    seen: list[discord.Interaction[Any]] = []

    def prepare(bot: commands.Bot) -> None:
        @bot.tree.command(description="Answer")
        async def ping(interaction: discord.Interaction[Any]) -> None:
            seen.append(interaction)
            await interaction.response.send_message("pong")

    async with connected(town.server, prepare):
        await town.mia.set_up(locale="de")
        await town.mia.control("PATCH", "guild", {"locale": "es-ES"})
        await town.mia.wait_for_reply(await town.mia.command("ping"))
        await town.noah.wait_for_reply(await town.noah.command("ping"))
    assert [one.locale for one in seen] == [discord.Locale.german, discord.Locale.american_english]
    assert {one.guild_locale for one in seen} == {discord.Locale.spain_spanish}
    with pytest.raises(PersonError, match="no language"):
        await town.mia.set_up(locale="tlh")


async def test_translations_are_kept_and_given_to_who_asks_for_them(town: Town) -> None:
    [made] = await town.api.register(GERMAN)
    assert made["name_localizations"] == {"de": "animieren"}
    path = f"/applications/{town.server.world.application_id}/commands"
    _, [bare] = await town.api.call("GET", path)
    assert not {"name_localizations", "description_localizations", "name_localized"} & bare.keys()
    assert "name_localizations" not in bare["options"][0]["choices"][0]
    _, [whole] = await town.api.call("GET", f"{path}?with_localizations=true")
    assert whole == made
    started = await town.mia.command("animate", shape="16:9")
    assert town.api.interaction(started).data["name"] == "animate"


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"name_localizations": {"xx": "animieren"}}, ["name_localizations", "xx"]),
        ({"name_localizations": {"de": "Animieren"}}, ["name_localizations", "de"]),
        ({"description_localizations": {"de": "x" * 101}}, ["description_localizations", "de"]),
    ],
)
async def test_a_translation_that_is_none_is_refused(
    town: Town, change: JSON, where: list[str]
) -> None:
    path = f"/applications/{town.server.world.application_id}/commands"
    status, refused = await town.api.call("PUT", path, [GERMAN | change])
    assert (status, refused["code"]) == (400, 50035)
    errors = refused["errors"]["0"]
    for step in where:
        errors = errors[step]
    assert errors["_errors"]


# --- How large a file may be ---------------------------------------------------------------------


async def test_boosts_raise_the_limit_for_all_and_nitro_for_one(town: Town) -> None:
    await town.api.register(PING)
    guild_id = town.server.world.guild.id
    town.server.set_limits({"tier2_upload_limit_bytes": 3000})

    async def limits() -> list[int]:
        started = [await each.command("ping") for each in (town.mia, town.noah)]
        return [town.api.interaction(one).upload_limit for one in started]

    assert await limits() == [1000, 1000]
    await town.mia.set_up(premium_type=2)
    assert await limits() == [500 * MIB, 1000]
    await town.mia.control("PATCH", "guild", {"premium_tier": 2})
    assert await limits() == [500 * MIB, 3000]
    _, guild = await town.api.call("GET", f"/guilds/{guild_id}")
    assert guild["premium_tier"] == 2
    with pytest.raises(PersonError, match="premium_tier"):
        await town.mia.control("PATCH", "guild", {"premium_tier": 4})


async def test_nitro_counts_for_the_token_of_its_holders_interaction_only(town: Town) -> None:
    await town.api.register(PING)
    await town.mia.set_up(premium_type=3)
    studio = f"/channels/{town.api.channel('studio')}/messages"
    big = ("clip.mp4", b"x" * 2000)
    answers = []
    for person in (town.mia, town.noah):
        started = await person.command("ping")
        await town.api.callback(started, 5)
        token = town.api.token(started)
        original = f"/webhooks/{town.server.world.application_id}/{token}/messages/@original"
        answers.append(await town.api.upload("PATCH", original, {}, big))
    (first, _), (second, refused) = answers
    assert (first, second, refused["code"]) == (200, 413, 40005)
    assert (await town.api.upload("POST", studio, {}, big))[0] == 413


async def test_a_person_attaches_what_their_limit_allows(town: Town) -> None:
    with pytest.raises(PersonError, match="413"):
        await town.mia.attach(b"x" * 1001, "big.bin")
    await town.mia.set_up(premium_type=3)
    posted = await town.mia.send("", await town.mia.attach(b"x" * 1001, "big.bin"))
    assert posted["attachments"][0]["size"] == 1001
    channel = town.mia.state["channels"][0]
    assert channel["attachment_size_limit"] == 50 * MIB


# --- Who may use a command -----------------------------------------------------------------------


async def usable(person: Person, command: str) -> list[str]:
    """The names of the channels where somebody may use a command."""
    shown = await person.wait_for_command(command)
    names = {one["id"]: one["name"] for one in person.state["channels"]}
    return [names[one] for one in shown["usable_in"]]


async def test_an_admin_decides_who_may_use_a_command_and_where(town: Town) -> None:
    everywhere = ["general", "studio", "gallery", "after-dark"]
    [made] = await town.api.register({**PING, "default_member_permissions": str(1 << 5)})
    assert await usable(town.mia, "ping") == []
    await town.ada.permit("ping", Supporter=True, general=False)
    await town.noah.wait_for_event("COMMANDS", lambda data: data[0]["usable_in"])
    assert await usable(town.noah, "ping") == everywhere[1:]
    assert await usable(town.mia, "ping") == []
    await town.ada.permit("ping", everyone=True, Noah=False)
    await town.mia.wait_for_event("COMMANDS", lambda data: data[0]["usable_in"])
    assert await usable(town.mia, "ping") == everywhere
    with pytest.raises(PersonError, match="403"):
        await town.noah.command("ping")
    with pytest.raises(PersonError, match="403"):
        await town.mia.permit("ping", everyone=True)
    root = f"/applications/{made['application_id']}/guilds/{town.server.world.guild.id}/commands"
    _, [listed] = await town.api.call("GET", f"{root}/permissions")
    _, one = await town.api.call("GET", f"{root}/{made['id']}/permissions")
    assert one == listed
    kinds = {entry["id"]: (entry["type"], entry["permission"]) for entry in one["permissions"]}
    assert kinds == {town.server.world.guild.id: (1, True), town.noah.id: (2, False)}


async def test_a_bot_reads_permissions_of_commands_and_cannot_change_them(town: Town) -> None:
    ping, animate = await town.api.register(PING, ANIMATE)
    root = f"/applications/{ping['application_id']}/guilds/{town.server.world.guild.id}/commands"
    status, refused = await town.api.call("GET", f"{root}/{ping['id']}/permissions")
    assert (status, refused["code"]) == (404, 10066)
    status, refused = await town.api.call("PUT", f"{root}/{ping['id']}/permissions", {})
    assert (status, refused["code"]) == (403, 20001)
    assert animate["id"] != ping["id"]


async def test_the_bot_hears_of_changed_permissions(town: Town) -> None:
    heard: list[Any] = []

    async def hear(payload: Any) -> None:
        heard.append(payload)

    def prepare(bot: commands.Bot) -> None:
        @bot.tree.command(description="Answer")
        async def ping(interaction: discord.Interaction[Any]) -> None:
            await interaction.response.send_message("pong")

    listeners = {"on_raw_app_command_permissions_update": hear}
    async with connected(town.server, prepare, events=listeners):
        await town.ada.wait_for_command("ping")
        await town.ada.permit("ping", Staff=False)
        while not heard:
            await town.mia.control("GET", "limits")
    [entry] = heard[0].permissions
    assert (entry.target.name, entry.permission) == ("Staff", False)


# --- Direct messages -----------------------------------------------------------------------------


async def test_somebody_may_not_want_direct_messages(town: Town) -> None:
    _, opened = await town.api.call("POST", "/users/@me/channels", {"recipient_id": town.mia.id})
    path = f"/channels/{opened['id']}/messages"
    assert (await town.api.call("POST", path, {"content": "hello"}))[0] == 200
    await town.mia.sees("hello", channel="@bot")
    await town.mia.set_up(takes_direct_messages=False)
    status, refused = await town.api.call("POST", path, {"content": "hello again"})
    assert (status, refused["code"]) == (403, 50007)


async def test_a_stranger_gets_no_direct_message(town: Town) -> None:
    _, opened = await town.api.call("POST", "/users/@me/channels", {"recipient_id": town.otto.id})
    owls = town.otto.guild_id("Night Owls")
    await town.otto.control("POST", "bot", {"do": "kick", "guild_id": owls})
    path = f"/channels/{opened['id']}/messages"
    status, refused = await town.api.call("POST", path, {"content": "hello"})
    assert (status, refused["code"]) == (403, 50278)


async def test_a_picture_sent_directly_is_read_without_any_switch(town: Town) -> None:
    where = await town.mia.open_direct()
    posted = await town.mia.send("look", await town.mia.attach(png(), "cat.png"), channel=where)
    _, seen = await town.api.call("GET", f"/channels/{where}/messages/{posted['id']}")
    assert seen["attachments"][0]["filename"] == "cat.png"
