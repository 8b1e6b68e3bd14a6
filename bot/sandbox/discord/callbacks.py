"""POST /interactions/{id}/{token}/callback: the app's first answer, one handler for each kind."""

from collections.abc import Awaitable, Callable
from enum import IntEnum

from aiohttp import web

from bot.sandbox.discord import components
from bot.sandbox.discord.answers import Answers
from bot.sandbox.discord.bodies import Body, read_body
from bot.sandbox.discord.errors import FormErrors
from bot.sandbox.discord.interactions import Interaction, Interactions, InteractionType
from bot.sandbox.discord.message import JSON, Message, MessageFlag
from bot.sandbox.discord.message_payloads import MessagePayloads
from bot.sandbox.discord.world import World


class CallbackType(IntEnum):
    """The kinds of first answer."""

    MESSAGE = 4
    DEFERRED_MESSAGE = 5
    DEFERRED_UPDATE = 6
    UPDATE_MESSAGE = 7
    AUTOCOMPLETE = 8
    MODAL = 9


C = CallbackType
_MESSAGES = frozenset({C.MESSAGE, C.DEFERRED_MESSAGE})
_UPDATES = frozenset({C.DEFERRED_UPDATE, C.UPDATE_MESSAGE})
#: Which answers fit which interaction.
_FITTING = {
    InteractionType.COMMAND: _MESSAGES | {C.MODAL},
    InteractionType.COMPONENT: _MESSAGES | _UPDATES | {C.MODAL},
    InteractionType.MODAL: _MESSAGES | _UPDATES,
    InteractionType.AUTOCOMPLETE: frozenset({C.AUTOCOMPLETE}),
}
_CHOICES_MAX, _CHOICE_NAME_MAX = 25, 100
#: Answer kinds whose response carries the message.
_WITH_RESOURCE = frozenset({C.MESSAGE, C.UPDATE_MESSAGE})


class Callbacks:
    """Answers the callback route."""

    def __init__(
        self, world: World, interactions: Interactions, answers: Answers, shapes: MessagePayloads
    ) -> None:
        self._world = world
        self._interactions = interactions
        self._answers = answers
        self._shapes = shapes
        self._handlers: dict[
            CallbackType, Callable[[Interaction, Body], Awaitable[Message | None]]
        ] = {
            C.MESSAGE: self._message,
            C.DEFERRED_MESSAGE: self._deferred_message,
            C.DEFERRED_UPDATE: self._deferred_update,
            C.UPDATE_MESSAGE: self._update_message,
            C.AUTOCOMPLETE: self._autocomplete,
            C.MODAL: self._modal,
        }

    async def answer(self, request: web.Request) -> JSON | None:
        """Answer 204, or 200 with the interaction and its message if `with_response` is set."""
        path = request.match_info
        interaction = self._interactions.to_answer(path["interaction_id"], path["token"])
        limit = self._world.limits.request_limit(interaction.upload_limit)
        body = await read_body(request, limit)
        interaction = self._interactions.to_answer(path["interaction_id"], path["token"])
        kind = self._kind(interaction, body)
        data = Body(body.form.get("data") or {}, body.files)
        self._interactions.answered(interaction)  # at once: a second answer is already too many
        message = await self._handle(interaction, kind, data)
        if request.query.get("with_response", "").lower() not in {"1", "true"}:
            return None
        return self._response(interaction, kind, message)

    async def _handle(
        self, interaction: Interaction, kind: CallbackType, data: Body
    ) -> Message | None:
        """Run the handler; a form that is refused leaves the interaction unanswered."""
        try:
            return await self._handlers[kind](interaction, data)
        except Exception:
            self._interactions.reopen(interaction)
            raise

    def _kind(self, interaction: Interaction, body: Body) -> CallbackType:
        fitting = set(_FITTING[interaction.type])
        if interaction.type is InteractionType.MODAL and interaction.source_message_id is None:
            fitting -= _UPDATES
        kind: int = body.form.get("type", 0)
        if kind not in fitting:
            errors = FormErrors()
            choices = ", ".join(str(int(one)) for one in sorted(fitting))
            message = f"Value of field 'type' must be one of ({choices})."
            errors.add(("type",), "BASE_TYPE_CHOICES", message)
            errors.check()
        return CallbackType(kind)

    async def _message(self, interaction: Interaction, data: Body) -> Message:
        message = await self._answers.respond(interaction, data)
        self._interactions.report(interaction, "done")
        return message

    async def _deferred_message(self, interaction: Interaction, data: Body) -> Message:
        flags = data.form.get("flags")
        message = self._answers.think(interaction, flags if isinstance(flags, int) else 0)
        self._interactions.report(interaction, "acknowledged")
        return message

    async def _deferred_update(self, interaction: Interaction, _data: Body) -> Message | None:
        interaction.original_id = interaction.source_message_id
        self._interactions.report(interaction, "done")
        return self._answers.original(interaction)

    async def _update_message(self, interaction: Interaction, data: Body) -> Message:
        source = interaction.source_message_id or ""
        interaction.original_id = source
        message = self._answers.find(interaction, source)
        await self._answers.edit(interaction, message, data)
        self._interactions.report(interaction, "done")
        return message

    async def _autocomplete(self, interaction: Interaction, data: Body) -> None:
        choices = data.form.get("choices") or []
        errors = FormErrors()
        if len(choices) > _CHOICES_MAX:
            errors.too_long(("data", "choices"), _CHOICES_MAX)
        for index, choice in enumerate(choices):
            where = ("data", "choices", index, "name")
            errors.text(where, choice.get("name"), 1, _CHOICE_NAME_MAX)
        errors.check()
        self._interactions.report(interaction, "choices", choices=choices)

    async def _modal(self, interaction: Interaction, data: Body) -> None:
        errors = FormErrors()
        shown = components.modal(data.form, errors)
        errors.check()
        interaction.modal = shown
        self._interactions.report(interaction, "modal", modal=shown)

    def _response(
        self, interaction: Interaction, kind: CallbackType, message: Message | None
    ) -> JSON:
        about: JSON = {
            "id": interaction.id,
            "type": int(interaction.type),
            "channel_id": interaction.channel_id,
        }
        guild_id = self._world.channels[interaction.channel_id].guild_id
        if guild_id is not None:
            about["guild_id"] = guild_id
        if message is not None:
            about |= {
                "response_message_id": message.id,
                "response_message_loading": message.loading,
                "response_message_ephemeral": bool(message.flags & MessageFlag.EPHEMERAL),
            }
        response: JSON = {"interaction": about}
        if kind in _WITH_RESOURCE and message is not None:
            shape = self._shapes.for_app(message)
            response["resource"] = {"type": int(kind), "message": shape}
        return response
