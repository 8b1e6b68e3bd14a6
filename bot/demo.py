"""`python -m bot demo` and `sandbox`: the production bot on local servers, seen from outside.

The bot is a process of its own and knows nothing of this: only its settings differ. What is printed
is what a person at the local Discord sees, never what the bot believes.
"""

import asyncio
import re
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import aiohttp

from bot import catalog
from bot.clip import probe
from bot.money import usd
from bot.sandbox.discord.server import LocalDiscord
from bot.sandbox.person import Person, PersonError, Started
from bot.sandbox.runware.server import LocalRunware
from bot.verdict import DemoFailed, judge_clip, judge_money, upright_size
from bot.words import Tone

PICTURE = Path(__file__).with_name("demo.jpg")
FAVOURITE_PORT = 8080
_ONLINE_WITHIN = 30.0
_CLIP_WITHIN = 120.0
"""Seconds beyond the asked rendering time until the demo calls itself failed."""
_STOP_WITHIN = 12.0
_CHANNEL = "studio"
_EPHEMERAL = 64
_STOPPED = 130


def bot_settings(discord: LocalDiscord, runware: LocalRunware, folder: Path) -> dict[str, str]:
    """Return the settings that point a bot at the local servers, and nothing else."""
    return {
        "DISCORD_TOKEN": "a-local-token",
        "RUNWARE_API_KEY": "a-local-key",
        "ANIMATE_DATA_DIR": str(folder),
        "ANIMATE_DISCORD_API": discord.api,
        "ANIMATE_DISCORD_GATEWAY": discord.gateway,
        "ANIMATE_DISCORD_MEDIA_HOSTS": discord.cdn_host,
        "ANIMATE_RUNWARE_API": runware.url,
        "ANIMATE_LOOK_EVERY_SECONDS": "0.5",
    }


def _chosen_model(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the only setting of the caller's own that a demo heeds, if it is there."""
    name = environment.get("ANIMATE_MODEL", "").strip()
    known = catalog.parse(files("bot").joinpath("catalog.json").read_text("utf-8"))
    if name and name not in known:
        raise DemoFailed(f"there is no model {name}. Choose from {', '.join(known)}.")
    return {"ANIMATE_MODEL": name} if name else {}


@asynccontextmanager
async def bot_process(
    settings: Mapping[str, str],
    environment: Mapping[str, str],
    log: Path,
    python: str = sys.executable,
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run `python -m bot run` with `settings` and nothing of the operator's own; stop it kindly."""
    root = Path(__file__).parent.parent
    ours = ("ANIMATE_", "DISCORD_TOKEN", "RUNWARE_API_KEY")
    clean = {name: value for name, value in environment.items() if not name.startswith(ours)}
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(python, "-m", "bot", "run"),
            env=clean | {"PYTHONPATH": str(root), **settings},
            cwd=log.parent,  # away from an operator's .env
            stdout=output,
            stderr=output,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                try:
                    await asyncio.wait_for(process.wait(), _STOP_WITHIN)
                except TimeoutError:
                    process.kill()
                    await process.wait()


async def run_sandbox(port: int, runware_port: int, render_seconds: float) -> int:
    """Run the two local servers until Ctrl-C."""
    port, runware_port = _free(port), _free(runware_port, "--runware-port")
    interrupted = _interruption()
    async with (
        LocalDiscord(port=port) as discord,
        LocalRunware(port=runware_port, render_seconds=render_seconds) as runware,
    ):
        print(f"local Discord  {discord.url}/\nlocal Runware  {runware.url}\n")
        print("Settings that point a bot at them:\n")
        for name, value in bot_settings(discord, runware, Path("animate-sandbox")).items():
            print(f"{name}={value}")
        print("\nCtrl-C ends them.", flush=True)
        await interrupted.wait()
    return 0


async def run(
    *,
    image: Path | None,
    is_once: bool,
    port: int | None,
    render_seconds: float,
    folder: Path | None,
    environment: Mapping[str, str],
) -> int:
    """Tell the whole story once; then stay up, or end with 0 if the clip was good.

    Told to stop in the middle, it takes everything down and returns 130.
    """
    picture = image or PICTURE
    if not picture.is_file():
        raise DemoFailed(f"{picture} is not a file. Name a picture with --image.")
    folder = (
        folder or Path("animate-demo") / f"{datetime.now().astimezone():%Y%m%d-%H%M%S}"
    ).resolve()
    telling = asyncio.create_task(
        _tell(picture, folder, port, render_seconds, environment, is_once=is_once)
    )
    _on_stop(telling.cancel)
    try:
        await telling
    except asyncio.CancelledError:
        return _STOPPED
    return 0


async def _tell(
    picture: Path,
    folder: Path,
    port: int | None,
    render_seconds: float,
    environment: Mapping[str, str],
    *,
    is_once: bool,
) -> None:
    async with AsyncExitStack() as stack:
        tell = _Clock()
        discord = await stack.enter_async_context(LocalDiscord(port=_free(port)))
        runware = await stack.enter_async_context(LocalRunware(render_seconds=render_seconds))
        tell(f"local Discord and local Runware are up: {discord.url}/#{_CHANNEL}")
        settings = bot_settings(discord, runware, folder / "data") | _chosen_model(environment)
        process = await stack.enter_async_context(
            bot_process(settings, environment, folder / "bot.log")
        )
        for server in (discord, runware):
            server.faults.may_kill(process.pid)
        mia = await stack.enter_async_context(Person(discord.url, "Mia", _CHANNEL))
        story = _Story(mia, runware, folder, tell)
        await _or_its_end(story.is_online(), process, folder)
        await _or_its_end(story.animate(picture, render_seconds), process, folder)
        if not is_once:
            interrupted = _interruption()
            print(f"\nOpen {discord.url}/#{_CHANNEL} and try it: type / or drop a picture.")
            print("Ctrl-C ends everything.", flush=True)
            await _or_its_end(interrupted.wait(), process, folder)


class _Clock:
    """Prints a line with the seconds since the start."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    def __call__(self, line: str) -> None:
        print(f"{time.monotonic() - self._start:6.1f} s  {line}", flush=True)

    @staticmethod
    def more(line: str) -> None:
        print(f"{'':9} {line}", flush=True)


class _Story:
    """One `/animate` as Mia lives it, and a look at the books of the video service."""

    def __init__(self, mia: Person, runware: LocalRunware, folder: Path, tell: _Clock) -> None:
        self._mia = mia
        self._runware = runware
        self._folder = folder
        self._tell = tell

    async def is_online(self) -> None:
        """Wait for the bot and its command."""
        await self._mia.wait_for_bot(within=_ONLINE_WITHIN)
        await self._mia.wait_for_command("animate", within=_ONLINE_WITHIN)
        self._tell("animate-bot is online and has published /animate")

    async def animate(self, picture: Path, patience: float) -> None:
        """Send the command, tell what happens, and judge the clip. Raises `DemoFailed`."""
        content = await asyncio.to_thread(picture.read_bytes)
        try:
            image = await self._mia.attach(content, picture.name)
        except PersonError as error:
            raise DemoFailed(f"the local Discord does not take {picture}: {error}") from None
        options = await self._required_options(picture)
        started = await self._mia.command("animate", image=image, **options)
        said = "".join(f" {name}: {value}" for name, value in options.items())
        self._tell(f"Mia: /animate image: {picture.name}{said}")
        await self._mia.wait_for_state(started, "acknowledged", "done")
        self._tell("animate-bot is thinking…")
        status = asyncio.create_task(self._tell_status(started))
        try:
            clip = await self._mia.wait_for(self._is_clip_or_refusal, _CLIP_WITHIN + patience)
        except TimeoutError:
            raise DemoFailed(f"no clip came; see {self._folder / 'bot.log'}") from None
        finally:
            status.cancel()
        if not clip["attachments"]:
            raise DemoFailed(_plain(clip))
        await self._judge(clip, await asyncio.to_thread(upright_size, picture), options)

    async def _required_options(self, picture: Path) -> dict[str, Any]:
        """Fill in what the chosen model insists on beside the picture."""
        command = await self._mia.wait_for_command("animate")
        names = {o["name"] for o in command["options"] if o.get("required")} - {"image"}
        return dict.fromkeys(names, f"{picture.stem} comes alive, gently")

    async def _tell_status(self, started: Started) -> None:
        """Print each state that the status message shows."""
        shown = ""
        while True:
            message = await self._mia.wait_for_reply(started, _CLIP_WITHIN)
            text = _plain(message)
            if text != shown:
                shown = text
                self._tell(text)
            await asyncio.sleep(0.05)

    def _is_clip_or_refusal(self, message: dict[str, Any]) -> bool:
        if message["author"]["id"] == self._mia.id:
            return False
        is_private = bool(message["flags"] & _EPHEMERAL)
        is_over = any(embed.get("color") == Tone.FAILED for embed in message["embeds"])
        return bool(message["attachments"]) or is_private or is_over

    async def _judge(
        self, message: dict[str, Any], picture: tuple[int, int], options: Mapping[str, Any]
    ) -> None:
        """Download the clip as the page would, decode it whole, compare it with the wish."""
        books = self._runware.ledger
        model = next(iter(books.book.tasks.values())).order.model
        for attachment in message["attachments"]:
            path = self._folder / attachment["filename"]
            await _download(attachment["url"], path)
            facts = await asyncio.to_thread(partial(probe, path, whole=True))
            self._tell(
                f"clip posted: {facts.width}×{facts.height}, {facts.duration:.2f} s,"
                f" {facts.frames} frames, {facts.codec}, {facts.size / 1e6:.1f} MB"
            )
            duration = options.get("duration", model.durations[0])
            judge_clip(facts, picture, model.sizes, duration)
            self._tell.more(f"saved as {path}")
        self._tell.more(_plain(message).splitlines()[-1].removeprefix("-# "))
        tasks, billed = books.accepted, books.billed_micro
        what = "1 task" if tasks == 1 else f"{tasks} tasks"
        self._tell.more(f"the video service's own books: {what}, {usd(billed)} billed")
        judge_money(tasks, billed, message["content"])


async def _download(url: str, path: Path) -> None:
    async with aiohttp.ClientSession() as http, http.get(url) as response:
        response.raise_for_status()
        content = await response.read()
    await asyncio.to_thread(path.write_bytes, content)


def _plain(message: dict[str, Any]) -> str:
    """Return what a message says, embeds included, on one line per paragraph."""
    parts = [message["content"]]
    for embed in message["embeds"]:
        parts += [embed.get("title", ""), embed.get("description", "").split("\n-# ")[0]]
    text = " — ".join(part for part in parts if part)
    return re.sub(r"<t:(\d+):\w>", lambda found: _moment(int(found[1])), text)


def _moment(seconds: int) -> str:
    """Write a Discord timestamp for the terminal, in local time."""
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone():%Y-%m-%d %H:%M}"


async def _or_its_end(
    doing: Coroutine[Any, Any, object], process: asyncio.subprocess.Process, folder: Path
) -> None:
    """Do something as long as the bot lives. Raises `DemoFailed` if the bot ends first."""
    task = asyncio.create_task(doing)
    ended = asyncio.create_task(process.wait())
    try:
        await asyncio.wait([task, ended], return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise DemoFailed(f"the bot ended with {process.returncode}; see {folder / 'bot.log'}")
        await task
    finally:
        for one in (task, ended):
            one.cancel()
        await asyncio.gather(task, ended, return_exceptions=True)


def _interruption() -> asyncio.Event:
    """Return what Ctrl-C or SIGTERM sets from now on, instead of ending everything at once."""
    interrupted = asyncio.Event()
    _on_stop(interrupted.set)
    return interrupted


def _on_stop(stop: Callable[[], object]) -> None:
    """Have the first Ctrl-C or SIGTERM from now on do this, and the next ones disturb nothing.

    Not through Python's own SIGINT: whoever starts a command in the background may ignore that.
    """
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGINT, signal.SIGTERM)

    def first() -> None:
        for number in numbers:
            loop.add_signal_handler(number, lambda: None)
        stop()

    for number in numbers:
        loop.add_signal_handler(number, first)


def _free(port: int | None, option: str = "--port") -> int:
    """Return the asked port, or the usual one if nothing was asked and it is free, or 0 for any."""
    with socket.socket() as probe_socket:
        probe_socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe_socket.bind(("127.0.0.1", FAVOURITE_PORT if port is None else port))
        except OSError:
            if port is None:
                return 0
            raise DemoFailed(f"port {port} is in use; choose another with {option}") from None
        return int(probe_socket.getsockname()[1])
