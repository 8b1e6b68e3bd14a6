"""The table of states, and the only functions that move a job along it."""

from dataclasses import FrozenInstanceError, replace
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import IllegalTransition
from bot.lifecycle import (
    FINAL,
    LOOKED_AT,
    TRANSITIONS,
    Event,
    Failure,
    State,
    advance,
    again,
    diagram,
    retry_delay,
    turns_late,
)
from tests.conftest import NOON, JobFactory, readme_part

# Written out once more by hand: a change of the table has to be made twice, on purpose.
LEGAL = {
    (State.QUEUED, Event.SUBMIT): State.SUBMITTING,
    (State.QUEUED, Event.GIVE_UP): State.FAILED,
    (State.SUBMITTING, Event.ACCEPTED): State.RENDERING,
    (State.SUBMITTING, Event.REFUSED): State.FAILED,
    (State.SUBMITTING, Event.GIVE_UP): State.LOST,
    (State.RENDERING, Event.FINISHED): State.RENDERED,
    (State.RENDERING, Event.REFUSED): State.FAILED,
    (State.RENDERING, Event.GIVE_UP): State.LOST,
    (State.LOST, Event.FINISHED): State.RENDERED,
    (State.LOST, Event.REFUSED): State.FAILED,
    (State.LOST, Event.GIVE_UP): State.FAILED,
    (State.RENDERED, Event.POSTED): State.DELIVERED,
    (State.QUEUED, Event.CANCEL): State.FAILED,
}
ALL_PAIRS = list(product(State, Event))


@pytest.mark.parametrize(("state", "event"), ALL_PAIRS)
def test_every_event_in_every_state_moves_the_job_or_is_a_bug(
    job_factory: JobFactory, state: State, event: Event
) -> None:
    job = job_factory(state=state)
    if (state, event) in LEGAL:
        assert advance(job, event, NOON).state is LEGAL[state, event]
    else:
        with pytest.raises(IllegalTransition, match=event.name):
            advance(job, event, NOON)


def test_a_refused_event_names_the_state_that_does_not_know_it(job_factory: JobFactory) -> None:
    with pytest.raises(IllegalTransition, match="delivered knows no POSTED"):
        advance(job_factory(state=State.DELIVERED), Event.POSTED, NOON)


def test_the_table_has_a_row_for_every_state_and_uses_every_event() -> None:
    assert set(TRANSITIONS) == set(State)
    assert {event for events in TRANSITIONS.values() for event in events} == set(Event)


def test_final_states_are_those_that_nothing_leaves() -> None:
    assert {State.DELIVERED, State.FAILED} == FINAL


def reachable(start: State) -> set[State]:
    seen = {start}
    edge = [start]
    while edge:
        for state in TRANSITIONS[edge.pop()].values():
            if state not in seen:
                seen.add(state)
                edge.append(state)
    return seen


@pytest.mark.parametrize("state", State)
def test_every_state_reaches_an_end(state: State) -> None:
    assert reachable(state) & FINAL


def test_every_state_is_reached_from_acceptance() -> None:
    assert reachable(State.QUEUED) == set(State)


@pytest.mark.parametrize("state", State)
def test_a_job_never_comes_back_to_a_state_it_left(state: State) -> None:
    assert all(state not in reachable(after) for after in TRANSITIONS[state].values())


def test_a_paid_clip_can_only_be_delivered() -> None:
    assert reachable(State.RENDERED) == {State.RENDERED, State.DELIVERED}


def test_what_may_have_reached_the_service_fails_by_its_word_or_after_it_was_lost() -> None:
    ways = [key for key, after in LEGAL.items() if after is State.FAILED]
    assert {state for state, event in ways if event is Event.GIVE_UP} == {State.QUEUED, State.LOST}


def test_the_service_has_the_word_wherever_a_clip_may_come_from() -> None:
    assert {state for state in State if Event.FINISHED in TRANSITIONS[state]} == LOOKED_AT


def test_nothing_that_was_never_sent_can_be_refused_or_lost() -> None:
    assert TRANSITIONS[State.QUEUED] == {
        Event.SUBMIT: State.SUBMITTING,
        Event.GIVE_UP: State.FAILED,
        Event.CANCEL: State.FAILED,
    }


def test_advancing_makes_the_job_due_at_once_unless_told_otherwise(job_factory: JobFactory) -> None:
    job = job_factory(attempts=3)
    at_once = advance(job, Event.SUBMIT, NOON + 5)
    later = advance(job, Event.SUBMIT, NOON + 5, due_at=NOON + 900)
    assert (at_once.due_at, at_once.updated_at, at_once.attempts) == (NOON + 5, NOON + 5, 0)
    assert (later.due_at, later.updated_at) == (NOON + 900, NOON + 5)


def test_advancing_changes_nothing_else_and_leaves_the_old_record_alone(
    job_factory: JobFactory,
) -> None:
    job = job_factory()
    moved = advance(job, Event.SUBMIT, NOON + 5)
    assert job.state is State.QUEUED
    assert moved.sent_at == moved.updated_at == NOON + 5
    was = replace(job, sent_at=moved.sent_at)
    assert replace(moved, state=job.state, due_at=job.due_at, updated_at=job.updated_at) == was


def test_advancing_takes_the_outcome_along(job_factory: JobFactory) -> None:
    failed = advance(
        job_factory(state=State.RENDERING), Event.REFUSED, NOON, failure=Failure.DECLINED
    )
    assert failed.failure is Failure.DECLINED


def test_a_job_cannot_be_changed_in_place(job_factory: JobFactory) -> None:
    with pytest.raises(FrozenInstanceError):
        job_factory().state = State.DELIVERED  # type: ignore[misc] # the point of the test


def test_another_try_counts_and_stays_in_its_state(job_factory: JobFactory) -> None:
    job = job_factory(state=State.RENDERED, attempts=2)
    tried = again(job, NOON + 10, NOON + 4000)
    assert (tried.state, tried.attempts) == (State.RENDERED, 3)
    assert (tried.updated_at, tried.due_at) == (NOON + 10, NOON + 4000)


def test_people_quote_the_first_eight_characters_of_an_id(job_factory: JobFactory) -> None:
    assert job_factory(id="0123abcd-0000-4000-8000-000000000000").short_id == "0123abcd"


def test_pauses_between_tries_double_up_to_the_most() -> None:
    pauses = [retry_delay(attempts, 1.0, 60) for attempts in range(9)]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60, 60]


@given(
    attempts=st.integers(0, 10**6), chance=st.floats(0, 1), most=st.floats(1, 10**6), more=st.data()
)
def test_a_pause_is_bounded_and_chance_takes_at_most_half_off(
    attempts: int, chance: float, most: float, more: st.DataObject
) -> None:
    full = retry_delay(attempts, 1.0, most)
    assert full / 2 <= retry_delay(attempts, chance, most) <= full <= most
    assert full <= retry_delay(attempts + more.draw(st.integers(0, 50)), 1.0, most)


@pytest.mark.parametrize(
    ("attempts", "before", "now", "turns"),
    [
        (0, 0, 599, False),
        (3, 500, 599, False),
        (3, 500, 600, True),
        (3, 599, 700, True),
        (3, 600, 700, False),
        (0, 700, 701, True),
        (1, 700, 701, False),
    ],
)
def test_one_try_of_all_finds_a_job_late(
    job_factory: JobFactory, attempts: int, before: int, now: int, turns: bool
) -> None:
    job = job_factory(attempts=attempts, updated_at=NOON + before * 1000)
    assert turns_late(job, NOON + now * 1000, 600) is turns


def test_the_diagram_draws_every_transition_and_both_ends() -> None:
    lines = diagram().splitlines()
    assert lines[:2] == ["stateDiagram-v2", "    [*] --> queued: accept"]
    for (state, event), after in LEGAL.items():
        assert f"    {state} --> {after}: {event}" in lines
    assert lines[-2:] == ["    delivered --> [*]", "    failed --> [*]"]
    assert len(lines) == 2 + len(LEGAL) + len(FINAL)


def test_what_is_given_up_is_not_said_to_have_waited_for_a_day() -> None:
    """A lost picture is given up at once, and how long a silence may last is a setting."""
    assert str(Event.GIVE_UP) == "given up"


def test_the_readme_shows_the_diagram_of_the_table() -> None:
    assert readme_part("lifecycle") == f"```mermaid\n{diagram()}\n```"
