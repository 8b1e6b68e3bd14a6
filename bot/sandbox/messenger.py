"""A person who writes: messages, replies, reactions, roles. Interactions are `person.py`.

Builds on the reader, who watches. Knows the page's contract, nothing of the bot.
"""

import io
from typing import Any

import aiohttp

from bot.sandbox.discord.filling import Attached, encoded
from bot.sandbox.discord.onlooker import JSON
from bot.sandbox.discord.reader import Reader


class Messenger(Reader):
    """One person with one client open, who reads and writes."""

    async def attach(self, content: bytes, filename: str) -> Attached:
        """Hand a file to Discord. Raises PersonError 413 over the limit."""
        form = aiohttp.FormData(quote_fields=False)
        file = io.BytesIO(content)  # read in pieces, where bytes would hold up the loop
        form.add_field("file", file, filename=filename, content_type="application/octet-stream")
        made = await self._call("POST", f"/sandbox/attachments?as={self.id}", data=form)
        return Attached(made["id"])

    async def send(
        self,
        content: str = "",
        *attachments: Attached,
        channel: str | None = None,
        reply_to: JSON | None = None,
        ping: bool = True,
    ) -> JSON:
        """Write a message. "@Mia", "@bot" and "#studio" in it become mentions."""
        form = {
            "as": self.id,
            "channel_id": self.channel_id(channel),
            "content": encoded(content, self._codes()),
            "attachments": [one.id for one in attachments],
            "reply_to": None if reply_to is None else reply_to["id"],
            "ping": ping,
        }
        if reply_to is not None and channel is None:
            form["channel_id"] = reply_to["channel_id"]
        made: JSON = await self._call("POST", "/sandbox/messages", json=form)
        return made

    async def reply(
        self, message: JSON, content: str = "", *attachments: Attached, ping: bool = True
    ) -> JSON:
        """Write a reply to a message; `ping` mentions its author."""
        return await self.send(content, *attachments, reply_to=message, ping=ping)

    async def react(self, message: JSON, emoji: str) -> None:
        """Put a reaction on a message."""
        await self._call("PUT", "/sandbox/reactions", json=self._about(message, emoji=emoji))

    async def unreact(self, message: JSON, emoji: str) -> None:
        """Take a reaction back."""
        await self._call("DELETE", "/sandbox/reactions", json=self._about(message, emoji=emoji))

    async def delete(self, message: JSON) -> None:
        """Delete one's own message, or as a moderator another's."""
        await self._call("DELETE", "/sandbox/messages", json=self._about(message))

    async def dismiss(self, message: JSON) -> None:
        """Make a message go away that only this person sees."""
        await self.delete(message)

    async def give_role(self, name: str, role: str) -> None:
        """Give somebody a role, as an admin does. Raises PersonError 403 for who may not."""
        await self._call("PUT", "/sandbox/roles", json=self._assignment(name, role))

    async def take_role(self, name: str, role: str) -> None:
        """Take a role from somebody, as an admin does. Raises PersonError 403 for who may not."""
        await self._call("DELETE", "/sandbox/roles", json=self._assignment(name, role))

    def _assignment(self, name: str, role: str) -> JSON:
        return {"as": self.id, "user_id": self.person_id(name), "role_id": self.role_id(role)}

    def _about(self, message: JSON, **more: Any) -> JSON:
        place = {"as": self.id, "channel_id": message["channel_id"], "message_id": message["id"]}
        return place | more

    def _codes(self) -> dict[str, str]:
        """Return what a client writes for the names that people type."""
        codes = {f"#{one['name']}": f"<#{one['id']}>" for one in self.state["channels"]}
        for one in self.state["people"]:
            for name in (one["username"], one["global_name"], *(["bot"] if one["bot"] else [])):
                codes[f"@{name}"] = f"<@{one['id']}>"
        return codes
