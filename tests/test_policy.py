"""What a server's own rules let pass, and what they raise where they do not."""

from dataclasses import fields, replace

import pytest

from bot.errors import Bar, Barred, ConsentNeeded
from bot.policy import DEFAULT, Asker, Consent, Flagged, Policy, check
from bot.wish import NOBODY, UNKNOWN

ME, AUTHOR, CHANNEL, CATEGORY, ROLE = 1, 2, 10, 11, 20
MINE = Asker(member_id=ME, role_ids=(), place_ids=(CHANNEL, CATEGORY), author_id=ME)
THEIRS = replace(MINE, author_id=AUTHOR)


def bar_of(policy: Policy, asker: Asker, *, blocked: bool = False, opted: bool = False) -> Barred:
    with pytest.raises(Barred) as error:
        check(policy, asker, is_blocked=blocked, has_opted_out=opted)
    return error.value


@pytest.mark.parametrize("asker", [MINE, THEIRS])
def test_a_server_that_has_set_nothing_lets_everybody_animate_everything(asker: Asker) -> None:
    check(DEFAULT, asker)


def test_nobody_gets_past_a_pause_and_nobody_blocked_past_their_block() -> None:
    moderator = replace(MINE, is_moderator=True)
    assert bar_of(Policy(is_paused=True), moderator).bar is Bar.PAUSED
    assert bar_of(DEFAULT, moderator, blocked=True).bar is Bar.BLOCKED


@pytest.mark.parametrize("place", [CHANNEL, CATEGORY])
def test_a_channel_counts_by_itself_and_by_its_category(place: int) -> None:
    check(Policy(channels=frozenset({place})), MINE)
    assert bar_of(Policy(denied_channels=frozenset({place})), MINE).bar is Bar.CHANNEL


def test_who_asks_in_another_channel_hears_where_clips_are() -> None:
    error = bar_of(Policy(channels=frozenset({99, 98})), MINE)
    assert (error.bar, error.ids) == (Bar.CHANNEL, (98, 99))


def test_denied_beats_allowed() -> None:
    policy = Policy(channels=frozenset({CATEGORY}), denied_channels=frozenset({CHANNEL}))
    assert bar_of(policy, MINE).bar is Bar.CHANNEL


def test_one_of_the_roles_is_enough() -> None:
    policy = Policy(roles=frozenset({ROLE, 21}))
    check(policy, replace(MINE, role_ids=(ROLE,)))
    error = bar_of(policy, replace(MINE, role_ids=(5,)))
    assert (error.bar, error.ids) == (Bar.ROLE, (ROLE, 21))


def test_where_each_member_has_their_own_pictures_others_are_not_theirs() -> None:
    policy = Policy(consent=Consent.OWN)
    check(policy, MINE)
    assert bar_of(policy, THEIRS).bar is Bar.NOT_YOURS


def test_a_role_may_open_the_pictures_of_others() -> None:
    policy = Policy(consent=Consent.ROLES, consent_roles=frozenset({ROLE}))
    check(policy, replace(THEIRS, role_ids=(ROLE,)))
    error = bar_of(policy, THEIRS)
    assert (error.bar, error.ids) == (Bar.NOT_YOURS, (ROLE,))


def test_where_the_author_decides_they_are_asked_and_nobody_else() -> None:
    policy = Policy(consent=Consent.ASK)
    check(policy, MINE)
    with pytest.raises(ConsentNeeded) as error:
        check(policy, THEIRS)
    assert error.value.author_id == AUTHOR


@pytest.mark.parametrize("consent", [Consent.OWN, Consent.ASK])
def test_a_picture_that_nobody_knows_the_author_of_is_not_ones_own(consent: Consent) -> None:
    nobodys = replace(MINE, author_id=UNKNOWN)
    assert bar_of(Policy(consent=consent), nobodys).bar is Bar.FORWARDED
    check(DEFAULT, nobodys)


def test_of_a_picture_that_nobody_stands_behind_nobody_is_asked() -> None:
    of_a_webhook = replace(MINE, author_id=NOBODY)
    assert bar_of(Policy(consent=Consent.ASK), of_a_webhook).bar is Bar.NOBODY
    assert bar_of(Policy(consent=Consent.OWN), of_a_webhook).bar is Bar.NOT_YOURS
    check(DEFAULT, of_a_webhook)


@pytest.mark.parametrize("consent", Consent)
def test_who_has_opted_out_is_not_even_asked_but_may_animate_their_own(consent: Consent) -> None:
    policy = Policy(consent=consent, consent_roles=frozenset({ROLE}))
    asker = replace(THEIRS, role_ids=(ROLE,))
    assert bar_of(policy, asker, opted=True).bar is Bar.OPTED_OUT
    check(policy, MINE, has_opted_out=True)


def test_a_policy_is_read_as_it_was_written() -> None:
    changed = Policy(
        is_paused=True,
        channels=frozenset({1, 2}),
        denied_channels=frozenset({3}),
        roles=frozenset({4}),
        consent=Consent.ROLES,
        consent_roles=frozenset({5}),
        reaction="🎬",
        has_replies=False,
        oldest_days=30,
        confirm_over_micro=None,
        flagged=Flagged.HOLD,
        age_restricted=Flagged.SPOILER,
        log_channel_id=6,
        has_digest=True,
    )
    unchanged = [one.name for one in fields(Policy) if getattr(changed, one.name) == one.default]
    assert unchanged == []
    assert Policy.from_json(changed.to_json()) == changed


def test_a_server_that_has_set_nothing_keeps_nothing() -> None:
    assert DEFAULT.to_json() == "{}"
    assert Policy.from_json("{}") == DEFAULT


def test_what_a_later_release_has_set_is_left_out() -> None:
    assert Policy.from_json('{"is_paused": true, "of the future": 1}') == Policy(is_paused=True)
