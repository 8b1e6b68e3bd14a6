"""Messages under the bot's token: forms, sizes, permissions, nonces, and the codes of refusals."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.sandbox.discord import Limits, LocalDiscord
from bot.sandbox.person import Person
from tests.sandbox.discord_client import JSON, TOKEN, Api, png


@pytest.fixture
async def server() -> AsyncIterator[LocalDiscord]:
    limits = Limits(rate_limits_enabled=False, upload_limit_bytes=1000)
    async with LocalDiscord(limits=limits, token=TOKEN) as running:
        yield running


@pytest.fixture
async def api(server: LocalDiscord) -> AsyncIterator[Api]:
    async with Api(server) as client:
        yield client


@pytest.fixture
def studio(api: Api) -> str:
    return f"/channels/{api.channel('studio')}/messages"


async def test_without_the_token_there_is_nothing(server: LocalDiscord) -> None:
    async with Api(server, token=None) as stranger, Api(server, token="wrong") as impostor:
        for client in (stranger, impostor):
            status, refused = await client.call("GET", "/users/@me")
            assert (status, refused) == (401, {"message": "401: Unauthorized", "code": 0})


async def test_answers_are_plain_json_signed_by_the_edge(api: Api) -> None:
    response, _ = await api.exchange("GET", "/users/@me")
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Via"] == "1.1 google"
    response, body = await api.exchange("GET", "/no/such/route")
    assert (response.status, body["code"]) == (404, 0)
    assert response.headers["Content-Type"] == "application/json"


async def test_a_file_arrives_with_its_size_and_shape(api: Api, studio: str) -> None:
    payload = {
        "content": "look",
        "attachments": [{"id": 0, "filename": "cat.png", "description": "a cat"}],
    }
    status, message = await api.upload("POST", studio, payload, ("cat.png", png()))
    assert status == 200
    [attachment] = message["attachments"]
    assert attachment["description"] == "a cat"
    assert (attachment["width"], attachment["height"]) == (64, 48)
    assert (attachment["size"], attachment["content_type"]) == (len(png()), "image/png")


async def test_each_file_has_its_own_limit(api: Api, studio: str) -> None:
    small = [(f"{index}.bin", b"x" * 900) for index in range(3)]
    assert (await api.upload("POST", studio, {}, *small))[0] == 200
    status, refused = await api.upload("POST", studio, {}, ("big.bin", b"x" * 1001))
    expected = {"message": "Request entity too large", "code": 40005}
    assert (status, refused) == (413, expected)


async def test_the_nonce_finds_the_message_that_carried_it(
    server: LocalDiscord, api: Api, studio: str
) -> None:
    payload = {"content": "once", "nonce": "job-42", "enforce_nonce": True}
    _, first = await api.call("POST", studio, payload)
    _, second = await api.call("POST", studio, {**payload, "content": "twice"})
    assert first["id"] == second["id"]
    assert second["content"] == "once"
    assert first["nonce"] == "job-42"
    _, unforced = await api.call("POST", studio, {"content": "again", "nonce": "job-42"})
    assert unforced["id"] != first["id"]
    await api.call("DELETE", f"{studio}/{unforced['id']}")
    status, refused = await api.call("POST", studio, payload)
    assert (status, refused["code"]) == (404, 10008)
    server.set_limits({"nonce_window_s": 0.05})
    await asyncio.sleep(0.1)
    status, renewed = await api.call("POST", studio, payload)
    assert (status, renewed["id"] != first["id"]) == (200, True)


async def test_a_repeat_while_the_first_is_being_made_finds_it_too(
    server: LocalDiscord, api: Api, studio: str
) -> None:
    payload = {"content": "once", "nonce": "job-42", "enforce_nonce": True}
    posts = [api.upload("POST", studio, payload, ("clip.mp4", b"clip")) for _ in range(5)]
    answers = await asyncio.gather(*posts)
    assert len({message["id"] for _, message in answers}) == 1
    assert len(server.messages) == 1


async def test_a_nonce_counts_in_every_channel(api: Api, studio: str) -> None:
    payload = {"content": "once", "nonce": "job-42", "enforce_nonce": True}
    _, first = await api.call("POST", studio, payload)
    _, second = await api.call("POST", f"/channels/{api.channel('general')}/messages", payload)
    assert second["id"] == first["id"]


REFUSED_FORMS: list[tuple[JSON, int, list[str]]] = [
    ({}, 50006, []),
    ({"content": "   "}, 50006, []),
    ({"content": "x" * 2001}, 50035, ["content"]),
    ({"content": "x", "nonce": "n" * 26}, 50035, ["nonce"]),
    ({"embeds": [{"title": "x" * 257}]}, 50035, ["embeds", "0", "title"]),
    ({"embeds": [{"description": "x" * 4000}, {"description": "x" * 2001}]}, 50035, ["embeds"]),
    ({"embeds": [{"title": "x"}] * 11}, 50035, ["embeds"]),
    ({"content": "x", "attachments": [{"id": 0}]}, 50035, ["attachments", "0", "id"]),
    (
        {"components": [{"type": 1, "components": [{"type": 2, "style": 1, "label": "x"}]}]},
        50035,
        ["components", "0", "components", "0", "custom_id"],
    ),
    (
        {
            "components": [
                {
                    "type": 1,
                    "components": [
                        {"type": 2, "style": 1, "label": "l" * 81, "custom_id": "c" * 101}
                    ],
                }
            ]
        },
        50035,
        ["components", "0", "components", "0", "label"],
    ),
    ({"components": [{"type": 10, "content": "v2"}]}, 50035, ["components", "0", "type"]),
    (
        {"flags": 1 << 15, "content": "x", "components": [{"type": 10, "content": "v2"}]},
        50035,
        ["content"],
    ),
    (
        {"content": "x", "message_reference": {"message_id": 1}},
        50035,
        ["message_reference"],
    ),
]


@pytest.mark.parametrize(("form", "code", "path"), REFUSED_FORMS)
async def test_a_bad_form_is_refused_with_the_path_to_its_mistake(
    api: Api, studio: str, form: JSON, code: int, path: list[str]
) -> None:
    status, refused = await api.call("POST", studio, form)
    assert (status, refused["code"]) == (400, code)
    node: Any = refused.get("errors")
    for step in path:
        node = node[step]
    if path:
        assert set(node["_errors"][0]) == {"code", "message"}


async def test_where_the_bot_may_not_send_it_is_told_so(api: Api) -> None:
    path = f"/channels/{api.channel('gallery')}/messages"
    status, refused = await api.call("POST", path, {"content": "x"})
    assert (status, refused) == (403, {"message": "Missing Permissions", "code": 50013})


async def test_each_denied_permission_has_its_refusal(server: LocalDiscord, api: Api) -> None:
    studio = api.channel("studio")
    path = f"/channels/{studio}/messages"
    async with Person(server.url, "Mia") as mia:
        theirs = await mia.send("hello")

        async def deny(*names: str) -> None:
            await mia.control("PATCH", "channel", {"channel_id": studio, "deny": names})

        await deny("ATTACH_FILES")
        status, refused = await api.upload("POST", path, {}, ("a.bin", b"x"))
        assert (status, refused["code"]) == (403, 50013)
        await deny("EMBED_LINKS")
        status, refused = await api.call("POST", path, {"embeds": [{"title": "x"}]})
        assert (status, refused["code"]) == (403, 50013)
        await deny("READ_MESSAGE_HISTORY")
        reference = {"content": "x", "message_reference": {"message_id": int(theirs["id"])}}
        status, refused = await api.call("POST", path, reference)
        assert (status, refused["code"]) == (400, 160002)
        await deny("ADD_REACTIONS")
        status, refused = await api.call("PUT", f"{path}/{theirs['id']}/reactions/%E2%8F%B3/@me")
        assert (status, refused["code"]) == (403, 50013)
        await deny("VIEW_CHANNEL")
        for method, where in (("POST", path), ("GET", path), ("GET", f"/channels/{studio}")):
            status, refused = await api.call(method, where, {"content": "x"})
            assert (status, refused) == (403, {"message": "Missing Access", "code": 50001})


async def test_what_is_not_there_is_unknown(api: Api, studio: str) -> None:
    for method, path, code in (
        ("POST", "/channels/1/messages", 10003),
        ("GET", f"{studio}/1", 10008),
        ("PATCH", f"{studio}/1", 10008),
        ("GET", "/users/1", 10013),
        ("GET", "/guilds/1", 10004),
        ("GET", f"/guilds/{api.server.world.guild.id}/members/1", 10007),
    ):
        status, refused = await api.call(method, path, {"content": "x"})
        assert (status, refused["code"]) == (404, code)


async def test_only_its_own_messages_are_the_bots_to_edit(
    server: LocalDiscord, api: Api, studio: str
) -> None:
    async with Person(server.url, "Mia") as mia:
        theirs = await mia.send("hello")
    status, refused = await api.call("PATCH", f"{studio}/{theirs['id']}", {"content": "x"})
    assert (status, refused["code"]) == (403, 50005)
    status, refused = await api.call("DELETE", f"{studio}/{theirs['id']}")
    assert (status, refused["code"]) == (403, 50013)


async def test_an_edit_keeps_the_attachments_that_it_lists(api: Api, studio: str) -> None:
    _, message = await api.upload("POST", studio, {}, ("a.bin", b"a"), ("b.bin", b"b"))
    first, second = message["attachments"]
    path = f"{studio}/{message['id']}"
    _, edited = await api.call("PATCH", path, {"content": "x"})
    assert len(edited["attachments"]) == 2
    kept = {"attachments": [{"id": int(second["id"])}]}
    _, edited = await api.upload("PATCH", path, kept, ("c.bin", b"c"))
    assert [one["filename"] for one in edited["attachments"]] == ["b.bin", "c.bin"]
    assert edited["attachments"][0]["id"] == second["id"] != first["id"]


async def test_history_comes_newest_first_around_and_beside_an_id(api: Api, studio: str) -> None:
    ids = []
    for number in range(5):
        _, made = await api.call("POST", studio, {"content": str(number)})
        ids.append(made["id"])
    for query, expected in (
        ("limit=2", "43"),
        (f"before={ids[2]}", "10"),
        (f"after={ids[2]}", "43"),
        (f"around={ids[2]}&limit=3", "321"),
    ):
        _, listed = await api.call("GET", f"{studio}?{query}")
        assert "".join(one["content"] for one in listed) == expected
    status, refused = await api.call("GET", f"{studio}?limit=101")
    assert (status, refused["code"]) == (400, 50035)


async def test_without_the_portals_switch_other_peoples_messages_are_blank(
    server: LocalDiscord, api: Api, studio: str
) -> None:
    server.set_limits({"message_content_enabled": False})
    bot_id = server.world.bot.id
    async with Person(server.url, "Mia") as mia:
        plain = await mia.send("secret", await mia.attach(png(), "cat.png"))
        spoken = await mia.send(f"hey <@{bot_id}>", reply_to=plain)
        _, own = await api.call("POST", studio, {"content": "mine"})
        replied = await mia.send("thanks", reply_to=own)
    _, got = await api.call("GET", f"{studio}/{plain['id']}")
    assert (got["content"], got["attachments"]) == ("", [])
    _, got = await api.call("GET", f"{studio}/{spoken['id']}")
    assert got["content"] == f"hey <@{bot_id}>"
    assert got["referenced_message"]["content"] == ""
    for message, text in ((own, "mine"), (replied, "thanks")):
        _, got = await api.call("GET", f"{studio}/{message['id']}")
        assert got["content"] == text


async def test_a_direct_message_reaches_one_person(server: LocalDiscord, api: Api) -> None:
    async with Person(server.url, "Mia") as mia, Person(server.url, "Noah") as noah:
        status, channel = await api.call(
            "POST", "/users/@me/channels", {"recipient_id": int(mia.id)}
        )
        assert (status, channel["type"]) == (200, 1)
        await api.call("POST", f"/channels/{channel['id']}/messages", {"content": "psst"})
        await mia.wait_for(lambda one: one["content"] == "psst")
        assert noah.everything() == []
        back = await mia.send("thanks", channel=channel["id"])
        assert back["channel_id"] == channel["id"]


async def test_a_thread_hangs_on_a_message(api: Api, studio: str) -> None:
    _, message = await api.call("POST", studio, {"content": "x"})
    path = f"{studio}/{message['id']}/threads"
    status, thread = await api.call("POST", path, {"name": "talk"})
    assert (status, thread["id"], thread["type"]) == (201, message["id"], 11)
    status, _ = await api.call("POST", f"/channels/{thread['id']}/messages", {"content": "in it"})
    assert status == 200
    status, refused = await api.call("POST", path, {"name": "talk"})
    assert (status, refused["code"]) == (400, 160004)


async def test_ids_are_strings_even_where_the_client_sent_numbers(api: Api, studio: str) -> None:
    _, first = await api.call("POST", studio, {"content": "x"})
    payload = {"content": "y", "message_reference": {"message_id": int(first["id"])}}
    _, reply = await api.call("POST", studio, payload)
    assert reply["message_reference"]["message_id"] == first["id"]
    assert "referenced_message" not in reply["referenced_message"]
