"""Discord's JSON shape of a message, fresh for each reader.

A reader is a person or the bot: reactions say `me`, links are newly signed, and an app without the
message content intent gets other people's messages blank.
"""

from bot.sandbox.discord import payloads
from bot.sandbox.discord.cdn import Cdn
from bot.sandbox.discord.message import JSON, Message
from bot.sandbox.discord.snowflake import iso, unix_seconds
from bot.sandbox.discord.world import World


class MessagePayloads:
    """Makes message objects."""

    def __init__(self, world: World, cdn: Cdn) -> None:
        self._world = world
        self._cdn = cdn

    def whole(self, message: Message, reader_id: str, *, nested: bool = False) -> JSON:
        """Return the message as `reader_id` sees it, with the one that it replies to."""
        shape = self._base(message)
        if message.reactions:
            shape["reactions"] = self.reactions(message, reader_id)
        if message.reference is not None:
            shape["message_reference"] = message.reference
            if not nested:
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

    def for_app(self, message: Message, *, content: bool, nested: bool = False) -> JSON:
        """Return the message as the bot gets it: blank without `content`, unless exempt."""
        shape = self.whole(message, self._world.bot.id, nested=nested)
        if not content:
            self._blank(shape, message)
        return shape

    def event(self, message: Message, *, content: bool) -> JSON:
        """Return the message as an event carries it: with the guild and its author's membership."""
        shape = self.for_app(message, content=content)
        channel = self._world.channels[message.channel_id]
        if channel.is_direct:
            return shape
        shape["guild_id"] = self._world.guild.id
        author = self._world.guild.members.get(message.author_id)
        if author is not None:
            shape["member"] = payloads.member(self._world, author, with_user=False)
        return shape

    def reactions(self, message: Message, reader_id: str) -> list[JSON]:
        """Return the reactions in order, as one reader sees them."""
        return [
            {
                "emoji": emoji(name),
                "count": len(people),
                "count_details": {"burst": 0, "normal": len(people)},
                "burst_colors": [],
                "me_burst": False,
                "me": reader_id in people,
                "burst_me": False,
                "burst_count": 0,
            }
            for name, people in message.reactions.items()
        ]

    def _base(self, message: Message) -> JSON:
        world = self._world
        edited = message.edited_at
        return {
            "id": message.id,
            "channel_id": message.channel_id,
            "type": int(message.type),
            "author": payloads.user(world.users[message.author_id]),
            "content": message.content,
            "timestamp": iso(unix_seconds(message.id)),
            "edited_timestamp": None if edited is None else iso(edited),
            "tts": message.tts,
            "mention_everyone": message.mention_everyone,
            "mentions": [payloads.user(world.users[one]) for one in message.mentions],
            "mention_roles": message.mention_roles,
            "attachments": [self._cdn.as_json(one) for one in message.shown_attachments()],
            "embeds": self._signed(message, message.embeds),
            "components": self._signed(message, message.components),
            "pinned": message.pinned,
            "flags": int(message.flags),
        }

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
        bot_id = self._world.bot.id
        channel = self._world.channels[message.channel_id]
        exempt = message.author_id == bot_id or bot_id in message.mentions or channel.is_direct
        if not exempt:
            shape |= {"content": "", "embeds": [], "attachments": [], "components": []}
        inner = shape.get("referenced_message")
        if inner is not None:
            original = self._world.message(inner["channel_id"], inner["id"])
            if original is not None:
                self._blank(inner, original)


def emoji(name: str) -> JSON:
    """Return an emoji object from its spelling in a route: a character, or `name:id`."""
    label, _, custom_id = name.partition(":")
    if custom_id.isdecimal():
        return {"id": custom_id, "name": label, "animated": False}
    return {"id": None, "name": name}
