"""Discord's JSON shape of a message, fresh for each reader.

A reader is a person or the bot: reactions say `me`, links are newly signed, and an app without the
message content intent gets other people's messages blank.
"""

from bot.sandbox.discord import guild_payloads, payloads
from bot.sandbox.discord.cdn import Cdn
from bot.sandbox.discord.message import JSON, Message
from bot.sandbox.discord.snowflake import iso, unix_seconds
from bot.sandbox.discord.world import World

#: What a super reaction glows in.
BURST_COLORS = ["#f5b95f", "#eb459e"]


class MessagePayloads:
    """Makes message objects."""

    def __init__(self, world: World, cdn: Cdn) -> None:
        self._world = world
        self._cdn = cdn

    def whole(self, message: Message, reader_id: str, *, nested: bool = False) -> JSON:
        """Return the message as `reader_id` sees it, with the one that it replies to."""
        shape = self._minimal(message) | self._base(message)
        if message.reactions:
            shape["reactions"] = self.reactions(message, reader_id)
        if message.reference is not None:
            shape["message_reference"] = message.reference
            if message.snapshot is not None:
                shape["message_snapshots"] = [{"message": self._minimal(message.snapshot)}]
            elif not nested:
                shape["referenced_message"] = self._referenced(message, reader_id)
        if message.nonce is not None and not nested:
            shape["nonce"] = message.nonce
        self._add_origin(shape, message)
        if message.thread_id in self._world.channels:
            thread = self._world.channels[message.thread_id]
            shape["thread"] = payloads.channel(self._world, thread)
        return shape

    def _add_origin(self, shape: JSON, message: Message) -> None:
        """Say which interaction the message answers."""
        if message.application_id is not None:
            shape["application_id"] = shape["webhook_id"] = message.application_id
        if message.interaction_metadata is not None:
            shape["interaction_metadata"] = message.interaction_metadata
        if message.interaction is not None:
            shape["interaction"] = message.interaction

    def for_app(self, message: Message, *, content: bool | None = None) -> JSON:
        """Return the message as the bot gets it: blank without `content`, unless exempt.

        By default the portal's switch decides, as it does for everything but events.
        """
        shape = self.whole(message, self._world.bot.id)
        if content is None:
            content = self._world.limits.message_content_enabled
        if not content:
            self._blank(shape, message)
        return shape

    def handed_over(self, message: Message) -> JSON:
        """Return the message as an interaction carries it: never blank, for a person gave it.

        That is so of this message alone, not of the one that it replies to.
        """
        shape = self.for_app(message)
        shape |= self._minimal(message)
        if message.snapshot is not None:
            shape["message_snapshots"] = [{"message": self._minimal(message.snapshot)}]
        return shape

    def readable(self, message: Message) -> bool:
        """Whether the bot may read what a message says."""
        return self._world.limits.message_content_enabled or self._exempt(message)

    def event(self, message: Message, *, content: bool) -> JSON:
        """Return the message as an event carries it: with the guild and its author's membership."""
        shape = self.for_app(message, content=content)
        channel = self._world.channels[message.channel_id]
        if channel.is_direct:
            return shape
        shape["guild_id"] = channel.guild_id
        author = self._world.member(channel, message.author_id)
        if author is not None:
            shape["member"] = payloads.member(self._world, author, with_user=False)
        return shape

    def reactions(self, message: Message, reader_id: str) -> list[JSON]:
        """Return the reactions in order, as one reader sees them."""
        return [
            {
                "emoji": emoji(name),
                "count": len(people),
                "count_details": {"burst": bursts, "normal": len(people) - bursts},
                "burst_colors": BURST_COLORS if bursts else [],
                "me_burst": (name, reader_id) in message.bursts,
                "me": reader_id in people and (name, reader_id) not in message.bursts,
                "burst_me": (name, reader_id) in message.bursts,
                "burst_count": bursts,
            }
            for name, people in message.reactions.items()
            for bursts in [sum(1 for one in people if (name, one) in message.bursts)]
        ]

    def _base(self, message: Message) -> JSON:
        """Return what a snapshot of the message leaves out."""
        return {
            "id": message.id,
            "channel_id": message.channel_id,
            "author": payloads.user(self._world.users[message.author_id]),
            "tts": message.tts,
            "mention_everyone": message.mention_everyone,
            "pinned": message.pinned,
        }

    def _minimal(self, message: Message) -> JSON:
        """Return what a snapshot of the message shows."""
        world = self._world
        edited = message.edited_at
        shape = {
            "type": int(message.type),
            "content": message.content,
            "timestamp": iso(unix_seconds(message.id)),
            "edited_timestamp": None if edited is None else iso(edited),
            "mentions": [payloads.user(world.users[one]) for one in message.mentions],
            "mention_roles": message.mention_roles,
            "attachments": [self._cdn.as_json(one) for one in message.shown_attachments()],
            "embeds": self._signed(message, message.shown_embeds),
            "components": self._signed(message, message.components),
            "flags": int(message.flags),
        }
        if message.stickers:
            every = [world.sticker(one) for one in message.stickers]
            shape["sticker_items"] = [guild_payloads.sticker_item(one) for one in every if one]
        return shape

    def _signed(self, message: Message, part: list[JSON]) -> list[JSON]:
        """Embeds or components with fresh links where they show an attachment."""
        if not message.attachments or not part:
            return part
        links = {one.id: one.path for one in message.attachments}
        return [self._sign(each, links) for each in part]

    def _sign(self, node: JSON, links: dict[str, str]) -> JSON:
        signed: JSON = {}
        for name, value in node.items():
            if isinstance(value, dict):
                signed[name] = self._sign(value, links)
            elif isinstance(value, list):
                signed[name] = [self._sign(v, links) if isinstance(v, dict) else v for v in value]
            else:
                signed[name] = value
        if node.get("attachment_id") in links:
            link = self._cdn.link(links[node["attachment_id"]])
            signed |= {"url": link, "proxy_url": link}
        return signed

    def _referenced(self, message: Message, reader_id: str) -> JSON | None:
        reference = message.reference or {}
        found = self._world.message(reference["channel_id"], reference["message_id"])
        if found is None or (not found.visible_to(reader_id) and reader_id != self._world.bot.id):
            return None
        return self.whole(found, reader_id, nested=True)

    def _blank(self, shape: JSON, message: Message) -> None:
        """Empty what the message content intent protects, here and in the message replied to."""
        if not self._exempt(message):
            for part in (shape, *(one["message"] for one in shape.get("message_snapshots", []))):
                part |= {"content": "", "embeds": [], "attachments": [], "components": []}
        inner = shape.get("referenced_message")
        if inner is not None:
            original = self._world.message(inner["channel_id"], inner["id"])
            if original is not None:
                self._blank(inner, original)

    def _exempt(self, message: Message) -> bool:
        """Whether the bot may always read a message: its own, one to it, one that mentions it."""
        bot_id = self._world.bot.id
        channel = self._world.channels[message.channel_id]
        return message.author_id == bot_id or bot_id in message.mentions or channel.is_direct


def emoji(name: str) -> JSON:
    """Return an emoji object from its spelling in a route: a character, or `name:id`."""
    label, _, custom_id = name.partition(":")
    if custom_id.isdecimal():
        return {"id": custom_id, "name": label, "animated": False}
    return {"id": None, "name": name}
