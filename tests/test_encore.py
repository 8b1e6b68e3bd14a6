"""Another clip of the same picture: where the picture that somebody handed over is taken to be."""

from dataclasses import replace

import pytest

from bot import clip_words
from bot.encore import origin
from bot.lifecycle import State
from bot.wish import Wish
from tests.conftest import make_job

HERE, PARENT, DIRECT = 20, 21, 99


@pytest.mark.parametrize(
    ("posted", "status", "where"),
    [
        ((HERE, 900), 40, (HERE, 900)),
        ((None, 900), 40, (HERE, 900)),
        ((PARENT, 900), 40, (PARENT, 900)),
        ((DIRECT, 900), 40, (HERE, 40)),
        ((DIRECT, 900), None, (HERE, 0)),
        ((None, None), 40, (HERE, 40)),
    ],
)
def test_a_picture_that_was_handed_over_is_where_its_clip_is_and_never_in_direct_messages(
    posted: tuple[int | None, int | None], status: int | None, where: tuple[int, int]
) -> None:
    job = make_job(
        state=State.DELIVERED,
        channel_id=HERE,
        parent_channel_id=PARENT,
        status_message_id=status,
        message_channel_id=posted[0],
        message_id=posted[1],
    )
    found = origin(job)
    assert (found.channel_id, found.message_id) == where
    assert found.author_id == job.member_id


def test_info_leads_to_the_channel_of_a_picture_that_has_no_message() -> None:
    first = make_job(state=State.DELIVERED, message_id=900, message_channel_id=DIRECT, member_id=31)
    picture = origin(replace(first, status_message_id=None))
    text = clip_words.info(make_job(picture=picture), 0, 0, 0).body
    assert f"<@31>'s: https://discord.com/channels/{first.guild_id}/{first.channel_id}\n" in text


def test_the_command_to_copy_makes_such_a_clip_for_as_many_eyes() -> None:
    hidden = Wish(is_private=True, is_spoiler=True)
    assert clip_words.command(make_job()) == "/animate duration:5 guidance:0.5"
    assert clip_words.command(make_job(wish=hidden)).endswith(" private:True spoiler:True")
