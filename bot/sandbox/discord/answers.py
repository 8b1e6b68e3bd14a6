"""Messages that answer interactions: made, edited and deleted for `callbacks.py` and `webhooks.py`.

Knows what Discord writes on such a message (type, metadata, ephemeral, loading) and when the
loading state ends. Knows no HTTP.
"""

import time

from bot.sandbox.discord import payloads
from bot.sandbox.discord.bodies import Body
from bot.sandbox.discord.drafts import Drafts, new_message
from bot.sandbox.discord.errors import ApiError, Refusal
from bot.sandbox.discord.feed import Feed
from bot.sandbox.discord.interactions import Interaction, Interactions, InteractionType
from bot.sandbox.discord.message import JSON, Message, MessageFlag, MessageType, reference
from bot.sandbox.discord.previews import Previews
from bot.sandbox.discord.world import World

_CONTEXT_MENUS = (2, 3)
_MESSAGE_COMMAND = 3


class Answers:
    """Writes the app's side of an interaction into the channel."""

    def __init__(
        self,
        world: World,
        drafts: Drafts,
        feed: Feed,
        interactions: Interactions,
        previews: Previews,
    ) -> None:
        self._world = world
        self._drafts = drafts
        self._feed = feed
        self._interactions = interactions
        self._previews = previews

    async def respond(self, interaction: Interaction, body: Body) -> Message:
        """Answer with a message."""
        message = self._blank(interaction, body.form.get("flags"))
        await self._fill(interaction, message, body)
        self._original(interaction, message)
        self._previews.follow(message)
        return message

    def think(self, interaction: Interaction, flags: int) -> Message:
        """Put the answer off: a message that says that the app is thinking."""
        message = self._blank(interaction, flags)
        message.flags |= MessageFlag.LOADING
        self._original(interaction, message)
        return message

    async def follow_up(self, interaction: Interaction, body: Body) -> Message:
        """Send a further message; while the original is loading, it becomes the original."""
        original = self.original(interaction)
        if original is not None and original.loading:
            await self.edit(interaction, original, body)
            return original
        message = self._blank(interaction, body.form.get("flags"), follows=original)
        await self._fill(interaction, message, body)
        self._world.add_message(message)
        self._feed.message_created(message)
        self._previews.follow(message)
        return message

    async def edit(self, interaction: Interaction, message: Message, body: Body) -> None:
        """Change a message of this interaction; a first edit ends the loading state."""
        was_loading = message.loading
        await self._fill(interaction, message, body)
        if not was_loading:
            message.edited_at = time.time()
        self._feed.message_updated(message)
        self._previews.follow(message)
        if was_loading:
            self._interactions.settled(message)

    def delete(self, message: Message) -> None:
        """Remove a message of this interaction."""
        self._drafts.erase(message)
        self._feed.message_deleted(message)

    def original(self, interaction: Interaction) -> Message | None:
        """Return the original response, unless there is none or it was deleted."""
        if interaction.original_id is None:
            return None
        return self._world.message(interaction.channel_id, interaction.original_id)

    def find(self, interaction: Interaction, message_id: str) -> Message:
        """Return a message that this interaction's token may touch. Raises ApiError 10008."""
        if message_id == "@original":
            found = self.original(interaction)
        else:
            found = self._world.message(interaction.channel_id, message_id)
        mine = found is not None and (
            found.interaction_id == interaction.id or found.id == interaction.original_id
        )
        if found is None or not mine:
            raise ApiError(Refusal.UNKNOWN_MESSAGE)
        return found

    async def _fill(self, interaction: Interaction, message: Message, body: Body) -> None:
        await self._drafts.fill(message, body, upload_limit=interaction.upload_limit)

    def _original(self, interaction: Interaction, message: Message) -> None:
        interaction.original_id = message.id
        self._world.add_message(message)
        self._feed.message_created(message)

    def _blank(
        self, interaction: Interaction, flags: object, follows: Message | None = None
    ) -> Message:
        """Return an empty message with everything that marks it as an answer."""
        ephemeral = isinstance(flags, int) and flags & MessageFlag.EPHEMERAL
        message = new_message(
            self._world,
            self._world.channels[interaction.channel_id],
            self._world.bot.id,
            flags=int(MessageFlag.EPHEMERAL) if ephemeral else 0,
            application_id=self._world.application_id,
            interaction_id=interaction.id,
            viewer_id=interaction.person_id,
            interaction_metadata=self._metadata(interaction),
        )
        answered = follows
        if follows is not None:
            message.interaction_metadata = {
                **self._metadata(interaction), "original_response_message_id": follows.id
            }  # fmt: skip
        elif interaction.type is InteractionType.COMMAND:
            self._mark_command(message, interaction)
            return message
        elif interaction.source_message_id is not None:
            answered = self._world.message(interaction.channel_id, interaction.source_message_id)
        if answered is not None:
            message.type = MessageType.REPLY
            message.reference = self._reference(answered)
        return message

    def _mark_command(self, message: Message, interaction: Interaction) -> None:
        menu = interaction.data["type"] in _CONTEXT_MENUS
        message.type = MessageType.CONTEXT_MENU_COMMAND if menu else MessageType.CHAT_INPUT_COMMAND
        if interaction.data["type"] == _MESSAGE_COMMAND:
            target = self._world.message(interaction.channel_id, interaction.data["target_id"])
            message.reference = None if target is None else self._reference(target)
        message.interaction = {
            "id": interaction.id,
            "type": int(interaction.type),
            "name": _full_name(interaction.data),
            "user": payloads.user(self._world.users[interaction.person_id]),
        }

    def _reference(self, message: Message) -> JSON:
        return reference(message, self._world.channels[message.channel_id].guild_id)

    def _metadata(self, interaction: Interaction) -> JSON:
        guild_id = self._world.channels[interaction.channel_id].guild_id
        metadata: JSON = {
            "id": interaction.id,
            "type": int(interaction.type),
            "user": payloads.user(self._world.users[interaction.person_id]),
            "authorizing_integration_owners": {"0": guild_id or "0"},
        }
        if interaction.type is InteractionType.COMMAND:
            metadata |= {
                "name": _full_name(interaction.data),
                "command_type": interaction.data["type"],
            }
            if "target_id" in interaction.data:
                metadata |= self._target(interaction.data["type"], interaction.data["target_id"])
        elif interaction.type is InteractionType.COMPONENT:
            metadata["interacted_message_id"] = interaction.source_message_id
        elif interaction.origin is not None:
            metadata["triggering_interaction_metadata"] = self._metadata(interaction.origin)
        return metadata

    def _target(self, command_type: int, target_id: str) -> JSON:
        """Name what a menu command was used on: a message's id, or a whole user."""
        if command_type == _MESSAGE_COMMAND:
            return {"target_message_id": target_id}
        return {"target_user": payloads.user(self._world.users[target_id])}


def _full_name(data: JSON) -> str:
    """Return a command's name with its group and subcommand, as people type it."""
    names = [data["name"]]
    options = data.get("options") or []
    while options and options[0]["type"] in {1, 2}:
        names.append(options[0]["name"])
        options = options[0].get("options") or []
    return " ".join(names)
