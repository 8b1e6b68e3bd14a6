"""The door `/animate-admin`: who is let in, what a server's rules become, what is said of it.

discord.py is real and runs against SimCord's Discord; behind the door are the real rulebook and its
policies.
"""

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import discord
import pytest
import simcord
from simcord import ChannelHandle, Env, InteractionResult, MemberActor

from bot import policy_words
from bot.accounts import Accounts
from bot.admin import Admin
from bot.client import AnimateBot
from bot.database import Database
from bot.desk import Desk
from bot.errors import InputRefused
from bot.policies import Policies
from bot.policy import DEFAULT, Consent, Flagged, Policy
from bot.rulebook import MOST, Rulebook, read_emoji
from bot.sandbox.discord.journal import Exchange
from cogs.admin import AnimateAdmin
from tests.conftest import NOON, UNLIMITED, Clock
from tests.contract.openapi import MISSING, REFERENCE, contract
from tests.corridor import KLING, model
from tests.test_cogs import EmptyShelf, Porter, rooms
from tests.test_quota_cogs import leaves, said

EVERY: dict[str, dict[str, Any]] = {
    "channels allow": {"channel": "studio"},
    "channels deny": {"channel": "studio"},
    "channels forget": {"channel": "studio"},
    "channels list": {},
    "roles require": {"role": "supporter"},
    "roles forget": {"role": "supporter"},
    "roles list": {},
    "block": {"member": "noah", "reason": "why"},
    "unblock": {"member": "noah"},
    "blocked": {},
    "trigger": {"reaction": "🎬", "replies": False, "oldest": 3},
    "consent": {"whose": "own"},
    "pause": {"reason": "why"},
    "resume": {},
    "log-channel": {"channel": "studio"},
    "sensitive": {"flagged": "hold"},
    "confirm": {"above": "0.50"},
}


@dataclass(slots=True)
class Office:
    """The door, with Discord before it and the rules behind: two servers, each with an admin."""

    env: Env
    things: dict[str, Any]
    """By name: Ada who manages the server, Mia and Noah, who don't, Eve who manages another one."""
    policies: Policies
    accounts: Accounts

    async def say(self, who: str, command: str, **options: Any) -> InteractionResult:
        given = {
            name: self.things.get(value, value) if isinstance(value, str) else value
            for name, value in options.items()
        }
        actor: MemberActor = self.things[who]
        where: ChannelHandle = self.things["elsewhere" if who == "eve" else "studio"]
        return await actor.slash(where, f"animate-admin {command}", **given)

    @property
    def guild_id(self) -> int:
        return int(self.things["mia"].guild.id)

    async def policy(self) -> Policy:
        return await self.policies.policy(self.guild_id)

    async def nothing_has_changed(self) -> bool:
        untouched = await self.policy() == DEFAULT and not await self.policies.blocks(self.guild_id)
        return untouched and await self.accounts.audit(self.guild_id) == ()


@asynccontextmanager
async def office(folder: Path, *, is_offered_to_all: bool = False) -> AsyncIterator[Office]:
    async with Database(folder) as database:
        accounts, policies = Accounts(database, UNLIMITED), Policies(database)
        bot = AnimateBot()
        await bot.load(model(KLING))
        desk = Desk(accounts, Admin(database), EmptyShelf(), UNLIMITED, Clock())
        behind = replace(rooms(Porter(), desk), policies=policies, rulebook=Rulebook(policies))
        bot.open_doors(behind)
        if is_offered_to_all:
            command = bot.tree.get_command("animate-admin")
            assert isinstance(command, discord.app_commands.Group)
            command.default_permissions = None
        async with simcord.run(bot) as env:
            guild, other = env.create_guild(), env.create_guild()
            manages = discord.Permissions(manage_guild=True)
            supporter = guild.create_role("Supporter")
            chief = guild.create_role("Chief", permissions=manages)
            things = {
                "ada": guild.add_member(env.create_user("ada"), roles=[chief]),
                "mia": guild.add_member(env.create_user("mia")),
                "noah": guild.add_member(env.create_user("noah"), roles=[supporter]),
                "eve": other.add_member(
                    env.create_user("eve"), roles=[other.create_role("Chief", permissions=manages)]
                ),
                "supporter": supporter,
                "everyone": guild.default_role,
                "studio": guild.create_text_channel("studio"),
                "den": guild.create_text_channel("den"),
                "attic": guild.create_category("attic"),
                "elsewhere": other.create_text_channel("elsewhere"),
            }
            await bot.tree.sync()
            yield Office(env, things, policies, accounts)


# --- What the command offers ---------------------------------------------------------------------


def offered() -> Iterator[tuple[str, dict[str, Any]]]:
    return leaves(AnimateAdmin().to_dict(AnimateBot().tree))


def test_every_subcommand_and_option_is_described_in_a_hundred_characters() -> None:
    every = dict(offered())
    assert {name.removeprefix("animate-admin ") for name in every} == {*EVERY}
    for name, command in every.items():
        for one in (command, *command.get("options", [])):
            assert 1 <= len(one["description"]) <= 100, name
            assert one["description"] != "…", f"{name}: {one['name']} is not described"


def test_it_is_for_those_with_manage_server_and_for_servers() -> None:
    command = AnimateAdmin().to_dict(AnimateBot().tree)
    manages = discord.Permissions(manage_guild=True).value
    assert int(command["default_member_permissions"]) == manages
    assert command["contexts"] == [0]
    assert command["integration_types"] == [0]


@pytest.mark.skipif(not REFERENCE.is_dir(), reason=MISSING)
async def test_the_command_is_as_discords_contract_has_it(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        bot = here.env.bot
        assert isinstance(bot, AnimateBot)
        sent = [one.to_dict(bot.tree) for one in bot.tree.get_commands()]
        exchange = Exchange(
            at=0,
            method="PUT",
            path="/applications/1/commands",
            query="",
            payload=json.loads(json.dumps(sent)),
            multipart=False,
            authorized=True,
            status=200,
            answer=b"[]",
        )
        assert contract().template(exchange) is not None
        assert contract().mistakes(exchange) == []


# --- Who is let in -------------------------------------------------------------------------------


@pytest.mark.parametrize("command", EVERY)
async def test_a_member_is_refused_even_where_the_command_reaches_the_bot(
    tmp_path: Path, command: str
) -> None:
    async with office(tmp_path, is_offered_to_all=True) as here:
        result = await here.say("mia", command, **EVERY[command])
        assert said(result) == (
            "🙅 That's for moderators\nYou need Manage Server for this. Nothing was changed."
        )
        assert await here.nothing_has_changed()


@pytest.mark.parametrize("command", EVERY)
async def test_a_moderator_is_answered_in_private_and_changes_leave_who_and_why(
    tmp_path: Path, command: str
) -> None:
    async with office(tmp_path) as here:
        text = said(await here.say("ada", command, **EVERY[command]))
        assert text[0] in "✅📋🚫", text
        rows = await here.accounts.audit(here.guild_id)
        assert {row.actor_id for row in rows} <= {here.things["ada"].id}
        assert {row.at for row in rows} <= {NOON}


@pytest.mark.parametrize(
    "command", [one for one in EVERY if one.split()[0] in {"block", "trigger", "pause", "consent"}]
)
async def test_who_manages_another_server_changes_nothing_here(
    tmp_path: Path, command: str
) -> None:
    async with office(tmp_path) as here:
        # Of ids that belong elsewhere nothing is believed but that somebody may block them there.
        options = EVERY[command] | (
            {"member": here.env.create_user("x")} if "member" in EVERY[command] else {}
        )
        await here.say("eve", command, **options)
        assert await here.nothing_has_changed()


# --- What it does --------------------------------------------------------------------------------

SET: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "a channel allowed": ("channels allow", {"channel": "studio"}, {"channels": {"studio"}}),
    "a category denied": ("channels deny", {"channel": "attic"}, {"denied_channels": {"attic"}}),
    "a role required": ("roles require", {"role": "supporter"}, {"roles": {"supporter"}}),
    "paused": ("pause", {"reason": "why"}, {"is_paused": True}),
    "a reaction": ("trigger", {"reaction": "🎬"}, {"reaction": "🎬"}),
    "no replies": ("trigger", {"replies": False}, {"has_replies": False}),
    "old messages": ("trigger", {"oldest": 30}, {"oldest_days": 30}),
    "own pictures": ("consent", {"whose": "own"}, {"consent": Consent.OWN}),
    "the author asked": ("consent", {"whose": "ask"}, {"consent": Consent.ASK}),
    "some roles": (
        "consent",
        {"whose": "roles", "role": "supporter"},
        {"consent": Consent.ROLES, "consent_roles": {"supporter"}},
    ),
    "sensitive held": ("sensitive", {"flagged": "hold"}, {"flagged": Flagged.HOLD}),
    "restricted covered": (
        "sensitive",
        {"age-restricted": "spoiler"},
        {"age_restricted": Flagged.SPOILER},
    ),
    "asked first above": ("confirm", {"above": "$0.50"}, {"confirm_over_micro": 500_000}),
    "always asked first": ("confirm", {"above": "0"}, {"confirm_over_micro": 0}),
    "never asked first": ("confirm", {"above": "Never"}, {"confirm_over_micro": None}),
    "a log": ("log-channel", {"channel": "den"}, {"log_channel_id": "den"}),
    "a digest": (
        "log-channel",
        {"channel": "den", "digest": True},
        {"log_channel_id": "den", "has_digest": True},
    ),
}


@pytest.mark.parametrize("name", SET)
async def test_a_rule_becomes_what_was_chosen_and_nothing_else_does(
    tmp_path: Path, name: str
) -> None:
    command, options, fields = SET[name]
    async with office(tmp_path) as here:

        def meant(value: Any) -> Any:
            if isinstance(value, set):
                return frozenset(here.things[one].id for one in value)
            return here.things[value].id if value in here.things else value

        text = said(await here.say("ada", command, **options))
        assert await here.policy() == replace(
            DEFAULT, **{field: meant(value) for field, value in fields.items()}
        )
        assert text.startswith("✅ Changed\n")
        for field in fields:
            assert policy_words.field(field) in text
        again = said(await here.say("ada", command, **options))
        assert again.startswith("✅ Nothing to change")
        assert len(await here.accounts.audit(here.guild_id)) == 1


async def test_what_is_taken_back_is_as_if_it_had_never_been_set(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        for command in ("channels allow", "channels deny", "channels forget"):
            await here.say("ada", command, channel="studio")
        for command in ("roles require", "roles forget"):
            await here.say("ada", command, role="supporter")
        await here.say("ada", "trigger", reaction="🎬")
        await here.say("ada", "trigger", reaction="off")
        await here.say("ada", "pause", reason="why")
        await here.say("ada", "resume")
        await here.say("ada", "log-channel", channel="den", digest=True)
        await here.say("ada", "log-channel", clear=True)
        assert await here.policy() == DEFAULT


async def test_a_channel_is_allowed_or_denied_and_never_both(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        await here.say("ada", "channels allow", channel="studio")
        await here.say("ada", "channels deny", channel="studio")
        policy = await here.policy()
        assert policy.channels == frozenset()
        assert policy.denied_channels == {here.things["studio"].id}
        await here.say("ada", "channels allow", channel="studio")
        assert (await here.policy()).denied_channels == frozenset()


async def test_who_is_blocked_is_listed_with_who_and_why_and_can_come_back(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        noah, ada = here.things["noah"].id, here.things["ada"].id
        text = said(await here.say("ada", "block", member="noah", reason="spam **@here**"))
        assert text.startswith(f"✅ Blocked\n<@{noah}> can have no new clips")
        assert "was blocked already" in said(
            await here.say("ada", "block", member="noah", reason="x")
        )
        listed = said(await here.say("ada", "blocked"))
        assert f"<@{noah}> · <t:{NOON // 1000}:f> · <@{ada}>" in listed
        assert r"spam \*\*\@here\*\*" in listed
        assert "1 member is blocked" in said(await here.say("ada", "channels list"))
        await here.say("ada", "unblock", member="noah")
        assert said(await here.say("ada", "blocked")) == "🚫 Blocked members\nNobody."
        assert "was not blocked" in said(await here.say("ada", "unblock", member="noah"))


async def test_changes_are_seen_among_the_changes_of_limits(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        await here.say("ada", "pause", reason="raid")
        await here.say("ada", "block", member="noah", reason="spam")
        actor: MemberActor = here.things["ada"]
        text = said(await actor.slash(here.things["studio"], "quota changes"))
        assert "**Paused: on (was off)**" in text
        assert "raid" in text
        assert f"**<@{here.things['noah'].id}>: blocked**" in text


async def test_all_rules_are_listed_by_name(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        await here.say("ada", "consent", whose="roles")
        text = said(await here.say("ada", "channels list"))
        for field in policy_words.FIELDS:
            assert policy_words.field(field) in text
        assert "No role is chosen yet" in text
        assert "/quota view" in text


# --- What cannot be ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "options", "takes"),
    [
        ("trigger", {"reaction": "hello"}, "`reaction` takes one emoji such as 🎬, or `off`."),
        ("trigger", {"reaction": "🎬 🎬"}, "`reaction` takes one emoji"),
        ("confirm", {"above": "a lot"}, "`above` takes dollars such as `1.00`, `0` or `never`."),
        ("confirm", {"above": "unlimited"}, "`above` takes dollars"),
        ("confirm", {"above": "-1"}, "`above` takes dollars"),
        ("roles require", {"role": "everyone"}, "`role` takes a role that not everybody has."),
        ("consent", {"whose": "roles", "role": "everyone"}, "`role` takes a role"),
        ("log-channel", {"digest": True}, "`channel` takes a channel: there is no log yet."),
        ("block", {"member": "noah", "reason": "  "}, "`reason` takes a few words."),
        ("pause", {"reason": "  "}, "`reason` takes a few words."),
    ],
)
async def test_what_cannot_be_read_is_told_with_what_the_option_takes(
    tmp_path: Path, command: str, options: dict[str, Any], takes: str
) -> None:
    async with office(tmp_path) as here:
        text = said(await here.say("ada", command, **options))
        assert text.startswith("⚙️ Can't read that\n")
        assert takes in text
        assert await here.nothing_has_changed()


async def test_there_is_an_end_to_channels_and_roles(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        many = frozenset(range(1, MOST + 1))
        change = Desk.change(here.env.bot.desk, here.guild_id, 1)  # type: ignore[attr-defined]
        await here.policies.change(
            change,
            lambda policy: replace(
                policy, channels=many, denied_channels=many, roles=many, consent_roles=many
            ),
        )
        for command, options in (
            ("channels allow", {"channel": "studio"}),
            ("channels deny", {"channel": "studio"}),
            ("roles require", {"role": "supporter"}),
            ("consent", {"whose": "roles", "role": "supporter"}),
        ):
            text = said(await here.say("ada", command, **options))
            assert f"no more than {MOST} in all" in text


@pytest.mark.parametrize("lie", ["all of them", "", "ANYONE"])
async def test_a_client_that_lies_about_its_choices_changes_nothing(
    tmp_path: Path, lie: str
) -> None:
    async with office(tmp_path) as here:
        rulebook = Rulebook(here.policies)
        change = here.env.bot.desk.change(here.guild_id, 1)  # type: ignore[attr-defined]
        with pytest.raises(InputRefused):
            await rulebook.set_consent(change, lie, None)
        with pytest.raises(InputRefused):
            await rulebook.set_sensitive(change, lie, None)
        assert await here.nothing_has_changed()


@pytest.mark.parametrize("command", EVERY)
async def test_rules_that_cannot_be_read_are_told_and_nothing_is_made_up(
    tmp_path: Path, command: str
) -> None:
    async with office(tmp_path) as here:
        await here.policies._database.__aexit__(None, None, None)  # noqa: SLF001
        text = said(await here.say("ada", command, **EVERY[command]))
        assert text.startswith("🔧 The accounts can't be read right now\n")


# --- Emoji ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "emoji",
    [
        "🎬",
        "❤️",
        "👨‍👩‍👧‍👦",
        "👍🏽",
        "🇩🇪",
        "1️⃣",
        "✨",
        "<:clap:123456789012345678>",
        "<a:go:123456789012345678>",
    ],
)
def test_every_kind_of_emoji_is_read(emoji: str) -> None:
    assert read_emoji(f" {emoji} ") == emoji


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "1",
        "12",
        "",
        "🎬a",
        "🎬 ✨",
        ":clapper:",
        "<:x:1>",
        "<@123456789012345678>",
        "🎬" * 13,
        "\u200d",
    ],
)
def test_what_is_no_emoji_is_refused(text: str) -> None:
    with pytest.raises(InputRefused):
        read_emoji(text)


@pytest.mark.parametrize("text", ["off", " OFF "])
def test_off_is_none(text: str) -> None:
    assert read_emoji(text) == ""
