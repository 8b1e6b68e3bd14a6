"""Every word that people read: each case has its text, says what it cost, and pings one person."""

import re
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files

import pytest

from bot import picker, posting_words, refusals, words
from bot.catalog import Policy, parse
from bot.errors import (
    AccountPaused,
    AnimateError,
    Bar,
    Barred,
    CannotPostHere,
    ConsentNeeded,
    CoolingDown,
    DeliveryError,
    LimitReached,
    NotAccepting,
    OptionRefused,
    PictureProblem,
    PictureRefused,
    PicturesPaused,
    QueueFull,
    TooLarge,
    TooManyAtOnce,
    Unpostable,
    UserError,
)
from bot.ledger import UTC_ZONE, Balance, Statement
from bot.lifecycle import Failure, Job, State
from bot.pace import usual
from bot.periods import Period
from bot.rights import ClipProblem, ClipRefused
from bot.rules import Account, Line, Measure, Source
from bot.words import NOT_CHARGED, Note, Tone
from tests.conftest import NOON, JobFactory, make_job, make_order

MODELS = parse(files("bot").joinpath("catalog.json").read_text("utf-8"))
MODEL = MODELS["klingai:2@1"]
DECEMBER = 1_796_083_200

TITLE_LIMIT, BODY_LIMIT, CONTENT_LIMIT, OPTION_LIMIT = 256, 4096, 2000, 100
"""Discord's: an embed's title and description, a message, an option's description; characters."""


def limit_reached(
    whom: str = "member",
    *,
    period: str = "month",
    spent: int = 4_900_000,
    held: int = 0,
    limit: int = 5_000_000,
) -> LimitReached:
    return LimitReached(
        whom=whom,
        period=period,
        limit_micro=limit,
        spent_micro=spent,
        held_micro=held,
        left_micro=max(0, limit - spent - held),
        wanted_micro=184_800,
        resets_at=DECEMBER,
    )


REFUSALS: dict[str, UserError] = {
    **{f"picture {one}": PictureRefused(one, "31 MB", "20 MB") for one in PictureProblem},
    **{f"limit of the {whom}": limit_reached(whom) for whom in ("member", "server", "bot")},
    "limit while clips are in progress": limit_reached(spent=0, held=4_900_000),
    "nothing allowed": limit_reached(limit=0),
    "clips at once": TooManyAtOnce("member", 2, 2),
    "clips of the server at once": TooManyAtOnce("server", 20, 20),
    "clips of everybody at once": TooManyAtOnce("bot", 200, 200),
    **{f"no clips of the {one}": TooManyAtOnce(one, 0, 0) for one in ("member", "server", "bot")},
    "cooldown": CoolingDown(DECEMBER),
    "refused pictures": PicturesPaused(DECEMBER),
    "option": OptionRefused("duration", "5 or 10 seconds"),
    "channel": CannotPostHere(("send_messages", "attach_files")),
    "not accepting": NotAccepting(),
    "account": AccountPaused(),
    "queue": QueueFull(),
    **{f"barred, {one}": Barred(one) for one in Bar},
    "barred, clips are elsewhere": Barred(Bar.CHANNEL, (1, 2)),
    "barred, a role would do": Barred(Bar.ROLE, (1, 2)),
    "barred, a role would do for others' pictures": Barred(Bar.NOT_YOURS, (1, 2)),
    "consent": ConsentNeeded(30),
    "the author is asked": ConsentNeeded(30, 1_796_083_200),
    "enough authors were asked": CoolingDown(1_796_083_200, is_of_questions=True),
    **{f"clip, {one}": ClipRefused(one, 30) for one in ClipProblem},
}


def too_large(size: int) -> TooLarge:
    error = TooLarge()
    error.size = size
    return error


UNDELIVERED = (Unpostable(), too_large(31_400_000), DeliveryError())


def job_in(state: State, failure: Failure | None = None) -> Job:
    return make_job(
        state=state,
        failure=(failure or Failure.REFUSED) if state is State.FAILED else None,
        message_id=9 if state is State.DELIVERED else None,
        order=make_order(prompt="@everyone look at <@666> and <@&777>"),
    )


def every_note() -> Iterator[Note]:
    yield from (refusals.refusal(error) for error in REFUSALS.values())
    yield from (refusals.in_public(error) for error in REFUSALS.values())
    yield refusals.refusal(RuntimeError("a secret of the inside"))
    yield words.animating(job_in(State.RENDERING))
    yield words.animating(job_in(State.RENDERING), usual([60] * 5))
    yield words.posting(job_in(State.RENDERED))
    yield words.done(job_in(State.DELIVERED))
    yield from (words.failed(job_in(State.FAILED, failure)) for failure in Failure)
    yield from (words.queued(job_in(State.QUEUED), ahead) for ahead in range(25))
    yield words.paused(job_in(State.QUEUED))
    yield words.unsent(job_in(State.SUBMITTING))
    yield words.slow(job_in(State.RENDERING))
    yield words.lost(job_in(State.LOST))
    yield posting_words.unfetched(job_in(State.RENDERED), 184_800)
    yield from (posting_words.waiting(job_in(State.RENDERED), one, 184_800) for one in UNDELIVERED)


# --- Completeness --------------------------------------------------------------------------------


def test_every_kind_of_refusal_has_a_text_of_its_own() -> None:
    fallback = refusals.refusal(RuntimeError())
    kinds = {type(error) for error in REFUSALS.values()}
    assert kinds == set(UserError.__subclasses__())
    notes = [refusals.refusal(error) for error in REFUSALS.values()]
    assert fallback not in notes
    assert len(set(notes)) == len(notes)


def test_where_everybody_reads_along_nothing_is_said_of_money_counts_and_blocks() -> None:
    for name, error in REFUSALS.items():
        said, alone = refusals.in_public(error), refusals.refusal(error)
        if isinstance(error, LimitReached | TooManyAtOnce) or name == f"barred, {Bar.BLOCKED}":
            assert not re.search(r"[$\d]|moderator", f"{said.title} {said.body}")
            assert re.search(r"`/(usage me|animate)` .*alone", said.body)
            assert said.body.endswith(NOT_CHARGED)
        else:
            assert said == alone


def test_every_problem_of_a_picture_has_a_text() -> None:
    assert set(refusals.PICTURE) == set(PictureProblem)
    assert len(set(refusals.PICTURE.values())) == len(PictureProblem)


def test_every_failure_has_a_text() -> None:
    assert set(words.FAILURES) == set(Failure)
    assert len(set(words.FAILURES.values())) == len(Failure)


def test_every_option_that_a_command_can_have_is_described() -> None:
    names = {"image", "fit", "private", "spoiler", "preview"}  # of every model
    names |= {"seed"}  # no model of ours takes a seed, but one of an operator's may
    for model in MODELS.values():
        names |= {"prompt"} if model.prompt.policy is not Policy.ABSENT else set()
        names |= {"negative"} if model.negative_prompt.policy is not Policy.ABSENT else set()
        names |= {"shape"} if model.sizes else set()
        names |= {"guidance"} if model.guidance else set()
        names |= {"duration", "results"}
    assert names == set(picker.OPTIONS)


def test_durations_are_named_in_the_picker() -> None:
    assert [picker.duration_choice(one) for one in MODEL.durations] == ["5 seconds", "10 seconds"]


def test_every_text_fits_where_discord_shows_it() -> None:
    for note in every_note():
        assert 0 < len(note.title) <= TITLE_LIMIT
        assert len(note.body) <= BODY_LIMIT
    for text in (picker.ANIMATE, picker.SHAPE_AUTO, *picker.OPTIONS.values()):
        assert 0 < len(text) <= OPTION_LIMIT


def test_no_text_has_an_unfilled_place_or_a_name_of_the_inside() -> None:
    for note in every_note():
        text = f"{note.title} {note.body}"
        assert not re.search(r"\{\w*\}|None|micro|Error|\bruntime\b|a secret of the inside", text)


# --- What it cost --------------------------------------------------------------------------------


NOTHING_MORE = "Nothing more was charged."
CLIP_OF_ANOTHER = {ClipProblem.NOT_YOURS, ClipProblem.NOT_YOURS_TO_JUDGE}


@pytest.mark.parametrize("name", REFUSALS)
def test_every_refusal_says_what_was_not_charged_and_what_to_do(name: str) -> None:
    error = REFUSALS[name]
    # Who asks about a clip that may be their own may have paid for it: held, deleted, or gone.
    is_about_a_clip = isinstance(error, ClipRefused) and error.problem not in CLIP_OF_ANOTHER
    cost = NOTHING_MORE if is_about_a_clip else NOT_CHARGED
    note = refusals.refusal(error)
    assert note.body.endswith(cost)
    assert len(note.body) > len(cost) + 10
    assert note.tone is Tone.WARNING


@pytest.mark.parametrize("error", [RuntimeError("x"), AnimateError("x"), KeyError("x")])
def test_what_nobody_foresaw_is_refused_in_words_too(error: Exception) -> None:
    note = refusals.refusal(error)
    assert note.title == "🔧 Something broke on my side"
    assert note.body.endswith(NOT_CHARGED)


@pytest.mark.parametrize("failure", Failure)
def test_every_failure_says_that_nothing_was_charged(failure: Failure) -> None:
    note = words.failed(job_in(State.FAILED, failure))
    assert NOT_CHARGED in note.body
    assert note.tone is Tone.FAILED
    assert note.title == words.FAILURES[failure][0]


def test_the_person_is_told_the_estimate_before_and_the_price_after(
    job_factory: JobFactory,
) -> None:
    job = job_factory(quote_micro=184_800)
    assert "Estimated cost $0.1848" in words.queued(job, 0).body
    assert "$0.19" in posting_words.delivered(job, 1, 190_000, "")


@pytest.mark.parametrize(
    "note",
    [
        posting_words.unfetched(make_job(), 184_800),
        *(posting_words.waiting(make_job(), one, 184_800) for one in UNDELIVERED),
    ],
    ids=lambda note: note.title,
)
def test_who_waits_for_a_paid_clip_hears_that_it_is_paid_and_trying_again_is_free(
    note: Note,
) -> None:
    assert "$0.1848 is paid; trying again is free." in note.body


def test_who_waits_for_a_late_clip_hears_what_is_held(job_factory: JobFactory) -> None:
    job = job_factory()
    for note in (words.paused(job), words.slow(job), words.unsent(job)):
        assert "$0.1848 is held." in note.body


def test_only_what_a_permission_would_mend_is_blamed_on_permissions() -> None:
    closed, too_big, passing = (posting_words.waiting(make_job(), one, 1) for one in UNDELIVERED)
    assert "Attach Files here; in a thread, Send Messages in Threads" in closed.body
    assert "30 MB" in too_big.body
    assert "Discord isn't taking it right now" in passing.body
    for note in (too_big, passing):
        assert "I need" not in note.body
        assert "can't post" not in note.title


# --- Who is mentioned ----------------------------------------------------------------------------


def test_a_note_mentions_nobody_but_those_whom_a_refusal_is_about() -> None:
    """In a note Discord shows them as names and tells nobody; a line of text would be another."""
    about = {refusals.refusal(error): error for error in REFUSALS.values()}
    for note in every_note():
        assert "@everyone" not in note.title + note.body
        assert "@here" not in note.title + note.body
        found = set(map(int, re.findall(r"<@[&!]?(\d+)>", note.title + note.body)))
        match about.get(note):
            case Barred(ids=ids):
                assert found <= set(ids)
            case ConsentNeeded(author_id=author_id):
                assert found == {author_id}
            case ClipRefused(owner_id=owner_id):
                assert found <= {owner_id}
            case _:
                assert found == set()


def test_only_the_requester_is_mentioned_with_the_clip() -> None:
    for results, missing in ((1, 0), (4, 0), (4, 2)):
        job = job_in(State.RENDERED)
        job = replace(job, member_id=31337, order=replace(job.order, results=results))
        text = posting_words.delivered(job, results - missing, 1, "you have $1.00 left")
        assert re.findall(r"<@[^>]*>|@everyone|@here", text) == ["<@31337>"]


# --- The life of a clip --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ahead", "line"),
    [
        (None, "Many clips are in line; servers and members take turns."),
        (0, "You're next."),
        (1, "You're 2nd in line."),
        (2, "You're 3rd in line."),
        (3, "You're 4th in line."),
        (10, "You're 11th in line."),
        (11, "You're 12th in line."),
        (12, "You're 13th in line."),
        (20, "You're 21st in line."),
        (110, "You're 111th in line."),
    ],
)
def test_the_place_in_the_line_is_told(
    job_factory: JobFactory, ahead: int | None, line: str
) -> None:
    assert words.queued(job_factory(), ahead).body.startswith(line)


@pytest.mark.parametrize(
    ("took", "text"),
    [
        ([0] * 5, "usually about 10 s."),
        ([31] * 9 + [55], "usually about 40 s."),
        ([31] * 8 + [55] * 2, "usually 40–60 s."),
        ([61] * 5, "usually about 2 min."),
        ([50] * 3 + [90] * 2, "usually 1–2 min."),
        ([130] * 5 + [300] * 5, "usually 3–5 min."),
    ],
)
def test_how_long_such_clips_usually_take_is_told_where_it_is_known(
    job_factory: JobFactory, took: list[float], text: str
) -> None:
    assert text in words.animating(job_factory(), usual(took)).body
    assert "usually" not in words.animating(job_factory(), None).body


def test_every_note_on_a_job_carries_the_number_that_people_quote(job_factory: JobFactory) -> None:
    job = job_factory(id="0123abcd-0000-4000-8000-000000000000")
    for note in (
        words.queued(job, 0),
        words.paused(job),
        words.unsent(job),
        words.slow(job),
        words.lost(job),
        words.failed(job),
        posting_words.unfetched(job, 1),
        *(posting_words.waiting(job, one, 1) for one in UNDELIVERED),
        words.animating(job),
        words.done(job),
    ):
        assert note.body.endswith("job 0123abcd")
    assert "job 0123abcd" in posting_words.delivered(job, 1, 1, "")


@pytest.mark.parametrize(
    ("results", "missing", "first"),
    [
        (1, 0, "your clip is ready"),
        (4, 0, "your 4 clips are ready"),
        (4, 2, "your 2 clips are ready"),
        (2, 1, "your clip is ready"),
        (1, -1, "your 2 clips are ready"),
    ],
)
def test_the_clips_that_are_there_are_counted(
    job_factory: JobFactory, results: int, missing: int, first: str
) -> None:
    job = job_factory(order=make_order(results=results))
    lines = posting_words.delivered(job, results - missing, 184_800, "").splitlines()
    assert lines[0] == f"🎬 <@{job.member_id}> {first}"
    assert any("could not be made, and cost nothing" in line for line in lines) is (missing > 0)


def test_a_cost_above_the_estimate_is_said_and_no_other(job_factory: JobFactory) -> None:
    job = job_factory(quote_micro=184_800)
    text = posting_words.delivered(job, 1, 277_200, "")
    assert "charged $0.2772, more than the $0.1848 I had estimated." in text
    for cost in (184_800, 100):
        assert "estimated" not in posting_words.delivered(job, 1, cost, "")


def test_a_clip_that_was_lost_says_so_and_that_it_counts_now(job_factory: JobFactory) -> None:
    assert words.NOT_CHARGED in words.lost(job_factory()).body
    late = posting_words.delivered(job_factory(), 1, 184_800, "", was_lost=True)
    assert "I had lost track of it. Now that it's here, it counts: $0.1848." in late
    assert "lost" not in posting_words.delivered(job_factory(), 1, 184_800, "")


def test_the_last_line_has_the_facts(job_factory: JobFactory) -> None:
    job = job_factory(id="0123abcd-0000-4000-8000-000000000000", order=make_order(duration=10.0))
    text = posting_words.delivered(job, 1, 369_600, "you have $4.00 left")
    assert text.splitlines()[-1] == (
        "-# 10 s · wide 16:9 · $0.3696 · you have $4.00 left · job 0123abcd"
    )
    assert len(text) <= CONTENT_LIMIT


def statement(*lines: Line) -> Statement:
    used = Balance(spent_micro=1_000_000, held_micro=500_000)
    return Statement(
        guild_id=1,
        member_id=2,
        now=NOON,
        zone=UTC_ZONE,
        lines=lines,
        balances={(account, period): used for account in Account for period in Period},
        running=dict.fromkeys(Account, 1),
    )


def money_line(account: Account, value: int | None, measure: Measure = Measure.MONTH) -> Line:
    return Line(account=account, measure=measure, value=value, source=Source.OPERATOR)


OWN = f"you have $3.50 left this month, resets <t:{DECEMBER}:R>"
SERVERS = f"this server has $0.50 left this month, resets <t:{DECEMBER}:R>"


@pytest.mark.parametrize(
    ("own", "servers", "bots", "text"),
    [
        (5_000_000, None, None, OWN),
        (5_000_000, 2_000_000, None, f"{OWN} · {SERVERS}"),
        (5_000_000, 6_000_000, None, OWN),
        (5_000_000, 5_000_000, None, OWN),
        (None, 2_000_000, None, SERVERS),
        (5_000_000, 2_000_000, 1_600_000, f"{OWN} · {SERVERS}"),
        (None, None, 1_600_000, ""),
    ],
)
def test_the_receipt_tells_the_members_own_and_a_tighter_limit_of_the_server_but_never_the_owners(
    own: int | None, servers: int | None, bots: int | None, text: str
) -> None:
    lines = map(money_line, Account, (own, servers, bots))
    assert posting_words.receipt(statement(*lines)) == text


def test_where_nothing_limits_there_is_no_receipt() -> None:
    unlimited = Line(account=Account.BOT, measure=Measure.DAY, value=None, source=Source.OPERATOR)
    assert not posting_words.receipt(statement(unlimited))


def test_the_description_for_people_who_do_not_see_the_clip_is_bounded(
    job_factory: JobFactory,
) -> None:
    plain = posting_words.alt_text(job_factory())
    assert plain == "A picture, brought to motion (5 s, wide 16:9)"
    long = posting_words.alt_text(job_factory(order=make_order(prompt="snow " * 500)))
    assert len(long) == 1024


# --- Limits --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("whom", "title"),
    [
        ("member", "🚫 Monthly limit reached"),
        ("server", "🚫 This server's budget is used up"),
    ],
)
def test_a_reached_limit_says_whose_how_much_and_when_it_resets(whom: str, title: str) -> None:
    note = refusals.refusal(limit_reached(whom))
    assert note.title == title
    for part in (
        "$0.10 left of $5.00 this month",
        "$4.90 is spent",
        "$0.1848",
        f"<t:{DECEMBER}:R>",
        f"<t:{DECEMBER}:F>",
    ):
        assert part in note.body


def test_of_the_bots_budget_nothing_but_what_is_left_is_told() -> None:
    note = refusals.refusal(limit_reached("bot", held=50_000))
    assert note.title == "🚫 The bot's budget is used up"
    assert note.body.startswith("Everybody together has $0.05 left this month, and this clip")
    assert f"<t:{DECEMBER}:R>" in note.body
    assert set(re.findall(r"\$\d+\.\d+", note.body)) == {"$0.05", "$0.1848"}


def test_what_clips_in_progress_hold_is_named_and_no_false_hope_is_given() -> None:
    note = refusals.refusal(limit_reached(spent=0, held=4_900_000))
    assert note.title == "⏳ Waiting for your other clips"
    assert "$4.90 of your last $5.00 is held by clips in progress" in note.body
    assert f"<t:{DECEMBER}:R>" in note.body
    spent_too = refusals.refusal(limit_reached(spent=4_900_000, held=50_000))
    assert spent_too.title == "🚫 Monthly limit reached"
    assert "$0.05 left of $5.00" in spent_too.body
    assert "$0.05 held by clips in progress" in spent_too.body


def test_where_nothing_is_held_nothing_is_said_of_it() -> None:
    assert "held" not in refusals.refusal(limit_reached(held=0)).body


def test_a_clip_that_is_dearer_than_the_whole_limit_is_not_told_to_wait() -> None:
    tiny = limit_reached(spent=0, held=50_000, limit=100_000)
    assert refusals.refusal(tiny).title == "🚫 Monthly limit reached"


def test_missing_permissions_are_named_as_discord_names_them() -> None:
    note = refusals.refusal(CannotPostHere(("send_messages_in_threads", "attach_files")))
    assert "I need Send Messages In Threads, Attach Files in this channel." in note.body
