"""What can be read from the accounts: statements, rules, usage, entries, the audit, the proof."""

import sqlite3
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.accounts import Accounts, OpenHold, Server, Share
from bot.admin import Admin, Change
from bot.database import Database
from bot.errors import CoolingDown, LimitReached
from bot.ledger import Balance, Kind, found, release, spend
from bot.lifecycle import Event, Failure, Job, State, advance
from bot.periods import Period
from bot.rules import LONGEST_COOLDOWN, Account, Limits, Measure, Rule, Source, Target
from bot.store import Store
from tests.conftest import NOON, UNLIMITED, JobFactory, make_job, monthly

GUILD, MEMBER, ADMIN, ROLE = 1000, 3000, 9, 21
TODAY = date(2026, 11, 7)
DAY = 24 * 3_600_000


def at(text: str) -> int:
    """Return a moment in UTC as Unix milliseconds."""
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


@pytest.fixture
def admin(database: Database) -> Admin:
    return Admin(database)


def change(guild: int = GUILD, now: int = NOON) -> Change:
    return Change(guild_id=guild, actor_id=ADMIN, at=now, reason="because")


async def accepted(store: Store, **changes: object) -> Job:
    return (await store.accept(make_job(**changes), UNLIMITED)).job


async def rendering(store: Store, job: Job) -> Job:
    for event in (Event.SUBMIT, Event.ACCEPTED):
        job = await store.move(job, advance(job, event, NOON))
    return job


async def paid(store: Store, cost: int, now: int = NOON, **changes: object) -> Job:
    """Have a clip accepted, rendered and paid, at `now` unless `changes` say otherwise."""
    job = await rendering(store, await accepted(store, **changes))
    done = advance(job, Event.FINISHED, now)
    return await store.move(job, done, resolution=spend(job, cost, now))


async def lost(store: Store, now: int, **changes: object) -> Job:
    job = await rendering(store, await accepted(store, **changes))
    return await store.move(job, advance(job, Event.GIVE_UP, now), resolution=release(job, now))


# --- Statements ----------------------------------------------------------------------------------


async def test_a_statement_has_what_is_spent_and_held_by_member_server_and_bot(
    store: Store, accounts: Accounts
) -> None:
    await paid(store, 70, quote_micro=100)
    await accepted(store, quote_micro=30)
    await accepted(store, quote_micro=5, member_id=3001)
    await accepted(store, quote_micro=1, guild_id=1001)
    view = await accounts.statement(GUILD, MEMBER, (), NOON)
    for period in Period:
        assert view.balances[Account.MEMBER, period] == Balance(70, 30)
        assert view.balances[Account.SERVER, period] == Balance(70, 35)
        assert view.balances[Account.BOT, period] == Balance(70, 36)
    assert view.running == {Account.MEMBER: 1, Account.SERVER: 2, Account.BOT: 3}
    assert view.last_at == NOON


async def test_who_has_asked_for_nothing_has_an_empty_statement(accounts: Accounts) -> None:
    view = await accounts.statement(GUILD, MEMBER, (), NOON)
    assert set(view.balances.values()) == {Balance()}
    assert len(view.balances) == len(Account) * len(Period)
    assert (set(view.running.values()), view.last_at, view.credits) == ({0}, None, ())


HOURLY = Limits(member={Measure.COOLDOWN: 3600})


async def ended(store: Store, job: Job, failure: Failure) -> Job:
    """Have a clip fail that was not sent yet."""
    gone = advance(job, Event.CANCEL, NOON + 1, failure=failure)
    return await store.move(job, gone, resolution=release(job, NOON + 1))


@pytest.mark.parametrize("failure", sorted(set(Failure) - {Failure.DECLINED}))
async def test_a_clip_that_came_to_nothing_starts_no_pause(store: Store, failure: Failure) -> None:
    job = (await store.accept(make_job(), HOURLY)).job
    await ended(store, job, failure)
    assert (await store.accept(make_job(created_at=NOON + 2), HOURLY)).is_new


async def test_a_clip_that_is_made_or_being_made_starts_a_pause_and_so_does_refused_content(
    store: Store,
) -> None:
    waiting, done, declined = [make_job(member_id=one) for one in (1, 2, 3)]
    for job in (waiting, done, declined):
        await store.accept(job, HOURLY)
    await ended(store, declined, Failure.DECLINED)
    done = await rendering(store, done)
    done = await store.move(
        done, advance(done, Event.FINISHED, NOON), resolution=spend(done, 1, NOON)
    )
    await store.move(done, advance(done, Event.POSTED, NOON, message_id=1))
    for job in (waiting, done, declined):
        again = make_job(member_id=job.member_id, created_at=NOON + 3_599_999)
        with pytest.raises(CoolingDown):
            await store.accept(again, HOURLY)
        again = make_job(member_id=job.member_id, created_at=NOON + 3_600_000)
        assert (await store.accept(again, HOURLY)).is_new


async def test_behind_clips_that_came_to_nothing_the_last_one_that_did_not_is_found(
    store: Store, accounts: Accounts
) -> None:
    await accepted(store)
    for after in (1, 2, 3):
        await ended(store, await accepted(store, created_at=NOON + after), Failure.CANCELLED)
    assert (await accounts.statement(GUILD, MEMBER, (), NOON + 9)).last_at == NOON
    end = NOON + LONGEST_COOLDOWN * 1000
    assert (await accounts.statement(GUILD, MEMBER, (), end - 1)).last_at == NOON
    assert (await accounts.statement(GUILD, MEMBER, (), end)).last_at is None


async def test_the_last_clip_is_found_by_the_index_of_its_member(
    store: Store, database: Database
) -> None:
    heard: list[str] = []
    await database.run(lambda db: db.set_trace_callback(heard.append))
    await store.accept(make_job(), UNLIMITED)
    await store.accept(make_job(member_id=31), HOURLY)
    await database.run(lambda db: db.set_trace_callback(None))
    # Once: where there is no pause it is not asked.
    (question,) = [text for text in heard if "INDEXED BY jobs_by_member" in text]

    def plan(db: sqlite3.Connection) -> str:
        return " ".join(row["detail"] for row in db.execute(f"EXPLAIN QUERY PLAN {question}"))

    found = await database.run(plan)
    assert "jobs_by_member (guild_id=? AND member_id=? AND created_at>?)" in found
    assert "TEMP B-TREE" not in found


async def test_each_period_has_its_own_days(store: Store, accounts: Accounts) -> None:
    costs = {"2026-10-31": 1, "2026-11-01": 2, "2026-11-02": 4, "2026-11-06": 8, "2026-11-07": 16}
    for day, cost in costs.items():
        await paid(store, cost, created_at=at(f"{day}T12:00"), quote_micro=100)
    view = await accounts.statement(GUILD, MEMBER, (), NOON)
    spent = {period: view.balances[Account.MEMBER, period].spent_micro for period in Period}
    assert spent == {Period.DAY: 16, Period.WEEK: 4 + 8 + 16, Period.MONTH: 2 + 4 + 8 + 16}


async def test_a_servers_days_are_its_own_and_the_bots_are_in_utc(
    store: Store, accounts: Accounts, admin: Admin
) -> None:
    await admin.set_server(change(), lambda _: Server("America/New_York"))
    new_year = at("2027-01-01T00:00")
    await accepted(store, quote_micro=100, created_at=new_year - 1)
    await accepted(store, quote_micro=10, created_at=new_year)
    await accepted(store, quote_micro=1, created_at=new_year + 5 * 3_600_000)
    view = await accounts.statement(GUILD, MEMBER, (), new_year + 5 * 3_600_000)
    assert view.day() == date(2027, 1, 1)
    for account, held in ((Account.MEMBER, 1), (Account.SERVER, 1), (Account.BOT, 11)):
        assert view.balances[account, Period.DAY] == Balance(held_micro=held)
        assert view.balances[account, Period.MONTH] == Balance(held_micro=held)
    before = await accounts.statement(GUILD, MEMBER, (), new_year)
    assert before.day() == date(2026, 12, 31)
    assert before.balances[Account.MEMBER, Period.MONTH] == Balance(held_micro=110)


async def test_a_clip_that_turns_up_later_is_paid_in_the_period_that_it_was_held_in(
    store: Store, accounts: Accounts
) -> None:
    job = await lost(store, NOON + DAY, quote_micro=100)
    empty = await accounts.statement(GUILD, MEMBER, (), NOON)
    assert empty.balances[Account.MEMBER, Period.MONTH] == Balance()
    december = at("2026-12-03T00:00")
    back = found(job, 80, december, "turned up")
    rendered = await store.move(job, advance(job, Event.FINISHED, december), resolution=back)
    assert rendered.state is State.RENDERED
    view = await accounts.statement(GUILD, MEMBER, (), NOON)
    for account in Account:
        assert view.balances[account, Period.DAY] == Balance(80)
    later = await accounts.statement(GUILD, MEMBER, (), december)
    assert set(later.balances.values()) == {Balance()}
    assert [entry.kind for entry in await store.entries(job.id)] == [
        Kind.HOLD,
        Kind.RELEASE,
        Kind.ADJUSTMENT,
    ]
    assert await accounts.discrepancies() == ()


async def test_a_statement_knows_the_rules_that_the_members_roles_bring(
    database: Database, admin: Admin
) -> None:
    for target, target_id, value in ((Target.DEFAULT, 0, 5), (Target.ROLE, ROLE, 9)):
        one = Rule(target=target, target_id=target_id, measure=Measure.MONTH, value=value)
        await admin.set_rule(change(), one)
    accounts = Accounts(database, monthly(member=3, server=100))
    sources = []
    for roles in ((), (ROLE,)):
        own, server, _ = (await accounts.statement(GUILD, MEMBER, roles, NOON)).lines
        sources.append((own.value, own.source))
        assert (server.value, server.source) == (100, Source.OPERATOR)
    assert sources == [(5, Source.DEFAULT), (9, Source.ROLE)]
    own, *_ = (await accounts.statement(GUILD + 1, MEMBER, (ROLE,), NOON)).lines
    assert (own.value, own.source) == (3, Source.OPERATOR)


# --- Credits -------------------------------------------------------------------------------------


async def test_credits_are_used_first_that_expire_first_and_not_when_they_have(
    accounts: Accounts, admin: Admin
) -> None:
    for micro, expires_at in ((1, None), (2, NOON + 9), (4, NOON + 5), (8, None)):
        await admin.grant(change(), MEMBER, micro, expires_at)
    await admin.grant(change(guild=1001), MEMBER, 16, None)
    await admin.grant(change(), MEMBER + 1, 32, None)
    left = {}
    for now in (NOON + 4, NOON + 5, NOON + 9):
        view = await accounts.statement(GUILD, MEMBER, (), now)
        left[now - NOON] = [credit.left_micro for credit in view.credits]
    assert left == {4: [4, 2, 1, 8], 5: [2, 1, 8], 9: [1, 8]}


async def test_what_a_clip_did_not_need_of_a_credit_goes_back_to_its_grant(
    database: Database, store: Store, admin: Admin
) -> None:
    limits = monthly(member=50)
    accounts = Accounts(database, limits)
    for micro, expires_at in ((30, NOON + DAY), (40, None)):
        await admin.grant(change(), MEMBER, micro, expires_at)

    async def left(now: int = NOON) -> list[int]:
        view = await accounts.statement(GUILD, MEMBER, (), now)
        return [credit.left_micro for credit in view.credits]

    job = (await store.accept(make_job(quote_micro=100), limits)).job
    assert await left() == [20]
    view = await accounts.statement(GUILD, MEMBER, (), NOON)
    assert view.balances[Account.MEMBER, Period.MONTH] == Balance(0, 100, 50)
    assert view.balances[Account.SERVER, Period.MONTH] == Balance(0, 100)
    job = await rendering(store, job)
    done = advance(job, Event.FINISHED, NOON)
    await store.move(job, done, resolution=spend(job, 75, NOON))
    assert await left() == [5, 40]
    assert await left(NOON + DAY) == [40]
    view = await accounts.statement(GUILD, MEMBER, (), NOON)
    assert view.balances[Account.MEMBER, Period.MONTH] == Balance(75, 0, 25)
    with pytest.raises(LimitReached) as refusal:
        await store.accept(make_job(quote_micro=46), limits)
    assert (refusal.value.whom, refusal.value.credit_micro) == ("member", 45)
    assert await accounts.discrepancies() == ()


async def test_a_failed_clip_gives_its_credit_back_though_it_has_expired(
    database: Database, store: Store, admin: Admin
) -> None:
    limits = monthly(member=0)
    accounts = Accounts(database, limits)
    await admin.grant(change(), MEMBER, 100, NOON + 1)
    job = await rendering(store, (await store.accept(make_job(quote_micro=100), limits)).job)
    failed = advance(job, Event.REFUSED, NOON + 2, failure=Failure.REFUSED)
    await store.move(job, failed, resolution=release(job, NOON + 2))
    assert (await accounts.statement(GUILD, MEMBER, (), NOON)).credit_micro == 100
    assert (await accounts.statement(GUILD, MEMBER, (), NOON + 2)).credit_micro == 0


# --- Receipts, rules, clips in flight ------------------------------------------------------------


async def test_a_receipt_is_a_statement_with_the_roles_of_the_job_where_the_server_wants_it(
    store: Store, accounts: Accounts, admin: Admin
) -> None:
    one = Rule(target=Target.ROLE, target_id=ROLE, measure=Measure.MONTH, value=10**6)
    await admin.set_rule(change(), one)
    job = await accepted(store, role_ids=(ROLE,))
    receipt = await accounts.receipt(job, NOON)
    assert receipt == await accounts.statement(GUILD, MEMBER, (ROLE,), NOON)
    await admin.set_server(change(), lambda _: Server(receipts=False))
    assert await accounts.receipt(job, NOON) is None


async def test_the_rules_of_a_server_come_widest_first(accounts: Accounts, admin: Admin) -> None:
    order = [
        Rule(target=target, target_id=target_id, measure=measure, value=None)
        for target, target_id in (
            (Target.SERVER, 0),
            (Target.DEFAULT, 0),
            (Target.ROLE, 5),
            (Target.ROLE, 40),
            (Target.MEMBER, 6),
        )
        for measure in (Measure.DAY, Measure.WEEK, Measure.MONTH, Measure.CLIPS)
    ]
    for one in reversed(order):
        await admin.set_rule(change(), one)
    assert await accounts.rules(GUILD) == tuple(order)
    assert await accounts.rules(GUILD + 1) == ()


async def test_open_holds_are_the_members_clips_in_flight_the_oldest_first(
    store: Store, accounts: Accounts
) -> None:
    young = await accepted(store, quote_micro=10, created_at=NOON + 1)
    old = await rendering(store, await accepted(store, quote_micro=20))
    await paid(store, 5, quote_micro=30)
    await lost(store, NOON, quote_micro=40)
    await accepted(store, member_id=MEMBER + 1)
    await accepted(store, guild_id=GUILD + 1)
    assert await accounts.open_holds(GUILD, MEMBER) == (
        OpenHold(old.id, 20, "rendering"),
        OpenHold(young.id, 10, "queued"),
    )


# --- Usage, entries, the audit -------------------------------------------------------------------


async def test_usage_is_what_a_server_spent_by_day_and_by_member_between_two_days(
    store: Store, accounts: Accounts, admin: Admin
) -> None:
    for days, member, cost in ((-2, 1, 9), (-1, 1, 5), (0, 2, 7), (0, 1, 2), (0, 3, 0), (1, 1, 9)):
        moment = NOON + days * DAY
        await paid(store, cost, moment, created_at=moment, member_id=member, quote_micro=9)
    await paid(store, 50, guild_id=GUILD + 1, quote_micro=50)
    await accepted(store, member_id=2, quote_micro=30)
    await admin.reset(change(), 2)
    yesterday = TODAY - timedelta(days=1)
    usage = await accounts.usage(GUILD, yesterday, TODAY)
    assert usage.spent == {yesterday: 5, TODAY: 9}
    assert usage.shares == (Share(1, 7), Share(2, 7))
    assert (usage.first, usage.last, usage.held_micro) == (yesterday, TODAY, 30)
    assert sum(usage.spent.values()) == sum(share.spent_micro for share in usage.shares)


async def test_usage_of_days_without_clips_is_empty(accounts: Accounts) -> None:
    usage = await accounts.usage(GUILD, TODAY, TODAY)
    assert (usage.spent, usage.shares, usage.held_micro) == ({}, (), 0)


async def test_entries_are_a_servers_of_these_days_in_their_order(
    store: Store, accounts: Accounts, admin: Admin
) -> None:
    before = await paid(store, 1, created_at=NOON - DAY)
    await accepted(store, created_at=NOON - 2 * DAY)
    await accepted(store, guild_id=GUILD + 1)
    await admin.grant(change(), MEMBER, 5, None)
    today = await accepted(store)
    entries = await accounts.entries(GUILD, TODAY - timedelta(days=1), TODAY, 100)
    assert [(entry.job_id, entry.kind) for entry in entries] == [
        (before.id, Kind.HOLD),
        (before.id, Kind.SPEND),
        (None, Kind.GRANT),
        (today.id, Kind.HOLD),
    ]


async def test_that_there_are_more_entries_than_wanted_is_seen_without_reading_all(
    store: Store, accounts: Accounts
) -> None:
    for days in range(6):
        await accepted(store, created_at=NOON - days * DAY)
    for most, read in ((9, 6), (6, 6), (5, 6), (3, 4), (0, 1)):
        found = await accounts.entries(GUILD, TODAY - timedelta(days=30), TODAY, most)
        assert len(found) == read


async def test_the_audit_is_a_servers_the_newest_first(accounts: Accounts, admin: Admin) -> None:
    for number in range(4):
        await admin.grant(change(now=NOON + number), MEMBER, 1, None)
    await admin.grant(change(guild=GUILD + 1, now=NOON + 9), MEMBER, 1, None)
    rows = await accounts.audit(GUILD, most=3)
    assert [row.at - NOON for row in rows] == [3, 2, 1]


async def test_a_server_that_set_nothing_keeps_its_accounts_in_utc_with_receipts(
    accounts: Accounts,
) -> None:
    server = await accounts.server(GUILD)
    assert (server.zone, server.receipts) == (ZoneInfo("UTC"), True)


# --- The proof -----------------------------------------------------------------------------------

FORGERIES: dict[str, tuple[str, str]] = {
    "a total that was raised": (
        "UPDATE totals SET spent_micro = spent_micro + 1 WHERE member_id = 3000",
        "the total of server 1000, member 3000, day 2026-11-07",
    ),
    "a total that was lowered": (
        "UPDATE totals SET held_micro = held_micro - 1 WHERE guild_id = 0",
        "the total of server 0, member 0, day 2026-11-07",
    ),
    "a total that is gone": (
        "DELETE FROM totals WHERE guild_id = 1000 AND member_id = 0",
        "the total of server 1000, member 0",
    ),
    "a total of nothing that was": (
        "INSERT INTO totals VALUES (5, 5, '2026-11-07', 0, 0, 1)",
        "the total of server 5, member 5",
    ),
    "a miscount of clips in flight": (
        "UPDATE running SET jobs = jobs + 1 WHERE guild_id = 1000",
        "clips in flight of server 1000 are miscounted",
    ),
    "a count of clips in flight that is gone": (
        "DELETE FROM running WHERE guild_id = 0",
        "clips in flight of server 0 are miscounted",
    ),
    "a quote that is not what is held": (
        "UPDATE jobs SET quote_micro = 7 WHERE state = 'queued'",
        "holds what it should not",
    ),
    "a credit that nobody drew on": (
        """INSERT INTO draws (job_id, grant_id, micro) SELECT jobs.id, entries.id, 1
           FROM jobs, entries WHERE entries.kind = 'grant' AND state = 'queued'""",
        "draws another credit than was booked",
    ),
}


@pytest.mark.parametrize("what", FORGERIES)
async def test_the_proof_finds(
    database: Database, store: Store, accounts: Accounts, admin: Admin, what: str
) -> None:
    await admin.grant(change(), MEMBER, 50, None)
    await paid(store, 70, quote_micro=100)
    await lost(store, NOON)
    await accepted(store, quote_micro=30)
    await admin.reset(change(), MEMBER)
    assert await accounts.discrepancies() == ()
    forgery, told = FORGERIES[what]
    await database.run(lambda db: db.execute(forgery))
    (line,) = await accounts.discrepancies()
    assert told in line


def changes(db: sqlite3.Connection) -> int:
    return db.total_changes


async def test_reading_changes_nothing(
    database: Database, store: Store, accounts: Accounts, job_factory: JobFactory
) -> None:
    job = (await store.accept(job_factory(), UNLIMITED)).job
    before = await database.run(changes)
    await accounts.statement(GUILD, MEMBER, (), NOON)
    await accounts.receipt(job, NOON)
    await accounts.rules(GUILD)
    await accounts.open_holds(GUILD, MEMBER)
    await accounts.usage(GUILD, TODAY, TODAY)
    await accounts.entries(GUILD, TODAY, TODAY, 9)
    await accounts.audit(GUILD)
    await accounts.discrepancies()
    assert await database.run(changes) == before
