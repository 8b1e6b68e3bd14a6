"""What servers set for themselves: kept with a trace, and asked by every wish that is accepted."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest

from bot import admin_words
from bot.accounts import Accounts
from bot.admin import Change
from bot.database import Database
from bot.errors import Bar, Barred, ConsentNeeded, NotAccepting, StoreError
from bot.policies import Block, Policies
from bot.policy import DEFAULT, Asker, Consent, Policy
from bot.wish import Origin
from tests.conftest import NOON
from tests.corridor import ask, world

GUILD, ELSEWHERE, ADMIN, ME, AUTHOR, CHANNEL = 10, 11, 9, 30, 31, 20
HERE = Change(guild_id=GUILD, actor_id=ADMIN, at=NOON, reason="the party")
MINE = Asker(member_id=ME, role_ids=(), place_ids=(CHANNEL,), author_id=ME)
THEIRS = replace(MINE, author_id=AUTHOR)


@pytest.fixture
def policies(database: Database) -> Policies:
    return Policies(database)


async def set_to(policies: Policies, **fields: object) -> Policy:
    _, after = await policies.change(HERE, lambda policy: replace(policy, **fields))  # type: ignore[arg-type]
    return after


async def opt_out(database: Database, member_id: int) -> None:
    insert = (
        "INSERT INTO member_settings (member_id, dm_copies, dm_when_lost, has_opted_out)"
        " VALUES (?, 0, 0, 1)"
    )
    await database.run(lambda db: db.execute(insert, (member_id,)))


# --- Kept ----------------------------------------------------------------------------------------


async def test_a_server_that_has_set_nothing_has_the_defaults(policies: Policies) -> None:
    assert await policies.policy(GUILD) == DEFAULT
    await policies.admit(GUILD, THEIRS)


async def test_what_one_server_sets_is_no_other_servers(policies: Policies) -> None:
    after = await set_to(policies, is_paused=True)
    assert after.is_paused
    assert await policies.policy(GUILD) == after
    assert await policies.policy(ELSEWHERE) == DEFAULT


async def test_changes_at_the_same_time_keep_each_other(policies: Policies) -> None:
    await set_to(policies, is_paused=True)
    await set_to(policies, has_digest=True)
    found = await policies.policy(GUILD)
    assert (found.is_paused, found.has_digest) == (True, True)


async def test_each_change_leaves_who_what_from_what_to_what_when_and_why(
    policies: Policies, accounts: Accounts
) -> None:
    await set_to(policies, is_paused=True, channels=frozenset({2, 1}))
    await policies.block(HERE, ME)
    await policies.unblock(HERE, ME)
    rows = await accounts.audit(GUILD)
    assert {(row.actor_id, row.at, row.reason) for row in rows} == {(ADMIN, NOON, "the party")}
    (rules, *blocks) = reversed(rows)
    assert (rules.action, rules.target) == ("policy", "")
    assert json.loads(rules.before) == {"is_paused": False, "channels": []}
    assert json.loads(rules.after) == {"is_paused": True, "channels": [1, 2]}
    assert [(row.action, row.target, row.before, row.after) for row in blocks] == [
        ("block", f"member {ME}", "", "blocked"),
        ("block", f"member {ME}", "blocked", ""),
    ]


async def test_what_changes_nothing_leaves_no_trace(policies: Policies, accounts: Accounts) -> None:
    await set_to(policies, is_paused=False)
    assert not await policies.unblock(HERE, ME)
    assert await accounts.audit(GUILD) == ()
    assert await policies.block(HERE, ME)
    assert not await policies.block(HERE, ME)
    assert len(await accounts.audit(GUILD)) == 1


async def test_the_list_of_changes_tells_of_rules_and_blocks(
    policies: Policies, accounts: Accounts
) -> None:
    await set_to(
        policies,
        is_paused=True,
        channels=frozenset({CHANNEL}),
        roles=frozenset({5}),
        consent=Consent.ASK,
        confirm_over_micro=None,
        log_channel_id=7,
        oldest_days=1,
    )
    await policies.block(HERE, ME)
    text = admin_words.changes(await accounts.audit(GUILD)).body
    for said in (
        f"**<@{ME}>: blocked**",
        "Paused: on (was off)",
        f"Channels: <#{CHANNEL}> (was all)",
        "Roles: <@&5> (was everybody)",
        "Other people's pictures: the author is asked (was everybody may)",
        "Buttons ask first above: off (was $1.00)",
        "Log channel: <#7> (was off)",
        "Oldest message: 1 day (was 7 days)",
    ):
        assert said in text


async def test_who_is_blocked_is_listed_with_the_last_first(policies: Policies) -> None:
    await policies.block(HERE, ME)
    await policies.block(replace(HERE, at=NOON + 1, reason=""), AUTHOR)
    await policies.block(replace(HERE, guild_id=ELSEWHERE), 99)
    assert await policies.blocks(GUILD) == (
        Block(member_id=AUTHOR, actor_id=ADMIN, at=NOON + 1, reason=""),
        Block(member_id=ME, actor_id=ADMIN, at=NOON, reason="the party"),
    )


# --- Whether a wish passes -----------------------------------------------------------------------


async def test_a_block_holds_in_its_server_until_it_is_taken_back(policies: Policies) -> None:
    await policies.block(HERE, ME)
    with pytest.raises(Barred) as error:
        await policies.admit(GUILD, MINE)
    assert error.value.bar is Bar.BLOCKED
    await policies.admit(ELSEWHERE, MINE)
    await policies.unblock(HERE, ME)
    await policies.admit(GUILD, MINE)


async def test_who_has_opted_out_has_so_in_every_server(
    policies: Policies, database: Database
) -> None:
    await opt_out(database, AUTHOR)
    for guild in (GUILD, ELSEWHERE):
        with pytest.raises(Barred) as error:
            await policies.admit(guild, replace(THEIRS, has_agreed=True))
        assert error.value.bar is Bar.OPTED_OUT
    await policies.admit(GUILD, replace(MINE, member_id=AUTHOR, author_id=AUTHOR))


async def test_the_rules_count_as_they_are_now(policies: Policies) -> None:
    await set_to(policies, consent=Consent.ASK)
    with pytest.raises(ConsentNeeded):
        await policies.admit(GUILD, THEIRS)
    await set_to(policies, consent=Consent.ANYONE)
    await policies.admit(GUILD, THEIRS)


# --- The one place where every door ends ---------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "bar"),
    [
        ({"is_paused": True}, Bar.PAUSED),
        ({"denied_channels": frozenset({CHANNEL})}, Bar.CHANNEL),
        ({"denied_channels": frozenset({77})}, Bar.CHANNEL),
        ({"channels": frozenset({78})}, Bar.CHANNEL),
        ({"roles": frozenset({5})}, Bar.ROLE),
        ({"consent": Consent.OWN}, Bar.NOT_YOURS),
    ],
)
async def test_what_the_rules_do_not_let_pass_is_neither_fetched_nor_kept(
    tmp_path: Path, fields: dict[str, object], bar: Bar
) -> None:
    origin = Origin(channel_id=CHANNEL, message_id=1, key="attachment:1", author_id=AUTHOR)
    wish = ask(place_ids=(77,), picture=origin)
    async with world(tmp_path) as around, around.bot() as bot:
        await set_to(bot.policies, **fields)
        with pytest.raises(Barred) as late:
            await bot.intake.accept(wish)
        with pytest.raises(Barred) as early:
            await bot.intake.admit(GUILD, wish.asker)
        assert (late.value.bar, early.value.bar) == (bar, bar)
        assert around.most_serving == 0
        assert around.leftovers == []
        assert not await bot.store.open_jobs()


async def test_a_wish_that_its_pictures_author_agreed_to_is_accepted(tmp_path: Path) -> None:
    origin = Origin(channel_id=CHANNEL, message_id=1, key="attachment:1", author_id=AUTHOR)
    async with world(tmp_path) as around, around.bot() as bot:
        await set_to(bot.policies, consent=Consent.ASK)
        with pytest.raises(ConsentNeeded):
            await bot.accept(picture=origin)
        job = await bot.accept(picture=origin, has_consent=True)
        assert job.picture == origin


async def test_rules_that_cannot_be_read_let_nothing_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unreadable(_guild_id: int, _asker: Asker) -> None:
        raise StoreError

    async with world(tmp_path) as around, around.bot() as bot:
        monkeypatch.setattr(bot.policies, "admit", unreadable)
        with pytest.raises(NotAccepting):
            await bot.intake.admit(GUILD, MINE)
        with pytest.raises(NotAccepting):
            await bot.accept()
        assert around.most_serving == 0


async def test_rules_that_take_too_long_to_read_are_left_to_the_acceptance(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(_guild_id: int, _asker: Asker) -> None:
        await asyncio.Event().wait()

    monkeypatch.setattr("bot.intake._AT_ONCE", 0.01)
    async with world(tmp_path) as around, around.bot() as bot:
        monkeypatch.setattr(bot.policies, "admit", slow)
        await bot.intake.admit(GUILD, MINE)
