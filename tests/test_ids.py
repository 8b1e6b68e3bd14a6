"""Ids: in the order of time, no two the same, and in the form that each reader knows."""

import sqlite3
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import ids, rows
from tests.conftest import NOON

moments = st.integers(0, 2**48 - 1)
chances = st.uuids(version=4).map(str)


@given(moments, chances)
def test_a_jobs_id_is_a_uuid_v7_of_its_moment(at: int, chance: str) -> None:
    made = UUID(ids.job_id(at, chance))
    assert (made.version, made.variant) == (7, UUID(chance).variant)
    assert made.int >> 80 == at
    assert made.int % 2**76 == UUID(chance).int % 2**76


@given(moments, chances)
def test_a_tasks_uuid_has_the_form_that_the_service_takes(at: int, chance: str) -> None:
    made = UUID(ids.task_uuid(at, chance))
    assert made.version == 4
    assert made.int >> 80 == at
    assert made.int % 2**80 == UUID(chance).int % 2**80


@given(st.tuples(moments, chances), st.tuples(moments, chances))
def test_what_is_later_sorts_after(one: tuple[int, str], other: tuple[int, str]) -> None:
    (early, chance), (late, another) = sorted((one, other))
    for made in (ids.job_id, ids.task_uuid):
        if early < late:
            assert made(early, chance) < made(late, another)


def test_two_of_the_same_millisecond_differ_also_in_what_people_see() -> None:
    chance = Random(1)
    made = {
        ids.job_id(NOON, str(UUID(int=chance.getrandbits(128), version=4))) for _ in range(1000)
    }
    assert len({ids.short(one) for one in made}) == len(made) == 1000


def test_an_id_of_an_earlier_release_is_quoted_as_it_was() -> None:
    assert ids.short("0123abcd-0000-4000-8000-00000000cafe") == "0123abcd"


@pytest.mark.parametrize("version", ["4", "7"])
def test_the_database_knows_the_same_short_id(version: str) -> None:
    job_id = f"0123abcd-0000-{version}000-8000-00000000cafe"
    db = sqlite3.connect(":memory:")
    (found,) = db.execute(f"SELECT {rows.SHORT} FROM (SELECT ? AS id)", (job_id,)).fetchone()
    db.close()
    assert found == ids.short(job_id)
