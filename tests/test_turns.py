"""Turns: nobody waits for all the clips of one who asked for many, and nothing is lost in line."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from bot.lifecycle import Job
from bot.turns import Turns, ahead
from tests.conftest import NOON, make_job

WHO = st.tuples(st.integers(1, 3), st.integers(11, 14))
"""A server and a member."""


def waiting_job(who: tuple[int, int], created_at: int = NOON) -> Job:
    return make_job(guild_id=who[0], member_id=who[1], created_at=created_at)


def line_of(*jobs: Job) -> Turns:
    line = Turns()
    for job in jobs:
        line.put(job)
    return line


class ALine(RuleBasedStateMachine):
    """People come and are served, in any order; who was passed over is counted for each who waits.

    Between two takes of one member every other who waited all the time is served, and so with
    servers: nobody is passed over by the same one twice.
    """

    def __init__(self) -> None:
        super().__init__()
        self.line = Turns()
        self.now = NOON
        self.waiting: list[Job] = []
        self.passed_member: Counter[tuple[int, int, int]] = Counter()
        self.passed_server: Counter[tuple[int, int]] = Counter()

    @rule(who=WHO, many=st.integers(1, 8))
    def come(self, who: tuple[int, int], many: int) -> None:
        for _ in range(many):
            self.now += 1
            job = waiting_job(who, self.now)
            self.line.put(job)
            self.waiting.append(job)

    @precondition(lambda self: self.waiting)
    @rule(most=st.integers(1, 9))
    def serve(self, most: int) -> None:
        taken = self.line.take(most)
        assert len(taken) == min(most, len(self.waiting))
        for job in taken:
            self.is_fair(job)

    def is_fair(self, job: Job) -> None:
        own = [one for one in self.waiting if one.member_id == job.member_id]
        own = [one for one in own if one.guild_id == job.guild_id]
        assert job == own[0], "a member's own jobs keep their order, and none comes twice"
        self.waiting.remove(job)
        guild_id, member_id = job.guild_id, job.member_id
        for key in list(self.passed_member):
            if key[:2] == (guild_id, member_id):  # served: nobody has passed them over
                del self.passed_member[key]
        for pair in list(self.passed_server):
            if pair[0] == guild_id:
                del self.passed_server[pair]
        for other in {one.member_id for one in self.waiting if one.guild_id == guild_id}:
            if other != member_id:
                self.passed_member[guild_id, other, member_id] += 1
        for server in {one.guild_id for one in self.waiting} - {guild_id}:
            self.passed_server[server, guild_id] += 1

    @invariant()
    def nobody_is_passed_over_twice_by_the_same(self) -> None:
        assert all(times <= 1 for times in self.passed_member.values())
        assert all(times <= 1 for times in self.passed_server.values())

    def teardown(self) -> None:
        rest = self.line.take(10**6)
        assert sorted(job.id for job in rest) == sorted(job.id for job in self.waiting)
        assert self.line.take(1) == []


TestALine = ALine.TestCase
TestALine.settings = settings(max_examples=40, stateful_step_count=25)


def test_one_who_asks_for_twenty_keeps_the_next_one_waiting_for_a_single_clip() -> None:
    greedy = [waiting_job((1, 11), NOON + number) for number in range(20)]
    modest = waiting_job((1, 12), NOON + 100)

    assert line_of(*greedy, modest).take(3) == [greedy[0], modest, greedy[1]]


def test_a_server_with_many_members_gets_as_many_turns_as_one_with_a_single_member() -> None:
    crowd = [waiting_job((1, 11 + number)) for number in range(4)]
    lonely = [waiting_job((2, 21), NOON + number) for number in range(3)]

    expected = [crowd[0], lonely[0], crowd[1], lonely[1], crowd[2], lonely[2], crowd[3]]
    assert line_of(*crowd, *lonely).take(9) == expected


def test_what_comes_back_into_the_line_goes_before_what_was_accepted_later() -> None:
    old, new = waiting_job((1, 11), NOON), waiting_job((1, 11), NOON + 1)

    assert line_of(new, old).take(2) == [old, new]


def test_who_waits_in_a_line_that_is_cleared_waits_no_more() -> None:
    line = line_of(waiting_job((1, 11)))
    line.clear()

    assert line.take(1) == []


@given(st.lists(WHO, max_size=40), WHO)
def test_the_place_that_a_person_is_told_is_the_one_they_get(
    others: list[tuple[int, int]], who: tuple[int, int]
) -> None:
    job = waiting_job(who, NOON + 100)
    line = line_of(*(waiting_job(one, NOON + at) for at, one in enumerate(others)), job)

    assert line.take(10**6).index(job) == ahead(others, *who)
