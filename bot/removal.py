"""Takes a clip away again: every message that carries it, and its file. The accounts stay.

It is marked first, so that nothing posts it again whatever happens next; a message that could not
be deleted is tried again with the next press. Who may is decided at the door.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable

import discord

from bot import clip_words
from bot.handover import Hands
from bot.history import History
from bot.ladder import NO_ANSWER, Posted
from bot.lifecycle import Job, State
from bot.rights import ClipProblem, ClipRefused

log = logging.getLogger(__name__)


class Removal:
    """Deletes with `client`; `clock` returns Unix milliseconds."""

    def __init__(
        self, client: discord.Client, history: History, hands: Hands, clock: Callable[[], int]
    ) -> None:
        self._client = client
        self._history = history
        self._delivery = hands.delivery
        self._packing = hands.packing
        self._files = hands.files
        self._clock = clock

    async def delete(self, job: Job, by: int, besides: Iterable[Posted] = ()) -> bool:
        """Delete the clips of a delivered job, for the member `by`; `besides` have them too.

        Tell whether every message is gone. Raises `ClipRefused` or `StoreError`.
        """
        if job.state is not State.DELIVERED:
            raise ClipRefused(ClipProblem.UNMADE)
        if await self._history.delete(job, self._clock()):
            log.info("job %s: its clips are deleted by %d", job.short_id, by)
        await asyncio.to_thread(self._files.remove, job.id)
        known = {post.message_id: post for post in (*await self._history.posts(job), *besides)}
        is_gone = await self._are_gone(known.values())
        async with self._packing.turn(job.id):  # what was on its way is there now, such as a copy
            posts = await self._history.posts(job)
        late = [post for post in posts if post.message_id not in known]
        is_gone &= await self._are_gone(late)
        self._delivery.show(job, clip_words.taken_away(job))
        return is_gone

    async def _are_gone(self, posts: Iterable[Posted]) -> bool:
        """Delete messages beside each other: one that takes its time keeps no other in place."""
        return all(await asyncio.gather(*map(self._is_gone, posts)))

    async def _is_gone(self, post: Posted) -> bool:
        channel = self._client.get_partial_messageable(post.channel_id)
        try:
            await channel.get_partial_message(post.message_id).delete()
        except discord.NotFound:
            return True  # also a private answer, which only its person sees
        except (discord.DiscordException, *NO_ANSWER) as error:
            log.warning("a message with a deleted clip stays: %s", type(error).__name__)
            return False
        return True
