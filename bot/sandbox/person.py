"""A person of the local Discord, played by code: types commands, presses buttons, watches channels.

A small client of the people's side over HTTP and WebSocket; the demo, tests and benchmarks act
through it. Knows the page's contract, nothing of the bot.

    async with Person(discord.url, "mia") as mia:
        image = await mia.attach(png, "cat.png")
        sent = await mia.command("animate", image=image)
        reply = await mia.wait_for(lambda m: m["content"].startswith("Queued"))
"""

import io
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from bot.sandbox.discord.onlooker import JSON, Onlooker, PersonError

__all__ = ["Attached", "Person", "PersonError", "Started"]

_SUB_COMMAND, _SUB_COMMAND_GROUP, _ATTACHMENT = 1, 2, 11
_LOADING = 1 << 7


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that was handed to Discord, ready for an option, a form or a message."""

    id: str


@dataclass(slots=True)
class Started:
    """An interaction that this person started; its states come in over the socket."""

    id: str
    nonce: str
    channel_id: str


class Person(Onlooker):
    """One person with one client open, who acts as well as watches."""

    async def attach(self, content: bytes, filename: str) -> Attached:
        """Hand a file to Discord. Raises PersonError 413 over the limit."""
        form = aiohttp.FormData(quote_fields=False)
        file = io.BytesIO(content)  # read in pieces, where bytes would hold up the loop
        form.add_field("file", file, filename=filename, content_type="application/octet-stream")
        made = await self._call("POST", f"/sandbox/attachments?as={self.id}", data=form)
        return Attached(made["id"])

    async def command(self, name: str, /, where: str | None = None, **options: Any) -> Started:
        """Type a slash command. Subcommands are words of the name: `command("animate settings")`.

        `where` is a channel's name or id. An option may be an `Attached`, a text, a number,
        True or False, or an id: of a person, a role or a channel (`role_id("Supporter")`).
        Raises PersonError with `errors` by option.
        """
        words = name.split()
        command = await self.wait_for_command(words[0])
        return await self._interact(
            "command",
            where,
            name=words[0],
            type=1,
            options=_nested(command, words[1:], options),
        )

    async def send_raw(self, form: Mapping[str, Any], where: str | None = None) -> Started:
        """Start an interaction from its form as it is, unchecked: what if a client lies."""
        rest = {name: value for name, value in form.items() if name != "kind"}
        return await self._interact(form["kind"], where, unchecked=True, **rest)

    async def complete(
        self, name: str, focused: str, text: str, /, where: str | None = None, **options: Any
    ) -> list[JSON]:
        """Return what autocompletion offers for the option `focused` with `text` in it."""
        words = name.split()
        given = _nested(
            await self.wait_for_command(words[0]), words[1:], {**options, focused: text}
        )
        inner = given
        while inner and inner[0]["type"] in {_SUB_COMMAND, _SUB_COMMAND_GROUP}:
            inner = inner[0]["options"]
        for option in inner:
            if option["name"] == focused:
                option["focused"] = True
        started = await self._interact("autocomplete", where, name=words[0], type=1, options=given)
        state = await self.wait_for_state(started, "choices", "failed")
        choices: list[JSON] = state.get("choices") or []
        return choices

    async def menu(self, name: str, message: JSON) -> Started:
        """Choose an app's entry in a message's context menu."""
        await self.wait_for_command(name)
        return await self._interact(
            "command", message["channel_id"], name=name, type=3, target_id=message["id"]
        )

    async def click(self, message: JSON, custom_id: str) -> Started:
        """Press a button."""
        return await self.choose(message, custom_id)

    async def choose(self, message: JSON, custom_id: str, *values: str) -> Started:
        """Choose from a select menu; or press a button, without values."""
        return await self._interact(
            "component",
            message["channel_id"],
            message_id=message["id"],
            custom_id=custom_id,
            values=list(values),
        )

    async def modal(self, started: Started, **answers: Any) -> Started:
        """Fill in and submit the form that an interaction brought up, by custom_id.

        An answer may be a text, True or False, a list of values, or a list of `Attached`.
        """
        state = await self.wait_for_state(started, "modal")
        shown: JSON = state["modal"]
        return await self._interact(
            "modal",
            started.channel_id,
            interaction_id=started.id,
            custom_id=shown["custom_id"],
            components=[_answer(one, answers) for one in shown["components"]],
        )

    async def send(
        self,
        content: str = "",
        *attachments: Attached,
        channel: str | None = None,
        reply_to: JSON | None = None,
        ping: bool = True,
    ) -> JSON:
        """Write a message."""
        form = {
            "as": self.id,
            "channel_id": self.channel_id(channel),
            "content": content,
            "attachments": [one.id for one in attachments],
            "reply_to": None if reply_to is None else reply_to["id"],
            "ping": ping,
        }
        if reply_to is not None and channel is None:
            form["channel_id"] = reply_to["channel_id"]
        made: JSON = await self._call("POST", "/sandbox/messages", json=form)
        return made

    async def react(self, message: JSON, emoji: str) -> None:
        """Put a reaction on a message."""
        await self._call("PUT", "/sandbox/reactions", json=self._about(message, emoji=emoji))

    async def unreact(self, message: JSON, emoji: str) -> None:
        """Take a reaction back."""
        await self._call("DELETE", "/sandbox/reactions", json=self._about(message, emoji=emoji))

    async def delete(self, message: JSON) -> None:
        """Delete one's own message, or dismiss an ephemeral one."""
        await self._call("DELETE", "/sandbox/messages", json=self._about(message))

    async def give_role(self, name: str, role: str) -> None:
        """Give somebody a role, as an admin does. Raises PersonError 403 for who may not."""
        await self._call("PUT", "/sandbox/roles", json=self._assignment(name, role))

    async def take_role(self, name: str, role: str) -> None:
        """Take a role from somebody, as an admin does. Raises PersonError 403 for who may not."""
        await self._call("DELETE", "/sandbox/roles", json=self._assignment(name, role))

    async def wait_for_reply(self, started: Started, within: float = 10.0) -> JSON:
        """Return the message that answers an interaction, once it is no longer "thinking"."""

        def answers(message: JSON) -> bool:
            about = message.get("interaction_metadata") or {}
            return about.get("id") == started.id and not message["flags"] & _LOADING

        return await self.wait_for(answers, within)

    async def wait_for_state(self, started: Started, *states: str, within: float = 10.0) -> JSON:
        """Return the first of these states that an interaction reaches."""
        event: JSON = await self.wait_for_event(
            "INTERACTION",
            lambda data: data["interaction_id"] == started.id and data["state"] in states,
            within,
        )
        return event

    async def wait_for_command(self, name: str, within: float = 10.0) -> JSON:
        """Return a command as the bot registered it, as soon as it has."""
        found: list[JSON] = []

        def look() -> bool:
            found.extend(one for one in self.state["commands"] if one["name"] == name)
            return bool(found)

        await self._until(look, within)
        return found[0]

    async def _interact(self, kind: str, where: str | None, **form: Any) -> Started:
        nonce = secrets.token_hex(8)
        body = {
            "as": self.id,
            "channel_id": self.channel_id(where),
            "nonce": nonce,
            "kind": kind,
            **form,
        }
        made = await self._call("POST", "/sandbox/interactions", json=body)
        return Started(made["interaction_id"], nonce, body["channel_id"])

    def _assignment(self, name: str, role: str) -> JSON:
        return {"as": self.id, "user_id": self.person_id(name), "role_id": self.role_id(role)}

    def _about(self, message: JSON, **more: str) -> JSON:
        place = {"as": self.id, "channel_id": message["channel_id"], "message_id": message["id"]}
        return place | more


def _nested(command: JSON, words: list[str], options: Mapping[str, Any]) -> list[JSON]:
    """Options as the people's side takes them, inside the subcommands that `words` name."""
    declared: list[JSON] = command.get("options") or []
    if words:
        inner = next(one for one in declared if one["name"] == words[0])
        return [
            {
                "name": words[0],
                "type": inner["type"],
                "options": _nested(inner, words[1:], options),
            }
        ]
    kinds = {one["name"]: one["type"] for one in declared}
    return [
        {"name": name, "type": kinds.get(name, _kind(value)), "value": _plain(value)}
        for name, value in options.items()
    ]


def _kind(value: Any) -> int:
    """Return an option type for a value of an option that the command does not have."""
    return _ATTACHMENT if isinstance(value, Attached) else 3


def _plain(value: Any) -> Any:
    if isinstance(value, Attached):
        return value.id
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _answer(component: JSON, answers: Mapping[str, Any]) -> JSON:
    """Return a component of a form with this person's answer in it."""
    shape: JSON = {
        name: component[name] for name in ("type", "id", "custom_id") if name in component
    }
    if "components" in component:
        return shape | {"components": [_answer(one, answers) for one in component["components"]]}
    if "component" in component:
        return shape | {"component": _answer(component["component"], answers)}
    if component.get("custom_id") in answers:
        value = _plain(answers[component["custom_id"]])
        shape["values" if isinstance(value, list) else "value"] = value
    return shape
