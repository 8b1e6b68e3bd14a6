"""What a server's log says: of a clip, of one that is held, of a day; and what it never says."""

from dataclasses import replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from bot import log_words
from bot.accounts import Accounts, Share, Usage
from bot.digests import Digest, Digests
from bot.ledger import Balance, Statement
from bot.lifecycle import Failure, State
from bot.lines import Line
from bot.pages import MOST_LINES, Told
from bot.periods import Period
from bot.rules import Account, Measure, Source
from bot.rules import Line as Limit
from bot.tongue import TRANSLATED, said_in
from bot.wish import NOBODY, Door, Origin, Wish
from bot.words import Note
from tests.conftest import NOON, UNLIMITED, make_job, make_order
from tests.test_pages import GUILD, Server, here

__all__ = ["here"]

BIG = 9_223_372_036_854_775_000
"""No id of Discord's is longer."""
DAY = date(2026, 11, 7)


def told(
    line: Line = Line.DELIVERED, spent_micro: int = 184_800, clips: int = 1, **changes: Any
) -> Told:
    end: dict[str, Any] = {
        Line.DELIVERED: {
            "state": State.DELIVERED,
            "message_id": 77,
            "message_channel_id": changes.get("channel_id", 2000),
        },
        Line.FAILED: {"state": State.FAILED, "failure": Failure.REFUSED},
    }.get(line, {"state": State.RENDERED})
    job = make_job(**end | changes)
    return Told(line=line, at=NOON, job=job, spent_micro=spent_micro, clips=clips)


def line(one: Told) -> str:
    return log_words.page([one]).body


def test_a_line_says_who_how_where_what_and_for_how_much() -> None:
    one = told()
    assert line(one) == (
        "✅ <@3000> · by `/animate` · <#2000> · [clip](https://discord.com/channels/1000/2000/77)"
        f" · $0.1848 · <t:{NOON // 1000}:t> · `{one.job.short_id}`"
    )


def test_a_failure_says_why_and_a_clip_that_cannot_be_posted_that_it_is_paid() -> None:
    failed = told(Line.FAILED, 0)
    assert line(failed).startswith("⚠️ <@3000>")
    assert "not made by the video service · $0.00" in line(failed)
    assert "📦" in line(told(Line.STUCK))
    assert "paid, and cannot be posted there" in line(told(Line.STUCK))


def test_several_clips_of_one_wish_are_counted_one_by_one() -> None:
    four = told(clips=4, spent_micro=739_200)
    assert "· 4 clips · $0.7392 ·" in line(four)
    assert log_words.page([four, told()]).title == "🎞️ 5 clips"
    assert "· 4 clips ·" in line(told(Line.HELD, clips=4))
    failed = told(Line.FAILED, clips=0, order=make_order(results=4))
    assert log_words.page([failed]).title == "🎞️ 4 clips"
    assert "4 clips" not in line(failed)


@pytest.mark.parametrize("failure", Failure)
def test_every_failure_has_a_few_words(failure: Failure) -> None:
    assert log_words.REASONS[failure] in line(told(Line.FAILED, failure=failure))


def test_whose_picture_it_was_is_said_where_it_was_somebody_elses() -> None:
    mine = Origin(channel_id=2000, message_id=5, key="1", author_id=3000)
    theirs = Origin(channel_id=2000, message_id=5, key="1", author_id=8)
    assert "a picture of" not in line(told(picture=mine, door=Door.MENU))
    assert "a picture of <@8>'s" in line(told(picture=theirs, door=Door.MENU))
    nobodys = replace(theirs, author_id=NOBODY)
    assert "a picture of" not in line(told(picture=nobodys, door=Door.MENU))


def test_a_clip_that_only_its_person_sees_is_not_linked() -> None:
    for one in (told(wish=Wish(is_private=True)), told(message_channel_id=4)):
        assert "http" not in line(one)
    assert "for their eyes only" in line(told(wish=Wish(is_private=True)))
    assert "by direct message" in line(told(message_channel_id=4))


def test_nothing_that_somebody_has_typed_is_said() -> None:
    order = make_order(prompt="@everyone secret", negative_prompt="secret")
    for one in Line:
        assert "secret" not in line(told(one, order=order, source="secret"))


def test_a_held_clip_stands_alone_and_says_that_nobody_sees_it() -> None:
    note = log_words.page([told(Line.HELD)])
    assert note.title == "🛡️ A clip waits for a moderator"
    assert "Nobody sees it until a moderator lets it out." in note.body


@pytest.mark.parametrize("locale", ["en-US", *TRANSLATED])
def test_a_full_page_fits_into_a_message_in_every_language(locale: str) -> None:
    picture = Origin(channel_id=BIG, message_id=BIG, key="1", author_id=BIG - 1)
    ids: dict[str, Any] = {
        "guild_id": BIG,
        "channel_id": BIG,
        "message_channel_id": BIG,
        "message_id": BIG,
    }
    lines = [
        told(
            spent_micro=999_999_999,
            clips=4,
            door=Door.AGAIN,
            picture=picture,
            member_id=BIG,
            **ids,
        )
        for _ in range(MOST_LINES)
    ]
    note: Note = said_in(locale, lambda: log_words.page(lines))
    assert len(note.body) <= 4096
    assert note.body.count("\n") == MOST_LINES - 1
    assert all(one.job.short_id in note.body for one in lines)


# --- A day ---------------------------------------------------------------------------------------


def figures(**changes: Any) -> Digest:
    limits = tuple(
        Limit(account=Account.SERVER, measure=measure, value=5_000_000, source=Source.OPERATOR)
        for measure in (Measure.DAY, Measure.MONTH)
    )
    balances = {
        (account, period): Balance(spent_micro=1_500_000)
        for account in Account
        for period in Period
    }
    given: dict[str, Any] = {
        "usage": Usage(
            first=DAY,
            last=DAY,
            spent={DAY: 1_500_000},
            shares=tuple(Share(number, 100_000) for number in range(1, 9)),
            held_micro=184_800,
        ),
        "asked": 9,
        "delivered": 6,
        "failures": {Failure.DECLINED: 2, Failure.LOST: 1},
        "held": 1,
        "statement": Statement(
            guild_id=GUILD,
            member_id=0,
            now=NOON,
            zone=ZoneInfo("UTC"),
            lines=limits,
            balances=balances,
            running={},
        ),
    }
    return Digest(**given | changes)


def test_a_digest_tells_the_day_in_figures_and_what_is_left() -> None:
    note = log_words.digest(figures(), (DAY, DAY))
    assert note.title == "📊 The clips of 2026-11-07"
    assert note.body.splitlines() == [
        "9 asked for · 6 posted · $1.50 spent · $0.1848 held",
        "⚠️ 3 failed: 2 declined by the video service, 1 lost",
        "🛡️ 1 clip waits for a moderator · `/animate-admin jobs`",
        "👥 <@1> $0.10 · <@2> $0.10 · <@3> $0.10 · <@4> $0.10 · <@5> $0.10 · and 3 more",
        "**This server, today** · $3.50 left of $5.00",
        "**This server, this month** · $3.50 left of $5.00",
    ]


def test_a_digest_of_several_days_says_which() -> None:
    note = log_words.digest(figures(), (DAY, date(2026, 11, 9)))
    assert note.title == "📊 The clips from 2026-11-07 to 2026-11-09"


def test_a_day_without_clips_is_one_short_line() -> None:
    nothing = Usage(first=DAY, last=DAY, spent={}, shares=(), held_micro=0)
    quiet = figures(usage=nothing, asked=0, delivered=0, failures={}, held=0)
    body = log_words.digest(quiet, (DAY, DAY)).body
    assert body.startswith("0 asked for · 0 posted · $0.00 spent\n**This server")


async def test_the_figures_are_those_of_the_accounts(here: Server) -> None:
    await here.delivered()
    await here.failed(Failure.SILENT)
    await here.failed(Failure.CANCELLED)
    await here.rendered()
    await here.accepted()
    await here.delivered(guild_id=GUILD + 1)
    accounts = Accounts(here.database, UNLIMITED)
    found = await Digests(here.database, accounts).digest(GUILD, (DAY, DAY), here.clock())
    assert (found.asked, found.delivered, found.failed, found.held) == (5, 1, 1, 0)
    assert found.usage.spent == {DAY: 10}
    assert found.usage.held_micro == 184_800
