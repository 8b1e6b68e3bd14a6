"""Writes the logs of servers: pages of lines, clips that are held, and a digest each day.

Goes round by itself and keeps no clip waiting: what is to be said is in the database, and a channel
that is gone or closed is passed over until it is open again. A page that may be there already is
looked for before it is sent again, by its own time, which every page shows. Where what waits is
kept is `pages.py`.
"""

import asyncio
import hashlib
import logging
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any

import discord

from bot import checkup, log_words
from bot.deeds import DeedButton, LookButton
from bot.digests import Digests
from bot.docket_words import Deed
from bot.errors import StoreError
from bot.ladder import NO_ANSWER
from bot.lines import Line
from bot.pages import Page, Pages
from bot.policies import Policies
from bot.status import embed
from bot.tongue import said_in
from bot.wish import ENGLISH

log = logging.getLogger(__name__)

_ROUND = 3.0
"""Seconds between two rounds, in which lines come together."""
_BREATH = 30.0
"""The same where nothing can be read."""
_SWEPT_EVERY = 30.0
"""Seconds between two looks for what is too old, and for digests."""
_AT_ONCE = 4
"""Servers that are written to: at midnight there are many, and clips are posted meanwhile."""
_HISTORY = 100
_SLACK = timedelta(minutes=10)
"""By which Discord's clock may differ from ours."""
_TROUBLE = (discord.DiscordException, *NO_ANSWER)


class Logbook:
    """Posts with `client`; `clock` returns Unix milliseconds."""

    def __init__(
        self,
        client: discord.Client,
        pages: Pages,
        digests: Digests,
        policies: Policies,
        clock: Callable[[], int],
    ) -> None:
        self._client = client
        self._pages = pages
        self._digests = digests
        self._policies = policies
        self._clock = clock
        self._swept_at = 0
        self._pens = asyncio.Semaphore(_AT_ONCE)
        self._writers: dict[int, asyncio.Task[None]] = {}
        """By server: one that Discord slows down keeps no other from its log."""
        self._going: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to go round."""
        self._going = asyncio.create_task(self._go())

    async def stop(self) -> None:
        """Write no more; a page that may be on its way is looked for at the next start."""
        tasks = [task for task in (self._going, *self._writers.values()) if task is not None]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    async def round(self) -> None:
        """Have everything written that waits. Raises `StoreError`."""
        digests: dict[int, tuple[date, date]] = {}
        now = self._clock()
        if now - self._swept_at >= _SWEPT_EVERY * 1000:
            self._swept_at = now
            if old := await self._pages.sweep():
                log.info("lines for servers' logs that waited for a day are dropped: %d", old)
            digests = {guild: (first, last) for guild, first, last in await self._pages.digests()}
        for guild_id in {*await self._pages.waiting(), *digests} - self._writers.keys():
            writer = asyncio.create_task(self._write(guild_id, digests.get(guild_id)))
            self._writers[guild_id] = writer
            writer.add_done_callback(partial(self._done, guild_id))

    def _done(self, guild_id: int, _: asyncio.Task[None]) -> None:
        del self._writers[guild_id]

    async def _write(self, guild_id: int, days: tuple[date, date] | None) -> None:
        try:
            while (page := await self._next(guild_id, days)) is not None:
                async with self._pens:
                    if not (page.tries and await self._is_there(page)):
                        await self._post(page)
                await self._pages.posted(page)
                if page.days is not None:
                    return
        except StoreError as error:
            log.warning("the log of server %d has to wait: %s", guild_id, error)
        except _TROUBLE as error:
            log.info("the log of server %d has to wait: %s", guild_id, _plainly(error))
        except Exception:
            log.exception("the log of server %d broke; it is tried again", guild_id)

    async def _next(self, guild_id: int, days: tuple[date, date] | None) -> Page | None:
        """Return the page that can be posted now; the channel is looked at without a request."""
        policy = await self._policies.policy(guild_id)
        if policy.log_channel_id is None:
            await self._pages.drop(guild_id)
            return None
        guild = self._client.get_guild(guild_id)
        if guild is None or any(checkup.of_log(guild, policy)):
            return None
        return await self._pages.next(guild_id, policy.log_channel_id, days)

    async def _post(self, page: Page) -> None:
        """Post a page; a page that got through though the answer was lost is not posted twice."""
        guild = self._client.get_guild(page.guild_id)
        locale = str(guild.preferred_locale) if guild else ENGLISH
        if page.days is None:
            note = said_in(locale, partial(log_words.page, page.lines))
        else:
            found = await self._digests.digest(page.guild_id, page.days, self._clock())
            note = said_in(locale, partial(log_words.digest, found, page.days))
        card = embed(note)
        card.timestamp = _time(page)
        given: dict[str, Any] = {"embed": card, "nonce": _nonce(page)}
        if (view := said_in(locale, partial(_view, page))) is not None:
            given["view"] = view
        await self._channel(page).send(**given, allowed_mentions=discord.AllowedMentions.none())

    async def _is_there(self, page: Page) -> bool:
        """Look for a page that an earlier try may have posted."""
        since = discord.utils.time_snowflake(_time(page) - _SLACK)
        try:
            async for message in self._channel(page).history(
                limit=_HISTORY, after=discord.Object(since)
            ):
                if message.author == self._client.user and any(
                    card.timestamp == _time(page) for card in message.embeds
                ):
                    return True
        except discord.Forbidden:
            log.info("the log of server %d has no history to look into", page.guild_id)
        return False

    def _channel(self, page: Page) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(page.channel_id, guild_id=page.guild_id)

    async def _go(self) -> None:
        while True:
            pause = _ROUND
            try:
                await self.round()
            except StoreError as error:
                pause = _BREATH
                log.warning("the logs of servers have to wait: %s", error)
            except Exception:
                pause = _BREATH
                log.exception("a round of the logs broke; the next comes all the same")
            await asyncio.sleep(pause)


def _view(page: Page) -> discord.ui.View | None:
    """Return the buttons below a clip that is held."""
    if not page.lines or page.lines[0].line is not Line.HELD:
        return None
    job_id = page.lines[0].job.id
    view = discord.ui.View(timeout=None)
    view.add_item(LookButton(job_id))
    view.add_item(DeedButton(Deed.LET_OUT, job_id))
    return view


def _nonce(page: Page) -> str:
    """Name a page, within the 25 characters that Discord takes."""
    return hashlib.sha256(f"log {page.guild_id} {page.at}".encode()).hexdigest()[:24]


def _time(page: Page) -> datetime:
    return datetime.fromtimestamp(page.at / 1000, UTC)


def _plainly(error: Exception) -> str:
    status = f" {error.status}" if isinstance(error, discord.HTTPException) else ""
    return f"{type(error).__name__}{status}"
