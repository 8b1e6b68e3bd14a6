"""The people's side: what each person sees, may do, and is told when they may not."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.sandbox.discord import Limits, LocalDiscord
from bot.sandbox.person import Person, PersonError
from tests.sandbox.discord_client import ANIMATE, JSON, PING, Api, png


@pytest.fixture
async def server() -> AsyncIterator[LocalDiscord]:
    async with LocalDiscord(limits=Limits(upload_limit_bytes=5000)) as running:
        yield running


@pytest.fixture
async def api(server: LocalDiscord) -> AsyncIterator[Api]:
    async with Api(server) as client:
        await client.register(ANIMATE, PING)
        yield client


@pytest.fixture
async def mia(server: LocalDiscord) -> AsyncIterator[Person]:
    async with Person(server.url, "Mia") as person:
        yield person


@pytest.fixture
async def ada(server: LocalDiscord) -> AsyncIterator[Person]:
    async with Person(server.url, "Ada") as person:
        yield person


async def test_the_state_has_everything_a_client_needs(mia: Person) -> None:
    assert [one["name"] for one in mia.state["channels"]] == [
        "general",
        "studio",
        "gallery",
        "after-dark",
    ]
    assert {one["global_name"]: mia.roles(one["global_name"]) for one in mia.state["people"]} == {
        "Mia": [],
        "Noah": ["Supporter"],
        "Ada": ["Admin", "Staff"],
        "Kim": ["Staff"],
        "animate-bot": ["animate-bot"],
    }
    assert mia.state["me"]["id"] == mia.id
    assert mia.state["guild"]["name"] == "Pixel Garden"
    assert mia.state["bot_online"] is False
    assert all(one["can_send"] for one in mia.state["channels"])


async def test_commands_are_pushed_when_they_are_registered(mia: Person, api: Api) -> None:
    command = await mia.wait_for_command("ping")
    assert command["application_id"] == api.server.world.application_id


async def test_a_file_over_the_limit_is_refused(mia: Person) -> None:
    with pytest.raises(PersonError) as refused:
        await mia.attach(b"x" * 5001, "big.bin")
    assert refused.value.status == 413


WRONG_OPTIONS: list[tuple[JSON, dict[str, str]]] = [
    ({}, {"image": "This option is required"}),
    ({"image": "1"}, {"image": "This does not exist"}),
    ({"prompt": "x" * 21}, {"prompt": "Enter at most 20 characters"}),
    ({"prompt": 5}, {"prompt": "Enter a text"}),
    ({"seconds": 2}, {"seconds": "Enter a number of at least 3"}),
    ({"seconds": 11}, {"seconds": "Enter a number of at most 10"}),
    ({"seconds": 4.5}, {"seconds": "Enter a whole number"}),
    ({"shape": "3:2"}, {"shape": "Choose one of the listed values"}),
    ({"colour": "red"}, {"colour": "This command has no such option"}),
]


@pytest.mark.parametrize(("options", "errors"), WRONG_OPTIONS)
async def test_options_are_checked_before_the_bot_is_bothered(
    mia: Person, api: Api, options: JSON, errors: dict[str, str]
) -> None:
    assert api is not None
    if options and "image" not in options:
        options = options | {"image": await mia.attach(png(), "cat.png")}
    with pytest.raises(PersonError) as refused:
        await mia.command("animate", **options)
    assert refused.value.status == 400
    assert refused.value.errors == errors


async def test_a_client_that_lies_is_passed_on_unchecked(mia: Person, api: Api) -> None:
    form = {
        "kind": "command",
        "name": "animate",
        "options": [{"name": "seconds", "type": 4, "value": 99}],
    }
    started = await mia.send_raw(form)
    assert api.interaction(started).data["options"][0]["value"] == 99


async def test_a_command_is_for_those_who_may_use_it(mia: Person, ada: Person, api: Api) -> None:
    settings = PING | {"name": "settings", "default_member_permissions": str(1 << 5)}
    adult = PING | {"name": "adult", "nsfw": True}
    await api.register(settings, adult)
    with pytest.raises(PersonError, match="403"):
        await mia.command("settings")
    await ada.command("settings")
    with pytest.raises(PersonError, match="age-restricted"):
        await mia.command("adult")
    await mia.command("adult", "after-dark")


async def test_an_interaction_says_where_and_who(mia: Person, api: Api) -> None:
    image = await mia.attach(png(), "cat.png")
    started = await mia.command("animate", image=image, seconds=5)
    interaction = api.interaction(started)
    assert interaction.data["resolved"]["attachments"][image.id]["width"] == 64
    assert interaction.data["options"] == [
        {"name": "image", "type": 11, "value": image.id},
        {"name": "seconds", "type": 4, "value": 5},
    ]


async def test_a_person_deletes_their_own_message_and_an_admin_any(
    mia: Person, ada: Person
) -> None:
    first, second = await mia.send("one"), await mia.send("two")
    hers = await ada.send("three")
    with pytest.raises(PersonError, match="403"):
        await mia.delete(hers)
    await mia.delete(first)
    await ada.delete(second)
    await mia.wait_for_event("MESSAGE_DELETE", lambda gone: gone["id"] == second["id"])
    await mia.wait_for(lambda one: one["id"] == hers["id"])
    assert [one["content"] for one in mia.messages()] == ["three"]


async def test_an_ephemeral_answer_can_be_dismissed(mia: Person, api: Api) -> None:
    started = await mia.command("ping")
    await api.callback(started, 4, {"content": "psst", "flags": 64})
    reply = await mia.wait_for_reply(started)
    await mia.delete(reply)
    await mia.wait_for_event("MESSAGE_DELETE", lambda gone: gone["id"] == reply["id"])
    assert (await api.webhook(started, "GET", "/messages/@original"))[0] == 404


async def test_a_reaction_is_counted_once_a_person(mia: Person, ada: Person) -> None:
    message = await mia.send("look")
    for person in (mia, mia, ada):
        await person.react(message, "🎬")
    told = await mia.wait_for_event("REACTIONS", lambda data: data["reactions"][0]["count"] == 2)
    assert told["reactions"][0]["me"] is True
    await mia.unreact(message, "🎬")
    told = await mia.wait_for_event("REACTIONS", lambda data: not data["reactions"][0]["me"])
    assert told["reactions"][0]["count"] == 1
    with pytest.raises(PersonError):
        await mia.react(message, "not an emoji")


async def test_a_menu_takes_the_listed_choices_only(mia: Person, api: Api) -> None:
    options = [{"label": "A", "value": "a"}, {"label": "B", "value": "b"}]
    select = {"type": 3, "custom_id": "pick", "options": options}
    row = {"type": 1, "components": [select]}
    started = await mia.command("ping")
    await api.callback(started, 4, {"content": "choose", "components": [row]})
    message = await mia.wait_for_reply(started)
    with pytest.raises(PersonError, match="no such choice"):
        await mia.choose(message, "pick", "c")
    with pytest.raises(PersonError, match="between 1 and 1"):
        await mia.choose(message, "pick", "a", "b")
    chosen = await mia.choose(message, "pick", "b")
    assert api.interaction(chosen).data["values"] == ["b"]


async def test_a_disabled_button_cannot_be_pressed(mia: Person, api: Api) -> None:
    button = {"type": 2, "style": 1, "label": "x", "custom_id": "x", "disabled": True}
    started = await mia.command("ping")
    row = {"type": 1, "components": [button]}
    await api.callback(started, 4, {"content": "look", "components": [row]})
    message = await mia.wait_for_reply(started)
    with pytest.raises(PersonError, match="disabled"):
        await mia.press(message, "x")


async def test_a_person_who_does_not_exist_is_refused(server: LocalDiscord) -> None:
    with pytest.raises(KeyError):
        await Person(server.url, "Zoe").connect()
    url = f"{server.url}/sandbox/socket?as=1"
    async with aiohttp.ClientSession() as http:
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await http.ws_connect(url)


async def test_the_page_is_served(server: LocalDiscord) -> None:
    async with aiohttp.ClientSession() as http, http.get(server.url) as response:
        assert response.status == 200
        assert response.content_type == "text/html"


async def test_the_servers_end_closes_every_window() -> None:
    server = LocalDiscord()
    await server.start()
    async with Person(server.url, "Mia") as mia:
        waiting = asyncio.create_task(mia.wait_for(lambda _one: False))
        await asyncio.sleep(0)
        await server.stop()
        with pytest.raises(ConnectionError):
            await waiting


async def test_a_command_can_name_people_channels_and_roles(mia: Person, api: Api) -> None:
    kinds = {"who": 6, "place": 7, "which": 8, "what": 9, "sure": 5, "much": 10}
    options = [{"type": kind, "name": name, "description": "x"} for name, kind in kinds.items()]
    await api.register({"name": "point", "description": "Point", "options": options})
    world = api.server.world
    started = await mia.command(
        "point",
        who=mia.id,
        place=mia.channel_id(),
        which=world.guild.id,
        what=world.bot.id,
        sure=True,
        much=1.5,
    )
    resolved = api.interaction(started).data["resolved"]
    assert resolved["users"][mia.id]["username"] == "mia"
    assert "permissions" in resolved["members"][world.bot.id]
    assert resolved["channels"][mia.channel_id()]["name"] == "studio"
    assert resolved["roles"][world.guild.id]["name"] == "@everyone"
    with pytest.raises(PersonError) as refused:
        await mia.command("point", who="1", sure="yes", much="x")
    assert set(refused.value.errors) == {"who", "sure", "much"}


async def test_a_menu_of_people_resolves_whom_it_means(mia: Person, api: Api) -> None:
    row = {"type": 1, "components": [{"type": 5, "custom_id": "who"}]}
    started = await mia.command("ping")
    await api.callback(started, 4, {"content": "choose", "components": [row]})
    message = await mia.wait_for_reply(started)
    chosen = await mia.choose(message, "who", mia.id)
    assert mia.id in api.interaction(chosen).data["resolved"]["users"]
    with pytest.raises(PersonError, match="no such choice"):
        await mia.choose(message, "who", "1")


async def test_in_a_direct_message_only_some_commands_work(mia: Person, api: Api) -> None:
    await api.register({**PING, "name": "here", "contexts": [0]}, PING)
    direct = api.server.world.direct_channel(mia.id)
    api.server.feed.channels_changed()
    await mia.wait_for_event("CHANNELS")
    with pytest.raises(PersonError, match="not available in direct messages"):
        await mia.command("here", direct.id)
    started = await mia.command("ping", direct.id)
    _, body = await api.callback(started, 4, {"content": "hello"})
    message = body["resource"]["message"]
    assert message["interaction_metadata"]["authorizing_integration_owners"] == {"0": "0"}
    assert "guild_id" not in body["interaction"]


async def test_what_is_not_there_is_refused_in_a_sentence(mia: Person, api: Api) -> None:
    assert api is not None
    elsewhere = {"id": "1", "channel_id": mia.channel_id()}
    refusals = (
        mia.menu(elsewhere, "ping"),
        mia.press_raw(elsewhere, "x"),
        mia.react(elsewhere, "🎬"),
        mia.send("x", reply_to=elsewhere),
        mia.send_raw({"kind": "dance"}),
        mia.send_raw({"kind": "modal", "interaction_id": "1"}),
        mia.send_raw({"kind": "command", "name": "nothing"}),
    )
    for refusal in refusals:
        with pytest.raises(PersonError, match=r"40[04]: .+\."):
            await refusal
