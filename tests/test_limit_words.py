"""The words of a refusal by a limit: each figure is the one that decided, and the advice helps."""

import re
from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from bot import quota_words
from bot.errors import LimitReached, TooManyAtOnce, UserError
from bot.ledger import UTC_ZONE, Balance, Credit, Statement, draws_for
from bot.money import parse_usd, usd
from bot.periods import Period
from bot.refusals import in_public, refusal
from bot.rules import Account, Line, Measure, Source
from bot.words import Note
from tests.conftest import NOON

MEMBER, SERVER, BOT = Account
DOLLAR, PRICE = 1_000_000, 184_800
AGAIN = "when one has finished"
NO_BUDGET = "No budget"
NOTHING = Balance()
NOWHERE = {(account, period): NOTHING for account in Account for period in Period}


def limit(value: int | None, account: Account = MEMBER, measure: Measure = Measure.MONTH) -> Line:
    return Line(account=account, measure=measure, value=value, source=Source.OPERATOR)


def standing(
    *lines: Line,
    used: Balance | Mapping[tuple[Account, Period], Balance] = NOTHING,
    credit: int = 0,
    running: Mapping[Account, int] | None = None,
) -> Statement:
    """Where a member stands; one balance is the same in each account and period."""
    used = dict.fromkeys(NOWHERE, used) if isinstance(used, Balance) else {**NOWHERE, **used}
    return Statement(
        guild_id=1000,
        member_id=3000,
        now=NOON,
        zone=UTC_ZONE,
        lines=lines,
        balances=used,
        running=dict.fromkeys(Account, 0) | dict(running or {}),
        credits=(Credit(1, credit, None),) if credit else (),
    )


def refused(statement: Statement, wanted: int = PRICE) -> UserError:
    """Have a wish refused, and return why."""
    with pytest.raises((LimitReached, TooManyAtOnce)) as error:
        draws_for(statement, wanted)
    return error.value


def told(statement: Statement, wanted: int = PRICE) -> Note:
    return refusal(refused(statement, wanted))


def amount(text: str) -> int:
    return parse_usd(text.replace(",", ""))


def text_of(note: Note) -> str:
    return f"{note.title} {note.body}"


# --- Money ---------------------------------------------------------------------------------------


def test_what_is_held_on_credit_is_not_taken_from_what_was_spent() -> None:
    held_on_credit = Balance(held_micro=200_000, excused_micro=200_000)
    note = told(standing(limit(0), used=held_on_credit, credit=50_000), 400_000)
    assert note.title == "🚫 Monthly limit reached"
    assert note.body.startswith(
        "You have $0.05 left of $0.00 and $0.05 credit this month ($0.00 is spent, $0.20 held by"
        " clips in progress, $0.20 of it not counted), and this clip needs $0.40."
    )


def test_who_has_all_credit_in_a_clip_of_their_own_waits_for_it() -> None:
    note = told(standing(limit(0), used=Balance(held_micro=200_000, excused_micro=200_000)))
    assert note.title == "⏳ Waiting for your other clips"
    assert note.body.startswith("$0.20 of your last $0.20 is held by clips in progress.")


def test_credit_is_left_where_more_than_the_limit_was_spent() -> None:
    view = standing(limit(DOLLAR), used=Balance(spent_micro=3 * DOLLAR), credit=DOLLAR)
    assert draws_for(view, DOLLAR)
    assert told(view, DOLLAR + 1).body.startswith(
        "You have $1.00 left of $1.00 and $1.00 credit this month ($3.00 is spent),"
    )


def test_no_more_is_said_to_wait_than_will_come_back() -> None:
    over = Balance(spent_micro=300_000, held_micro=DOLLAR)
    assert told(standing(limit(500_000), used=over)).body.startswith(
        "$0.20 of your last $0.20 is held by clips in progress."
    )


@pytest.mark.parametrize("account", Account)
def test_who_has_no_budget_at_all_is_told_so_and_not_to_wait(account: Account) -> None:
    note = told(standing(limit(0, account)))
    assert NO_BUDGET in note.title
    assert "resets" not in note.body


def test_a_limit_of_nothing_never_resets() -> None:
    for held in (100_000, 300_000):
        on_credit = Balance(held_micro=held, excused_micro=held)
        assert "resets" not in told(standing(limit(0), used=on_credit)).body


def test_who_reached_their_own_limit_is_shown_where_it_is_told_in_full() -> None:
    spent = Balance(spent_micro=DOLLAR)
    assert "`/usage me` shows all your limits." in told(standing(limit(DOLLAR), used=spent)).body


@pytest.mark.parametrize("account", [SERVER, BOT])
def test_who_is_refused_by_anothers_limit_hears_that_their_own_is_as_it_was(
    account: Account,
) -> None:
    view = standing(limit(DOLLAR, account), used=Balance(spent_micro=DOLLAR))
    assert "Your own limit isn't affected." in told(view).body


@st.composite
def statements(draw: st.DrawFn) -> Statement:
    """Any standing: what is excused is part of what is spent and held."""
    micro = st.sampled_from((0, 1, PRICE, DOLLAR, 3 * DOLLAR)) | st.integers(0, 4 * DOLLAR)
    used = {}
    for key in NOWHERE:
        spent, held = draw(micro), draw(micro)
        excused = draw(st.integers(0, spent + held)) if key[0] is MEMBER else 0
        used[key] = Balance(spent, held, excused)
    values = st.none() | st.sampled_from((0, 1, 3))
    lines = [
        Line(account=account, measure=measure, value=value, source=Source.OPERATOR)
        for account in Account
        for measure in Measure
        if measure is not Measure.COOLDOWN
        and (value := draw(values if measure is Measure.CLIPS else st.none() | micro)) is not None
    ]
    running = {account: draw(st.integers(0, 4)) for account in Account}
    return standing(*lines, used=used, credit=draw(micro), running=running)


@given(statements(), st.integers(1, 5 * DOLLAR))
def test_every_figure_of_a_refusal_is_the_one_that_decided(view: Statement, wanted: int) -> None:
    try:
        draws_for(view, wanted)
    except LimitReached as error:
        assert_is_true_of_money(error, view)
    except TooManyAtOnce as error:
        assert_is_true_of_clips(error)
    else:
        reject()


def assert_is_true_of_clips(error: TooManyAtOnce) -> None:
    assert (AGAIN in text_of(refusal(error))) is (error.limit > 0)
    assert error.limit == 0 or error.running > 0


def assert_is_true_of_money(error: LimitReached, view: Statement) -> None:
    text, line = text_of(refusal(error)), view.tightest(Account(error.whom))
    assert "-$" not in text
    assert AGAIN not in text
    assert line is not None
    used, left = view.balance(line), view.left_micro(line) or 0
    assert error.left_micro == left < error.wanted_micro
    if found := re.search(r"(?:You have|has) (\$[\d.,]+) left", text):
        assert found[1] == usd(left)
        assert (f"{usd(used.spent_micro)} is spent" in text) is (error.whom != BOT)
    elif found := re.search(r"(\$[\d.,]+) of .* last (\$[\d.,]+) is held", text):
        held, free = map(amount, found.groups())
        assert free - held == left
        assert 0 < held <= used.held_micro
        assert free >= error.wanted_micro
    else:
        assert NO_BUDGET in text
        assert left == used.held_micro == line.value == 0


# --- Clips at once -------------------------------------------------------------------------------


@pytest.mark.parametrize("account", Account)
@pytest.mark.parametrize("running", [0, 2])
def test_a_limit_of_no_clips_is_said_as_such_and_nobody_waits_for_it(
    account: Account, running: int
) -> None:
    view = standing(limit(0, account, Measure.CLIPS), running={account: running})
    note = told(view)
    assert note.title.startswith("🚫 No clips")
    assert AGAIN not in note.body
    assert "0 clips in progress" not in note.title
    assert in_public(refused(view)).title == note.title


def test_who_has_enough_clips_in_progress_is_shown_where_they_are() -> None:
    two = standing(limit(2, measure=Measure.CLIPS), running={MEMBER: 2})
    assert told(two).body.startswith(
        f"Your limit is 2 at a time. Try again {AGAIN}; `/queue` shows them."
    )
    servers = replace(two, lines=(limit(2, SERVER, Measure.CLIPS),), running={SERVER: 2})
    assert "/queue" not in told(servers).body


# --- What a member is shown beforehand -----------------------------------------------------------

WHOSE = {MEMBER: "", SERVER: "This server, ", BOT: "Everybody together, "}
RUNNING = {
    MEMBER: "In progress",
    SERVER: "In progress in this server",
    BOT: "In progress in all servers",
}


@given(statements(), st.integers(1, 5 * DOLLAR))
def test_what_would_be_refused_is_on_the_card_before_it_is_asked_for(
    view: Statement, wanted: int
) -> None:
    cards = quota_words.card(view).body, quota_words.explanation(view, ()).body
    try:
        draws_for(view, wanted)
    except LimitReached as error:
        whose = WHOSE[Account(error.whom)]
        found = [
            re.findall(
                rf"^\*\*{whose}([Tt]oday|[Tt]his (?:week|month))\*\* · (\S+) left",
                body,
                re.MULTILINE,
            )
            for body in cards
        ]
        assert all(any(amount(left) < wanted for _, left in one) for one in found)
    except TooManyAtOnce as error:
        said = f"**{RUNNING[Account(error.whom)]}** · {error.running} of {error.limit} clips"
        assert all(said in body for body in cards)
    else:
        reject()


def test_of_everybodys_budget_the_card_tells_what_is_left_and_nothing_more() -> None:
    view = standing(
        limit(5 * DOLLAR),
        limit(4 * DOLLAR, BOT),
        used=Balance(spent_micro=3_700_000, held_micro=200_000),
    )
    for note in (quota_words.card(view), quota_words.explanation(view, ())):
        everybody = note.body.split("**Everybody together, this month**")[1].splitlines()
        assert everybody[:2] == [
            " · $0.10 left",
            f"-# set by the bot's owner · resets <t:{view.resets_at(limit(0, BOT))}:R>",
        ]
    roomy = replace(view, lines=(limit(5 * DOLLAR), limit(6 * DOLLAR, BOT)))
    assert "Everybody" not in quota_words.card(roomy).body


def test_a_server_that_has_as_many_clips_as_may_be_is_named_once_and_not_before() -> None:
    two = limit(2, SERVER, Measure.CLIPS), limit(3, SERVER, Measure.CLIPS)
    for running, times in ((1, 0), (2, 1), (3, 1)):
        body = quota_words.card(standing(*two, running={SERVER: running})).body
        assert body.count("In progress in this server") == times


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        ([limit(DOLLAR, SERVER)], "**No limit of your own.** Only the server's budget counts."),
        ([limit(2 * DOLLAR, SERVER), limit(DOLLAR, BOT)], "**No limit of your own.**"),
        ([limit(DOLLAR, BOT)], "**No limit of your own.**"),
        ([], "**No limit of your own.**"),
    ],
)
def test_that_only_the_servers_budget_counts_is_said_where_it_is_so(
    lines: list[Line], text: str
) -> None:
    assert quota_words.card(standing(*lines)).body.splitlines()[0] == text
