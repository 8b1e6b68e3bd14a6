"""One message, as the local Discord keeps it. Its JSON is made elsewhere, fresh for each reader."""

from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Any

from bot.sandbox.discord.cdn import Attachment

JSON = dict[str, Any]


class MessageFlag(IntFlag):
    """The message flags that matter here."""

    SUPPRESS_EMBEDS = 1 << 2
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    IS_COMPONENTS_V2 = 1 << 15


class MessageType(IntEnum):
    """The message types that matter here."""

    DEFAULT = 0
    THREAD_CREATED = 18
    REPLY = 19
    CHAT_INPUT_COMMAND = 20
    CONTEXT_MENU_COMMAND = 23


@dataclass(slots=True, kw_only=True)
class Message:
    """What was said, by whom, where. Changed in place, by edits and reactions only."""

    id: str
    channel_id: str
    author_id: str
    content: str = ""
    type: int = MessageType.DEFAULT
    flags: int = 0
    embeds: list[JSON] = field(default_factory=list)
    components: list[JSON] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    mentions: list[str] = field(default_factory=list)
    mention_roles: list[str] = field(default_factory=list)
    mention_everyone: bool = False
    #: Emoji (as in the path of its route) to the people who reacted, in order.
    reactions: dict[str, list[str]] = field(default_factory=dict)
    tts: bool = False
    pinned: bool = False
    edited_at: float | None = None
    reference: JSON | None = None
    nonce: str | int | None = None
    #: Set on everything that answers an interaction.
    application_id: str | None = None
    interaction_metadata: JSON | None = None
    interaction: JSON | None = None
    #: The only person who sees it, if it is ephemeral.
    viewer_id: str | None = None
    #: The interaction whose token may edit it.
    interaction_id: str | None = None
    thread_id: str | None = None

    @property
    def ephemeral(self) -> bool:
        """Whether only its viewer sees it."""
        return bool(self.flags & MessageFlag.EPHEMERAL)

    @property
    def loading(self) -> bool:
        """Whether it says that the app is thinking."""
        return bool(self.flags & MessageFlag.LOADING)

    def visible_to(self, person_id: str) -> bool:
        """Whether a person who sees the channel sees this message."""
        return not self.ephemeral or person_id == self.viewer_id

    def shown_attachments(self) -> list[Attachment]:
        """Return the attachments that are not shown by an embed or a component."""
        if not self.attachments or not (self.embeds or self.components):
            return self.attachments
        used = {media["attachment_id"] for media in _media([self.embeds, self.components])}
        return [one for one in self.attachments if one.id not in used]


def _media(node: Any) -> list[JSON]:
    """Every media object with an attachment, at any depth."""
    if isinstance(node, list):
        return [found for each in node for found in _media(each)]
    if isinstance(node, dict):
        own = [node] if "attachment_id" in node else []
        return own + [found for each in node.values() for found in _media(each)]
    return []
