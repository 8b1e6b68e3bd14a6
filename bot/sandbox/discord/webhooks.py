"""/webhooks/{application_id}/{token}...: an interaction's original response and follow-ups.

Reached with the interaction's token instead of the bot's, and not bound by the bot's permissions.
"""

from aiohttp import web

from bot.sandbox.discord.answers import Answers
from bot.sandbox.discord.bodies import read_body
from bot.sandbox.discord.interactions import Interaction, Interactions
from bot.sandbox.discord.message import JSON
from bot.sandbox.discord.message_payloads import MessagePayloads
from bot.sandbox.discord.ratelimit import RateLimits
from bot.sandbox.discord.world import World


class Webhooks:
    """Answers the routes that an interaction's token opens."""

    def __init__(
        self,
        world: World,
        interactions: Interactions,
        answers: Answers,
        shapes: MessagePayloads,
        rate_limits: RateLimits,
    ) -> None:
        self._world = world
        self._interactions = interactions
        self._answers = answers
        self._shapes = shapes
        self._rate_limits = rate_limits

    async def follow_up(self, request: web.Request) -> JSON | web.Response:
        """POST: a further message. `wait` is implied. All of a channel share one rate."""
        interaction = self._interaction(request)
        limits = self._world.limits
        rate, channel_id = limits.followup_channel_rate, interaction.channel_id
        _, refusal = self._rate_limits.take(limits, "follow-ups", rate, channel_id)
        if refusal is not None:
            return refusal
        body = await read_body(request, limits.request_limit(interaction.upload_limit))
        message = await self._answers.follow_up(interaction, body)
        return self._shapes.for_app(message)

    async def get(self, request: web.Request) -> JSON:
        """GET a message of this interaction."""
        message = self._answers.find(self._interaction(request), request.match_info["message_id"])
        return self._shapes.for_app(message)

    async def edit(self, request: web.Request) -> JSON:
        """PATCH a message of this interaction."""
        interaction = self._interaction(request)
        limits = self._world.limits
        body = await read_body(request, limits.request_limit(interaction.upload_limit))
        message = self._answers.find(interaction, request.match_info["message_id"])
        await self._answers.edit(interaction, message, body)
        return self._shapes.for_app(message)

    async def delete(self, request: web.Request) -> None:
        """DELETE a message of this interaction."""
        message = self._answers.find(self._interaction(request), request.match_info["message_id"])
        self._answers.delete(message)

    def _interaction(self, request: web.Request) -> Interaction:
        path = request.match_info
        return self._interactions.to_follow_up(path["application_id"], path["token"])
