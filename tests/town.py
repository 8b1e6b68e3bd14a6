"""A small town for tests: a local Discord, a local Runware, people, and the bot beside them.

The bot is the production bot in a process of its own; tests see of it what the world sees: what
people are shown, what the servers received, its log, its exit code, and its files. `Town.books`
reads the accounts without a right to write, as an auditor would.
"""

import asyncio
import io
import os
import sqlite3
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import av
from PIL import Image, ImageChops, ImageFilter, ImageStat

from bot.demo import bot_process, bot_settings
from bot.sandbox.discord.journal import Exchange
from bot.sandbox.discord.limits import Limits
from bot.sandbox.discord.message import Message
from bot.sandbox.discord.server import LocalDiscord
from bot.sandbox.faults import Rule
from bot.sandbox.person import Person, Started
from bot.sandbox.runware.server import LocalRunware
from tests.conftest import ROOT
from tests.corridor import clip as tiny_clip

JSON = dict[str, Any]

PRICE = 184_800
"""Micro-dollars of one clip of five seconds by the default model."""
EPHEMERAL = 1 << 6
NOT_CHARGED = "You were not charged."
START_WITHIN = 30.0
CLIP_WITHIN = 40.0
TROUBLE = ("Traceback", " ERROR ", " CRITICAL ")
"""What the log of a bot that is well never has."""


NO_LIMITS = {
    f"ANIMATE_{whose}_{what}": "unlimited"
    for whose in ("MEMBER", "SERVER", "BOT")
    for what in ("MONTHLY_USD", "CLIPS")
}
"""Settings with which nothing of the operator's is in the way."""


@dataclass(frozen=True, slots=True)
class Books:
    """The bot's database as it is on the disk."""

    jobs: tuple[JSON, ...]
    entries: tuple[JSON, ...]

    def of(self, job: JSON) -> list[str]:
        """The kinds of entry that a job has, in order."""
        return [entry["kind"] for entry in self.entries if entry["job_id"] == job["id"]]

    @property
    def states(self) -> list[str]:
        return [job["state"] for job in self.jobs]

    @property
    def held_micro(self) -> int:
        return sum(entry["held_micro"] for entry in self.entries)

    @property
    def spent_micro(self) -> int:
        return sum(entry["spent_micro"] for entry in self.entries)


@dataclass(slots=True)
class Town:
    """What is there whether the bot runs or not."""

    folder: Path
    discord: LocalDiscord
    runware: LocalRunware
    mia: Person
    read: int = 0
    """Characters of the log that were looked at."""

    # --- The bot ---------------------------------------------------------------------------------

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def settings(self) -> dict[str, str]:
        return bot_settings(self.discord, self.runware, self.data) | {
            "ANIMATE_LOOK_EVERY_SECONDS": "0.1",
            "ANIMATE_KEEP_CLIPS_HOURS": "0",
        }

    @property
    def log(self) -> str:
        """What the bot has written so far, over all its lives."""
        path = self.folder / "bot.log"
        return path.read_text("utf-8") if path.exists() else ""

    def trouble(self) -> list[str]:
        """New lines of the log, since the last call, that a bot in good health never writes."""
        news = self.log[self.read :]
        self.read += len(news)
        return [line for line in news.splitlines() if any(sign in line for sign in TROUBLE)]

    @property
    def leftovers(self) -> list[str]:
        """Pictures and clips that the bot keeps on the disk."""
        folders = (self.data / "pictures", self.data / "clips")
        return sorted(path.name for folder in folders for path in folder.glob("*"))

    @asynccontextmanager
    async def bot(self, **settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """Live one life of the bot; it is online when the block begins."""
        given = self.settings | settings
        async with bot_process(given, os.environ, self.folder / "bot.log") as process:
            for server in (self.discord, self.runware):
                server.faults.may_kill(process.pid)
            await self.until_online(process)
            yield process

    async def until_online(self, process: asyncio.subprocess.Process) -> None:
        """Wait until people see the bot and its command; fail at once if it ends instead."""
        online = asyncio.create_task(self._is_online())
        ended = asyncio.create_task(process.wait())
        await asyncio.wait([online, ended], return_when=asyncio.FIRST_COMPLETED)
        ended.cancel()
        if not online.done():
            online.cancel()
            raise AssertionError(f"the bot ended with {process.returncode}:\n{self.log}")
        await online

    async def _is_online(self) -> None:
        await self.mia.wait_for_bot(within=START_WITHIN)
        await self.mia.wait_for_command("animate", within=START_WITHIN)

    async def crash(self, process: asyncio.subprocess.Process) -> None:
        """Kill the bot as a power cut would, and wait until people see it gone."""
        process.kill()
        await process.wait()
        await self.mia.wait_for_bot(online=False)

    def database(self) -> closing[sqlite3.Connection]:
        """The bot's database, to write into it behind its back: `with town.database() as db`."""
        return closing(sqlite3.connect(self.data / "animate.db", isolation_level=None))

    @property
    def guild_id(self) -> int:
        """The server's number."""
        return int(self.discord.world.guild.id)

    async def post_as_bot(self, channel_id: str, component: JSON) -> str:
        """Have the bot's token post a message with one thing to press; return its id."""
        body = {"content": "here", "components": [{"type": 1, "components": [component]}]}
        headers = {"Authorization": "Bot a-local-token"}
        url = f"{self.discord.api}/channels/{channel_id}/messages"
        async with (
            aiohttp.ClientSession(headers=headers) as http,
            http.post(url, json=body) as response,
        ):
            assert response.status == 200, await response.text()
            return str((await response.json())["id"])

    # --- What people do and see ------------------------------------------------------------------

    async def animate(
        self,
        content: bytes,
        filename: str = "photo.png",
        *,
        where: str | None = None,
        who: Person | None = None,
        **options: Any,
    ) -> Started:
        """Have somebody, usually Mia, send `/animate` with this file."""
        person = who or self.mia
        image = await person.attach(content, filename)
        return await person.command("animate", where=where, image=image, **options)

    async def lie(self, *options: JSON, content: bytes | None = None) -> Started:
        """Have a client that checks nothing send `/animate` with options as they are."""
        given = list(options)
        if content is not None:
            image = await self.mia.attach(content, "photo.png")
            given.append({"name": "image", "type": 11, "value": image.id})
        form = {"kind": "command", "name": "animate", "type": 1, "options": given}
        return await self.mia.send_raw(form)

    async def status(self, started: Started) -> JSON:
        """Return the status message of a wish, once it says more than "thinking…"."""
        return await self.mia.wait_for_reply(started, CLIP_WITHIN)

    async def says(self, status: JSON, *words: str, within: float = CLIP_WITHIN) -> JSON:
        """Wait until a status message says all these words, and return it."""

        def fits(message: JSON) -> bool:
            return message["id"] == status["id"] and all(word in told(message) for word in words)

        return await self.mia.wait_for(fits, within)

    async def clip(self, started: Started, within: float = CLIP_WITHIN) -> JSON:
        """Wait for the message with the clips that a wish led to, and return it."""
        status = await self.mia.wait_for_reply(started, within)

        def fits(message: JSON) -> bool:
            about = message.get("message_reference") or {}
            return bool(message["attachments"]) and about.get("message_id") == status["id"]

        return await self.mia.wait_for(fits, within)

    async def refusal(self, started: Started) -> JSON:
        """Wait for the bot's final answer to a wish, and return it."""
        return await self.mia.wait_for_reply(started)

    # --- What the servers know -------------------------------------------------------------------

    def trouble_at_discord(self, **rule: Any) -> str:
        """Order a fault from Discord; the answer is its id."""
        return self.discord.faults.add(Rule(**rule))

    def trouble_at_runware(self, **rule: Any) -> str:
        """Order a fault from the video service; the answer is its id."""
        return self.runware.faults.add(Rule(**rule))

    async def control(self, method: str, path: str, form: JSON) -> None:
        """Pull one of the local Discord's levers: `await town.control("PATCH", "channel", {…})`."""
        url = f"{self.discord.url}/sandbox/control/{path}"
        async with (
            aiohttp.ClientSession() as http,
            http.request(method, url, json=form) as response,
        ):
            assert response.ok, await response.text()

    def person(self, name: str, channel: str = "studio") -> Person:
        """Somebody else with a client of their own: `async with town.person("Noah") as noah`."""
        return Person(self.discord.url, name, channel)

    async def portal(self, **switches: bool) -> None:
        """Turn switches of the developer portal: `await town.portal(message_content=True)`."""
        await self.control("PATCH", "portal", switches)

    async def deny(self, channel: str, *permissions: str) -> None:
        """Take permissions from the bot in a channel; none given gives all back."""
        form = {"channel_id": self.mia.channel_id(channel), "deny": list(permissions)}
        await self.control("PATCH", "channel", form)

    def public(self, started: Started) -> list[Message]:
        """What everybody sees of a wish: the answers to it that are not for one person alone."""
        return [
            message
            for message in self.discord.messages
            if message.interaction_id == started.id and not message.ephemeral
        ]

    @property
    def posts(self) -> list[Message]:
        """Every message with clips that is in a channel."""
        everybody = self.discord.messages
        return [one for one in everybody if one.attachments and one.author_id != self.mia.id]

    def posting(self) -> list[Exchange]:
        """The requests by which the bot posted clips, refused ones too."""
        return [
            request
            for request in self.discord.requests
            if request.method == "POST" and request.path.endswith("/messages")
        ]

    async def tasks(self) -> list[JSON]:
        """The clips that the video service was asked for, as it received the requests."""
        entries = await fetched_json(f"{self.runware.base_url}/sandbox/control/requests")
        every = [task for entry in entries for task in entry["tasks"]]
        return [task for task in every if task["taskType"] == "videoInference"]

    async def received_picture(self, task: JSON) -> bytes:
        """The picture of a task, byte for byte as the video service received it."""
        base = f"{self.runware.base_url}/sandbox/control/pictures"
        return await fetched(f"{base}/{task['taskUUID']}")

    async def settled(self, within: float = CLIP_WITHIN) -> Books:
        """Wait until every job is at its end, and return the accounts."""
        async with asyncio.timeout(within):
            while True:
                books = self.books()
                if set(books.states) <= {"delivered", "failed"}:
                    return books
                await asyncio.sleep(0.05)

    def charged(self, clip_kind: str, micro: int) -> None:
        """Have it be known that the service has charged this for such a clip just now."""
        with closing(sqlite3.connect(self.data / "animate.db", isolation_level=None)) as db:
            row = (clip_kind, micro, round(time.time() * 1000))
            db.execute("INSERT OR REPLACE INTO prices VALUES (?, ?, ?)", row)

    def books(self) -> Books:
        """Read the bot's accounts, without a right to write."""
        path = self.data / "animate.db"
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
            db.row_factory = sqlite3.Row
            jobs = db.execute("SELECT * FROM jobs ORDER BY created_at, id").fetchall()
            entries = db.execute("SELECT * FROM entries ORDER BY id").fetchall()
        return Books(tuple(map(dict, jobs)), tuple(map(dict, entries)))


@asynccontextmanager
async def town(
    folder: Path,
    *,
    is_rendering: bool = False,
    limits: Limits | None = None,
    token: str | None = None,
    **runware: Any,
) -> AsyncIterator[Town]:
    """Open a town whose video service hands out one tiny clip at once, unless told otherwise.

    `is_rendering` has it make real clips; `limits` and `token` are the local Discord's, all other
    settings the local Runware's.
    """
    service: JSON = {"render_seconds": 0, "stagger": 0} | runware
    if not is_rendering:
        canned = folder / "canned.mp4"
        canned.write_bytes(tiny_clip())
        service |= {"canned": True, "canned_clip": canned}
    async with AsyncExitStack() as stack:
        discord = await stack.enter_async_context(LocalDiscord(limits=limits, token=token))
        video = await stack.enter_async_context(LocalRunware(**service))
        mia = await stack.enter_async_context(Person(discord.url, "Mia"))
        yield Town(folder, discord, video, mia)


# --- Running the command line --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        """Everything that the terminal showed."""
        return self.out + self.err


async def started_command(
    *arguments: str | Path, settings: Mapping[str, str], folder: Path
) -> asyncio.subprocess.Process:
    """Start `python -m bot` with these settings, none of this machine's, in `folder`."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *map(str, arguments)),
        env=clean_environment() | dict(settings),
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )


async def command(
    *arguments: str | Path,
    settings: Mapping[str, str] | None = None,
    folder: Path,
    within: float = 50.0,
) -> Ended:
    """Run `python -m bot` to its end."""
    process = await started_command(*arguments, settings=settings or {}, folder=folder)
    return await end_of(process, within)


async def end_of(process: asyncio.subprocess.Process, within: float = 50.0) -> Ended:
    """Wait for a command and return what it said."""
    try:
        out, err = await asyncio.wait_for(process.communicate(), within)
    except TimeoutError:
        process.kill()
        await process.wait()
        raise
    assert process.returncode is not None
    return Ended(process.returncode, out.decode(), err.decode())


def clean_environment() -> dict[str, str]:
    """This machine's environment without any setting of a bot."""
    ours = ("ANIMATE_", "DISCORD_TOKEN", "RUNWARE_API_KEY")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return kept | {"PYTHONPATH": str(ROOT)}


# --- Pictures, clips and words -------------------------------------------------------------------


def told(message: JSON) -> str:
    """Everything that a message says."""
    parts = [message["content"]]
    for embed in message["embeds"]:
        parts += [embed.get("title", ""), embed.get("description", "")]
    return "\n".join(part for part in parts if part)


@cache
def photo(width: int, height: int) -> Image.Image:
    """A picture with shapes in it, no two corners alike, so that a turn, a flip or a cut shows."""
    small = Image.new("RGB", (4, 4))
    small.putdata(
        [
            *((230, 40, 40), (250, 120, 20), (30, 160, 70), (40, 200, 60)),
            *((180, 20, 90), (90, 90, 90), (210, 210, 210), (20, 120, 120)),
            *((120, 60, 200), (240, 240, 200), (40, 40, 40), (200, 160, 40)),
            *((50, 80, 230), (20, 20, 90), (250, 250, 120), (240, 220, 60)),
        ]
    )
    return small.resize((width, height), Image.Resampling.NEAREST).filter(
        ImageFilter.GaussianBlur(max(width, height) / 80)
    )


@cache
def photo_file(width: int = 640, height: int = 360, kind: str = "PNG") -> bytes:
    """That picture as a file."""
    out = io.BytesIO()
    photo(width, height).save(out, kind)
    return out.getvalue()


def sideways_photo(width: int, height: int) -> bytes:
    """That picture as a phone saves it: stored sideways, with a note on how to turn it."""
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    photo(width, height).transpose(Image.Transpose.ROTATE_90).save(out, "JPEG", exif=exif)
    return out.getvalue()


def opened(content: bytes) -> Image.Image:
    """A picture from its file's bytes."""
    return Image.open(io.BytesIO(content)).convert("RGB")


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean absolute error of two pictures, 0 to 255, in the worst channel."""
    assert one.size == other.size
    return max(ImageStat.Stat(ImageChops.difference(one, other)).mean)


@dataclass(frozen=True, slots=True)
class Film:
    """A decoded clip."""

    first: Image.Image
    last: Image.Image
    size: tuple[int, int]
    frames: int
    seconds: float
    codec: str


def film(content: bytes) -> Film:
    """Decode a clip from its first frame to its last."""
    with av.open(io.BytesIO(content), "r") as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        assert stream.average_rate is not None
        return Film(
            first=frames[0].to_image(),  # type: ignore[no-untyped-call]
            last=frames[-1].to_image(),  # type: ignore[no-untyped-call]
            size=(frames[0].width, frames[0].height),
            frames=len(frames),
            seconds=float(len(frames) / stream.average_rate),
            codec=stream.codec_context.name,
        )


async def until(
    condition: Callable[[], object], within: float = 10.0, *, every: float = 0.02
) -> None:
    """Wait for something in this process to become true; look `every` so many seconds."""
    async with asyncio.timeout(within):
        while True:
            if condition():
                return
            await asyncio.sleep(every)


async def fetched(url: str) -> bytes:
    """Download a file as a browser would."""
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        assert response.ok, f"{response.status} {url}"
        return await response.read()


async def fetched_json(url: str) -> Any:
    """Download JSON."""
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        assert response.ok, f"{response.status} {url}"
        return await response.json()


async def clips_of(message: JSON) -> Sequence[bytes]:
    """Download the clips of a message by their links."""
    return [await fetched(one["url"]) for one in message["attachments"]]
