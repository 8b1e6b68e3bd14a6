"""Which pictures of a message are found, in which order, and from where they would be fetched."""

import asyncio
from collections.abc import Callable
from typing import Any, cast

import discord
import pytest

from bot import finder
from bot.client import AnimateBot
from bot.finder import pictures
from bot.wish import NOBODY, UNKNOWN, Origin, Picture
from tests.town import until

JSON = dict[str, Any]

CDN = "https://cdn.discordapp.com"
PROXY = "https://images-ext-1.discordapp.net/external/signature"
PNG, APNG, LOTTIE, GIF = 1, 2, 3, 4


def user(number: int, **more: Any) -> JSON:
    return {"id": f"{number}", "username": "ada", "discriminator": "0", "avatar": None} | more


def attachment(number: int, name: str = "cat.png", kind: str | None = "image/png") -> JSON:
    made: JSON = {"id": f"{number}", "filename": name, "size": 1000 + number, "flags": 0}
    url = f"{CDN}/attachments/5/{number}/{name}"
    return made | {"url": url, "proxy_url": url} | ({"content_type": kind} if kind else {})


def sticker(number: int, kind: int) -> JSON:
    return {"id": f"{number}", "name": "wave", "format_type": kind}


def linked(name: str, **more: JSON) -> JSON:
    picture = {"url": f"http://evil.example/{name}", "proxy_url": f"{PROXY}/{name}"}
    return {"type": "image", "thumbnail": picture} | more


def snapshot(**content: Any) -> JSON:
    empty = {"type": 0, "content": "", "embeds": [], "attachments": [], "flags": 0}
    times = {"timestamp": "2026-11-20T12:00:00+00:00", "edited_timestamp": None}
    return {"message": empty | times | content}


def message(**content: Any) -> discord.Message:
    """A message as discord.py reads it from the API."""
    plain = {"id": "7", "channel_id": "5", "type": 0, "content": "", "author": user(31)}
    lists: JSON = {"attachments": [], "embeds": [], "mentions": [], "mention_roles": []}
    rest = {"edited_timestamp": None, "timestamp": "2026-11-20T12:00:00+00:00", "pinned": False}
    flags = {"mention_everyone": False, "tts": False}
    client = AnimateBot()
    channel = client.get_partial_messageable(5, guild_id=4)
    data = cast("Any", plain | lists | rest | flags | content)
    return discord.Message(state=client._connection, channel=channel, data=data)  # noqa: SLF001 - there is no other way to one


def key(picture: Picture) -> str:
    assert picture.origin is not None
    return picture.origin.key


def keys(**content: Any) -> list[str]:
    return [key(one) for one in pictures(message(**content))]


def test_a_message_without_a_picture_has_none() -> None:
    assert keys(content="http://evil.example/cat.png") == []


def test_an_attached_picture_is_found_with_what_discord_says_of_it() -> None:
    (found,) = pictures(message(attachments=[attachment(9)]))
    url = f"{CDN}/attachments/5/9/cat.png"
    origin = Origin(channel_id=5, message_id=7, key="attachment:9", author_id=31)
    assert found == Picture(url=url, size=1009, origin=origin)


@pytest.mark.parametrize(
    ("name", "kind", "is_found"),
    [
        ("cat.png", "image/png", True),
        ("cat", "image/webp", True),
        ("clip.mp4", "video/mp4", False),
        ("cat.png", "text/plain", False),
        ("cat.JPG", None, True),
        ("IMG_1.HEIC", "application/octet-stream", True),
        ("notes.txt", None, False),
        ("archive.zip", "application/octet-stream", False),
    ],
)
def test_a_picture_is_told_from_other_files_by_its_type_or_else_by_its_name(
    name: str, kind: str | None, is_found: bool
) -> None:
    assert bool(keys(attachments=[attachment(9, name, kind)])) is is_found


def test_a_spoiler_stays_one() -> None:
    (found,) = pictures(message(attachments=[attachment(9, "SPOILER_cat.png")]))
    assert found.is_spoiler


@pytest.mark.parametrize(
    ("kind", "url"),
    [
        (PNG, f"{CDN}/stickers/8.png"),
        (APNG, f"{CDN}/stickers/8.png"),
        (GIF, "https://media.discordapp.net/stickers/8.gif"),
        (LOTTIE, None),
    ],
)
def test_stickers_are_pictures_but_for_those_that_are_drawings_in_json(
    monkeypatch: pytest.MonkeyPatch, kind: int, url: str | None
) -> None:
    monkeypatch.setattr(discord.Asset, "BASE", "https://cdn.discordapp.com")  # a bot may have run
    found = pictures(message(sticker_items=[sticker(8, kind)]))
    assert [one.url for one in found] == ([url] if url else [])
    assert all(key(one) == "sticker:8" for one in found)


def test_a_sticker_of_a_local_discord_is_there_and_not_at_discord(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(discord.Asset, "BASE", "http://127.0.0.1:99")
    (found,) = pictures(message(sticker_items=[sticker(8, GIF)]))
    assert found.url == "http://127.0.0.1:99/stickers/8.gif"


def test_a_link_preview_is_fetched_from_discord_and_never_from_where_the_link_leads() -> None:
    large = {"image": {"url": "http://evil.example/b.png", "proxy_url": f"{PROXY}/b.png"}}
    found = pictures(message(embeds=[linked("a.png"), linked("small.png", **large)]))
    assert [(key(one), one.url) for one in found] == [
        ("embed:0", f"{PROXY}/a.png"),
        ("embed:1", f"{PROXY}/b.png"),
    ]


def test_a_preview_that_discord_has_no_copy_of_is_passed_over() -> None:
    bare = {"type": "image", "thumbnail": {"url": "http://evil.example/a.png"}}
    assert keys(embeds=[bare, {"type": "rich", "title": "no picture"}, linked("c.png")]) == [
        "embed:2"
    ]


def test_what_was_forwarded_counts_as_much_after_what_was_written_beside_it() -> None:
    forwarded = snapshot(attachments=[attachment(9)], embeds=[linked("a.png")])
    assert keys(attachments=[attachment(3)], message_snapshots=[forwarded]) == [
        "attachment:3",
        "forward attachment:9",
        "forward embed:0",
    ]


def test_more_pictures_than_can_be_shown_are_left_out() -> None:
    many = [attachment(number) for number in range(20, 40)]
    assert keys(attachments=many) == [f"attachment:{number}" for number in range(20, 30)]


def test_every_way_to_a_picture_keeps_its_key_for_the_next_time() -> None:
    content: JSON = {
        "attachments": [attachment(3)],
        "sticker_items": [sticker(8, PNG)],
        "embeds": [linked("a.png")],
        "message_snapshots": [snapshot(attachments=[attachment(9)])],
    }
    assert keys(**content) == keys(**content)
    assert len(set(keys(**content))) == 4


class Fetching(AnimateBot):
    """A client whose one channel answers with a message, or with an error."""

    def __init__(self, answer: Callable[[], discord.Message]) -> None:
        super().__init__()
        self.answer = answer

    def get_partial_messageable(self, *_: Any, **__: Any) -> Any:
        return self

    async def fetch_message(self, message_id: int) -> discord.Message:
        assert message_id == 7
        return self.answer()


WHERE = Origin(channel_id=5, message_id=7, key="attachment:9", author_id=31)


async def test_a_picture_is_found_again_by_its_key() -> None:
    def answer() -> discord.Message:
        return message(attachments=[attachment(8), attachment(9)])

    found = await finder.again(Fetching(answer), WHERE, guild_id=4)
    assert found is not None
    assert found.url.endswith("/9/cat.png")


async def test_a_picture_that_is_gone_or_closed_to_the_bot_is_not_found_again() -> None:
    response = type("Response", (), {"status": 404, "reason": ""})()

    def gone() -> discord.Message:
        raise discord.NotFound(response, "")

    assert await finder.again(Fetching(gone), WHERE, guild_id=4) is None
    assert await finder.again(Fetching(message), WHERE, guild_id=4) is None


# --- Whose a forwarded picture is ----------------------------------------------------------------


def forward(author: int, of: int, guild: int = 4) -> discord.Message:
    """A message of somebody's that forwards another, as the API tells of it."""
    where = {"type": 1, "channel_id": "6", "message_id": f"{of}", "guild_id": f"{guild}"}
    shown = [snapshot(attachments=[attachment(9)])]
    return message(author=user(author), message_reference=where, message_snapshots=shown)


class Archive(AnimateBot):
    """A client that can look at these messages, and at no others."""

    def __init__(self, **there: discord.Message) -> None:
        super().__init__()
        self.there = there
        self.answers = asyncio.Event()
        self.answers.set()
        self.answered: list[int] = []

    def get_partial_messageable(self, *_: Any, **__: Any) -> Any:
        return self

    async def fetch_message(self, message_id: int) -> discord.Message:
        await self.answers.wait()
        self.answered.append(message_id)
        found = self.there.get(f"m{message_id}")
        if found is None:
            raise discord.NotFound(cast("Any", type("Gone", (), {"status": 404, "reason": ""})), "")
        return found


async def authors(client: Archive, seen: discord.Message) -> list[int]:
    found = await finder.owned(client, seen, guild_id=4)
    return [one.origin.author_id for one in found if one.origin is not None]


async def test_a_picture_is_of_who_wrote_its_message() -> None:
    assert await authors(Archive(), message(attachments=[attachment(9)])) == [31]


@pytest.mark.parametrize(
    "poster", [{"author": user(31, bot=True)}, {"webhook_id": "31"}], ids=["bot", "webhook"]
)
async def test_a_picture_of_a_bot_or_a_webhook_is_nobodys(poster: JSON) -> None:
    assert await authors(Archive(), message(attachments=[attachment(9)], **poster)) == [NOBODY]
    assert await authors(Archive(m1=message(**poster)), forward(32, of=1)) == [NOBODY]


async def test_a_forwarded_picture_is_of_who_wrote_the_original_however_often_it_was() -> None:
    original = message(author=user(31))  # other people's pictures may be closed to the bot
    assert await authors(Archive(m1=original), forward(32, of=1)) == [31]
    twice = Archive(m1=original, m2=forward(32, of=1))
    assert await authors(twice, forward(33, of=2)) == [31]


async def test_where_the_original_cannot_be_seen_its_author_is_unknown() -> None:
    assert await authors(Archive(), forward(32, of=1)) == [UNKNOWN]
    assert await authors(Archive(m1=message()), forward(32, of=1, guild=5)) == [UNKNOWN]
    assert await authors(Archive(m1=forward(32, of=1)), forward(32, of=1)) == [UNKNOWN]
    assert [one.origin and one.origin.author_id for one in pictures(forward(32, of=1))] == [UNKNOWN]


async def test_who_takes_too_long_to_be_found_is_unknown_and_discord_py_is_not_cut_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(finder, "_PATIENCE", 0.01)
    archive = Archive(m1=message())
    archive.answers.clear()
    assert await authors(archive, forward(32, of=1)) == [UNKNOWN]
    archive.answers.set()
    await until(lambda: archive.answered == [1])
