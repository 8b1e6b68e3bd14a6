"""From what a person did (a command, a press, a form) to the INTERACTION_CREATE that the bot gets.

Checks what a Discord client and server check before they bother the app. The clock and the token
are `interactions.py`; what the app answers is `callbacks.py`.
"""

from collections.abc import Mapping
from typing import Any

from bot.sandbox.discord import command_access, payloads
from bot.sandbox.discord.cdn import Attachment, Cdn
from bot.sandbox.discord.command_checks import CommandType, OptionType
from bot.sandbox.discord.errors import PeopleError
from bot.sandbox.discord.feed import Feed
from bot.sandbox.discord.interactions import Interaction, Interactions, InteractionType
from bot.sandbox.discord.kinds import SELECTS, Kind, every
from bot.sandbox.discord.message import JSON, Message
from bot.sandbox.discord.message_payloads import MessagePayloads
from bot.sandbox.discord.options import Options
from bot.sandbox.discord.resolved import Resolved
from bot.sandbox.discord.submissions import submitted
from bot.sandbox.discord.world import Channel, User, World

_SELECT_OPTIONS = {
    Kind.USER_SELECT: OptionType.USER,
    Kind.ROLE_SELECT: OptionType.ROLE,
    Kind.MENTIONABLE_SELECT: OptionType.MENTIONABLE,
    Kind.CHANNEL_SELECT: OptionType.CHANNEL,
}


class Invocations:
    """Starts interactions."""

    def __init__(
        self,
        *,
        world: World,
        cdn: Cdn,
        feed: Feed,
        shapes: MessagePayloads,
        interactions: Interactions,
        uploads: Mapping[str, Attachment],
    ) -> None:
        self._world = world
        self._feed = feed
        self._shapes = shapes
        self._interactions = interactions
        self._cdn = cdn
        self._uploads = uploads
        self._kinds = {
            "command": self._command,
            "autocomplete": self._autocomplete,
            "component": self._component,
            "modal": self._modal,
        }

    def start(self, person: User, channel: Channel, form: JSON) -> Interaction:
        """Start the interaction that a person asked for. Raises PeopleError with a sentence."""
        kind = self._kinds.get(form.get("kind", ""))
        if kind is None:
            raise PeopleError(400, "kind must be command, autocomplete, component or modal.")
        interaction, extra = kind(person, channel, form)
        self._interactions.open(interaction)
        self._feed.interaction(channel, self._event(interaction, person, channel) | extra)
        return interaction

    def _command(
        self, person: User, channel: Channel, form: JSON, *, typing: bool = False
    ) -> tuple[Interaction, JSON]:
        command = self._find_command(channel, form)
        refused = command_access.refusal(self._world, person.id, channel, command)
        if refused is not None:
            raise PeopleError(403, refused)
        resolved = self._resolved(person, channel)
        data: JSON = {"id": command["id"], "name": command["name"], "type": command["type"]}
        if "guild_id" in command:
            data["guild_id"] = command["guild_id"]
        if command["type"] == CommandType.CHAT_INPUT:
            options = Options(resolved, checked=not typing and not form.get("unchecked"))
            data["options"] = options.fill(command.get("options") or [], form.get("options") or [])
            if options.errors:
                raise PeopleError(400, "Some options are not right.", options.errors)
        else:
            data["target_id"] = self._target(person, channel, command["type"], form, resolved)
        if resolved.data:
            data["resolved"] = resolved.data
        kind = InteractionType.AUTOCOMPLETE if typing else InteractionType.COMMAND
        return self._interaction(kind, person, channel, form, data), {}

    def _autocomplete(self, person: User, channel: Channel, form: JSON) -> tuple[Interaction, JSON]:
        return self._command(person, channel, form, typing=True)

    def _component(self, person: User, channel: Channel, form: JSON) -> tuple[Interaction, JSON]:
        message = self._visible(person, channel, form.get("message_id"))
        wanted = form.get("custom_id")
        pressed = next((c for c in every(message.components) if c.get("custom_id") == wanted), None)
        if form.get("unchecked"):
            pressed = pressed or {"type": Kind.BUTTON, "id": 1}
        elif pressed is None:
            raise PeopleError(404, "This message has no such component.")
        elif pressed.get("disabled"):
            raise PeopleError(400, "This component is disabled.")
        data: JSON = {
            "component_type": int(pressed["type"]),
            "custom_id": wanted,
            "id": pressed["id"],
        }
        if pressed["type"] in SELECTS:
            data["values"] = self._selected(person, channel, pressed, form, data)
        interaction = self._interaction(InteractionType.COMPONENT, person, channel, form, data)
        interaction.source_message_id = message.id
        return interaction, {"message": self._message(message)}

    def _modal(self, person: User, channel: Channel, form: JSON) -> tuple[Interaction, JSON]:
        origin = self._interactions.get(str(form.get("interaction_id")))
        if origin is None or origin.modal is None or origin.person_id != person.id:
            raise PeopleError(404, "There is no such form.")
        resolved = self._resolved(person, channel)
        components = submitted(
            origin.modal,
            form.get("components") or [],
            resolved.add,
            checked=not form.get("unchecked"),
        )
        data: JSON = {"custom_id": origin.modal["custom_id"], "components": components}
        if resolved.data:
            data["resolved"] = resolved.data
        interaction = self._interaction(InteractionType.MODAL, person, channel, form, data)
        interaction.origin = origin
        interaction.source_message_id = origin.source_message_id
        if origin.source_message_id is None:
            return interaction, {}
        return interaction, {
            "message": self._message(self._visible(person, channel, origin.source_message_id))
        }

    def _interaction(
        self, kind: InteractionType, person: User, channel: Channel, form: JSON, data: JSON
    ) -> Interaction:
        return Interaction(
            id=self._world.ids.next(),
            type=kind,
            person_id=person.id,
            channel_id=channel.id,
            upload_limit=self._world.personal_upload_limit(person, channel),
            nonce=str(form.get("nonce", "")),
            data=data,
        )

    def _event(self, interaction: Interaction, person: User, channel: Channel) -> JSON:
        """INTERACTION_CREATE, all but the message."""
        world = self._world
        event: JSON = {
            "id": interaction.id,
            "application_id": world.application_id,
            "type": int(interaction.type),
            "token": interaction.token,
            "version": 1,
            "data": interaction.data,
            "channel_id": channel.id,
            "channel": payloads.interaction_channel(world, channel, person.id),
            "locale": person.locale,
            "app_permissions": payloads.app_permissions(world, channel),
            "entitlements": [],
            "entitlement_sku_ids": [],
            "attachment_size_limit": interaction.upload_limit,
            "authorizing_integration_owners": {"0": channel.guild_id or "0"},
            "context": int(channel.is_direct),
        }
        if channel.is_direct:
            return event | {"user": payloads.user(person)}
        guild = world.guild_of(channel)
        member = payloads.member(world, guild.members[person.id])
        permissions = str(world.permissions(person.id, channel))
        return event | {
            "member": {**member, "permissions": permissions},
            "guild_id": guild.id,
            "guild_locale": guild.locale,
            "guild": {"id": guild.id, "locale": guild.locale, "features": []},
        }

    def _find_command(self, channel: Channel, form: JSON) -> JSON:
        kind = form.get("type") or CommandType.CHAT_INPUT
        found = [
            one
            for one in self._world.commands.values()
            if one["name"] == form.get("name")
            and one["type"] == kind
            and one.get("guild_id") in {None, channel.guild_id}
        ]
        if not found:
            raise PeopleError(404, f"There is no command {form.get('name')}.")
        return max(found, key=lambda one: "guild_id" in one)  # the guild's own comes first

    def _resolved(self, person: User, channel: Channel) -> Resolved:
        return Resolved(self._world, self._cdn, self._uploads, person, channel)

    def _target(
        self, person: User, channel: Channel, kind: int, form: JSON, resolved: Resolved
    ) -> str:
        target_id = str(form.get("target_id"))
        if kind == CommandType.MESSAGE:
            message = self._visible(person, channel, target_id)
            if message.ephemeral:
                raise PeopleError(400, "Apps cannot be used on this message.")
            resolved.put("messages", target_id, self._message(message))
        elif not resolved.add(OptionType.USER, target_id):
            raise PeopleError(404, "There is no such person.")
        return target_id

    def _selected(
        self, person: User, channel: Channel, select: JSON, form: JSON, data: JSON
    ) -> list[str]:
        values = [str(value) for value in form.get("values") or []]
        if form.get("unchecked"):
            return values
        least, most = select.get("min_values", 1), select.get("max_values", 1)
        if not least <= len(values) <= most:
            raise PeopleError(400, f"Choose between {least} and {most}.")
        if select["type"] == Kind.STRING_SELECT:
            known: Any = {option["value"] for option in select["options"]}
            if not known.issuperset(values):
                raise PeopleError(400, "This menu has no such choice.")
            return values
        resolved = self._resolved(person, channel)
        kind, types = _SELECT_OPTIONS[select["type"]], select.get("channel_types")
        if not all(resolved.add(kind, one, types) for one in values):
            raise PeopleError(404, "There is no such choice.")
        data["resolved"] = resolved.data
        return values

    def _visible(self, person: User, channel: Channel, message_id: object) -> Message:
        message = channel.messages.get(str(message_id))
        if message is None or not message.visible_to(person.id):
            raise PeopleError(404, "There is no such message.")
        return message

    def _message(self, message: Message) -> JSON:
        """Show a message inside an interaction; never blank, for the person handed it over."""
        return self._shapes.handed_over(message)
