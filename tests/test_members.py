"""What members wish for themselves is kept, and nobody wishes for anything by default."""

from bot.database import Database
from bot.members import Members, MemberSettings
from bot.wish import Fit


async def test_who_has_asked_for_nothing_gets_no_direct_messages(database: Database) -> None:
    assert await Members(database).settings(30) == MemberSettings()
    assert MemberSettings() == MemberSettings(dm_copies=False, dm_when_lost=False)


async def test_what_a_member_wishes_is_kept_and_is_theirs_alone(database: Database) -> None:
    members = Members(database)
    await members.set(30, MemberSettings(dm_when_lost=True))
    await members.set(31, MemberSettings(dm_copies=True))
    assert await members.settings(30) == MemberSettings(dm_when_lost=True)
    assert await members.settings(31) == MemberSettings(dm_copies=True)

    await members.set(30, MemberSettings(dm_copies=True))
    assert await members.settings(30) == MemberSettings(dm_copies=True)


async def test_every_setting_comes_back_as_it_was_set(database: Database) -> None:
    wished = MemberSettings(
        has_opted_out=True, duration=10.0, shape="tall 9:16", fit=Fit.PAD, is_private=True
    )
    members = Members(database)
    await members.set(30, wished)
    assert await members.settings(30) == wished
