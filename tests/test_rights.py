"""Who may do what with a clip: the whole table, written out once more by hand."""

from dataclasses import replace

import pytest

from bot.lifecycle import Job
from bot.rights import ClipProblem, ClipRefused, Role, Verb, Visitor, check, roles_of
from bot.wish import Origin, Wish
from tests.conftest import make_job

REQUESTER, AUTHOR, OTHER = 3000, 3001, 3002
PICTURE = Origin(channel_id=2000, message_id=5, key="attachment:1", author_id=AUTHOR)
WHO = {
    "requester": Visitor(member_id=REQUESTER, guild_id=1000),
    "author": Visitor(member_id=AUTHOR, guild_id=1000),
    "other": Visitor(member_id=OTHER, guild_id=1000),
    "moderator": Visitor(member_id=OTHER, guild_id=1000, is_moderator=True),
}
# Read from the left: requester, author of the picture, other member, moderator.
PUBLIC = {
    Verb.AGAIN: "yyyy",
    Verb.LONGER: "yyyy",
    Verb.EDIT: "yyyy",
    Verb.INFO: "yyyy",
    Verb.RETRY: "ynnn",
    Verb.DELETE: "yyny",
    Verb.CANCEL: "ynny",
    Verb.RESEND: "ynnn",
    Verb.DIRECT: "ynnn",
    Verb.SHOW: "ynnn",
}
PRIVATE = {
    Verb.AGAIN: "ynnn",
    Verb.LONGER: "ynnn",
    Verb.EDIT: "ynnn",
    Verb.INFO: "ynnn",
    Verb.RETRY: "ynnn",
    Verb.DELETE: "yyny",
    Verb.CANCEL: "ynny",
    Verb.RESEND: "ynnn",
    Verb.DIRECT: "ynnn",
    Verb.SHOW: "ynnn",
}


def job(*, is_private: bool = False) -> Job:
    return make_job(member_id=REQUESTER, picture=PICTURE, wish=Wish(is_private=is_private))


def answers(verb: Verb, of: Job) -> str:
    return "".join("y" if is_let_in(verb, of, who) else "n" for who in WHO.values())


def is_let_in(verb: Verb, of: Job, who: Visitor) -> bool:
    try:
        check(verb, of, who)
    except ClipRefused:
        return False
    return True


@pytest.mark.parametrize("verb", Verb)
def test_a_clip_that_everybody_sees(verb: Verb) -> None:
    assert answers(verb, job()) == PUBLIC[verb]


@pytest.mark.parametrize("verb", Verb)
def test_a_clip_that_only_its_person_sees(verb: Verb) -> None:
    assert answers(verb, job(is_private=True)) == PRIVATE[verb]


@pytest.mark.parametrize("verb", Verb)
@pytest.mark.parametrize("guild_id", [1001, None])
@pytest.mark.parametrize("who", WHO.values(), ids=WHO)
def test_nobody_does_anything_from_outside_its_server(
    verb: Verb, guild_id: int | None, who: Visitor
) -> None:
    with pytest.raises(ClipRefused) as refused:
        check(verb, job(), replace(who, guild_id=guild_id))
    assert refused.value.problem is ClipProblem.ELSEWHERE


def test_who_is_refused_hears_of_moderators_only_where_those_may() -> None:
    judged, its_own = ClipProblem.NOT_YOURS_TO_JUDGE, ClipProblem.NOT_YOURS
    for verb, problem in ((Verb.DELETE, judged), (Verb.CANCEL, judged), (Verb.SHOW, its_own)):
        with pytest.raises(ClipRefused) as refused:
            check(verb, job(), WHO["other"])
        assert (refused.value.problem, refused.value.owner_id) == (problem, REQUESTER)


def test_one_person_can_be_several_things_to_a_clip() -> None:
    mine = make_job(member_id=REQUESTER, picture=replace(PICTURE, author_id=REQUESTER))
    assert roles_of(mine, replace(WHO["requester"], is_moderator=True)) == set(Role)


def test_a_picture_that_was_handed_over_has_no_author_beside_its_person() -> None:
    handed = make_job(member_id=REQUESTER, picture=None)
    assert roles_of(handed, WHO["author"]) == {Role.MEMBER}
