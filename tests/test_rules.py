"""Which limit wins for whom: own, best role, server's default, bot's default; each on its own."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rules import Account, Limits, Line, Measure, Rule, Source, Target, in_force

MEMBER, STRANGER = 11, 12
SUPPORTER, STAFF, OTHERS = 21, 22, 23
MONEY = (Measure.DAY, Measure.WEEK, Measure.MONTH)
NO_LIMITS = Limits()


def rule(
    target: Target, value: int | None, measure: Measure = Measure.MONTH, target_id: int = 0
) -> Rule:
    return Rule(target=target, target_id=target_id, measure=measure, value=value)


def own(value: int | None, measure: Measure = Measure.MONTH) -> Rule:
    return rule(Target.MEMBER, value, measure, MEMBER)


def role(role_id: int, value: int | None, measure: Measure = Measure.MONTH) -> Rule:
    return rule(Target.ROLE, value, measure, role_id)


def default(value: int | None, measure: Measure = Measure.MONTH) -> Rule:
    return rule(Target.DEFAULT, value, measure)


def lines(
    account: Account,
    rules: Sequence[Rule],
    limits: Limits = NO_LIMITS,
    roles: Collection[int] = (SUPPORTER, STAFF),
) -> dict[Measure, list[Line]]:
    """Return what is in force for an account of the member, by measure."""
    found: dict[Measure, list[Line]] = {}
    for line in in_force(limits, rules, MEMBER, roles):
        if line.account is account:
            found.setdefault(line.measure, []).append(line)
    return found


def won(
    rules: Sequence[Rule],
    limits: Limits = NO_LIMITS,
    measure: Measure = Measure.MONTH,
    roles: Collection[int] = (SUPPORTER, STAFF),
) -> tuple[int | None, Source, int | None]:
    """Return the value that counts for the member, and where it comes from."""
    (line,) = lines(Account.MEMBER, rules, limits, roles)[measure]
    return line.value, line.source, line.role_id


# --- Whose rule wins -----------------------------------------------------------------------------


@pytest.mark.parametrize("measure", Measure)
@pytest.mark.parametrize("value", [0, 7, None])
def test_own_wins_over_role_over_default_over_the_bots_default(
    measure: Measure, value: int | None
) -> None:
    operators = Limits(member={measure: value})
    ladder = [own(value, measure), role(STAFF, value, measure), default(value, measure)]
    sources = []
    for first in range(4):
        others = [replace(one, value=50) for one in ladder[first + 1 :]]
        found, source, _ = won([*ladder[first : first + 1], *others], operators, measure)
        assert found == value
        sources.append(source)
    assert sources == [Source.OWN, Source.ROLE, Source.DEFAULT, Source.OPERATOR]


def test_each_measure_is_decided_on_its_own() -> None:
    rules = [
        own(5, Measure.DAY),
        role(STAFF, 20, Measure.WEEK),
        default(30),
        default(1, Measure.DAY),
    ]
    limits = Limits(member={Measure.CLIPS: 2, Measure.MONTH: 1})
    assert won(rules, limits, Measure.DAY) == (5, Source.OWN, None)
    assert won(rules, limits, Measure.WEEK) == (20, Source.ROLE, STAFF)
    assert won(rules, limits, Measure.MONTH) == (30, Source.DEFAULT, None)
    assert won(rules, limits, Measure.CLIPS) == (2, Source.OPERATOR, None)
    assert Measure.COOLDOWN not in lines(Account.MEMBER, rules, limits)


def test_where_nothing_is_said_nothing_is_limited() -> None:
    assert in_force(NO_LIMITS, (), MEMBER, ()) == ()


@pytest.mark.parametrize(
    "rules",
    [
        [rule(Target.MEMBER, 0, target_id=STRANGER)],
        [role(OTHERS, 0)],
        [rule(Target.MEMBER, 0, target_id=SUPPORTER)],
        [role(MEMBER, 0)],
    ],
)
def test_rules_for_others_do_not_count(rules: list[Rule]) -> None:
    assert won(rules, Limits(member={Measure.MONTH: 9})) == (9, Source.OPERATOR, None)


def test_a_rule_that_is_unlimited_is_told_with_its_source() -> None:
    assert won([own(None), default(5)]) == (None, Source.OWN, None)


# --- The best of several roles -------------------------------------------------------------------


@pytest.mark.parametrize("measure", [*MONEY, Measure.CLIPS])
@pytest.mark.parametrize(
    ("values", "best"),
    [((5, 10), 10), ((0, 10), 10), ((0, 0), 0), ((0, None), None), ((10**12, None), None)],
)
def test_the_best_role_is_the_most_generous(
    measure: Measure, values: tuple[int | None, ...], best: int | None
) -> None:
    for first, second in permutations(values):
        rules = [role(SUPPORTER, first, measure), role(STAFF, second, measure)]
        for order in permutations(rules):
            assert won(order, measure=measure)[:2] == (best, Source.ROLE)


@pytest.mark.parametrize(
    ("values", "best"),
    [((5, 10), {5}), ((0, 10), {0}), ((None, 10), {None}), ((None, 0), {None, 0})],
)
def test_the_best_role_for_a_pause_is_the_shortest(
    values: tuple[int | None, ...], best: set[int | None]
) -> None:
    for first, second in permutations(values):
        rules = [role(SUPPORTER, first, Measure.COOLDOWN), role(STAFF, second, Measure.COOLDOWN)]
        assert won(rules, measure=Measure.COOLDOWN)[0] in best


def test_of_two_roles_that_are_as_good_the_same_one_is_always_named() -> None:
    rules = [role(SUPPORTER, 5), role(STAFF, 5)]
    assert {
        won(order, roles=roles)[2]
        for order in permutations(rules)
        for roles in ((SUPPORTER, STAFF), (STAFF, SUPPORTER))
    } == {SUPPORTER}


def test_only_roles_that_the_member_has_count() -> None:
    rules = [role(SUPPORTER, 5), role(STAFF, None), default(3)]
    assert won(rules, roles=(SUPPORTER,)) == (5, Source.ROLE, SUPPORTER)
    assert won(rules, roles=(OTHERS,)) == (3, Source.DEFAULT, None)
    assert won(rules, roles=()) == (3, Source.DEFAULT, None)


# --- The server's and the bot's own limits -------------------------------------------------------


@pytest.mark.parametrize("measure", [*MONEY, Measure.CLIPS])
@pytest.mark.parametrize("servers", [None, 0, 5, 500])
def test_a_server_cannot_widen_what_the_operator_gives_it(
    measure: Measure, servers: int | None
) -> None:
    limits = Limits(server={measure: 100}, bot={measure: 1000})
    found = lines(Account.SERVER, [rule(Target.SERVER, servers, measure)], limits)[measure]
    assert {(line.source, line.value) for line in found} == {
        (Source.SERVER, servers),
        (Source.OPERATOR, 100),
    }
    (bots,) = lines(Account.BOT, [rule(Target.SERVER, servers, measure)], limits)[measure]
    assert (bots.source, bots.value) == (Source.OPERATOR, 1000)


def test_no_members_rule_changes_the_servers_limits() -> None:
    rules = [own(None), role(STAFF, None), default(None)]
    limits = Limits(server={Measure.MONTH: 100}, bot={Measure.MONTH: 1000})
    (servers,) = lines(Account.SERVER, rules, limits)[Measure.MONTH]
    assert (servers.source, servers.value) == (Source.OPERATOR, 100)


def test_a_pause_is_between_a_members_clips_and_no_servers() -> None:
    every = {Measure.COOLDOWN: 60}
    limits = Limits(member=every, server=every, bot=every)
    found = in_force(limits, [rule(Target.SERVER, 60, Measure.COOLDOWN)], MEMBER, ())
    assert [line.account for line in found] == [Account.MEMBER]


# --- In general ----------------------------------------------------------------------------------

VALUES = st.none() | st.integers(0, 10**15)
LIMITED = st.dictionaries(st.sampled_from(Measure), VALUES)
RULES = st.dictionaries(
    st.tuples(
        st.sampled_from(
            [
                (Target.SERVER, 0),
                (Target.DEFAULT, 0),
                *((Target.ROLE, role_id) for role_id in (SUPPORTER, STAFF, OTHERS)),
                *((Target.MEMBER, member_id) for member_id in (MEMBER, STRANGER)),
            ]
        ),
        st.sampled_from(Measure),
    ),
    VALUES,
).map(
    lambda rules: [
        Rule(target=target, target_id=target_id, measure=measure, value=value)
        for ((target, target_id), measure), value in rules.items()
    ]
)


@given(RULES, LIMITED, st.sets(st.sampled_from((SUPPORTER, STAFF, OTHERS))))
def test_one_more_role_never_makes_a_member_worse_off_than_the_other_roles_do(
    rules: list[Rule], operators: dict[Measure, int | None], roles: set[int]
) -> None:
    before = lines(Account.MEMBER, rules, Limits(member=operators), roles)
    after = lines(Account.MEMBER, rules, Limits(member=operators), roles | {STAFF})
    for measure, (line,) in before.items():
        if line.source is Source.ROLE:
            (better,) = after[measure]
            values = [line.value, better.value]
            if measure is Measure.COOLDOWN:
                assert (values[1] or 0) <= (values[0] or 0)
            else:
                assert values[1] is None or (values[0] is not None and values[1] >= values[0])


@given(RULES, LIMITED, LIMITED, LIMITED)
def test_a_member_has_one_line_a_measure_and_comes_first_and_the_bot_last(
    rules: list[Rule],
    member: dict[Measure, int | None],
    server: dict[Measure, int | None],
    bot: dict[Measure, int | None],
) -> None:
    limits = Limits(member=member, server=server, bot=bot)
    found = in_force(limits, rules, MEMBER, (SUPPORTER, STAFF))
    assert [line.account for line in found] == sorted(
        (line.account for line in found), key=list(Account).index
    )
    measures = [line.measure for line in found if line.account is Account.MEMBER]
    assert len(measures) == len(set(measures))
    assert all((line.role_id is not None) is (line.source is Source.ROLE) for line in found)
