"""Who may press what and use which command: one table, tried through the local Discord.

Nothing is believed of a button but its number. So each is put below a message of the bot's that
never had it, as somebody would who replays an id, and pressed there by everybody. Commands are
handed to everybody, as an admin can in Discord's own settings, so that the bot itself has to ask.
"""

import asyncio
import importlib
import pkgutil
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import discord
import pytest
import pytest_asyncio

import cogs
from bot.policy import Consent, Policy
from bot.rights import Verb
from bot.sandbox.person import Person, Started
from tests.test_quota_cogs import leaves
from tests.town import JSON, NO_LIMITS, Town, photo_file, told, town, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

WIDE = photo_file(640, 360)
PEOPLE = ("Mia", "Noah", "Zoe", "Kim", "Ada", "Otto")
"""Mia has asked for a clip of a picture of Noah's; Zoe is a plain member, Kim a moderator (Manage
Messages), Ada an admin (Manage Server). Otto is an admin too, of another server."""
# y: may; n: is refused, and nothing changes; o: may, in Otto's own server, and nothing changes here
BUTTONS = {
    # Below clips and status messages.
    "anim:again:{job}": "yyyyyn",
    "anim:longer:{job}": "yyyyyn",
    "anim:edit:{job}": "yyyyyn",
    "anim:info:{job}": "yyyyyn",
    "anim:delete:{job}": "yynyyn",
    "anim:cancel:{job}": "ynnyyn",
    "anim:retry:{job}": "ynnnnn",
    "anim:resend:{job}": "ynnnnn",
    "anim:direct:{job}": "ynnnnn",
    "anim:show:{job}": "ynnnnn",
    # The list of /history, which is always of who presses, and what is said of one clip.
    "history:0:newer": "yyyyyo",
    "history:0": "yyyyyn",
    # Below a question to the author of a picture.
    "consent:yes:{question}": "nynnnn",
    "consent:no:{question}": "nynnnn",
    # A wish that Mia has not sent yet.
    "draft:{draft}:pick": "ynnnnn",
    "draft:{draft}:shape": "ynnnnn",
    "draft:{draft}:pad": "ynnnnn",
    "draft:{draft}:start": "ynnnnn",
    "draft:{draft}:cancel": "ynnnnn",
    # The list of the clips in the making, and the log.
    "jobs:refresh": "nnnnyo",
    "jobs:choose": "nnnnyo",
    "jobs:cancel:{job}": "nnnnyo",
    "jobs:offer:{job}": "nnnnyo",
    "jobs:letout:{job}": "nnnnyo",
    "jobs:look:{job}": "nnnnyo",
    # The panel of the server's rules.
    "rules:check": "nnnnyo",
    "rules:reaction": "nnnnyo",
    "rules:replies": "nnnnyo",
    "rules:digest": "nnnnyo",
    "rules:consent": "nnnnyo",
    "rules:roles": "nnnnyo",
    "rules:channels": "nnnnyo",
    "rules:log": "nnnnyo",
    # Of who presses, whoever that is.
    "settings:dm_copies:1": "yyyyyy",
    "settings:fit": "yyyyyy",
    "privacy:delete": "..yyy.",  # of Mia and Noah the others' rows still need something
}
SELECTS: dict[str, tuple[int, str]] = {
    "history:0": (3, "{job}"),
    "draft:{draft}:pick": (3, "1"),
    "draft:{draft}:shape": (3, "1:1"),
    "jobs:choose": (3, "{job}"),
    "rules:consent": (3, "own"),
    "rules:roles": (6, "{role}"),
    "rules:channels": (8, "{channel}"),
    "rules:log": (8, "{channel}"),
    "settings:fit": (3, "pad"),
}
"""Which of them are menus: of what type, and what is chosen."""
USED_UP = {
    *("anim:delete:{job}", "consent:yes:{question}", "consent:no:{question}"),
    *("draft:{draft}:pick", "draft:{draft}:start", "draft:{draft}:cancel"),
}
"""What only works once."""

ADMINS, EVERYBODY = "nnnnyo", "yyyyyo"
COMMANDS: dict[str, tuple[str, dict[str, Any]]] = {
    "queue": (EVERYBODY, {}),
    "history": (EVERYBODY, {}),
    "cancel": ("ynnyyn", {"job": "{job}"}),
    "show": ("ynnnnn", {"job": "{job}"}),
    "help": (EVERYBODY, {}),
    "settings": (EVERYBODY, {}),
    "privacy show": (EVERYBODY, {}),
    "privacy export": (EVERYBODY, {}),
    "privacy delete": (EVERYBODY, {}),
    "usage me": (EVERYBODY, {}),
    "usage server": (ADMINS, {}),
    "usage export": (ADMINS, {}),
    "quota set server": (ADMINS, {"limit": "month", "amount": "9"}),
    "quota set everyone": (ADMINS, {"limit": "month", "amount": "9"}),
    "quota set role": (ADMINS, {"role": "{role}", "limit": "day", "amount": "9"}),
    "quota set member": (ADMINS, {"member": "{self}", "limit": "clips", "amount": "9"}),
    "quota view": (ADMINS, {}),
    "quota explain": (ADMINS, {"member": "{self}"}),
    "quota grant": (ADMINS, {"member": "{self}", "amount": "1", "reason": "why"}),
    "quota revoke": (ADMINS, {"member": "{self}", "reason": "why"}),
    "quota reset": (ADMINS, {"member": "{self}", "reason": "why"}),
    "quota timezone": (ADMINS, {"zone": "Asia/Tokyo"}),
    "quota receipts": (ADMINS, {"shown": False}),
    "quota changes": (ADMINS, {}),
    "animate-admin setup": (ADMINS, {}),
    "animate-admin jobs": (ADMINS, {}),
    "animate-admin channels allow": (ADMINS, {"channel": "{channel}"}),
    "animate-admin channels deny": (ADMINS, {"channel": "{channel}"}),
    "animate-admin channels forget": (ADMINS, {"channel": "{channel}"}),
    "animate-admin channels list": (ADMINS, {}),
    "animate-admin roles require": (ADMINS, {"role": "{role}"}),
    "animate-admin roles forget": (ADMINS, {"role": "{role}"}),
    "animate-admin roles list": (ADMINS, {}),
    "animate-admin block": (ADMINS, {"member": "{self}", "reason": "why"}),
    "animate-admin unblock": (ADMINS, {"member": "{self}"}),
    "animate-admin blocked": (ADMINS, {}),
    "animate-admin trigger": (ADMINS, {"reaction": "🎬"}),
    "animate-admin consent": (ADMINS, {"whose": "own"}),
    "animate-admin pause": (ADMINS, {"reason": "why"}),
    "animate-admin resume": (ADMINS, {}),
    "animate-admin log-channel": (ADMINS, {"channel": "{channel}"}),
    "animate-admin sensitive": (ADMINS, {"flagged": "hold"}),
    "animate-admin confirm": (ADMINS, {"above": "0.50"}),
}
ASKING = {"animate", "Animate", "Animate with options…"}
"""Commands that ask for clips: who may, is up to a server's rules, in `test_doors.py`."""
REFUSALS = (
    "🙅 That's",  # … not yours, for moderators, a clip of another server
    "🖼️ That was too long ago",
    "🙋 This question is over",
    "🗑️ Nothing is known of it",
)


# --- The town ------------------------------------------------------------------------------------


@dataclass(slots=True)
class Crowd:
    """The town, who lives there, and what there is to be pressed."""

    town: Town
    people: Mapping[str, Person]
    there: dict[str, str] = field(default_factory=dict)
    """The numbers that buttons are about, by their names in the table."""

    def __getitem__(self, name: str) -> Person:
        return self.people[name]

    def where(self, who: str) -> str:
        return "lobby" if who == "Otto" else "general"

    def named(self, text: str, who: str) -> str:
        """Fill in what a row of the table leaves open."""
        person = self[who]
        known = {
            "self": person.id,
            "channel": person.channel_id(self.where(who)),
            "role": person.role_id("Keeper" if who == "Otto" else "Supporter"),
        }
        return text.format(**self.there | known)

    # --- What there is to be pressed -------------------------------------------------------------

    async def provide(self, *rows: str) -> None:
        """Have what rows are about."""
        for name, make in (("job", self.clip), ("question", self.question), ("draft", self.draft)):
            if name not in self.there and any(f"{{{name}}}" in row for row in rows):
                self.there[name] = await make()

    def is_used(self, row: str) -> None:
        """Forget what a row was about, if that works only once."""
        for name in [name for name in self.there if row in USED_UP and f"{{{name}}}" in row]:
            del self.there[name]

    async def clip(self) -> str:
        """Have Mia ask for a clip of a picture of Noah's; return its job's id."""
        before = {one["id"] for one in self.town.books().jobs}
        await self["Mia"].menu(await self["Mia"].seen(await self.picture()), "Animate")
        await until(lambda: {one["id"] for one in self.town.books().jobs} - before)
        await self.town.settled()
        (made,) = {one["id"] for one in self.town.books().jobs} - before
        return str(made)

    async def question(self) -> str:
        """Have Noah asked whether Mia may have his picture animated; return the number."""
        with self.town.database() as db:
            policy = Policy(consent=Consent.ASK).to_json()
            db.execute(
                "INSERT OR REPLACE INTO policies VALUES (?, ?)", (self.town.guild_id, policy)
            )
            db.execute("DELETE FROM approvals")
        picture = await self.picture()
        await self["Mia"].menu(await self["Mia"].seen(picture), "Animate")

        def asks(one: JSON) -> bool:
            about = one.get("message_reference") or {}
            return about.get("message_id") == picture["id"] and bool(one["components"])

        asked = await self["Noah"].wait_for(asks)
        await until(lambda: all(row["message_id"] for row in self.rows("approvals")))
        with self.town.database() as db:
            db.execute("DELETE FROM policies")
            # Wherever its buttons are pressed, they are not refused for the message's sake.
            db.execute("UPDATE approvals SET message_id = NULL")
        return str(asked["components"][0]["components"][0]["custom_id"].rpartition(":")[2])

    async def draft(self) -> str:
        """Have Mia think about a clip; return the number of what she is choosing."""
        mia = self["Mia"]
        image = await mia.attach(WIDE, "photo.png")
        started = await mia.command("animate", where="general", image=image, preview=True)
        shown = await mia.wait_for_reply(started)
        return str(shown["components"][0]["components"][0]["custom_id"].split(":")[1])

    async def picture(self) -> JSON:
        """Have Noah post one."""
        noah = self["Noah"]
        return await noah.send("look", await noah.attach(WIDE, "photo.png"), channel="general")

    # --- Trying ----------------------------------------------------------------------------------

    async def press(self, who: str, row: str) -> str:
        """Have somebody press a replayed button, or use a replayed menu; return what they hear."""
        person, custom_id = self[who], self.named(row, who)
        kind, value = SELECTS.get(row, (2, ""))
        value = self.named(value, who)
        one: JSON = {"type": kind, "custom_id": custom_id}
        one |= {"style": 2, "label": "x"} if kind == 2 else {}
        one |= {"options": [{"label": "x", "value": value}]} if kind == 3 else {}
        message = await self.post(who, one)
        if kind == 2:
            return await self.hears(who, await person.press(message, custom_id), message)
        return await self.hears(who, await person.choose(message, custom_id, value), message)

    async def post(self, who: str, component: JSON) -> JSON:
        """Have the bot post a message where somebody is, with one thing to press below it."""
        channel = self[who].channel_id(self.where(who))
        posted = await self.town.post_as_bot(channel, component)
        return await self[who].wait_for(lambda one: one["id"] == posted)

    async def use(self, who: str, command: str) -> str:
        """Have somebody use a command; return what they hear."""
        _, options = COMMANDS[command]
        given = {
            name: self.named(value, who) if isinstance(value, str) else value
            for name, value in options.items()
        }
        started = await self[who].command(command, where=self.where(who), **given)
        return told(await self[who].wait_for_reply(started))

    async def hears(self, who: str, started: Started, pressed: JSON) -> str:
        """Wait for what comes of a press: an answer, a form, or another text in its place."""
        heard: list[str] = []

        def look() -> bool:
            for one in self[who].everything():
                about = one.get("interaction_metadata") or {}
                is_answer = about.get("id") == started.id and not one["flags"] & 1 << 7
                is_changed = one["id"] == pressed["id"] and one["embeds"] != pressed["embeds"]
                if is_answer or is_changed:
                    heard.append(told(one))
            for name, data in self[who].events:
                if name == "INTERACTION" and data["interaction_id"] == started.id:
                    heard.extend(["a form"] if data["state"] == "modal" else [])
            return bool(heard)

        await until(look)
        return heard[0]

    # --- What came of it -------------------------------------------------------------------------

    def rows(self, table: str) -> list[JSON]:
        with self.town.database() as db:
            db.row_factory = sqlite3.Row
            return list(map(dict, db.execute(f"SELECT * FROM {table}")))

    async def settled(self) -> dict[str, list[Any]]:
        """Wait until nothing moves any more; return all that the bot has written."""
        await self.town.settled()
        await until(lambda: not self.rows("answers"), 30)  # its jobs' last words are said
        return self.everything()

    def everything(self) -> dict[str, list[Any]]:
        """All that the bot has written, but for what it keeps of Otto's server."""
        elsewhere = int(self["Otto"].guild_id("Night Owls"))
        grants = {row["id"] for row in self.rows("entries") if row["guild_id"] == elsewhere}
        names = [row["name"] for row in self.rows("sqlite_master") if row["type"] == "table"]
        return {
            name: [
                tuple(row.values())
                for row in self.rows(name)
                if row.get("guild_id") != elsewhere and row.get("grant_id") not in grants
            ]
            for name in names
        }


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Crowd]:
    async with town(tmp_path_factory.mktemp("town")) as made, AsyncExitStack() as stack:
        made.discord.set_limits({"message_content_enabled": True, "rate_limits_enabled": False})
        world = made.discord.world
        world.join(world.add_user("zoe", "Zoe", "#123456"))
        await stack.enter_async_context(made.bot(**NO_LIMITS, ANIMATE_KEEP_CLIPS_HOURS="24"))
        people = {"Mia": made.mia}
        for name in PEOPLE[1:]:
            channel = "lobby" if name == "Otto" else "general"
            people[name] = await stack.enter_async_context(Person(made.discord.url, name, channel))
        for command in ("quota", "animate-admin"):
            await people["Ada"].permit(command, everyone=True)
        yield Crowd(made, people)


def is_refusal(text: str) -> bool:
    return any(title in text for title in REFUSALS)


async def answered(here: Crowd, row: str, expected: str, trying: Any) -> str:
    """Have everybody try something; return what became of it, as the table has it.

    Those who may not try first, all at once, and everything is as it was. The others try in turn.
    """
    found = dict.fromkeys(PEOPLE, ".")
    refused = [who for who, may in zip(PEOPLE, expected, strict=True) if may in "no"]
    allowed = [who for who, may in zip(PEOPLE, expected, strict=True) if may == "y"]
    await here.provide(row)
    before = await here.settled()
    heard = await asyncio.gather(*(trying(who, row) for who in refused))
    for who, text in zip(refused, heard, strict=True):
        found[who] = "n" if is_refusal(text) else "o" if who == "Otto" else "y"
    assert here.everything() == before
    for who in allowed:
        await here.provide(row)
        text = await trying(who, row)
        found[who] = "n" if is_refusal(text) else "y"
        await here.settled()
        here.is_used(row)
    return "".join(found.values())


# --- The table -----------------------------------------------------------------------------------


@pytest.mark.parametrize("row", BUTTONS)
async def test_a_button_is_for_whom_the_table_says(here: Crowd, row: str) -> None:
    assert await answered(here, row, BUTTONS[row], here.press) == BUTTONS[row]


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_command_is_for_whom_the_table_says(here: Crowd, command: str) -> None:
    expected, options = COMMANDS[command]
    if "job" in options:
        await here.provide("{job}")
    try:
        assert await answered(here, command, expected, here.use) == expected
    finally:
        with here.town.database() as db:
            for table in ("policies", "blocks", "rules"):
                db.execute(f"DELETE FROM {table}")


async def test_ids_on_a_message_that_never_had_them_do_nothing(here: Crowd) -> None:
    await here.provide(*BUTTONS)
    before = await here.settled()
    mia = here["Mia"]
    hello = await mia.send("hello", channel="general")
    started = [await mia.press_raw(hello, here.named(row, "Mia")) for row in BUTTONS]
    await asyncio.gather(*(mia.wait_for_state(one, "failed") for one in started))
    assert here.everything() == before


async def test_the_table_has_every_button_and_every_command(here: Crowd) -> None:
    rows = [row.format(job="0" * 36, question="1", draft="1") for row in BUTTONS]
    for module in pkgutil.iter_modules(cogs.__path__, "cogs."):
        importlib.import_module(module.name)
    items = [
        item
        for item in discord.ui.DynamicItem.__subclasses__()
        if item.__module__.startswith(("bot.", "cogs."))  # tests have some of their own
    ]
    assert len(items) >= 12
    for item in items:
        pattern = item.__discord_ui_compiled_template__
        assert any(pattern.fullmatch(row) for row in rows), pattern.pattern
    assert {row.split(":")[1] for row in BUTTONS if row.startswith("anim:")} == {*Verb}
    published = here["Mia"].state["commands"]
    every = {name for one in published for name, _ in leaves(one)}
    assert every - ASKING == {*COMMANDS}


async def test_nothing_of_it_was_trouble(here: Crowd) -> None:
    assert here.town.trouble() == []
