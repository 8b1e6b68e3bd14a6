"""What a person reads off their client: messages as they are now, their words, buttons, reactions.

Builds on the onlooker, who follows the socket. Changes nothing.
"""

from bot.sandbox.discord.filling import buttons_of, component_named, shown
from bot.sandbox.discord.onlooker import JSON, Onlooker


class Reader(Onlooker):
    """A client that is read."""

    def now(self, message: JSON) -> JSON:
        """Return a message as this person sees it at this moment. Raises LookupError if gone."""
        found = self._messages.get(message["channel_id"], {}).get(message["id"])
        if found is None:
            raise LookupError(f"{self._who} does not see message {message['id']}")
        return found

    async def seen(self, message: JSON, within: float = 10.0) -> JSON:
        """Return a message as this person sees it now, as soon as they do."""
        return await self.wait_for(lambda one: one["id"] == message["id"], within)

    def buttons(self, message: JSON) -> list[str]:
        """Return the labels of the buttons on a message that can be pressed now."""
        return buttons_of(self.now(message))

    def component(self, message: JSON, name: str) -> JSON:
        """Return a button or a menu as it is now, by label, placeholder, emoji or custom id."""
        return component_named(self.now(message), name)

    def reactions(self, message: JSON) -> dict[str, int]:
        """Return how many people reacted to a message with what, in order."""
        given = self.now(message).get("reactions") or []
        return {one["emoji"]["name"]: one["count"] for one in given}

    async def sees(
        self,
        *words: str,
        channel: str | None = None,
        by: str | None = None,
        within: float = 10.0,
    ) -> JSON:
        """Return the first message, present or coming, that shows all these words.

        Words count wherever a message has any: its text, embeds, components and files. `by` is
        a person's name, "bot" for the bot. Raises TimeoutError after `within` seconds.
        """
        where = None if channel is None else self.channel_id(channel)
        author = None if by is None else self.person_id(by)

        def fits(message: JSON) -> bool:
            return (
                where in {None, message["channel_id"]}
                and author in {None, message["author"]["id"]}
                and all(word in shown(message) for word in words)
            )

        return await self.wait_for(fits, within)

    async def wait_until_gone(self, message: JSON, within: float = 10.0) -> None:
        """Wait until this person no longer sees a message."""
        channel_id, message_id = message["channel_id"], message["id"]
        await self._until(lambda: message_id not in self._messages.get(channel_id, {}), within)

    async def wait_for_reaction(self, message: JSON, emoji: str, within: float = 10.0) -> None:
        """Wait until somebody has reacted to a message so."""
        await self._until(lambda: emoji in self.reactions(message), within)
