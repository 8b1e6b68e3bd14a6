"""What travels in a request body: components, embeds, files of every kind, and broken ones."""

import io
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import av
import pytest

from bot.sandbox.discord import Limits, LocalDiscord
from tests.sandbox.discord_client import JSON, Api, png

V2 = 1 << 15


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    limits = Limits(rate_limits_enabled=False, request_limit_bytes=100_000)
    async with LocalDiscord(limits=limits) as server, Api(server) as client:
        yield client


@pytest.fixture
def studio(api: Api) -> str:
    return f"/channels/{api.channel('studio')}/messages"


def button(**changes: Any) -> JSON:
    """A good button, but for the changes."""
    return {"type": 2, "style": 1, "label": "x", "custom_id": "x", **changes}


def row(*children: JSON) -> JSON:
    return {"type": 1, "components": list(children)}


def mp4() -> bytes:
    """Half a second of video."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(5):
            frame = av.VideoFrame(64, 48, "yuv420p")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


MISTAKES: list[tuple[JSON, str]] = [
    ({"components": [row()]}, "BASE_TYPE_BAD_LENGTH"),
    (
        {"components": [row(*(button(custom_id=str(n)) for n in range(6)))]},
        "BASE_TYPE_BAD_LENGTH",
    ),
    ({"components": [row(button())] * 6}, "BASE_TYPE_BAD_LENGTH"),
    ({"components": [row(button(), button())]}, "COMPONENT_CUSTOM_ID_DUPLICATED"),
    ({"components": [row(button(style=5, custom_id=None))]}, "BASE_TYPE_REQUIRED"),
    ({"components": [row(button(style=6))]}, "BASE_TYPE_REQUIRED"),
    ({"components": [row(button(label=None))]}, "BUTTON_COMPONENT_INVALID"),
    ({"components": [row({"type": 99})]}, "BASE_TYPE_CHOICES"),
    ({"components": ["x"]}, "BASE_TYPE_CHOICES"),
    ({"components": {"type": 1}}, "BASE_TYPE_LIST"),
    (
        {"components": [row({"type": 3, "custom_id": "x", "options": []})]},
        "BASE_TYPE_BAD_LENGTH",
    ),
    (
        {
            "flags": V2,
            "components": [{"type": 12, "items": [{"media": {"url": "attachment://a"}}]}],
        },
        "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
    ),
    ({"flags": V2, "components": [{"type": 12, "items": []}]}, "BASE_TYPE_BAD_LENGTH"),
    ({"flags": V2, "components": [{"type": 13, "file": {}}]}, "BASE_TYPE_REQUIRED"),
    (
        {"flags": V2, "components": [{"type": 10, "content": "x" * 2001}] * 2},
        "BASE_TYPE_MAX_LENGTH",
    ),
    ({"flags": V2, "components": [{"type": 10, "content": "x"}] * 41}, "BASE_TYPE_BAD_LENGTH"),
    (
        {"flags": V2, "components": [{"type": 10, "content": "x", "id": 7}] * 2},
        "COMPONENT_ID_DUPLICATED",
    ),
    ({"embeds": "x"}, "BASE_TYPE_LIST"),
    ({"embeds": [{"fields": [{"name": "n" * 257, "value": "v"}]}]}, "BASE_TYPE_MAX_LENGTH"),
    ({"embeds": [{"fields": [{"name": "Roles", "value": " "}]}]}, "BASE_TYPE_REQUIRED"),
    ({"embeds": [{"footer": {"text": "x" * 2049}}]}, "BASE_TYPE_MAX_LENGTH"),
    ({"content": 5}, "BASE_TYPE_STRING"),
]


def codes(errors: Any) -> set[str]:
    """Every error code in a nested errors object."""
    found = {one["code"] for one in errors.get("_errors", [])}
    for name, inner in errors.items():
        if name != "_errors":
            found |= codes(inner)
    return found


@pytest.mark.parametrize(("form", "code"), MISTAKES)
async def test_each_mistake_has_its_code(api: Api, studio: str, form: JSON, code: str) -> None:
    status, refused = await api.call(
        "POST", studio, {"content": "x"} | form if not form.get("flags") else form
    )
    assert (status, refused["code"]) == (400, 50035)
    assert code in codes(refused["errors"])


async def test_a_clip_has_its_shape_and_length(api: Api, studio: str) -> None:
    _, message = await api.upload("POST", studio, {}, ("clip.mp4", mp4()))
    [clip] = message["attachments"]
    assert (clip["width"], clip["height"], clip["content_type"]) == (64, 48, "video/mp4")
    assert clip["duration_secs"] == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("name", ["cat.png", "clip.mp4", "notes"])
async def test_a_file_that_is_not_what_its_name_says_has_no_shape(
    api: Api, studio: str, name: str
) -> None:
    status, message = await api.upload("POST", studio, {}, (name, b"nothing of the kind"))
    assert status == 200
    assert "width" not in message["attachments"][0]


async def test_a_file_name_cannot_lead_elsewhere(api: Api, studio: str) -> None:
    name = "../../etc/pass wd.png"
    _, message = await api.upload("POST", studio, {}, (name, png()))
    assert message["attachments"][0]["filename"] == "pass_wd.png"


async def test_a_request_over_the_whole_limit_is_refused(api: Api, studio: str) -> None:
    status, refused = await api.upload("POST", studio, {}, ("a.bin", b"x" * 100_001))
    assert (status, refused["code"]) == (413, 40005)


async def test_broken_json_is_refused(api: Api, studio: str) -> None:
    response, refused = await api.exchange("POST", studio, data=b"{")
    assert (response.status, refused["code"]) == (400, 50109)


async def test_a_list_is_no_message(api: Api, studio: str) -> None:
    status, refused = await api.call("POST", studio, [1])
    assert (status, refused["code"]) == (400, 50035)


async def test_a_multipart_body_may_do_without_payload_json(api: Api, studio: str) -> None:
    form = aiohttp.FormData()
    form.add_field("content", "plain")
    form.add_field("file", b"x", filename="x.bin")
    response, message = await api.exchange("POST", studio, data=form)
    assert response.status == 200
    assert message["content"] == "plain"
    assert message["attachments"][0]["filename"] == "x.bin"


async def test_an_embed_may_show_an_attachment(api: Api, studio: str) -> None:
    embed = {"title": "Cat", "image": {"url": "attachment://cat.png"}, "thumbnail": None}
    _, message = await api.upload("POST", studio, {"embeds": [embed]}, ("cat.png", png()))
    assert message["attachments"] == []
    image = message["embeds"][0]["image"]
    assert (image["width"], image["height"]) == (64, 48)
    assert image["url"].startswith(api.server.url)


async def test_who_is_pinged_is_up_to_allowed_mentions(api: Api, studio: str) -> None:
    mia, noah = (person.id for person in list(api.server.world.people)[:2])
    text = f"<@{mia}> <@!{noah}> <@1> @everyone"
    for allowed, expected in (
        (None, [mia, noah]),
        ({"parse": []}, []),
        ({"parse": [], "users": [int(noah)]}, [noah]),
        ({"parse": ["users"]}, [mia, noah]),
    ):
        payload: JSON = {"content": text} | (
            {} if allowed is None else {"allowed_mentions": allowed}
        )
        _, message = await api.call("POST", studio, payload)
        assert [one["id"] for one in message["mentions"]] == expected
        assert message["mention_everyone"] is False, "the bot lacks the permission"


async def test_a_thread_is_renamed_archived_and_deleted(api: Api, studio: str) -> None:
    channel = api.channel("studio")
    status, thread = await api.call("POST", f"/channels/{channel}/threads", {"name": "talk"})
    assert status == 201
    path = f"/channels/{thread['id']}"
    _, message = await api.call("POST", f"{path}/messages", {"content": "x"})
    _, edited = await api.call("PATCH", path, {"name": "done", "archived": True, "locked": True})
    assert (edited["name"], edited["thread_metadata"]["archived"]) == ("done", True)
    for method, where in (("POST", "/messages"), ("PATCH", f"/messages/{message['id']}")):
        status, refused = await api.call(method, path + where, {"content": "x"})
        assert (status, refused["code"]) == (400, 50083)
    status, refused = await api.call("DELETE", path)
    assert (status, refused["code"]) == (403, 50013)
    studio_channel = api.server.world.channels[channel]
    studio_channel.overwrites[api.server.world.bot.id] = (1 << 34 | 1 << 4, 0)
    assert (await api.call("DELETE", path))[0] == 200
    assert (await api.call("DELETE", f"/channels/{channel}"))[0] == 200
    status, refused = await api.call("GET", studio)
    assert (status, refused["code"]) == (404, 10003)


async def test_reactions_are_listed_and_cleared(api: Api, studio: str) -> None:
    _, message = await api.call("POST", studio, {"content": "x"})
    clap, party = "%F0%9F%91%8F", "party:123"
    root = f"{studio}/{message['id']}/reactions"
    for emoji in (clap, party):
        assert (await api.call("PUT", f"{root}/{emoji}/@me"))[0] == 204
    _, people = await api.call("GET", f"{root}/{clap}")
    assert [one["id"] for one in people] == [api.server.world.bot.id]
    _, shown = await api.call("GET", f"{studio}/{message['id']}")
    assert shown["reactions"][1]["emoji"] == {"id": "123", "name": "party", "animated": False}
    assert (await api.call("DELETE", f"{root}/{clap}/@me"))[0] == 204
    status, refused = await api.call("DELETE", root)
    assert (status, refused["code"]) == (403, 50013)
    status, refused = await api.call("PUT", f"{root}/word/@me")
    assert (status, refused["code"]) == (400, 10014)
