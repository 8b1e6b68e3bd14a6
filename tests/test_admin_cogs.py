"""The door `/animate-admin`: who is let in, what a server's rules become, what is said of it.

discord.py is real and runs against SimCord's Discord; behind the door are the real rulebook and its
policies.
"""

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
from bot.deeds import DeedButton
from bot.desk import Desk
from bot.docket import Docket
from bot.docket_words import Deed
from bot.errors import InputRefused
from bot.history import History
from bot.ledger import Kind
from bot.lifecycle import Job, State
from bot.policies import Policies
from bot.policy import DEFAULT, Consent, Flagged, Policy
from bot.rulebook import MOST, Rulebook, read_emoji
from bot.words import Note
from cogs.admin import AnimateAdmin
from cogs.jobs import ListItem
from cogs.setup import PanelItem
from tests.conftest import NOON, UNLIMITED
from tests.corridor import KLING, Bot, model, world
from tests.test_cogs import EmptyShelf, Porter, rooms
from tests.test_quota_cogs import leaves, said

EVERY: dict[str, dict[str, Any]] = {
    "setup": {},
    "jobs": {},
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
    corridor: Bot

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


def docket_of(corridor: Bot) -> Docket:
    """What moderators see and do of the clips of a corridor."""
    return Docket(
        History(corridor.database),
        corridor.cancellation,
        corridor.shelf,
        corridor.policies,
    )


@asynccontextmanager
async def office(folder: Path, *, is_offered_to_all: bool = False) -> AsyncIterator[Office]:
    async with world(folder) as around, around.bot() as corridor:
        accounts, policies = corridor.accounts, corridor.policies
        bot = AnimateBot()
        await bot.load(model(KLING))
        desk = Desk(accounts, Admin(corridor.database), EmptyShelf(), UNLIMITED, around.clock)
        bot.open_doors(
            replace(
                rooms(Porter(), desk),
                policies=policies,
                rulebook=Rulebook(policies),
                docket=docket_of(corridor),
            )
        )
        if is_offered_to_all:
            command = bot.tree.get_command("animate-admin")
            assert isinstance(command, discord.app_commands.Group)
            command.default_permissions = None
        async with simcord.run(bot, settle_timeout=30.0) as env:
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
            yield Office(env, things, policies, accounts, corridor)


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
        assert text[0] in "✅📋🚫🎬🎞", text
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


async def test_who_pays_for_a_reaction_is_said_when_it_is_set_and_not_with_other_changes(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as here:
        assert "Who reacts pays" in said(await here.say("ada", "trigger", reaction="🎬"))
        for command, options in (
            ("log-channel", {"channel": "den"}),
            ("confirm", {"above": "0.1"}),
            ("trigger", {"oldest": 3}),
        ):
            text = said(await here.say("ada", command, **options))
            assert text.startswith("✅ Changed")
            assert "Who reacts pays" not in text
        assert "Who reacts pays" in said(await here.say("ada", "channels list"))


async def test_a_trigger_that_finds_no_pictures_is_set_with_a_warning(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        warning = "I can't read other people's messages"
        text = said(await here.say("ada", "trigger", reaction="🎬"))
        assert text.startswith("✅ Changed")
        assert warning in text
        assert warning not in said(await here.say("ada", "log-channel", channel="den"))
        off = said(await here.say("ada", "trigger", reaction="off", replies=False))
        assert warning not in off
        rulebook = Rulebook(here.policies)
        change = here.env.bot.desk.change(here.guild_id, 1)  # type: ignore[attr-defined]
        note = await rulebook.set_trigger(
            change, reaction="🎬", replies=True, oldest=None, sees_messages=True
        )
        assert warning not in note.body


@pytest.mark.parametrize(
    ("command", "options", "shown"),
    [
        ("trigger", {}, ["**Reaction** · off", "**Replies** · on", "**Oldest message** · 7 days"]),
        ("sensitive", {}, ["**Sensitive clips** · posted as a spoiler"]),
        ("log-channel", {}, ["**Log channel** · off", "**Daily digest** · off"]),
        ("confirm", {"above": "1"}, ["**Buttons ask first above** · $1.00"]),
        ("consent", {"whose": "anyone"}, ["**Other people's pictures** · everybody may"]),
        ("resume", {}, ["**Paused** · off"]),
        ("roles forget", {"role": "supporter"}, ["**Roles** · everybody"]),
    ],
)
async def test_where_nothing_is_changed_it_is_shown_how_it_is(
    tmp_path: Path, command: str, options: dict[str, Any], shown: list[str]
) -> None:
    async with office(tmp_path) as here:
        text = said(await here.say("ada", command, **options))
        assert text.startswith("✅ Nothing to change\n")
        assert [line for line in shown if line not in text] == []
        assert "Roles for other people's pictures" not in text
        assert await here.nothing_has_changed()


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
        await here.corridor.database.__aexit__(None, None, None)
        text = said(await here.say("ada", command, **EVERY[command]))
        assert text.startswith("🔧 The accounts can't be read right now\n")


# --- The panel -----------------------------------------------------------------------------------


def menus(result: InteractionResult) -> dict[str, dict[str, Any]]:
    """The components of a panel or a list, by the last part of their id."""
    assert result.response is not None
    return {
        one["custom_id"].partition(":")[2]: one
        for row in result.response.components
        for one in row["components"]
    }


async def test_each_menu_and_button_of_the_panel_sets_what_it_says_and_shows_it(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as here:
        ada: MemberActor = here.things["ada"]
        panel = await here.say("ada", "setup")
        message = panel.response
        assert message is not None
        assert menus(panel).keys() == {
            *("channels", "roles", "consent", "log", "reaction", "replies", "digest", "check"),
        }
        assert menus(panel)["digest"]["disabled"]
        studio, den, supporter = (here.things[one] for one in ("studio", "den", "supporter"))
        await ada.select(message, [studio], custom_id="rules:channels")
        await ada.select(message, [supporter], custom_id="rules:roles")
        await ada.select(message, ["ask"], custom_id="rules:consent")
        await ada.select(message, [den], custom_id="rules:log")
        for button in ("reaction", "replies", "digest"):
            await ada.click(message, custom_id=f"rules:{button}")
        assert await here.policy() == Policy(
            channels=frozenset({studio.id}),
            roles=frozenset({supporter.id}),
            consent=Consent.ASK,
            log_channel_id=den.id,
            reaction="🎬",
            has_replies=False,
            has_digest=True,
        )
        assert f"**Channels** · <#{studio.id}>" in said(panel)
        shown = menus(panel)
        for menu, thing in (("channels", studio), ("log", den), ("roles", supporter)):
            assert [int(one["id"]) for one in shown[menu]["default_values"]] == [thing.id]
        chosen = [one["value"] for one in shown["consent"]["options"] if one.get("default")]
        assert chosen == ["ask"]
        assert shown["reaction"]["label"].startswith("✓")
        assert not shown["replies"]["label"].startswith("✓")
        rows = await here.accounts.audit(here.guild_id)
        assert [row.actor_id for row in rows] == [ada.id] * 7


async def test_a_menu_of_the_panel_that_is_emptied_takes_back_what_it_set(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        ada: MemberActor = here.things["ada"]
        await here.say("ada", "log-channel", channel="den", digest=True)
        await here.say("ada", "channels allow", channel="studio")
        await here.say("ada", "roles require", role="supporter")
        panel = await here.say("ada", "setup")
        assert panel.response is not None
        for menu in ("log", "channels", "roles"):
            await ada.select(panel.response, [], custom_id=f"rules:{menu}")
        assert await here.policy() == DEFAULT


async def test_the_panel_tells_what_is_missing(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        bot = here.env.bot
        assert bot.user is not None
        guild = here.things["mia"].guild
        mute = guild.create_text_channel(
            "mute",
            overwrites={bot.user: discord.PermissionOverwrite(send_messages=False)},
            category=here.things["attic"],
        )
        ada: MemberActor = here.things["ada"]
        panel = await here.say("ada", "setup")
        assert panel.response is not None
        assert "I can't read other people's messages" in said(panel)
        await ada.click(panel.response, custom_id="rules:replies")
        assert "in place" in said(panel)
        await ada.select(panel.response, [here.things["attic"]], custom_id="rules:channels")
        assert f"I lack in <#{mute.id}>: Send Messages" in said(panel)
        await ada.select(panel.response, [mute], custom_id="rules:log")
        assert said(panel).count(f"I lack in <#{mute.id}>: Send Messages") == 2
        change = here.env.bot.desk.change(here.guild_id, 1)  # type: ignore[attr-defined]
        await here.policies.change(
            change,
            lambda policy: replace(policy, channels=frozenset({5}), log_channel_id=6),
        )
        await ada.click(panel.response, custom_id="rules:check")
        assert "The channels that were chosen are gone" in said(panel)
        assert "The channel of the log is gone" in said(panel)


async def test_a_log_is_not_put_where_the_bot_cannot_write(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        bot = here.env.bot
        assert bot.user is not None
        mute = here.things["mia"].guild.create_text_channel(
            "mute", overwrites={bot.user: discord.PermissionOverwrite(send_messages=False)}
        )
        text = said(await here.say("ada", "log-channel", channel=mute))
        assert f"I lack in <#{mute.id}>: Send Messages, Embed Links. Nothing was changed." in text
        assert await here.nothing_has_changed()


async def test_a_panel_and_a_list_obey_nobody_who_does_not_manage_the_server(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as here:
        job = await accepted(here)
        view = discord.ui.View(timeout=None)
        for field in ("replies", "check"):
            view.add_item(PanelItem(discord.ui.Button(custom_id=f"rules:{field}", label=field)))
        view.add_item(ListItem(discord.ui.Button(custom_id="jobs:refresh", label="refresh")))
        for deed in Deed:
            view.add_item(DeedButton(deed, job.id))
        channel = here.env.bot.get_channel(here.things["studio"].id)
        assert isinstance(channel, discord.TextChannel)
        message = await channel.send("for everybody to press", view=view)
        ids = [one.item.custom_id for one in view.children]  # type: ignore[attr-defined]
        for custom_id in ids:
            result = await here.things["mia"].click(message, custom_id=custom_id)
            assert said(result).startswith("🙅 That's for moderators")
        assert await here.nothing_has_changed()
        assert (await here.corridor.reread(job)).state is State.QUEUED


# --- The clips in the making ---------------------------------------------------------------------


async def accepted(here: Office, **wish: Any) -> Job:
    given = {"guild_id": here.guild_id, "channel_id": here.things["studio"].id}
    return await here.corridor.accept(**given | {"member_id": here.things["noah"].id} | wish)


async def paid(here: Office) -> Job:
    return await here.corridor.until(await accepted(here), {State.RENDERED})


async def held(here: Office) -> Job:
    job = await paid(here)
    await here.corridor.hands.review.hold(job)
    return job


async def picked(here: Office, job: Job) -> InteractionResult:
    """Ada's list, with a clip picked from its menu."""
    ada: MemberActor = here.things["ada"]
    shown = await here.say("ada", "jobs")
    assert shown.response is not None
    await ada.select(shown.response, [job.id], custom_id="jobs:choose")
    return shown


async def press(here: Office, shown: InteractionResult, label: str) -> str:
    """Press a button of Ada's list, and return what she is told."""
    ada: MemberActor = here.things["ada"]
    assert shown.response is not None
    (followup,) = (await ada.click(shown.response, label=label)).followups
    assert followup.ephemeral
    (embed,) = followup.embeds
    return f"{embed.title}\n{embed.description}"


async def test_the_clips_in_the_making_are_listed_with_state_cost_whom_where_and_age(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as here:
        assert "Nothing is in the making" in said(await here.say("ada", "jobs"))
        stuck, waiting = await accepted(here), await accepted(here)
        await here.corridor.until(stuck, {State.RENDERED})
        await here.corridor.hands.review.hold(stuck)
        job = await accepted(here)
        await accepted(here, guild_id=1)
        text = said(await here.say("ada", "jobs"))
        noah, studio = here.things["noah"].id, here.things["studio"].id
        assert text.startswith("🎞️ 3 clips in the making\n")
        assert (
            f"**Queued · 0 before it** · $0.1848 · <@{noah}> · <#{studio}>"
            f" · <t:{job.created_at // 1000}:R> · `{job.short_id}`"
        ) in text
        assert f"**Waits to be posted** · $0.1848 · <@{noah}>" in text
        assert "**Held for a moderator** · $0.1848" in text
        assert [text.index(one.short_id) for one in (stuck, waiting, job)] == sorted(
            text.index(one.short_id) for one in (stuck, waiting, job)
        )


async def test_a_clip_that_was_not_sent_is_taken_back_and_its_money_is_free(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        job = await accepted(here)
        shown = await picked(here, job)
        text = await press(here, shown, "Cancel it")
        assert text == f"✅ Clip {job.short_id}\nIt is taken back. Nothing was charged."
        assert (await here.corridor.reread(job)).state is State.FAILED
        assert (await here.corridor.entries(job)).keys() == {Kind.HOLD, Kind.RELEASE}
        assert "Nothing is in the making" in said(shown)
        (row,) = await here.accounts.audit(here.guild_id)
        assert (row.action, row.target, row.after) == ("job", f"job {job.short_id}", "cancelled")
        actor: MemberActor = here.things["ada"]
        changes = said(await actor.slash(here.things["studio"], "quota changes"))
        assert f"Clip {job.short_id}: taken back" in changes


async def test_a_paid_clip_is_offered_again_at_once(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        job = await paid(here)
        await here.corridor.store.postpone([job], {job.id: NOON * 2})
        text = await press(here, await picked(here, job), "Post it now")
        assert "I try to post it now" in text
        assert (await here.corridor.reread(job)).due_at == here.corridor.world.clock()


async def test_a_clip_that_is_held_is_let_out_and_posted(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        job = await held(here)
        text = await press(here, await picked(here, job), "Let it out")
        assert "I post it now, as a spoiler" in text
        assert not await here.corridor.shelf.is_held(job.id)
        done = await here.corridor.finished(job)
        assert done.state is State.DELIVERED


async def test_only_a_clip_that_is_held_in_this_server_is_shown_and_that_it_was_is_noted(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as here:
        docket, job = docket_of(here.corridor), await held(here)
        change = here.env.bot.desk.change(here.guild_id, 1)  # type: ignore[attr-defined]
        elsewhere = await docket.shown(replace(change, guild_id=here.guild_id + 1), job.id)
        assert isinstance(elsewhere, Note)
        assert elsewhere.title == "✖️ No such clip"
        assert await here.accounts.audit(here.guild_id) == ()
        assert await docket.shown(change, job.id) == await here.corridor.reread(job)
        (row,) = await here.accounts.audit(here.guild_id)
        assert (row.target, row.after) == (f"job {job.short_id}", "looked at")
        # Where the rules have become milder it is posted, though nobody has let it out.
        await here.corridor.finished(job)
        late = await docket.shown(change, job.id)
        assert isinstance(late, Note)
        assert late.title == "✖️ Too late"


async def test_a_clip_that_is_held_can_be_looked_at_from_the_list(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        shown = await picked(here, await held(here))
        assert shown.response is not None
        labels = [
            one.get("label") for row in shown.response.components for one in row["components"]
        ]
        assert labels == ["Look at it", "Let it out", "Refresh"]


async def test_the_list_says_why_no_lines_come_to_the_log(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        assert "log" not in said(await here.say("ada", "jobs"))
        await here.policies.change(
            here.env.bot.desk.change(here.guild_id, 1),  # type: ignore[attr-defined]
            lambda policy: replace(policy, log_channel_id=6),
        )
        assert "⚠️ The channel of the log is gone" in said(await here.say("ada", "jobs"))


async def test_a_deed_that_comes_too_late_changes_nothing_and_leaves_no_trace(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as here:
        job = await accepted(here)
        shown = await picked(here, job)
        await here.corridor.until(job, {State.RENDERED})
        told = await press(here, shown, "Cancel it")
        assert told.startswith("✖️ Too late")
        assert "made and paid for" in told
        assert (await here.corridor.reread(job)).state is State.RENDERED
        assert await here.accounts.audit(here.guild_id) == ()


async def test_who_cancels_what_its_member_has_taken_back_hears_that_nothing_is_held(
    tmp_path: Path,
) -> None:
    async with office(tmp_path) as here:
        job = await accepted(here)
        shown = await picked(here, job)
        assert await here.corridor.cancellation.cancel(job.id, job.member_id)
        told = await press(here, shown, "Cancel it")
        assert "nothing is held for it" in told
        assert "paid" not in told
        assert await here.accounts.audit(here.guild_id) == ()


async def test_what_is_held_cannot_be_offered_past_its_moderator(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        job = await held(here)
        change = here.env.bot.desk.change(here.guild_id, 1)  # type: ignore[attr-defined]
        note = await docket_of(here.corridor).do(change, Deed.OFFER, job.id)
        assert note.title == "✖️ Too late"
        assert await here.corridor.shelf.is_held(job.id)


@pytest.mark.parametrize("deed", Deed)
async def test_nothing_is_done_about_a_clip_of_another_server(tmp_path: Path, deed: Deed) -> None:
    async with office(tmp_path) as here:
        job = await held(here) if deed is Deed.LET_OUT else await accepted(here)
        change = here.env.bot.desk.change(here.guild_id + 1, 1)  # type: ignore[attr-defined]
        note = await docket_of(here.corridor).do(change, deed, job.id)
        assert note.title == "✖️ No such clip"
        assert await here.corridor.reread(job) == job


async def test_a_button_in_the_log_does_its_deed_and_goes(tmp_path: Path) -> None:
    async with office(tmp_path) as here:
        job = await held(here)
        view = discord.ui.View(timeout=None)
        view.add_item(DeedButton(Deed.LET_OUT, job.id))
        channel = here.env.bot.get_channel(here.things["studio"].id)
        assert isinstance(channel, discord.TextChannel)
        message = await channel.send("a clip is held", view=view)
        result = await here.things["ada"].click(message, label="Let it out")
        assert [one.ephemeral for one in result.followups] == [True]
        assert not await here.corridor.shelf.is_held(job.id)
        (last,) = [one for one in here.things["studio"].history() if one.id == message.id]
        assert last.components == []
        assert last.content == "a clip is held"


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
