"""Who acts, where, and on what: reading the people's forms, or refusing in a sentence."""

from aiohttp import web

from bot.sandbox.discord.bodies import read_body
from bot.sandbox.discord.errors import PeopleError
from bot.sandbox.discord.message import JSON, Message
from bot.sandbox.discord.permissions import Permission
from bot.sandbox.discord.world import Channel, User, World


class Stage:
    """Finds what a form of the people's side names."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def form(self, request: web.Request) -> JSON:
        """Return the JSON object that was sent."""
        return (await read_body(request, self._world.limits.request_limit_bytes)).form

    def person(self, person_id: object) -> User:
        """Return somebody who can be played."""
        person = self._world.users.get(str(person_id))
        if person is None or person.bot:
            raise PeopleError(404, "There is no such person.")
        return person

    def place(self, form: JSON) -> tuple[User, Channel]:
        """Return who acts, and where."""
        person = self.person(form.get("as"))
        return person, self.channel(person, form.get("channel_id"))

    def channel(self, person: User, channel_id: object) -> Channel:
        """Return a channel that a person sees."""
        channel = self._world.channels.get(str(channel_id))
        if channel is None or not self._world.may(person.id, channel, Permission.VIEW_CHANNEL):
            raise PeopleError(404, "There is no such channel.")
        return channel

    def message(self, person: User, channel: Channel, message_id: object) -> Message:
        """Return a message that a person sees."""
        message = channel.messages.get(str(message_id))
        if message is None or not message.visible_to(person.id):
            raise PeopleError(404, "There is no such message.")
        return message

    def acted_on(self, form: JSON) -> tuple[User, Channel, Message]:
        """Return who acts, where, and on which message."""
        person, channel = self.place(form)
        return person, channel, self.message(person, channel, form.get("message_id"))
