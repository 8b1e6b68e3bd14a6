"""The words on limits: each figure where it belongs, nothing that pings, nothing too long."""

import re
from collections.abc import Iterator
from datetime import date
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import admin_words, ids, picker, quota_words
from bot.accounts import AuditRow, OpenHold, Server, Share, Usage
from bot.ledger import UTC_ZONE, Balance, Credit, Statement
from bot.periods import Period
from bot.prose import escaped
from bot.rules import Account, Limits, Line, Measure, Rule, Source, Target
from bot.shelf import Waiting
from bot.words import Note
from tests.conftest import NOON

TITLE_LIMIT, BODY_LIMIT, OPTION_LIMIT = 256, 4096, 100
HUGE = 2**63 - 1
"""The largest id, and amount, that there can be."""
MILLION = 1_000_000_000_000
DECEMBER = 1_796_083_200
HOSTILE = "@everyone <@&1> [x](https://e.vil) **b** ~~s~~ ||p|| `c` # h\n> q -# s \\ :x: <t:1:R>"


def line(
    account: Account = Account.MEMBER,
    measure: Measure = Measure.MONTH,
    value: int | None = 5_000_000,
    source: Source = Source.OPERATOR,
) -> Line:
    return Line(account=account, measure=measure, value=value, source=source)


def statement(
    *lines: Line, granted: tuple[Credit, ...] = (), balance: Balance | None = None
) -> Statement:
    used = balance or Balance(spent_micro=1_000_000)
    return Statement(
        guild_id=1000,
        member_id=3000,
        now=NOON,
        zone=UTC_ZONE,
        lines=lines,
        balances={(account, period): used for account in Account for period in Period},
        running=dict.fromkeys(Account, 2),
        credits=granted,
    )


def text_of(note: Note) -> str:
    return f"{note.title}\n{note.body}"


def fits(note: Note) -> bool:
    return 0 < len(note.title) <= TITLE_LIMIT and 0 < len(note.body) <= BODY_LIMIT


# --- Where a member stands -----------------------------------------------------------------------


def test_a_card_tells_what_is_left_spent_and_held_by_which_rule_and_until_when() -> None:
    balance = Balance(spent_micro=1_000_000, held_micro=184_800)
    note = quota_words.card(statement(line(), balance=balance))
    assert text_of(note) == (
        "💳 What you can use here\n"
        "**This month** · $3.8152 left of $5.00\n"
        "▰▰▱▱▱▱▱▱▱▱▱▱\n"
        f"-# $1.00 spent · $0.1848 held · set by the bot's owner · resets <t:{DECEMBER}:R>"
    )


def test_a_card_tells_what_is_paid_and_waits_to_be_posted_if_anything_does() -> None:
    body = quota_words.card(statement(line()), Waiting(2, NOON)).body
    assert body.endswith(
        f"\n**📦 2 finished clips wait to be posted** · asked for <t:{NOON // 1000}:R>\n"
        "-# paid and safe; I try again by myself, and at once when I may post there again"
    )
    one = quota_words.card(statement(line()), Waiting(1, NOON)).body
    assert "**📦 1 finished clip waits to be posted**" in one
    assert "📦" not in quota_words.card(statement(line())).body


def test_a_card_without_a_limit_says_so() -> None:
    unlimited = statement(line(value=None), line(Account.SERVER))
    body = quota_words.card(unlimited).body
    assert body.startswith("**No limit of your own.** Only the server's budget counts.")
    assert "**This server, this month** · $4.00 left of $5.00" in body


def test_of_two_limits_of_the_server_the_tighter_one_is_shown() -> None:
    both = statement(
        line(Account.SERVER, value=100_000_000, source=Source.SERVER),
        line(Account.SERVER, value=25_000_000),
    )
    for note in (quota_words.card(both), quota_words.explanation(both, ())):
        assert "$24.00 left of $25.00" in note.body
        assert "$100.00" not in note.body


@pytest.mark.parametrize(
    ("used", "bar"),
    [
        (0, "▱▱▱▱▱▱▱▱▱▱▱▱"),
        (1, "▰▱▱▱▱▱▱▱▱▱▱▱"),
        (2_500_000, "▰▰▰▰▰▰▱▱▱▱▱▱"),
        (4_999_999, "▰▰▰▰▰▰▰▰▰▰▰▱"),
        (5_000_000, "▰▰▰▰▰▰▰▰▰▰▰▰"),
        (6_000_000, "▰▰▰▰▰▰▰▰▰▰▰▰"),
    ],
)
def test_a_bar_is_empty_only_at_nothing_and_full_only_at_all(used: int, bar: str) -> None:
    note = quota_words.card(statement(line(), balance=Balance(spent_micro=used)))
    assert f"\n{bar}\n" in note.body


def test_a_limit_of_nothing_is_full() -> None:
    note = quota_words.card(statement(line(value=0), balance=Balance()))
    assert "$0.00 left of $0.00\n▰▰▰▰▰▰▰▰▰▰▰▰" in note.body


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (Source.OWN, "set for this member"),
        (Source.ROLE, "from the role <@&77>"),
        (Source.DEFAULT, "this server's default"),
        (Source.OPERATOR, "set by the bot's owner"),
    ],
)
def test_an_explanation_names_the_rule_that_won(source: Source, words: str) -> None:
    won = Line(
        account=Account.MEMBER, measure=Measure.MONTH, value=5_000_000, source=source, role_id=77
    )
    assert words in quota_words.explanation(statement(won), ()).body


def test_an_explanation_says_unlimited_where_somebody_chose_it() -> None:
    chosen, unset = line(value=None, source=Source.OWN), line(measure=Measure.DAY, value=None)
    body = quota_words.explanation(statement(chosen, unset), ()).body
    assert "**This month** · unlimited\n-# set for this member" in body
    assert "Today" not in body


def test_an_explanation_lists_the_clips_that_hold() -> None:
    made = [ids.job_id(NOON, str(UUID(int=number, version=4))) for number in range(12)]
    holds = [OpenHold(one, 184_800, "rendering") for one in made]
    body = quota_words.explanation(statement(line()), holds).body
    assert "**Held by clips in progress**\n`00000000` $0.1848, rendering · `00000001`" in body
    assert [ids.short(one) for one in made[:2]] == ["00000000", "00000001"]  # as all else says it
    assert body.endswith("· and 2 more")
    assert quota_words.explanation(statement(line()), ()).body.endswith("\nnothing")


def test_credit_is_told_with_its_end() -> None:
    given_credit = (Credit(1, 500_000, DECEMBER * 1000), Credit(2, 250_000, None))
    body = quota_words.card(statement(line(), granted=given_credit)).body
    assert "**Credit** · $0.75 on top of these limits" in body
    assert f"-# $0.50 until <t:{DECEMBER}:D> · $0.25 without end" in body


# --- To admins -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measure", "amount", "words"),
    [
        (Measure.DAY, 2_500_000, "$2.50 a day"),
        (Measure.WEEK, 0, "$0.00 a week"),
        (Measure.MONTH, None, "unlimited a month"),
        (Measure.CLIPS, 1, "1 clip at once"),
        (Measure.CLIPS, 3, "3 clips at once"),
        (Measure.CLIPS, None, "any number of clips at once"),
        (Measure.COOLDOWN, 30, "30 s between clips"),
        (Measure.COOLDOWN, 300, "5 min between clips"),
        (Measure.COOLDOWN, 7200, "2 h between clips"),
        (Measure.COOLDOWN, 0, "no pause between clips"),
        (Measure.COOLDOWN, None, "no pause between clips"),
    ],
)
def test_a_limit_is_written_as_people_say_it(
    measure: Measure, amount: int | None, words: str
) -> None:
    rule = Rule(target=Target.DEFAULT, measure=measure, value=amount)
    note = admin_words.rule_set(rule, None, Limits())
    assert text_of(note) == f"✅ Limit set\nEach member: {words}."


def test_a_changed_limit_tells_what_was_before() -> None:
    before = Rule(target=Target.SERVER, measure=Measure.DAY, value=1_000_000)
    after = Rule(target=Target.SERVER, measure=Measure.DAY, value=2_000_000)
    assert admin_words.rule_set(after, before, Limits()).body == (
        "This server: $2.00 a day. Before: $1.00 a day."
    )
    assert "Before" not in admin_words.rule_set(after, after, Limits()).body


@pytest.mark.parametrize(
    ("amount", "is_wider"), [(100, True), (None, True), (25, False), (3, False)]
)
def test_a_server_that_allows_itself_more_than_the_owner_is_told_what_counts(
    amount: int | None, is_wider: bool
) -> None:
    micro = None if amount is None else amount * 1_000_000
    rule = Rule(target=Target.SERVER, measure=Measure.MONTH, value=micro)
    owner = Limits(server={Measure.MONTH: 25_000_000})
    body = admin_words.rule_set(rule, None, owner).body
    assert ("The bot's owner allows this server $25.00 a month: that counts." in body) is is_wider


def test_rules_are_listed_by_whom_they_are_for() -> None:
    found = [
        Rule(target=Target.SERVER, measure=Measure.MONTH, value=9_000_000),
        Rule(target=Target.ROLE, target_id=7, measure=Measure.DAY, value=1_000_000),
        Rule(target=Target.ROLE, target_id=7, measure=Measure.CLIPS, value=2),
    ]
    owner = Limits(member={Measure.MONTH: 5_000_000, Measure.COOLDOWN: 0})
    note, is_all = admin_words.rules(found, owner, Server("Asia/Tokyo", receipts=False))
    assert is_all
    assert note.body == (
        "**This server** · $9.00 a month\n"
        "**<@&7>** · $1.00 a day, 2 clips at once\n"
        "**From the bot's owner** · each member: $5.00 a month\n"
        "-# this server, never wider: no limits\n"
        "-# Time zone Asia/Tokyo · receipts off"
    )


def row(action: str, target: str, before: str, after: str, reason: str = "") -> AuditRow:
    return AuditRow(
        actor_id=HUGE,
        action=action,
        target=target,
        before=before,
        after=after,
        at=NOON,
        reason=reason,
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            row("rule", "default 0 month", "inherit", "2500000"),
            "**Each member: $2.50 a month (was inherited)**",
        ),
        (
            row("rule", "member 5 day", "1000000", "inherit"),
            "**<@5>: dollars a day inherited (was $1.00 a day)**",
        ),
        (
            row("rule", "role 5 clips", "unlimited", "2"),
            "**<@&5>: 2 clips at once (was any number of clips at once)**",
        ),
        (
            row("rule", "member 5 cooldown", "300", "300"),
            "**<@5>: 5 min between clips**",
        ),
        (row("grant", "member 5", "", "2000000"), "**<@5>: $2.00 credit**"),
        (
            row("grant", "member 5", "", f"2000000 {DECEMBER * 1000}"),
            f"**<@5>: $2.00 credit until <t:{DECEMBER}:D>**",
        ),
        (row("revoke", "member 5", "369600", "0"), "**<@5>: $0.3696 credit revoked**"),
        (row("reset", "member 5", "369600", "0"), "**<@5>: $0.3696 no longer counts**"),
        (
            row("server", "", "UTC, receipts on", "Asia/Tokyo, receipts on"),
            "**This server: Asia/Tokyo (was UTC)**",
        ),
        (
            row("server", "", "UTC, receipts on", "UTC, receipts on"),
            "**This server: nothing**",
        ),
    ],
)
def test_a_change_is_told_in_peoples_words(change: AuditRow, words: str) -> None:
    body = admin_words.changes([change]).body
    assert body == f"{words}\n-# <t:{NOON // 1000}:f> · <@{HUGE}>"


def test_no_change_yet_is_said() -> None:
    assert admin_words.changes(()).body == "None yet."


def as_shown(text: str) -> str:
    """What Discord shows of a text in which every mark is escaped."""
    assert not re.search(r"(?<!\\)(?:\\\\)*[*_~`|>#\[\]()<:@-]", text), "a mark has its effect"
    return re.sub(r"\\(.)", r"\1", text)


@pytest.mark.parametrize("reason", [HOSTILE, "plain", "*" * 200, "\\" * 200, "@here" * 40])
def test_somebodys_own_words_are_shown_as_they_are(reason: str) -> None:
    assert as_shown(escaped(reason)) == reason


@given(st.text(max_size=200))
def test_any_words_are_shown_as_they_are(reason: str) -> None:
    assert as_shown(escaped(reason)) == reason


# --- Discord's limits ----------------------------------------------------------------------------


def longest() -> Iterator[tuple[str, Note]]:
    """Every note at its longest."""
    rules = [
        Rule(target=Target.ROLE, target_id=HUGE - number, measure=measure, value=MILLION - 1)
        for number in range(60)
        for measure in Measure
    ]
    values = dict.fromkeys(Measure, MILLION - 1)
    limits = Limits(member=values, server=values, bot=values)
    server = Server("America/Argentina/ComodRivadavia", receipts=False)
    lines = [
        Line(account=account, measure=measure, value=MILLION - 1, source=source, role_id=HUGE)
        for account, source in (
            (Account.MEMBER, Source.ROLE),
            (Account.SERVER, Source.SERVER),
            (Account.SERVER, Source.OPERATOR),
            (Account.BOT, Source.OPERATOR),
        )
        for measure in Measure
    ]
    balance = Balance(spent_micro=MILLION // 3, held_micro=MILLION // 7, excused_micro=123_456)
    granted = tuple(Credit(number, MILLION - 1, NOON) for number in range(500))
    everything = statement(*lines, granted=granted, balance=balance)
    holds = [OpenHold("f" * 36, MILLION - 1, "submitting")] * 500
    yield "card", quota_words.card(everything)
    yield "explanation", quota_words.explanation(everything, holds)
    yield "rules", admin_words.rules(rules, limits, server)[0]
    for count in (1, 10, 1000):
        told = [row("rule", f"role {HUGE} cooldown", "604799", "604798", "*" * 200)] * count
        yield f"{count} changes", admin_words.changes(told)
    shares = tuple(Share(HUGE - number, MILLION - 1) for number in range(500))
    used = Usage(
        first=date(2026, 11, 1),
        last=date(2026, 11, 30),
        spent={date(2026, 11, 1): 500 * MILLION},
        shares=shares,
        held_micro=MILLION - 1,
    )
    yield "usage", admin_words.usage(used, "the last 90 days")
    yield "unclear", admin_words.unclear("period", ", ".join(picker.MEASURES.values()))


@pytest.mark.parametrize(("name", "note"), list(longest()))
def test_nothing_is_longer_than_discord_takes(name: str, note: Note) -> None:
    assert fits(note), f"{name}: {len(note.title)}, {len(note.body)}"


def test_what_does_not_fit_is_counted() -> None:
    notes = dict(longest())
    more = re.compile(r"… and (\d+) more")
    (left_out,) = more.findall(notes["rules"].body)
    assert notes["rules"].body.count("<@&") + int(left_out) == 60
    assert "**From the bot's owner**" in notes["rules"].body
    (left_out,) = more.findall(notes["1000 changes"].body)
    assert notes["1000 changes"].body.count("<t:") + int(left_out) == 1000


def test_every_description_in_the_picker_is_short_enough() -> None:
    texts = [text for name, text in vars(picker).items() if name.isupper() and text]
    for group in texts:
        for text in [group] if isinstance(group, str) else group.values():
            assert 1 <= len(text) <= OPTION_LIMIT, text
