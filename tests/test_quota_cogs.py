"""The doors `/quota` and `/usage` alone: who is let in, what is handed on, what comes back.

discord.py is real and runs against SimCord's Discord; behind the doors are the real desk and its
accounts. Through the real gateway they are tried in `test_limits.py`.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import discord
import pytest
import simcord
from simcord import ChannelHandle, Env, InteractionResult, MemberActor

from bot import chart
from bot.accounts import Accounts
from bot.admin import Admin, Change
from bot.client import AnimateBot
from bot.database import Database
from bot.desk import Desk
from bot.errors import ChartBroken
from bot.rules import Limits, Measure, Rule, Target
from bot.store import Store
from cogs.quota import Quota
from cogs.usage import Usage
from tests.conftest import NO_REST, NOON, Clock, make_job
from tests.corridor import KLING, model
from tests.test_cogs import EmptyShelf, Porter, rooms

OWNERS = Limits(member={Measure.MONTH: 5_000_000}, server={Measure.MONTH: 25_000_000})
SUBCOMMAND, GROUP = 1, 2
ADMINS_ONLY: dict[str, dict[str, Any]] = {
    "quota set server": {"limit": "month", "amount": "1"},
    "quota set everyone": {"limit": "month", "amount": "1"},
    "quota set role": {"role": "supporter", "limit": "day", "amount": "1"},
    "quota set member": {"member": "mia", "limit": "clips", "amount": "1"},
    "quota view": {},
    "quota explain": {"member": "mia"},
    "quota grant": {"member": "mia", "amount": "1", "reason": "why"},
    "quota revoke": {"member": "mia", "reason": "why"},
    "quota reset": {"member": "mia", "reason": "why"},
    "quota timezone": {"zone": "Asia/Tokyo"},
    "quota receipts": {"shown": False},
    "quota changes": {},
    "usage server": {},
    "usage export": {},
}


@dataclass(slots=True)
class Doors:
    """The doors, with Discord before them and the accounts behind."""

    env: Env
    channel: ChannelHandle
    people: dict[str, Any]
    """By name: the admin Ada, the members Mia and Noah; the role of the supporters."""
    database: Database
    accounts: Accounts

    async def say(self, who: str, command: str, **options: Any) -> InteractionResult:
        """Have somebody use a command; people and roles may be given by their names."""
        given = {
            name: self.people.get(value, value) if name in {"member", "role"} else value
            for name, value in options.items()
        }
        actor: MemberActor = self.people[who]
        return await actor.slash(self.channel, command, **given)

    @property
    def guild_id(self) -> int:
        return int(self.people["mia"].guild.id)

    async def nothing_has_changed(self) -> bool:
        rules, audit = await self.accounts.rules(self.guild_id), self.accounts.audit(self.guild_id)
        return (rules, await audit) == ((), ())


@asynccontextmanager
async def doors(folder: Path, *, is_offered_to_all: bool = False) -> AsyncIterator[Doors]:
    """Open the doors; a server's admins may hand a command to others than the bot meant."""
    async with Database(folder, rest_seconds=NO_REST) as database:
        accounts = Accounts(database, OWNERS)
        bot = AnimateBot()
        await bot.load(model(KLING))
        desk = Desk(accounts, Admin(database), EmptyShelf(), OWNERS, Clock())
        bot.open_doors(rooms(Porter(), desk))
        if is_offered_to_all:
            quota = bot.tree.get_command("quota")
            assert isinstance(quota, discord.app_commands.Group)
            quota.default_permissions = None
        async with simcord.run(bot, settle_timeout=30.0) as env:
            guild = env.create_guild()
            admin = guild.create_role("Admin", permissions=discord.Permissions(manage_guild=True))
            supporter = guild.create_role("Supporter")
            people = {
                "ada": guild.add_member(env.create_user("ada"), roles=[admin]),
                "mia": guild.add_member(env.create_user("mia")),
                "noah": guild.add_member(env.create_user("noah"), roles=[supporter]),
                "supporter": supporter,
            }
            channel = guild.create_text_channel("studio")
            await bot.tree.sync()
            yield Doors(env, channel, people, database, accounts)


def said(result: InteractionResult) -> str:
    """What the answer to a command says, to its sender alone."""
    assert result.ephemeral, "everybody sees it"
    assert result.response is not None
    (embed,) = result.response.embeds
    return f"{embed.title}\n{embed.description}"


# --- What the commands offer ---------------------------------------------------------------------


def payloads() -> list[dict[str, Any]]:
    """The commands as Discord gets them."""
    tree = AnimateBot().tree
    return [Quota().to_dict(tree), Usage().to_dict(tree)]


def leaves(command: dict[str, Any], above: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every command that can be sent, by its whole name."""
    name = f"{above} {command['name']}".strip()
    inner = [one for one in command.get("options", []) if one["type"] in {SUBCOMMAND, GROUP}]
    if not inner:
        yield name, command
    for one in inner:
        yield from leaves(one, name)


def test_every_command_and_option_is_described_in_a_hundred_characters() -> None:
    every = dict(leaf for payload in payloads() for leaf in leaves(payload))
    assert every.keys() == {*ADMINS_ONLY, "usage me"}
    for name, command in every.items():
        for one in (command, *command.get("options", [])):
            assert 1 <= len(one["description"]) <= 100, name
            assert one["description"] != "…", f"{name}: {one['name']} is not described"


def test_quota_is_for_those_with_manage_server_and_both_are_for_servers() -> None:
    quota, usage = payloads()
    assert int(quota["default_member_permissions"]) == discord.Permissions(manage_guild=True).value
    assert usage.get("default_member_permissions") is None
    for command in (quota, usage):
        assert command["contexts"] == [0]
        assert command["integration_types"] == [0]


def test_a_server_has_no_time_between_clips_to_set() -> None:
    every = dict(leaf for payload in payloads() for leaf in leaves(payload))
    for name in ("server", "everyone", "role", "member"):
        options = {one["name"]: one for one in every[f"quota set {name}"]["options"]}
        offered = [one["value"] for one in options["limit"]["choices"]]
        without = [] if name == "server" else ["cooldown"]
        assert offered == ["day", "week", "month", "clips", *without]


# --- Who is let in -------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ADMINS_ONLY)
async def test_a_member_is_refused_even_where_the_command_reaches_the_bot(
    tmp_path: Path, command: str
) -> None:
    async with doors(tmp_path, is_offered_to_all=True) as here:
        result = await here.say("mia", command, **ADMINS_ONLY[command])
        assert said(result) == (
            "🙅 That's for moderators\nYou need Manage Server for this. Nothing was changed."
        )
        assert not result.deferred
        assert await here.nothing_has_changed()


@pytest.mark.parametrize("command", ADMINS_ONLY)
async def test_an_admin_is_answered_in_private(tmp_path: Path, command: str) -> None:
    async with doors(tmp_path) as here:
        text = said(await here.say("ada", command, **ADMINS_ONLY[command]))
        title = text.partition("\n")[0]
        assert title[0] in "✅📋🔎🧾📊", text


# --- What they do --------------------------------------------------------------------------------


async def test_limits_are_set_for_whom_the_command_says(tmp_path: Path) -> None:
    async with doors(tmp_path) as here:
        mia, role = here.people["mia"].id, here.people["supporter"].id
        answers = [
            said(await here.say("ada", f"quota set {name}", limit="week", amount="$2.50", **whom))
            for name, whom in (
                ("server", {}),
                ("everyone", {}),
                ("role", {"role": "supporter"}),
                ("member", {"member": "mia"}),
            )
        ]
        assert answers == [
            f"✅ Limit set\n{whom}: $2.50 a week."
            for whom in ("This server", "Each member", f"<@&{role}>", f"<@{mia}>")
        ]
        view = said(await here.say("ada", "quota view"))
        for whom in ("This server", "Each member", f"<@&{role}>", f"<@{mia}>"):
            assert f"**{whom}** · $2.50 a week" in view


async def test_a_limit_for_the_role_that_everybody_has_is_one_for_everybody(tmp_path: Path) -> None:
    async with doors(tmp_path) as here:
        everyone = here.people["mia"].guild.default_role
        text = said(await here.say("ada", "quota set role", role=everyone, limit="day", amount="1"))
        assert text == "✅ Limit set\nEach member: $1.00 a day."


async def test_somebody_who_left_the_server_can_still_be_looked_up(tmp_path: Path) -> None:
    async with doors(tmp_path) as here:
        zoe = here.env.create_user("zoe")
        text = said(await here.say("ada", "quota explain", member=zoe))
        assert f"<@{zoe.id}>" in text


@pytest.mark.parametrize(
    ("limit", "amount", "takes"),
    [
        ("day", "a lot", "`amount` takes dollars such as `2.50`, `0`, `unlimited` or `inherit`."),
        ("month", "-1", "`amount` takes dollars such as `2.50`"),
        ("clips", "2.5", "`amount` takes a number of clips such as `3`"),
        ("cooldown", "tomorrow", "`amount` takes a time such as `30s`, `5m` or `2h`"),
    ],
)
async def test_what_cannot_be_read_is_told_with_what_the_option_takes(
    tmp_path: Path, limit: str, amount: str, takes: str
) -> None:
    async with doors(tmp_path) as here:
        text = said(await here.say("ada", "quota set everyone", limit=limit, amount=amount))
        assert text.startswith("⚙️ Can't read that\n")
        assert takes in text
        assert text.endswith("Nothing was changed.")
        assert await here.nothing_has_changed()


async def test_an_explanation_goes_by_the_roles_that_the_member_has_now(tmp_path: Path) -> None:
    async with doors(tmp_path) as here:
        await here.say("ada", "quota set role", role="supporter", limit="month", amount="9")
        role = here.people["supporter"].id
        noahs = said(await here.say("ada", "quota explain", member="noah"))
        assert (
            f"$9.00 left of $9.00\n▱▱▱▱▱▱▱▱▱▱▱▱\n-# $0.00 spent · from the role <@&{role}>" in noahs
        )
        assert "$5.00 left of $5.00" in said(await here.say("ada", "quota explain", member="mia"))
        assert "$9.00 left of $9.00" in said(await here.say("noah", "usage me"))


async def test_a_card_shows_its_members_own_money(tmp_path: Path) -> None:
    async with doors(tmp_path) as here:
        job = make_job(guild_id=here.guild_id, member_id=here.people["mia"].id, created_at=NOON)
        await Store(here.database).accept(job, OWNERS)
        assert "$4.8152 left of $5.00" in said(await here.say("mia", "usage me"))
        assert "$5.00 left of $5.00" in said(await here.say("noah", "usage me"))


@pytest.mark.parametrize(
    "command",
    [name for name in ADMINS_ONLY if re.match("quota (set|grant|reset|timezone|receipts)", name)],
)
async def test_every_change_is_kept_with_why(tmp_path: Path, command: str) -> None:
    async with doors(tmp_path) as here:
        said(await here.say("ada", command, **ADMINS_ONLY[command] | {"reason": "new here"}))
        (row,) = await here.accounts.audit(here.guild_id)
        assert row.reason == "new here"
        assert said(await here.say("ada", "quota changes")).endswith("· new here")


@pytest.mark.parametrize("reason", ["@everyone <@1> **x** [y](https://e.vil)", "\\`*_~|>#" * 25])
async def test_a_hostile_reason_is_kept_and_pings_nobody(tmp_path: Path, reason: str) -> None:
    async with doors(tmp_path) as here:
        for _ in range(12):
            await here.say("ada", "quota grant", member="mia", amount="1", reason=reason)
        (row, *_) = await here.accounts.audit(here.guild_id)
        assert row.reason == reason
        result = await here.say("ada", "quota changes")
        assert result.response is not None
        (embed,) = result.response.embeds
        assert len(str(embed.description)) <= 4096
        assert result.response.content == ""


async def test_zones_are_offered_as_one_types(tmp_path: Path) -> None:
    async with doors(tmp_path) as here:
        ada: MemberActor = here.people["ada"]
        offered = await ada.autocomplete(here.channel, "quota timezone", "zone", "ber")
        assert {"name": "Europe/Berlin", "value": "Europe/Berlin"} in offered
        assert 1 <= len(offered) <= 25
        everything = await ada.autocomplete(here.channel, "quota timezone", "zone", "")
        assert len(everything) == 25


async def test_the_picture_and_the_accounts_come_as_files(tmp_path: Path) -> None:
    async with doors(tmp_path) as here:
        for command, name in (
            ("server", "usage.png"),
            ("export", "accounts-2026-11-01-2026-11-30.csv"),
        ):
            result = await here.say("ada", f"usage {command}")
            assert result.response is not None
            assert [one.filename for one in result.response.attachments] == [name]
        text = said(await here.say("ada", "usage export", period="last month"))
        assert "0 entries from 2026-10-01 to 2026-10-31." in text


async def test_a_list_that_is_cut_comes_whole_as_a_file_with_the_roles_by_name(
    tmp_path: Path,
) -> None:
    async with doors(tmp_path) as here:
        admin = Admin(here.database)
        change = Change(guild_id=here.guild_id, actor_id=1, at=NOON)
        ids = [here.people["supporter"].id, *range(10**18, 10**18 + 90)]
        for target_id in ids:
            rule = Rule(target=Target.ROLE, target_id=target_id, measure=Measure.DAY, value=1)
            await admin.set_rule(change, rule)
        result = await here.say("ada", "quota view")
        assert result.response is not None
        (file,) = result.response.attachments
        assert file.filename == "limits.txt"


# --- Roles that are gone -------------------------------------------------------------------------


async def two_roles(here: Doors) -> tuple[int, int]:
    """Set a limit for two roles, of which nobody may be told by name when they are gone."""
    guild = here.people["mia"].guild
    gone, other = guild.create_role("Gone"), here.people["supporter"]
    here.people["gone"] = gone
    for role in ("gone", "supporter"):
        await here.say("ada", "quota set role", role=role, limit="day", amount="1")
    await here.say("ada", "quota set role", role="gone", limit="clips", amount="2")
    return gone.id, other.id


async def available(here: Doors, guild: discord.Guild) -> None:
    """Tell of a server as at a new connection, twice at once."""
    assert isinstance(here.env.bot, AnimateBot)
    cog = here.env.bot.get_cog("GoneRoles")
    assert cog is not None
    heard = [one for name, one in cog.get_listeners() if name == "on_guild_available"]
    assert heard
    await asyncio.gather(*(one(guild) for one in heard * 2))


async def test_the_limits_of_a_role_go_with_it_in_the_bots_own_name(tmp_path: Path) -> None:
    async with doors(tmp_path) as here:
        gone, other = await two_roles(here)
        here.env.backend.delete_role(here.guild_id, gone)
        await here.env.settle()
        assert [one.target_id for one in await here.accounts.rules(here.guild_id)] == [other]
        rows = (await here.accounts.audit(here.guild_id))[:2]
        assert {(row.target, row.before, row.after) for row in rows} == {
            (f"role {gone} day", "1000000", "inherit"),
            (f"role {gone} clips", "2", "inherit"),
        }
        assert here.env.bot.user is not None
        assert {row.actor_id for row in rows} == {here.env.bot.user.id}
        assert {row.reason for row in rows} == {"The role was deleted."}


async def test_the_limits_of_a_role_that_went_while_the_bot_was_away_go_when_it_is_back(
    tmp_path: Path,
) -> None:
    async with doors(tmp_path) as here:
        gone, other = await two_roles(here)
        guild = here.env.bot.get_guild(here.guild_id)
        assert guild is not None
        del guild._roles[gone]  # noqa: SLF001 - as discord.py has it after a new connection
        await available(here, guild)
        assert [one.target_id for one in await here.accounts.rules(here.guild_id)] == [other]
        dropped = [
            one for one in await here.accounts.audit(here.guild_id) if one.after == "inherit"
        ]
        assert len(dropped) == 2


async def test_of_a_server_of_which_no_role_is_known_no_limit_is_taken(tmp_path: Path) -> None:
    async with doors(tmp_path) as here:
        gone, other = await two_roles(here)
        guild = here.env.bot.get_guild(here.guild_id)
        assert guild is not None
        guild._roles.clear()  # noqa: SLF001 - as discord.py has it of a server it was not told of
        await available(here, guild)
        rules = await here.accounts.rules(here.guild_id)
        assert {one.target_id for one in rules} == {gone, other}


# --- Trouble -------------------------------------------------------------------------------------


async def test_a_picture_that_cannot_be_drawn_is_told_with_a_way_to_the_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with doors(tmp_path) as here:

        async def broken(_usage: chart.Usage) -> bytes:
            raise ChartBroken("no matplotlib")

        monkeypatch.setattr(chart, "drawn", broken)
        text = said(await here.say("ada", "usage server"))
        assert text == (
            "🔧 The picture could not be drawn\n"
            "The figures are all there: try again, or get them with `/usage export`."
        )


@pytest.mark.parametrize(
    ("who", "command"), [("mia", "usage me"), *(("ada", one) for one in ADMINS_ONLY)]
)
async def test_accounts_that_cannot_be_read_are_told_and_nothing_is_made_up(
    tmp_path: Path, who: str, command: str
) -> None:
    async with doors(tmp_path) as here:
        await here.database.__aexit__(None, None, None)
        text = said(await here.say(who, command, **ADMINS_ONLY.get(command, {})))
    assert text.startswith("🔧 The accounts can't be read right now\n")
    assert "no clip is accepted" in text


async def test_a_bug_is_logged_and_told_without_its_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with doors(tmp_path) as here:

        async def broken(*_given: Any) -> Any:
            raise RuntimeError("the secret inner life")

        monkeypatch.setattr(Desk, "grant", broken)
        text = said(await here.say("ada", "quota grant", member="mia", amount="1", reason="why"))
        assert text.startswith("🔧 Something broke on my side\n")
        assert "secret" not in text
        assert "charged" not in text
        assert "the secret inner life" in caplog.text


async def test_an_event_that_comes_twice_gives_credit_once(tmp_path: Path) -> None:
    async with doors(tmp_path) as here:
        here.env.inject_error("POST", "/interactions/*/callback", status=400, code=40060)
        await here.say("ada", "quota grant", member="mia", amount="1", reason="why")
        assert await here.nothing_has_changed()


async def test_an_answer_that_cannot_be_shown_is_no_crash(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with doors(tmp_path) as here:
        caplog.set_level("INFO")
        here.env.inject_error("PATCH", "/webhooks/*", status=404, code=10015)
        await here.say("mia", "usage me")
        (line,) = [one for one in caplog.records if one.name == "bot.counter"]
        assert line.message == "an answer about the accounts was not shown: NotFound"
        assert line.levelname == "INFO"
