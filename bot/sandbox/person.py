"""A person of the local Discord, played by code: types commands, presses buttons, watches channels.

A small client of the people's side over HTTP and WebSocket; the demo, tests and benchmarks act
through it. Knows the page's contract, nothing of the bot.

    async with Person(discord.url, "mia") as mia:
        image = await mia.attach(png, "cat.png")
        sent = await mia.command("animate", image=image)
        reply = await mia.wait_for_reply(sent)
        again = await mia.press(reply, "Again")
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox.discord.filling import (
    Attached,
    answered,
    chosen,
    component_named,
    focused,
    nested,
)
from bot.sandbox.discord.onlooker import JSON, PersonError
from bot.sandbox.messenger import Messenger

__all__ = ["Attached", "Person", "PersonError", "Started"]

_SLASH, _USER, _MESSAGE = 1, 2, 3
_CHANNEL_SELECT = 8
_LOADING = 1 << 7


@dataclass(slots=True)
class Started:
    """An interaction that this person started; its states come in over the socket."""

    id: str
    nonce: str
    channel_id: str


class Person(Messenger):
    """One person with one client open, who watches, writes, and uses what bots offer."""

    async def command(self, name: str, /, where: str | None = None, **options: Any) -> Started:
        """Type a slash command. Subcommands are words of the name: `command("animate settings")`.

        `where` is a channel's name or id. An option may be an `Attached`, a text, a number,
        True or False, or an id: of a person, a role or a channel (`role_id("Supporter")`).
        Raises PersonError with `errors` by option.
        """
        words = name.split()
        command = await self.wait_for_command(words[0])
        given = nested(command, words[1:], options)
        return await self._interact("command", where, name=words[0], type=_SLASH, options=given)

    async def autocomplete(
        self, name: str, option: str, text: str, /, where: str | None = None, **options: Any
    ) -> list[JSON]:
        """Return what the bot offers for an option of a command with `text` typed into it."""
        words = name.split()
        command = await self.wait_for_command(words[0])
        given = focused(nested(command, words[1:], {**options, option: text}), option)
        started = await self._interact(
            "autocomplete", where, name=words[0], type=_SLASH, options=given
        )
        state = await self.wait_for_state(started, "choices", "failed")
        choices: list[JSON] = state.get("choices") or []
        return choices

    async def menu(self, message: JSON, name: str) -> Started:
        """Choose an app's entry in a message's context menu."""
        await self.wait_for_command(name)
        return await self._interact(
            "command", message["channel_id"], name=name, type=_MESSAGE, target_id=message["id"]
        )

    async def user_menu(self, who: str, name: str, /, where: str | None = None) -> Started:
        """Choose an app's entry in a person's context menu."""
        await self.wait_for_command(name)
        return await self._interact(
            "command", where, name=name, type=_USER, target_id=self.person_id(who)
        )

    async def press(self, message: JSON, button: str) -> Started:
        """Press a button, named by its label, its emoji or its custom id."""
        pressed = component_named(await self.seen(message), button)
        return await self._use(message, pressed["custom_id"])

    async def press_raw(self, message: JSON, custom_id: str) -> Started:
        """Press a button that the message may not have: a replayed or made-up custom id."""
        form = {"kind": "component", "message_id": message["id"], "custom_id": custom_id}
        return await self.send_raw(form, message["channel_id"])

    async def choose(self, message: JSON, select: str, *values: str) -> Started:
        """Choose from a menu, named by its placeholder or custom id.

        The choices are named by label or value; people, roles and channels by name or id.
        """
        menu = component_named(await self.seen(message), select)
        kind = menu["type"]
        known = self._channel_of if kind == _CHANNEL_SELECT else self._mentionable
        return await self._use(message, menu["custom_id"], chosen(menu, values, known))

    async def form(self, started: Started) -> JSON:
        """Return the form that an interaction brought up: its title and its components."""
        state = await self.wait_for_state(started, "modal")
        shown: JSON = state["modal"]
        return shown

    async def submit(
        self, started: Started, answers: Mapping[str, Any] | None = None, /, **by_id: Any
    ) -> Started:
        """Fill in and submit the form that an interaction brought up, by custom id or label.

        An answer may be a text, True or False, a choice's label or value or a list of them, or a
        list of `Attached`. What is not answered stays as it was shown.
        """
        shown = await self.form(started)
        given = {**(answers or {}), **by_id}
        return await self._interact(
            "modal",
            started.channel_id,
            interaction_id=started.id,
            custom_id=shown["custom_id"],
            components=[answered(one, given) for one in shown["components"]],
        )

    async def send_raw(self, form: Mapping[str, Any], where: str | None = None) -> Started:
        """Start an interaction from its form as it is, unchecked: what if a client lies."""
        rest = {name: value for name, value in form.items() if name != "kind"}
        return await self._interact(form["kind"], where, unchecked=True, **rest)

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

    async def _use(self, message: JSON, custom_id: str, values: list[str] | None = None) -> Started:
        return await self._interact(
            "component",
            message["channel_id"],
            message_id=message["id"],
            custom_id=custom_id,
            values=values or [],
        )

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

    def _channel_of(self, name: str) -> str:
        return name if name.isdecimal() else self.channel_id(name)

    def _mentionable(self, name: str) -> str:
        """Return the id of a person or a role from its name; an id is one already."""
        if name.isdecimal():
            return name
        for find in (self.person_id, self.role_id):
            try:
                return find(name)
            except StopIteration:
                continue
        raise LookupError(f"there is nobody, and no role, named {name}")
