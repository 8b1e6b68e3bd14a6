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
    HAS_SNAPSHOT = 1 << 14
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
    """What was said, by whom, where. Changed in place: edits, reactions, previews."""

    id: str
    channel_id: str
    author_id: str
    content: str = ""
    type: int = MessageType.DEFAULT
    flags: int = 0
    embeds: list[JSON] = field(default_factory=list)
    components: list[JSON] = field(default_factory=list)
    attachments: list[Attachment] = field(default_factory=list)
    #: What the links in its text lead to, as embeds.
    previews: list[JSON] = field(default_factory=list)
    #: The stickers' ids.
    stickers: list[str] = field(default_factory=list)
    #: What was forwarded, as it was then.
    snapshot: "Message | None" = None
    mentions: list[str] = field(default_factory=list)
    mention_roles: list[str] = field(default_factory=list)
    mention_everyone: bool = False
    #: Emoji (as in the path of its route) to the people who reacted, in order.
    reactions: dict[str, list[str]] = field(default_factory=dict)
    #: Those of them that burst: super reactions.
    bursts: set[tuple[str, str]] = field(default_factory=set)
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

    @property
    def shown_embeds(self) -> list[JSON]:
        """Its embeds and previews, unless somebody had them taken away."""
        return [] if self.flags & MessageFlag.SUPPRESS_EMBEDS else self.embeds + self.previews

    def refer_to(self, other: "Message", guild_id: str | None) -> None:
        """Become a reply to another message of the same channel."""
        self.type = MessageType.REPLY
        self.reference = reference(other, guild_id)

    def forward(self, other: "Message", snapshot: "Message", guild_id: str | None) -> None:
        """Become a forward of another message, which looks like `snapshot` at this moment."""
        self.reference = reference(other, guild_id) | {"type": 1}
        self.snapshot = snapshot
        self.flags |= MessageFlag.HAS_SNAPSHOT

    def shown_attachments(self) -> list[Attachment]:
        """Return the attachments that are not shown by an embed or a component."""
        if not self.attachments or not (self.embeds or self.components):
            return self.attachments
        used = {media["attachment_id"] for media in _media([self.embeds, self.components])}
        return [one for one in self.attachments if one.id not in used]


def reference(other: Message, guild_id: str | None) -> JSON:
    """Return what points to another message, as a reply does."""
    shape: JSON = {"type": 0, "message_id": other.id, "channel_id": other.channel_id}
    return shape if guild_id is None else shape | {"guild_id": guild_id}


def _media(node: Any) -> list[JSON]:
    """Every media object with an attachment, at any depth."""
    if isinstance(node, list):
        return [found for each in node for found in _media(each)]
    if isinstance(node, dict):
        own = [node] if "attachment_id" in node else []
        return own + [found for each in node.values() for found in _media(each)]
    return []
