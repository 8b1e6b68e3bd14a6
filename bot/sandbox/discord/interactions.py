"""Interactions: from the moment a person acts until the token dies.

Owns the three seconds, the fifteen minutes, and which message is the original response. The routes
that an app answers on are in `callbacks.py` and `webhooks.py`; building the event is
`invocations.py`.
"""

import asyncio
import secrets
import time
from dataclasses import dataclass, field
from enum import Enum, IntEnum

from bot.sandbox.discord.errors import ApiError, Refusal
from bot.sandbox.discord.feed import Feed
from bot.sandbox.discord.message import JSON, Message
from bot.sandbox.discord.world import World


class InteractionType(IntEnum):
    """What a person did."""

    COMMAND = 2
    COMPONENT = 3
    AUTOCOMPLETE = 4
    MODAL = 5


class Stage(Enum):
    """How far the app has answered."""

    WAITING = "waiting"
    ANSWERED = "answered"
    FAILED = "failed"


@dataclass(slots=True, kw_only=True)
class Interaction:
    """One interaction and what became of it."""

    id: str
    type: InteractionType
    person_id: str
    channel_id: str
    #: The client's own name for it, echoed in every INTERACTION event.
    nonce: str
    #: The `data` of INTERACTION_CREATE.
    data: JSON
    token: str = field(default_factory=lambda: secrets.token_urlsafe(96))
    stage: Stage = Stage.WAITING
    #: The largest file that an answer may carry, in bytes.
    upload_limit: int
    #: On the monotonic clock.
    opened_at: float = field(default_factory=time.monotonic)
    #: The message that carries the component, if one was pressed.
    source_message_id: str | None = None
    #: The interaction that showed the modal, if this submits one.
    origin: "Interaction | None" = None
    #: What was shown, if the answer was a modal.
    modal: JSON | None = None
    original_id: str | None = None
    deadline: asyncio.TimerHandle | None = None


class Interactions:
    """All interactions whose token may still be used."""

    def __init__(self, world: World, feed: Feed) -> None:
        self._world = world
        self._feed = feed
        self._by_token: dict[str, Interaction] = {}
        self._by_id: dict[str, Interaction] = {}

    def open(self, interaction: Interaction) -> None:
        """Start the clock. The event has to be sent right after."""
        self._forget_old()
        self._by_token[interaction.token] = interaction
        self._by_id[interaction.id] = interaction
        seconds = self._world.limits.interaction_deadline_s
        loop = asyncio.get_running_loop()
        interaction.deadline = loop.call_later(seconds, self._miss, interaction)
        self.report(interaction, "sent")

    def get(self, interaction_id: str) -> Interaction | None:
        """Return an interaction by its id, for a modal's submit."""
        return self._by_id.get(interaction_id)

    def to_answer(self, interaction_id: str, token: str) -> Interaction:
        """Return the interaction of a callback. Raises ApiError 10062 (late, unknown) or 40060."""
        found = self._by_token.get(token)
        if found is None or found.id != interaction_id or found.stage is Stage.FAILED:
            raise ApiError(Refusal.UNKNOWN_INTERACTION)
        if found.stage is Stage.ANSWERED:
            raise ApiError(Refusal.ALREADY_ACKNOWLEDGED)
        return self._in_channel(found)

    def to_follow_up(self, application_id: str, token: str) -> Interaction:
        """Return the interaction of a webhook call.

        Raises ApiError 50027 for a token that is unknown or past its life, 10015 before an answer.
        """
        found = self._by_token.get(token)
        if found is None or application_id != self._world.application_id:
            raise ApiError(Refusal.INVALID_WEBHOOK_TOKEN)
        if not self._alive(found):
            raise ApiError(Refusal.INVALID_WEBHOOK_TOKEN)
        if found.stage is not Stage.ANSWERED:
            raise ApiError(Refusal.UNKNOWN_WEBHOOK)
        return self._in_channel(found)

    def answered(self, interaction: Interaction) -> None:
        """Stop the clock: the app's first answer was accepted."""
        interaction.stage = Stage.ANSWERED
        self._stop_clock(interaction)

    def reopen(self, interaction: Interaction) -> None:
        """Undo `answered`: the answer was refused, and the app has what is left of the time."""
        interaction.stage = Stage.WAITING
        left = interaction.opened_at + self._world.limits.interaction_deadline_s - time.monotonic()
        loop = asyncio.get_running_loop()
        interaction.deadline = loop.call_later(max(left, 0), self._miss, interaction)

    def settled(self, message: Message) -> None:
        """Tell the person that the app, thinking until now, has written its answer."""
        interaction = self._by_id.get(message.interaction_id or "")
        if interaction is not None:
            self.report(interaction, "done")

    def report(self, interaction: Interaction, state: str, **details: object) -> None:
        """Tell the person how the interaction is getting on."""
        told: JSON = {
            "nonce": interaction.nonce,
            "interaction_id": interaction.id,
            "state": state,
            **details,
        }
        self._feed.interaction_state(interaction.person_id, told)

    def is_over(self, message: Message) -> bool:
        """Whether an ephemeral message is one that nothing can change any more.

        A client that is open goes on showing it; one that is opened anew does not get it.
        """
        if not message.ephemeral:
            return False
        answered = [self._by_id.get(message.interaction_id or "")]
        answered += [one for one in self._by_id.values() if one.original_id == message.id]
        return not any(one is not None and self._alive(one) for one in answered)

    def _alive(self, interaction: Interaction) -> bool:
        age = time.monotonic() - interaction.opened_at
        return age <= self._world.limits.token_life_s

    def close(self) -> None:
        """Stop all clocks: the server is stopping."""
        for interaction in self._by_id.values():
            self._stop_clock(interaction)

    def _in_channel(self, interaction: Interaction) -> Interaction:
        """Check that the channel is still there to write into."""
        if interaction.channel_id not in self._world.channels:
            raise ApiError(Refusal.UNKNOWN_CHANNEL)
        return interaction

    def _miss(self, interaction: Interaction) -> None:
        if interaction.stage is Stage.WAITING:
            interaction.stage = Stage.FAILED
            self.report(interaction, "failed", reason="The application did not respond")

    def _stop_clock(self, interaction: Interaction) -> None:
        if interaction.deadline is not None:
            interaction.deadline.cancel()
            interaction.deadline = None

    def _forget_old(self) -> None:
        """Drop what is long past any use, oldest first."""
        limits = self._world.limits
        oldest = time.monotonic() - 2 * max(limits.token_life_s, limits.interaction_deadline_s) - 60
        while self._by_id:
            first = next(iter(self._by_id.values()))
            if first.opened_at >= oldest:
                return
            del self._by_id[first.id]
            self._by_token.pop(first.token, None)
