"""A person who writes: messages, replies, reactions, roles. Interactions are `person.py`.

Builds on the reader, who watches. Knows the page's contract, nothing of the bot.
"""

import io
from typing import Any

import aiohttp

from bot.sandbox.discord.filling import Attached, Published, encoded
from bot.sandbox.discord.onlooker import JSON
from bot.sandbox.discord.reader import Reader


class Messenger(Reader):
    """One person with one client open, who reads and writes."""

    async def attach(
        self,
        content: bytes,
        filename: str,
        *,
        channel: str | None = None,
        spoiler: bool = False,
        alt: str | None = None,
    ) -> Attached:
        """Hand a file to Discord. Raises PersonError 413 over the channel's limit.

        In a message it is blurred as a `spoiler`, and described by `alt` to those who cannot see.
        """
        path = f"/sandbox/attachments?as={self.id}&channel={self.channel_id(channel)}"
        made = await self._call("POST", path, data=_file(content, filename))
        return Attached(made["id"], spoiler=spoiler, description=alt)

    async def publish(self, content: bytes, filename: str) -> Published:
        """Put a picture on the local web; posting one of its links brings up a preview."""
        path = f"/sandbox/web?as={self.id}"
        made = await self._call("POST", path, data=_file(content, filename))
        return Published(picture=made["picture"], page=made["page"])

    async def send(
        self,
        content: str = "",
        *attachments: Attached,
        channel: str | None = None,
        reply_to: JSON | None = None,
        ping: bool = True,
        sticker: str | None = None,
    ) -> JSON:
        """Write a message. "@Mia", "@bot" and "#studio" in it become mentions."""
        form = {
            "as": self.id,
            "channel_id": self.channel_id(channel),
            "content": encoded(content, self._codes()),
            "attachments": [one.as_json() for one in attachments],
            "sticker_ids": [] if sticker is None else [self._sticker_id(sticker)],
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

    async def forward(self, message: JSON, channel: str) -> JSON:
        """Forward a message to another channel."""
        form = self._about(message, to=self.channel_id(channel))
        made: JSON = await self._call("POST", "/sandbox/forwards", json=form)
        return made

    async def thread(self, message: JSON, name: str) -> str:
        """Start a thread on a message, and return its id, which is a channel's."""
        form = self._about(message, name=name)
        made = await self._call("POST", "/sandbox/threads", json=form)
        thread_id = str(made["id"])
        await self._until(lambda: thread_id in self._channel_ids(), within=10.0)
        return thread_id

    async def edit(self, message: JSON, content: str) -> JSON:
        """Change the text of one's own message."""
        form = self._about(message, content=encoded(content, self._codes()))
        made: JSON = await self._call("PATCH", "/sandbox/messages", json=form)
        return made

    async def take_out(self, message: JSON, filename: str) -> JSON:
        """Delete one file of one's own message."""
        files = (await self.seen(message))["attachments"]
        kept = [one["id"] for one in files if one["filename"] != filename]
        form = self._about(message, attachments=kept)
        made: JSON = await self._call("PATCH", "/sandbox/messages", json=form)
        return made

    async def suppress_embeds(self, message: JSON) -> JSON:
        """Take the link previews off one's own message, or as a moderator off another's."""
        form = self._about(message, suppress_embeds=True)
        made: JSON = await self._call("PATCH", "/sandbox/messages", json=form)
        return made

    async def react(self, message: JSON, emoji: str, *, burst: bool = False) -> None:
        """Put a reaction on a message; with `burst` a super reaction."""
        form = self._about(message, emoji=emoji, burst=burst)
        await self._call("PUT", "/sandbox/reactions", json=form)

    async def unreact(self, message: JSON, emoji: str, *, whose: str | None = None) -> None:
        """Take a reaction back, or as a moderator off somebody else."""
        user_id = self.id if whose is None else self.person_id(whose)
        form = self._about(message, emoji=emoji, user_id=user_id)
        await self._call("DELETE", "/sandbox/reactions", json=form)

    async def clear_reactions(self, message: JSON, emoji: str | None = None) -> None:
        """Take all reactions off a message, or all with one emoji, as a moderator does."""
        form = self._about(message, emoji=emoji, all=True)
        await self._call("DELETE", "/sandbox/reactions", json=form)

    async def delete(self, message: JSON) -> None:
        """Delete one's own message, or as a moderator another's."""
        await self._call("DELETE", "/sandbox/messages", json=self._about(message))

    async def purge(self, *messages: JSON) -> None:
        """Delete several messages of a channel at once, as a moderator does."""
        ids = [one["id"] for one in messages]
        form = {"as": self.id, "channel_id": messages[0]["channel_id"], "message_ids": ids}
        await self._call("POST", "/sandbox/messages/purge", json=form)

    async def open_direct(self) -> str:
        """Open the direct messages with the bot, and return the channel's id."""
        made = await self._call("POST", "/sandbox/direct", json={"as": self.id})
        channel_id = str(made["channel_id"])
        await self._until(lambda: channel_id in self._channel_ids(), within=10.0)
        return channel_id

    async def set_up(self, **settings: Any) -> None:
        """Change one's own settings.

        `locale` ("de"), `premium_type` (2 is Nitro), `takes_direct_messages`.
        """
        await self._call("PATCH", "/sandbox/settings", json={"as": self.id, **settings})

    async def permit(self, command: str, server: str | None = None, **entries: bool | None) -> None:
        """Say who may use a command, as an admin does: `permit("quota", Supporter=True)`.

        Names are of roles, people or channels; `everyone` is everybody, `None` takes an entry back.
        """
        guild = self.state["guild"] if server is None else self._guild(server)
        ids = {one["name"]: one["id"] for one in self.state["commands"]}
        form = {
            "as": self.id,
            "guild_id": guild["id"],
            "command_id": ids[command],
            "permissions": {self._target(guild, name): one for name, one in entries.items()},
        }
        await self._call("PUT", "/sandbox/command-permissions", json=form)

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

    def _channel_ids(self) -> set[str]:
        return {one["id"] for one in self.state["channels"]}

    def _guild(self, name: str) -> JSON:
        found: JSON = next(one for one in self.state["guilds"] if one["name"] == name)
        return found

    def _sticker_id(self, name: str) -> str:
        stickers = (one for guild in self.state["guilds"] for one in guild["stickers"])
        return next(str(one["id"]) for one in stickers if one["name"] == name)

    def _target(self, guild: JSON, name: str) -> str:
        """Return the id of whom or where a command's permission is about."""
        roles = {one["name"]: one["id"] for one in guild["roles"]}
        channels = {one["name"]: one["id"] for one in self.state["channels"]}
        known = {"everyone": guild["id"]} | channels | roles
        return str(known.get(name) or self.person_id(name))

    def _codes(self) -> dict[str, str]:
        """Return what a client writes for the names that people type."""
        codes = {f"#{one['name']}": f"<#{one['id']}>" for one in self.state["channels"]}
        for one in self.state["people"]:
            for name in (one["username"], one["global_name"], *(["bot"] if one["bot"] else [])):
                codes[f"@{name}"] = f"<@{one['id']}>"
        return codes


def _file(content: bytes, filename: str) -> aiohttp.FormData:
    form = aiohttp.FormData(quote_fields=False)
    file = io.BytesIO(content)  # read in pieces, where bytes would hold up the loop
    form.add_field("file", file, filename=filename, content_type="application/octet-stream")
    return form
