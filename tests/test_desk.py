"""The desk: what people type is read as they mean it; what makes no sense changes nothing.

Behind it are the real accounts in a file.
"""

import asyncio
import csv
import io
from dataclasses import dataclass
from datetime import date
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import desk as desk_module
from bot.accounts import Accounts, Server
from bot.admin import Admin, Change
from bot.database import Database
from bot.desk import Desk, days, read_amount, zones_like
from bot.errors import InputRefused, StoreError
from bot.ledger import spend
from bot.lifecycle import Event, Job, advance
from bot.rules import Limits, Measure, Rule, Target
from bot.shelf import Shelf
from bot.store import Store
from bot.words import Note
from tests.conftest import Clock, make_job

GUILD, ADA, MIA = 1000, 1, 3000
PRICE = 184_800
OWNERS = Limits(member={Measure.MONTH: 5_000_000}, server={Measure.MONTH: 25_000_000})


@dataclass(frozen=True, slots=True)
class Office:
    """A desk and what is behind it."""

    desk: Desk
    accounts: Accounts
    store: Store
    clock: Clock

    def change(self, reason: str = "") -> Change:
        return self.desk.change(GUILD, ADA, reason)

    async def set(self, limit: str, amount: str, target: Target = Target.DEFAULT) -> str:
        note = await self.desk.set_rule(self.change(), target, 0, limit, amount)
        return f"{note.title}\n{note.body}"

    async def clip(self, member_id: int = MIA) -> Job:
        job = make_job(guild_id=GUILD, member_id=member_id, created_at=self.clock())
        return (await self.store.accept(job, OWNERS)).job

    async def spend(self, job: Job) -> None:
        """Have the service make a clip and report its price."""
        sent = await self.store.move(job, advance(job, Event.SUBMIT, self.clock()))
        made = await self.store.move(sent, advance(sent, Event.ACCEPTED, self.clock()))
        done = advance(made, Event.FINISHED, self.clock())
        await self.store.move(made, done, resolution=spend(made, PRICE, self.clock()))


@pytest.fixture
async def office(database: Database, clock: Clock) -> Office:
    accounts = Accounts(database, OWNERS)
    shelf = Shelf(database, clock, lambda: None)
    desk = Desk(accounts, Admin(database), shelf, OWNERS, clock)
    return Office(desk, accounts, Store(database), clock)


# --- Amounts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measure", "text", "value"),
    [
        (Measure.DAY, "0", 0),
        (Measure.DAY, "2.50", 2_500_000),
        (Measure.WEEK, "$2.50", 2_500_000),
        (Measure.MONTH, "  3  ", 3_000_000),
        (Measure.MONTH, "0.000001", 1),
        (Measure.MONTH, "1000000", 1_000_000_000_000),
        (Measure.MONTH, "Unlimited", None),
        (Measure.CLIPS, "0", 0),
        (Measure.CLIPS, "3", 3),
        (Measure.CLIPS, "3 clips", 3),
        (Measure.CLIPS, "1 clip", 1),
        (Measure.CLIPS, "unlimited", None),
        (Measure.COOLDOWN, "0", 0),
        (Measure.COOLDOWN, "30", 30),
        (Measure.COOLDOWN, "30s", 30),
        (Measure.COOLDOWN, "5m", 300),
        (Measure.COOLDOWN, "5 min", 300),
        (Measure.COOLDOWN, "2H", 7200),
        (Measure.COOLDOWN, "unlimited", None),
    ],
)
def test_an_amount_is_read_as_it_is_meant(measure: Measure, text: str, value: int | None) -> None:
    assert read_amount(measure, text) == value


NONSENSE = ["", "abc", "-1", "1e400", "nan", "inf", "2,50", "$", "£3", "9" * 6000, "1 2", "--1"]


@pytest.mark.parametrize("measure", Measure)
@pytest.mark.parametrize(
    "text", [*NONSENSE, "1000000000", "0x10", "½", "٣٣٣٣٣٣٣٣٣"], ids=lambda text: text[:12]
)
def test_nonsense_is_refused_with_what_the_option_takes(measure: Measure, text: str) -> None:
    with pytest.raises(InputRefused) as refused:
        read_amount(measure, text)
    assert refused.value.option == "amount"
    assert any(one in refused.value.allowed for one in ("`2.50`", "`3`", "`30s`"))


@given(st.sampled_from(Measure), st.text(max_size=40))
def test_whatever_is_typed_is_an_amount_or_refused(measure: Measure, text: str) -> None:
    try:
        value = read_amount(measure, text)
    except InputRefused:
        return
    assert value is None or 0 <= value <= 1_000_000_000_000


# --- Limits --------------------------------------------------------------------------------------


async def test_a_limit_is_set_changed_and_cleared_and_each_step_is_told(office: Office) -> None:
    assert await office.set("month", "2.50") == "✅ Limit set\nEach member: $2.50 a month."
    assert "Before: $2.50 a month." in await office.set("month", "unlimited")
    assert await office.set("month", " Inherit ") == (
        "✅ Limit cleared\nEach member: dollars a month inherits again. Before: unlimited a month."
    )
    assert "had no limit set here" in await office.set("month", "inherit")
    assert await office.accounts.rules(GUILD) == ()
    assert [row.after for row in await office.accounts.audit(GUILD)] == [
        *("inherit", "inherit", "unlimited", "2500000")
    ]


async def test_nonsense_changes_nothing_and_leaves_no_trace(office: Office) -> None:
    for text in NONSENSE:
        with pytest.raises(InputRefused):
            await office.set("day", text)
    assert await office.accounts.rules(GUILD) == ()
    assert await office.accounts.audit(GUILD) == ()


@pytest.mark.parametrize(
    ("target", "limit"),
    [(Target.DEFAULT, "year"), (Target.SERVER, "cooldown"), (Target.SERVER, "")],
)
async def test_a_limit_that_is_not_offered_is_refused_with_those_that_are(
    office: Office, target: Target, limit: str
) -> None:
    with pytest.raises(InputRefused) as refused:
        await office.set(limit, "1", target)
    assert refused.value.option == "limit"
    assert refused.value.allowed.startswith("dollars a day, dollars a week")
    assert ("time between clips" in refused.value.allowed) is (target is not Target.SERVER)


# --- Credit and a new beginning ------------------------------------------------------------------


async def test_credit_is_given_with_an_end_or_without(office: Office) -> None:
    for_good = await office.desk.grant(office.change("a prize"), MIA, "$2", None)
    assert for_good.body.startswith("<@3000> has $2.00 more: it pays where their own limits don't")
    assert "expires" not in for_good.body
    week = await office.desk.grant(office.change("a prize"), MIA, "1", 7)
    end = office.clock() // 1000 + 7 * 86_400
    assert f"It expires <t:{end}:R>." in week.body
    card = (await office.desk.card(GUILD, MIA, ())).body
    assert "**Credit** · $3.00 on top of these limits" in card

    office.clock.forward(seconds=7 * 86_400)
    assert "**Credit** · $2.00" in (await office.desk.card(GUILD, MIA, ())).body


async def test_credit_of_no_amount_is_refused_by_the_options_own_name(office: Office) -> None:
    for text in ("0", "0.0000001", "unlimited", "inherit", *NONSENSE):
        with pytest.raises(InputRefused) as refused:
            await office.desk.grant(office.change("why"), MIA, text, None)
        assert refused.value.option == "amount"
        assert "inherit" not in refused.value.allowed
    assert await office.accounts.audit(GUILD) == ()


async def test_credit_of_a_slip_of_the_hand_is_taken_back(office: Office) -> None:
    await office.desk.grant(office.change("x"), MIA, "250", None)
    with pytest.raises(InputRefused):
        await office.desk.revoke(office.change(" "), MIA)
    note = await office.desk.revoke(office.change("meant 2.50"), MIA)
    assert (note.title, note.body[:36]) == (
        *("✅ Credit revoked", "$250.00 of <@3000>'s credit is gone."),
    )
    assert (await office.desk.revoke(office.change("x"), MIA)).title == "✅ Nothing to revoke"
    assert "250" not in (await office.desk.card(GUILD, MIA, ())).body


async def test_a_reset_tells_what_no_longer_counts_and_what_is_held_stays(office: Office) -> None:
    nothing = await office.desk.reset(office.change("x"), MIA)
    assert nothing.title == "✅ Nothing to reset"
    job = await office.clip()
    assert (await office.desk.reset(office.change("x"), MIA)).title == "✅ Nothing to reset"
    await office.spend(job)
    again = await office.desk.reset(office.change("x"), MIA)
    assert again.body.startswith("$0.1848 that <@3000> has spent no longer counts")
    card = (await office.desk.card(GUILD, MIA, ())).body
    assert "**This month** · $5.00 left of $5.00" in card
    assert "$0.1848 spent · $0.1848 of it not counted" in card


# --- The server's own ways -----------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["Europe/Berlin", "europe/berlin", " EUROPE/BERLIN "])
async def test_a_time_zone_is_taken_however_it_is_spelled(office: Office, typed: str) -> None:
    note = await office.desk.set_timezone(office.change(), typed)
    assert "midnight in Europe/Berlin" in note.body
    assert "Before: UTC." in note.body
    assert await office.accounts.server(GUILD) == Server("Europe/Berlin")


@pytest.mark.parametrize(
    ("typed", "hint"),
    [
        ("berlin", "Europe/Berlin"),
        ("tok", "Asia/Tokyo"),
        ("the moon", "Europe/Berlin"),
        ("", "UTC"),
    ],
)
async def test_no_time_zone_is_refused_with_the_nearest_one(
    office: Office, typed: str, hint: str
) -> None:
    with pytest.raises(InputRefused, match=hint):
        await office.desk.set_timezone(office.change(), typed)
    assert await office.accounts.audit(GUILD) == ()


def test_zones_are_found_by_their_city_first_and_no_more_than_discord_lists() -> None:
    assert zones_like("berl") == ["Europe/Berlin"]
    assert zones_like("new york") == ["America/New_York"]
    assert zones_like("utc")[:2] == ["UTC", "Etc/UTC"]
    assert zones_like("the moon") == []
    assert len(zones_like("a")) == len(zones_like("")) == 25


async def test_receipts_are_left_out_where_an_admin_turned_them_off(office: Office) -> None:
    job = await office.clip()
    for shown, words in ((False, "no longer tell"), (True, "Clips tell")):
        note = await office.desk.set_receipts(office.change(), shown=shown)
        assert words in note.body
        assert (await office.accounts.receipt(job, office.clock()) is not None) is shown
    assert (await office.accounts.server(GUILD)).timezone == "UTC"


async def test_whoever_moves_the_days_again_hears_when_they_may_and_can_change_the_rest(
    office: Office,
) -> None:
    await office.desk.set_timezone(office.change(), "Asia/Tokyo")
    until = office.clock() // 1000 + 7 * 86_400
    office.clock.forward(seconds=86_400)
    note = await office.desk.set_timezone(office.change(), "Pacific/Kiritimati")
    assert f"again <t:{until}:R>. Nothing was changed." in note.body
    assert (
        "begin at midnight in Asia/Tokyo"
        in (await office.desk.set_timezone(office.change(), "Asia/Tokyo")).body
    )
    await office.desk.set_receipts(office.change(), shown=False)
    assert await office.accounts.server(GUILD) == Server("Asia/Tokyo", receipts=False)


async def test_two_admins_at_once_change_one_thing_each(office: Office) -> None:
    await asyncio.gather(
        office.desk.set_timezone(office.change(), "Asia/Tokyo"),
        office.desk.set_receipts(office.change(), shown=False),
    )
    assert await office.accounts.server(GUILD) == Server("Asia/Tokyo", receipts=False)


# --- Looking -------------------------------------------------------------------------------------


async def test_a_view_with_nothing_set_says_what_is_inherited(office: Office) -> None:
    note = await office.desk.rules(GUILD)
    assert isinstance(note, Note)
    body = note.body
    assert "No limit is set in this server yet: `/quota set`." in body
    assert "**From the bot's owner** · each member: $5.00 a month" in body
    assert "-# this server, never wider: $25.00 a month" in body


async def test_a_view_of_sixty_rules_fits(office: Office) -> None:
    admin = Admin(office.accounts._database)  # noqa: SLF001 - a second writer on the same file
    for role_id in range(60):
        rule = Rule(
            target=Target.ROLE,
            target_id=10**18 + role_id,
            measure=Measure.MONTH,
            value=1_234_567_891 + role_id,
        )
        await admin.set_rule(office.change(), rule)
    note = await office.desk.rules(GUILD)
    assert isinstance(note, Note), "a file beside what is all there"
    assert len(note.body) <= 4096
    assert note.body.count("<@&") == 60


async def test_a_view_that_is_cut_comes_with_the_whole_list_as_a_file(office: Office) -> None:
    admin = Admin(office.accounts._database)  # noqa: SLF001 - a second writer on the same file
    ids = range(10**18, 10**18 + 60)
    for role_id, measure in product(ids, (Measure.DAY, Measure.WEEK, Measure.MONTH)):
        rule = Rule(target=Target.ROLE, target_id=role_id, measure=measure, value=10_000)
        await admin.set_rule(office.change(), rule)
    await office.desk.set_rule(office.change(), Target.MEMBER, MIA, "clips", "2")

    found = await office.desk.rules(GUILD, {ids[6]: "**Staff**"})

    assert isinstance(found, tuple)
    note, file = found
    assert "… and " in note.body
    assert "All of them are in the file." in note.body
    assert len(note.body) <= 4096
    lines = file.content.decode().splitlines()
    assert file.filename == "limits.txt"
    said = "$0.01 a day, $0.01 a week, $0.01 a month"
    assert lines[6] == f"@**Staff** ({ids[6]}) · {said}"
    assert lines[0] == f"A deleted role ({ids[0]}) · {said}"
    assert f"<@{MIA}> · 2 clips at once" in lines
    assert lines[-3:] == [
        "From the bot's owner · each member: $5.00 a month",
        "this server, never wider: $25.00 a month",
        "Time zone UTC · receipts on",
    ]


async def test_an_explanation_has_the_rule_that_won_and_the_clips_that_hold(office: Office) -> None:
    job = await office.clip()
    await office.desk.set_rule(office.change(), Target.ROLE, 7, "month", "1")
    body = (await office.desk.explanation(GUILD, MIA, (7,))).body
    assert "$0.8152 left of $1.00" in body
    assert "$0.1848 held · from the role <@&7>" in body
    assert f"`{job.short_id}` $0.1848, queued" in body
    other = (await office.desk.explanation(GUILD, MIA, ())).body
    assert "set by the bot's owner" in other
    assert "<@&7>" not in other


async def test_an_admins_reason_is_shown_as_it_is_and_kept_on_one_line(office: Office) -> None:
    reason = "**b** @everyone\n\n<@&1> `x` " * 7
    await office.desk.grant(office.change(reason), MIA, "1", None)
    (row,) = await office.accounts.audit(GUILD)
    assert row.reason == " ".join(reason.split())
    body = (await office.desk.changes(GUILD)).body
    assert r"\*\*b\*\* \@everyone \<\@&1\> \`x\`" in body
    assert len(body.splitlines()) == 2


@pytest.mark.parametrize(
    ("period", "first", "last"),
    [
        ("this week", date(2024, 2, 26), date(2024, 3, 3)),
        ("this month", date(2024, 2, 1), date(2024, 2, 29)),
        ("last month", date(2024, 1, 1), date(2024, 1, 31)),
        ("90 days", date(2023, 12, 2), date(2024, 2, 29)),
    ],
)
def test_a_range_has_whole_weeks_and_months(period: str, first: date, last: date) -> None:
    assert days(period, date(2024, 2, 29)) == (first, last)


def test_a_month_before_january_is_last_years_december() -> None:
    assert days("last month", date(2026, 1, 31)) == (date(2025, 12, 1), date(2025, 12, 31))


async def name_of(member_id: int) -> str:
    return f"member {member_id}"


async def test_a_range_that_is_not_offered_is_refused(office: Office) -> None:
    with pytest.raises(InputRefused, match="this week, this month"):
        await office.desk.export(GUILD, "for ever")
    with pytest.raises(InputRefused):
        await office.desk.usage(GUILD, "Pixel Garden", "for ever", name_of)


async def test_what_was_spent_is_told_and_drawn(office: Office) -> None:
    await office.spend(await office.clip())
    await office.clip(4000)
    note, picture = await office.desk.usage(GUILD, "Pixel Garden", "this month", name_of)
    assert note.title == "📊 Spent this month"
    assert note.body == "$0.1848 spent, $0.1848 held.\n-# <@3000> $0.1848"
    assert picture.filename == "usage.png"
    assert picture.content.startswith(b"\x89PNG")
    assert "$0.1848" in picture.alt
    assert len(picture.alt) <= 1024


async def test_an_export_has_every_entry_and_runs_nothing_in_a_spreadsheet(office: Office) -> None:
    await office.spend(await office.clip())
    await office.desk.grant(office.change('=HYPERLINK("https://e.vil")'), MIA, "1", None)
    note, file = await office.desk.export(GUILD, "this month")
    assert note.body == "3 entries from 2026-11-01 to 2026-11-30. Amounts in dollars."
    rows = list(csv.DictReader(io.StringIO(file.content.decode())))
    assert [row["kind"] for row in rows] == ["hold", "spend", "grant"]
    assert rows[2]["note"].startswith("'=")


async def test_an_export_that_is_too_large_asks_for_a_shorter_time(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "_MOST_ENTRIES", 1)
    await office.clip()
    assert (await office.desk.export(GUILD, "this month"))[1].content
    await office.clip()
    with pytest.raises(InputRefused, match="a shorter time: there are over 1 entries"):
        await office.desk.export(GUILD, "this month")


async def test_a_closed_database_is_trouble_and_never_an_empty_answer(tmp_path: Path) -> None:
    async with Database(tmp_path) as database:
        shelf = Shelf(database, Clock(), lambda: None)
        desk = Desk(Accounts(database, OWNERS), Admin(database), shelf, OWNERS, Clock())
    with pytest.raises(StoreError):
        await desk.card(GUILD, MIA, ())
    with pytest.raises(StoreError):
        await desk.rules(GUILD)
    with pytest.raises(StoreError):
        await desk.grant(desk.change(GUILD, ADA, "x"), MIA, "1", None)
