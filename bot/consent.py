"""Asks the author of a picture whether it may be animated, and does what they answer.

A question is a message with two buttons, which answers the picture. It is kept before it is posted
and works across restarts; nothing is held until the author agrees. What they answered is written
first and done after, so that a crash between the two is made good by the next round.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn, TypeVar
from urllib.parse import parse_qs, urlsplit

import discord

from bot import buttons, consent_words
from bot.afar import Afar, is_shown_by
from bot.approvals import Approval, Approvals, Outcome
from bot.errors import (
    CannotPostHere,
    ConsentNeeded,
    NotAccepting,
    PictureProblem,
    PictureRefused,
    StoreError,
    UserError,
)
from bot.intake import Ask
from bot.keepsake import from_json, to_json
from bot.ladder import NO_ANSWER, is_closed, rungs
from bot.question import answers
from bot.refusals import refusal
from bot.status import embed
from bot.store import Admitted
from bot.tongue import said_in
from bot.wish import ENGLISH
from bot.words import Note

log = logging.getLogger(__name__)

_LONGEST = 3600_000
"""Milliseconds in which an author can answer."""
_SHORTEST = 60_000
_TO_FETCH = 60_000
"""What of a picture's address must be left for fetching it."""
_ROUND = 10.0
"""Seconds between two rounds."""
T = TypeVar("T")

TROUBLE = (discord.DiscordException, *NO_ANSWER)


class Mediator:
    """Between who asks and who decides. `clock` returns Unix milliseconds."""

    def __init__(
        self, client: discord.Client, approvals: Approvals, clock: Callable[[], int]
    ) -> None:
        self._client = client
        self._approvals = approvals
        self._clock = clock
        self._accept: Callable[[Ask], Awaitable[Admitted]] | None = None
        self._afar = Afar(client)
        self._asks: dict[int, Ask] = {}
        """By the question, the wish as it came in: it has the way to tell who asked alone."""
        self._busy: set[int] = set()
        self._going: asyncio.Task[None] | None = None

    def start(self, accept: Callable[[Ask], Awaitable[Admitted]]) -> None:
        """Hand what was agreed to `accept`, and begin to go round."""
        self._accept = accept
        self._going = asyncio.create_task(self._go())

    async def stop(self) -> None:
        """Go round no more."""
        if self._going is not None:
            self._going.cancel()
            await asyncio.wait([self._going])

    # --- Asking ----------------------------------------------------------------------------------

    async def ask(self, ask: Ask) -> NoReturn:
        """Ask the author of a wish's picture. Raises `ConsentNeeded` where they were."""
        approval, is_new = await self._kept(ask)
        self._asks[approval.id] = ask
        if is_new:
            # It is in the channel a moment before it is noted which message it is. What comes in
            # between, such as a reaction that is taken back, is done after.
            self._busy.add(approval.id)
            try:
                await self._pose(approval, ask)
            finally:
                self._busy.discard(approval.id)
            with suppress(StoreError):
                await self.round()
        raise ConsentNeeded(approval.author_id, approval.expires_at // 1000)

    async def _pose(self, approval: Approval, ask: Ask) -> None:
        """Post a question and note which message it is; one that was not posted is forgotten."""
        try:
            message = await self._post(approval, ask)
        except UserError:
            del self._asks[approval.id]
            with suppress(StoreError):
                await self._approvals.drop(approval.id)
            raise
        log.info("question %d: posted to the author of a picture", approval.id)
        try:
            await self._approvals.posted(approval.id, message.id)
        except StoreError as error:
            log.warning("question %d: its message is not noted: %s", approval.id, error)

    async def _kept(self, ask: Ask) -> tuple[Approval, bool]:
        assert ask.picture is not None, "who hands a picture over need not be asked"
        now = self._clock()
        expires_at = min(now + _LONGEST, _dies_at(ask.picture_url, now) - _TO_FETCH)
        if expires_at < now + _SHORTEST:
            raise PictureRefused(PictureProblem.UNREACHABLE)
        question = Approval(
            guild_id=ask.guild_id,
            channel_id=ask.picture.channel_id,
            member_id=ask.member_id,
            author_id=ask.picture.author_id,
            picture=f"{ask.picture.message_id} {ask.picture.key}",
            ask=to_json(ask),
            asked_at=now,
            expires_at=expires_at,
        )
        try:
            return await self._approvals.open(question)
        except StoreError as error:
            raise NotAccepting from error

    async def _post(self, approval: Approval, ask: Ask) -> discord.Message:
        """Post the question, with the one mention that is not of who asks: the author must hear."""
        assert ask.picture is not None, "asked before"

        def worded() -> tuple[Note, discord.ui.View]:
            until = approval.expires_at // 1000
            return consent_words.question(ask.member_id, ask.prompt, until), answers(approval.id)

        note, view = self._for_all(approval, worded)
        reference: Any = None  # a clip that never was in a channel has no message
        if ask.picture.message_id:
            reference = discord.MessageReference(
                message_id=ask.picture.message_id,
                channel_id=approval.channel_id,
                guild_id=approval.guild_id,
                fail_if_not_exists=False,
            )
        try:
            return await self._channel(approval).send(
                f"<@{approval.author_id}>",
                embed=embed(note),
                view=view,
                reference=reference,
                nonce=f"consent {approval.id}",
                allowed_mentions=discord.AllowedMentions(
                    everyone=False,
                    roles=False,
                    users=[discord.Object(approval.author_id)],
                    replied_user=False,
                ),
            )
        except TROUBLE as error:
            log.info("question %d: not posted: %s", approval.id, type(error).__name__)
            if isinstance(error, discord.HTTPException) and is_closed(error):
                raise CannotPostHere(("view_channel", "send_messages")) from error
            raise NotAccepting from error

    # --- Answering -------------------------------------------------------------------------------

    async def answer(
        self, approval_id: int, message_id: int, member_id: int, *, is_yes: bool
    ) -> Note | None:
        """Take an answer in from whoever pressed, below which message; return what to tell them.

        Raises `StoreError`.
        """
        approval = await self._approvals.get(approval_id)
        if approval is None or approval.message_id not in (None, message_id):
            return consent_words.no_question()
        if approval.author_id != member_id:
            return consent_words.not_yours(approval.author_id)
        outcome = Outcome.AGREED if is_yes else Outcome.DECLINED
        ended = await self._approvals.end(approval_id, outcome, self._clock(), message_id)
        if ended is None:
            return consent_words.no_question()
        log.info("question %d: %s", approval_id, outcome)
        await self._finish(ended)
        return None

    async def withdraw(self, message_id: int, member_id: int) -> None:
        """Take back what a member has asked about a message's pictures by a reaction.

        Raises `StoreError`.
        """
        if await self._approvals.withdraw(message_id, member_id, self._clock()):
            await self.round()

    # --- Doing what was answered -----------------------------------------------------------------

    async def round(self) -> None:
        """Do and tell what is at its end, and was not yet. Raises `StoreError`."""
        for approval in await self._approvals.ended(self._clock()):
            try:
                await self._finish(approval)
            except Exception:
                log.exception("question %d broke; it keeps no other waiting", approval.id)

    async def _finish(self, approval: Approval) -> None:
        """Do what was answered and tell it, once; what fails is tried again by the next round."""
        if approval.id in self._busy:
            return
        self._busy.add(approval.id)
        try:
            await self._do(approval)
            await self._approvals.told(approval.id)
            self._asks.pop(approval.id, None)
        except (NotAccepting, StoreError, *TROUBLE) as error:
            log.info("question %d: put off: %s", approval.id, type(error).__name__)
        finally:
            self._busy.discard(approval.id)

    async def _do(self, approval: Approval) -> None:
        assert approval.outcome is not None, "it is at its end"
        if approval.outcome is Outcome.AGREED:
            await self._begin(approval)
            return
        if approval.outcome is Outcome.DECLINED:
            await self._tell(approval, consent_words.declined)
        await self._say(approval, partial(consent_words.over, approval.outcome, approval.member_id))

    async def _begin(self, approval: Approval) -> None:
        """Have the clip made for who asked, by the rules and with the roles of this moment."""
        assert self._accept is not None, "start() comes first"
        not_started = partial(consent_words.not_started, approval.member_id)
        wish = replace(from_json(approval.ask), has_consent=True)
        role_ids = await self._roles(approval)
        if role_ids is None:
            await self._say(approval, not_started)
            await self._afar.end(approval, wish, None)
            return
        wish = replace(wish, role_ids=role_ids)
        shown = await self._shown(approval, wish)
        try:
            admitted = await self._accept(shown)
        except UserError as error:
            if isinstance(error, NotAccepting) and self._clock() < approval.expires_at:
                raise
            await self._say(approval, not_started)
            await self._afar.end(approval, wish, None)
            await self._tell(approval, partial(refusal, error))
            return
        await self._afar.end(approval, wish, admitted.job)
        if not is_shown_by(approval, wish):
            over = partial(consent_words.over, Outcome.AGREED, approval.member_id)
            await self._say(approval, over)
        elif not admitted.is_new:  # a crash came between the clip and its first status
            await self._edit(approval, view=None)
        if shown.answer is None:  # or the status is in the very answer
            place_id = next((one.channel_id for one in rungs(admitted.job, may_dm=False)), None)
            await self._tell(approval, partial(consent_words.agreed, place_id))

    async def _shown(self, approval: Approval, wish: Ask) -> Ask:
        """Return the wish with its status, which the question shows where it can."""
        first = self._asks.get(approval.id)
        if not is_shown_by(approval, wish):
            answer = None if first is None else first.answer
            if answer is not None and answer.is_over(self._clock()):
                answer = None
            reply = first.reply if first is not None and answer is not None else None
            status = None if answer is not None else await self._afar.begin(approval, wish)
            return replace(wish, status_message_id=status, answer=answer, reply=reply)

        async def begin(note: Note) -> None:
            view = buttons.view(note.buttons)
            await self._edit(approval, content=None, embed=embed(note), view=view)

        return replace(wish, status_message_id=approval.message_id, reply=begin)

    async def _roles(self, approval: Approval) -> tuple[int, ...] | None:
        """Return the roles of who asked, as they are now; None: they are not here any more."""
        try:
            member = await self._client.http.get_member(approval.guild_id, approval.member_id)
        except discord.NotFound:
            return None
        # Everybody's own role has the server's number.
        return (approval.guild_id, *map(int, member["roles"]))

    # --- Saying it -------------------------------------------------------------------------------

    async def _say(self, approval: Approval, worded: Callable[[], Note]) -> None:
        """Have the question say something else, without its buttons."""
        note = self._for_all(approval, worded)
        await self._edit(approval, content=None, embed=embed(note), view=None)

    async def _edit(self, approval: Approval, **changes: Any) -> None:
        if approval.message_id is None:
            return
        message = self._channel(approval).get_partial_message(approval.message_id)
        try:
            await message.edit(**changes)
        except discord.HTTPException as error:
            if not is_closed(error):
                raise
            log.info("question %d: it is gone: HTTP %d", approval.id, error.status)

    async def _tell(self, approval: Approval, worded: Callable[[], Note]) -> None:
        """Tell who asked alone, where there is still a way to."""
        first = self._asks.pop(approval.id, None)
        if first is None or first.reply is None:
            return
        if first.answer is not None and first.answer.is_over(self._clock()):
            return
        try:
            await first.reply(said_in(first.wish.locale, worded))
        except TROUBLE as error:
            log.info("question %d: who asked was not told: %s", approval.id, type(error).__name__)

    def _channel(self, approval: Approval) -> discord.PartialMessageable:
        return self._client.get_partial_messageable(approval.channel_id, guild_id=approval.guild_id)

    def _for_all(self, approval: Approval, worded: Callable[[], T]) -> T:
        """Return words in the language of the server."""
        guild = self._client.get_guild(approval.guild_id)
        return said_in(str(guild.preferred_locale) if guild else ENGLISH, worded)

    async def _go(self) -> None:
        while True:
            try:
                await self.round()
            except StoreError as error:
                log.warning("questions to authors have to wait: %s", error)
            except Exception:
                log.exception("a round of the questions broke; the next comes all the same")
            await asyncio.sleep(_ROUND)


def _dies_at(url: str, now: int) -> int:
    """Return when Discord's signature of a picture's address ends, in Unix milliseconds."""
    (until,) = parse_qs(urlsplit(url).query).get("ex", [""])[:1]
    try:
        return int(until, 16) * 1000
    except ValueError:  # link previews have none
        return now + 2 * _LONGEST
