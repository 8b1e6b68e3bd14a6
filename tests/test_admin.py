"""What admins change: rules, credits, time zones, used-up limits; each change leaves a trace."""

from dataclasses import replace
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from bot.accounts import Accounts, Server
from bot.admin import Admin, Change
from bot.database import Database
from bot.errors import LimitReached, StoreError, ZoneSetLately
from bot.ledger import Balance, Kind, spend
from bot.lifecycle import Event, Job, advance
from bot.periods import Period
from bot.rules import Account, Measure, Rule, Target
from bot.store import Store
from tests.conftest import NOON, UNLIMITED, make_job, monthly

GUILD, MEMBER, ADMIN, ROLE = 1000, 3000, 9, 21
HERE = Change(guild_id=GUILD, actor_id=ADMIN, at=NOON, reason="the party")
DEFAULT = Rule(target=Target.DEFAULT, measure=Measure.MONTH, value=5_000_000)


def at(text: str) -> int:
    """Return a moment in UTC as Unix milliseconds."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def admin(database: Database) -> Admin:
    return Admin(database)


async def paid(store: Store, cost: int, **changes: object) -> Job:
    job = (await store.accept(make_job(**changes), UNLIMITED)).job
    for event in (Event.SUBMIT, Event.ACCEPTED):
        job = await store.move(job, advance(job, event, NOON))
    done = advance(job, Event.FINISHED, NOON)
    return await store.move(job, done, resolution=spend(job, cost, NOON))


async def balance(accounts: Accounts, account: Account, period: Period, now: int = NOON) -> Balance:
    view = await accounts.statement(GUILD, MEMBER, (), now)
    return view.balances[account, period]


# --- The trace -----------------------------------------------------------------------------------


async def test_each_change_says_who_changed_what_from_what_to_what_when_and_why(
    store: Store, accounts: Accounts, admin: Admin
) -> None:
    await paid(store, 70, quote_micro=100)
    await admin.set_rule(HERE, DEFAULT)
    await admin.set_rule(HERE, replace(DEFAULT, value=None))
    await admin.drop_rule(HERE, DEFAULT)
    own = Rule(target=Target.MEMBER, target_id=MEMBER, measure=Measure.CLIPS, value=0)
    await admin.set_rule(HERE, own)
    await admin.set_server(HERE, lambda _: Server("Europe/Berlin", receipts=False))
    await admin.set_server(HERE, lambda _: Server("Europe/Berlin"))
    await admin.grant(HERE, MEMBER, 2_500_000, NOON + 1)
    await admin.grant(HERE, MEMBER, 1_000_000, None)
    await admin.reset(HERE, MEMBER)
    rows = await accounts.audit(GUILD)
    assert {(row.actor_id, row.at, row.reason) for row in rows} == {(ADMIN, NOON, "the party")}
    assert [(row.action, row.target, row.before, row.after) for row in reversed(rows)] == [
        ("rule", "default 0 month", "inherit", "5000000"),
        ("rule", "default 0 month", "5000000", "unlimited"),
        ("rule", "default 0 month", "unlimited", "inherit"),
        ("rule", "member 3000 clips", "inherit", "0"),
        ("server", "", "UTC, receipts on", "Europe/Berlin, receipts off"),
        ("server", "", "Europe/Berlin, receipts off", "Europe/Berlin, receipts on"),
        ("grant", "member 3000", "", f"2500000 {NOON + 1}"),
        ("grant", "member 3000", "", "1000000"),
        ("reset", "member 3000", "70", "0"),
    ]


async def test_a_change_that_is_refused_leaves_neither_itself_nor_a_trace(
    accounts: Accounts, admin: Admin
) -> None:
    await admin.set_rule(HERE, DEFAULT)
    before = await accounts.audit(GUILD)
    for broken in (replace(DEFAULT, value=-1), replace(DEFAULT, target_id=5)):
        with pytest.raises(StoreError, match="CHECK"):
            await admin.set_rule(HERE, broken)
    for micro in (0, -1):
        with pytest.raises(StoreError, match="CHECK"):
            await admin.grant(HERE, MEMBER, micro, None)
    with pytest.raises(StoreError, match="people_say_why"):
        await admin.grant(replace(HERE, reason=""), MEMBER, 5, None)
    with pytest.raises(KeyError, match="Atlantis"):
        await admin.set_server(HERE, lambda _: Server("Europe/Atlantis"))
    assert await accounts.rules(GUILD) == (DEFAULT,)
    assert await accounts.server(GUILD) == Server()
    assert await accounts.audit(GUILD) == before
    assert (await accounts.statement(GUILD, MEMBER, (), NOON)).credits == ()


# --- Rules ---------------------------------------------------------------------------------------


async def test_a_rule_replaces_the_one_for_the_same_target_and_measure_only(
    accounts: Accounts, admin: Admin
) -> None:
    others = [
        replace(DEFAULT, measure=Measure.DAY),
        Rule(target=Target.ROLE, target_id=ROLE, measure=Measure.MONTH, value=7),
        Rule(target=Target.ROLE, target_id=ROLE + 1, measure=Measure.MONTH, value=8),
    ]
    for one in others:
        assert await admin.set_rule(HERE, one) is None
    assert await admin.set_rule(HERE, DEFAULT) is None
    assert await admin.set_rule(HERE, replace(DEFAULT, value=0)) == DEFAULT
    assert await admin.drop_rule(HERE, DEFAULT) == replace(DEFAULT, value=0)
    assert await admin.drop_rule(HERE, DEFAULT) is None
    assert await accounts.rules(GUILD) == tuple(others)


async def test_a_rule_is_in_force_for_the_next_clip_and_on_its_own_server_only(
    store: Store, admin: Admin
) -> None:
    await admin.set_rule(HERE, replace(DEFAULT, value=100))
    await store.accept(make_job(quote_micro=60), UNLIMITED)
    with pytest.raises(LimitReached):
        await store.accept(make_job(quote_micro=41), UNLIMITED)
    await store.accept(make_job(quote_micro=41, guild_id=GUILD + 1), UNLIMITED)
    await admin.set_rule(HERE, replace(DEFAULT, value=None))
    await store.accept(make_job(quote_micro=41), UNLIMITED)


# --- Time zones ----------------------------------------------------------------------------------


async def test_days_that_have_entries_stay_the_days_that_they_were(
    store: Store, accounts: Accounts, admin: Admin
) -> None:
    evening = at("2026-11-30T23:00")
    job = (await store.accept(make_job(quote_micro=9, created_at=evening), UNLIMITED)).job
    await admin.set_server(HERE, lambda _: Server("Asia/Tokyo"))
    assert await accounts.server(GUILD) == Server("Asia/Tokyo")
    assert await balance(accounts, Account.MEMBER, Period.MONTH, evening) == Balance()
    (entry,) = await store.entries(job.id)
    assert entry.day == date(2026, 11, 30)
    assert (await accounts.statement(GUILD, MEMBER, (), evening)).zone == ZoneInfo("Asia/Tokyo")
    assert await balance(accounts, Account.BOT, Period.MONTH, evening) == Balance(held_micro=9)


WEEK = 7 * 86_400_000


async def test_days_are_moved_once_a_week_or_one_budget_after_the_other_would_be_brought_forward(
    accounts: Accounts, admin: Admin
) -> None:
    await admin.set_server(HERE, lambda _: Server("Etc/GMT+12"))
    before = await accounts.audit(GUILD)
    for later in (0, 86_400_000, WEEK - 1):
        change = replace(HERE, at=NOON + later)
        with pytest.raises(ZoneSetLately) as refusal:
            await admin.set_server(change, lambda _: Server("Pacific/Kiritimati"))
        assert refusal.value.until == (NOON + WEEK) // 1000
    assert await accounts.server(GUILD) == Server("Etc/GMT+12")
    assert await accounts.audit(GUILD) == before
    await admin.set_server(replace(HERE, at=NOON + WEEK), lambda _: Server("Pacific/Kiritimati"))
    with pytest.raises(ZoneSetLately):
        await admin.set_server(replace(HERE, at=NOON + WEEK + 1), lambda _: Server())


async def test_whatever_else_is_changed_the_days_may_be_moved(
    accounts: Accounts, admin: Admin
) -> None:
    await admin.set_server(HERE, lambda _: Server(receipts=False))
    await admin.set_server(replace(HERE, guild_id=GUILD + 1), lambda _: Server("Asia/Tokyo"))
    await admin.set_server(HERE, lambda _: Server("Asia/Tokyo", receipts=False))
    await admin.set_server(HERE, lambda _: Server("Asia/Tokyo"))
    assert await accounts.server(GUILD) == Server("Asia/Tokyo")


# --- Grants --------------------------------------------------------------------------------------


async def test_a_grant_pays_until_the_moment_at_which_it_expires(
    database: Database, store: Store, admin: Admin
) -> None:
    nothing = monthly(member=0)
    await admin.grant(HERE, MEMBER, 100, NOON + 10)
    with pytest.raises(LimitReached) as refusal:
        await store.accept(make_job(quote_micro=50, created_at=NOON + 10), nothing)
    assert refusal.value.credit_micro == 0
    await store.accept(make_job(quote_micro=50, created_at=NOON + 9), nothing)
    accounts = Accounts(database, nothing)
    assert (await accounts.statement(GUILD, MEMBER, (), NOON + 9)).credit_micro == 50


async def test_a_revoked_credit_pays_nothing_more_and_clips_in_flight_keep_what_they_drew(
    database: Database, store: Store, admin: Admin
) -> None:
    nothing = monthly(member=0)
    accounts = Accounts(database, nothing)
    await admin.grant(HERE, MEMBER, 100, None)
    await admin.grant(HERE, MEMBER, 250, NOON + 10)
    await admin.grant(HERE, MEMBER + 1, 5, None)
    job = (await store.accept(make_job(quote_micro=260), nothing)).job
    assert await admin.revoke(HERE, MEMBER) == 90
    with pytest.raises(LimitReached) as refusal:
        await store.accept(make_job(quote_micro=1), nothing)
    assert refusal.value.credit_micro == 0
    for event in (Event.SUBMIT, Event.ACCEPTED):
        job = await store.move(job, advance(job, event, NOON))
    done = advance(job, Event.FINISHED, NOON)
    await store.move(job, done, resolution=spend(job, 20, NOON))
    assert await balance(accounts, Account.MEMBER, Period.DAY) == Balance(20, 0, 20)
    assert (await accounts.statement(GUILD, MEMBER, (), NOON)).credits == ()
    assert (await accounts.statement(GUILD, MEMBER + 1, (), NOON)).credit_micro == 5
    assert await accounts.discrepancies() == ()


async def test_who_is_given_credit_after_theirs_was_revoked_has_that(
    accounts: Accounts, admin: Admin
) -> None:
    await admin.grant(HERE, MEMBER, 250, None)
    assert await admin.revoke(HERE, MEMBER) == 250
    assert await admin.revoke(HERE, MEMBER) == 0
    await admin.grant(HERE, MEMBER, 2, None)
    assert (await accounts.statement(GUILD, MEMBER, (), NOON)).credit_micro == 2
    (_, again, first, _) = await accounts.audit(GUILD)
    for row, before in ((first, "250"), (again, "0")):
        assert (row.action, row.target, row.before, row.after) == (
            *("revoke", "member 3000", before, "0"),
        )
        assert (row.actor_id, row.reason) == (ADMIN, "the party")


async def test_a_grant_is_an_entry_on_the_servers_day_with_its_giver_and_its_reason(
    accounts: Accounts, admin: Admin
) -> None:
    await admin.set_server(HERE, lambda _: Server("Pacific/Kiritimati"))
    await admin.grant(HERE, MEMBER, 100, NOON + 10)
    tomorrow = date(2026, 11, 8)
    (entry,) = await accounts.entries(GUILD, tomorrow, tomorrow, 9)
    assert (entry.kind, entry.credit_micro, entry.expires_at) == (Kind.GRANT, 100, NOON + 10)
    assert (entry.actor_id, entry.note, entry.at) == (ADMIN, "the party", NOON)
    assert (entry.day, entry.utc_day) == (tomorrow, date(2026, 11, 7))


# --- Resets --------------------------------------------------------------------------------------


async def test_a_reset_excuses_what_counts_now_in_day_week_and_month_alike(
    store: Store, accounts: Accounts, admin: Admin
) -> None:
    days = {"2026-10-31": 1, "2026-11-01": 2, "2026-11-02": 4, "2026-11-07": 8}
    for day, cost in days.items():
        await paid(store, cost, created_at=at(f"{day}T11:00"))
    assert await admin.reset(HERE, MEMBER) == 2 + 4 + 8
    for period in Period:
        assert (await balance(accounts, Account.MEMBER, period)).used_micro == 0
    october = at("2026-10-31T12:00")
    assert (await balance(accounts, Account.MEMBER, Period.DAY, october)).used_micro == 1
    assert await accounts.discrepancies() == ()


async def test_a_reset_in_a_week_that_began_last_month_excuses_the_whole_week(
    store: Store, accounts: Accounts, admin: Admin
) -> None:
    for day, cost in {"2026-11-30": 4, "2026-12-01": 8, "2026-11-29": 1}.items():
        await paid(store, cost, created_at=at(f"{day}T11:00"))
    december = at("2026-12-02T12:00")
    assert await admin.reset(replace(HERE, at=december), MEMBER) == 4 + 8
    for period in Period:
        assert (await balance(accounts, Account.MEMBER, period, december)).used_micro == 0


async def test_a_reset_leaves_days_alone_that_are_yet_to_come(
    store: Store, accounts: Accounts, admin: Admin
) -> None:
    await admin.set_server(HERE, lambda _: Server("Pacific/Kiritimati"))
    evening = at("2026-11-30T20:00")
    await paid(store, 5, created_at=evening)
    await admin.set_server(replace(HERE, at=evening), lambda _: Server("UTC"))
    # The clip was accepted on the 1st of December, and here it is the Sunday before once more.
    sunday = at("2026-11-29T12:00")
    assert await admin.reset(replace(HERE, at=sunday), MEMBER) == 0
    december = at("2026-12-01T12:00")
    assert (await balance(accounts, Account.MEMBER, Period.DAY, december)).used_micro == 5


async def test_a_reset_leaves_what_is_held_and_what_the_server_and_the_bot_have_spent(
    store: Store, accounts: Accounts, admin: Admin
) -> None:
    await paid(store, 70)
    await store.accept(make_job(quote_micro=30), UNLIMITED)
    assert await admin.reset(HERE, MEMBER) == 70
    assert await balance(accounts, Account.MEMBER, Period.DAY) == Balance(70, 30, 70)
    for account in (Account.SERVER, Account.BOT):
        assert await balance(accounts, account, Period.DAY) == Balance(70, 30)
    usage = await accounts.usage(GUILD, date(2026, 11, 7), date(2026, 11, 7))
    assert sum(usage.spent.values()) == 70


async def test_what_was_held_at_a_reset_counts_when_it_is_paid_and_can_be_reset_then(
    store: Store, accounts: Accounts, admin: Admin
) -> None:
    await paid(store, 70)
    job = (await store.accept(make_job(quote_micro=30), UNLIMITED)).job
    await admin.reset(HERE, MEMBER)
    for event in (Event.SUBMIT, Event.ACCEPTED):
        job = await store.move(job, advance(job, event, NOON))
    done = advance(job, Event.FINISHED, NOON)
    await store.move(job, done, resolution=spend(job, 20, NOON))
    assert (await balance(accounts, Account.MEMBER, Period.DAY)).used_micro == 20
    assert await admin.reset(HERE, MEMBER) == 20
    assert await admin.reset(HERE, MEMBER) == 0
    assert (await balance(accounts, Account.MEMBER, Period.DAY)).used_micro == 0


async def test_a_reset_does_not_excuse_again_what_a_credit_has_paid(
    store: Store, accounts: Accounts, admin: Admin
) -> None:
    await admin.grant(HERE, MEMBER, 60, None)
    job = (await store.accept(make_job(quote_micro=100), monthly(member=40))).job
    for event in (Event.SUBMIT, Event.ACCEPTED):
        job = await store.move(job, advance(job, event, NOON))
    done = advance(job, Event.FINISHED, NOON)
    await store.move(job, done, resolution=spend(job, 90, NOON))
    assert await admin.reset(HERE, MEMBER) == 40
    assert await balance(accounts, Account.MEMBER, Period.DAY) == Balance(90, 0, 90)


async def test_a_reset_of_one_member_is_nothing_to_others_or_on_other_servers(
    store: Store, accounts: Accounts, admin: Admin
) -> None:
    await paid(store, 10)
    await paid(store, 20, member_id=MEMBER + 1)
    await paid(store, 40, guild_id=GUILD + 1)
    assert await admin.reset(HERE, MEMBER + 2) == 0
    assert await admin.reset(HERE, MEMBER) == 10
    others = await accounts.statement(GUILD, MEMBER + 1, (), NOON)
    assert others.balances[Account.MEMBER, Period.DAY].used_micro == 20
    elsewhere = await accounts.statement(GUILD + 1, MEMBER, (), NOON)
    assert elsewhere.balances[Account.MEMBER, Period.DAY].used_micro == 40
