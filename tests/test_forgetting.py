"""`/privacy` through the local Discord: what is kept of somebody is told, handed over, and deleted.

Mia has clips that were made and one that was not, settings, a wish that she has not sent, and a
question to an author; each with words of hers in it. Noah has a clip of his own.
"""

import json
import sqlite3
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from bot.policy import Consent, Policy
from bot.sandbox.person import Person
from bot.sandbox.runware.outcomes import Outcome
from tests.town import (
    CLIP_WITHIN,
    EPHEMERAL,
    JSON,
    NO_LIMITS,
    Books,
    Town,
    photo_file,
    told,
    town,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "a heron that nobody knows of"
WIDE = photo_file(640, 360)


@dataclass(slots=True)
class Kept:
    """The town once everything has happened, and what of it Mia was told."""

    town: Town
    noah: Person
    before: Books
    clip: JSON
    """The message with a clip of Mia's."""
    said: Mapping[str, str]
    """What the three commands said, by their names, and what the button did."""
    exported: JSON

    def rows(self, table: str) -> list[JSON]:
        with self.town.database() as db:
            db.row_factory = sqlite3.Row
            return [dict(row) for row in db.execute(f"SELECT * FROM {table}")]

    def of_mia(self, table: str) -> list[JSON]:
        return [row for row in self.rows(table) if row["member_id"] == int(self.town.mia.id)]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def kept(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kept]:
    settings = NO_LIMITS | {
        "ANIMATE_MODEL": "klingai:6@1",
        "ANIMATE_MEMBER_MONTHLY_USD": "9",
        "ANIMATE_KEEP_CLIPS_HOURS": "24",
    }
    async with town(tmp_path_factory.mktemp("town")) as here, here.person("Noah") as noah:
        here.discord.set_limits({"message_content_enabled": True})
        async with here.bot(**settings):
            clip = await _live(here, noah)
            before = await here.settled()
            mia = here.mia
            shown = await mia.wait_for_reply(await mia.command("privacy show"))
            handed = await mia.wait_for_reply(await mia.command("privacy export"))
            exported = json.loads(await mia.download(handed["attachments"][0]))
            asked = await mia.wait_for_reply(await mia.command("privacy delete"))
            assert SECRET in json.dumps(_dump(here))
            await mia.press(asked, "Delete it")
            done = await mia.wait_for(
                lambda one: one["id"] == asked["id"] and "are deleted" in told(one)
            )
            assert all(one["flags"] & EPHEMERAL for one in (shown, handed, asked))
            said = {
                "show": told(shown),
                "export": told(handed),
                "delete": told(asked),
                "deleted": told(done),
            }
            yield Kept(here, noah, before, clip, said, exported)


async def _live(here: Town, noah: Person) -> JSON:
    """Have all of it happen; return the message with a clip of Mia's."""
    mia = here.mia
    clip = await here.clip(await here.animate(WIDE, prompt=SECRET))
    await noah.wait_for_reply(await here.animate(WIDE, who=noah, prompt="a dog"), CLIP_WITHIN)
    await here.settled()
    here.runware.outcomes.add(Outcome(next="failed"))
    failed = await here.status(await here.animate(WIDE, prompt=SECRET))
    await here.says(failed, "You were not charged.")
    panel = await mia.wait_for_reply(await mia.command("settings"))
    await mia.choose(panel, "How long your clips are", "10 seconds")
    await mia.wait_for(lambda one: one["id"] == panel["id"] and "10 seconds" in told(one))
    image = await mia.attach(WIDE, "photo.png")
    await mia.wait_for_reply(await mia.command("animate", image=image, preview=True, prompt=SECRET))
    await _ask_noah(here, noah)
    return clip


async def _ask_noah(here: Town, noah: Person) -> None:
    with here.database() as db:
        policy = Policy(consent=Consent.ASK).to_json()
        db.execute("INSERT INTO policies VALUES (?, ?)", (here.guild_id, policy))
    picture = await noah.send("look", await noah.attach(WIDE, "photo.png"))
    started = await here.mia.menu(await here.mia.seen(picture), "Animate with options…")
    await here.mia.submit(started, {"What should happen?": SECRET})
    await noah.wait_for(lambda one: "May your picture" in told(one))


def _dump(here: Town) -> list[Any]:
    """All that is in the database."""
    with here.database() as db:
        names = [
            name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        ]
        return [(name, db.execute(f"SELECT * FROM {name}").fetchall()) for name in names]


async def test_it_is_told_how_much_there_is_and_what_would_stay(kept: Kept) -> None:
    assert "🔏 What is kept about you" in kept.said["show"]
    assert "/privacy delete" in kept.said["show"]
    assert "2 clips in 1 server, your settings, and what of it" in kept.said["show"]
    assert "🔏 Your data" in kept.said["export"]
    assert "the amounts, days and states of your clips" in kept.said["delete"]
    assert "It can't be undone." in kept.said["delete"]
    assert "what was known of 2 clips are deleted" in kept.said["deleted"]


async def test_all_of_it_was_handed_over_and_nothing_of_anybody_else(kept: Kept) -> None:
    found, mine = kept.exported, kept.before
    mia = int(kept.town.mia.id)
    assert found["your id"] == f"{mia}"
    jobs = {one["id"] for one in mine.jobs if one["member_id"] == mia}
    assert {one["id"] for one in found["clips you asked for"]} == jobs
    assert len(found["clips that were made"]) == 1
    spent = [one["spent_micro"] for one in found["the accounts of them"]]
    assert sum(spent) == sum(one["spent_micro"] for one in mine.entries if one["member_id"] == mia)
    assert len(found["your settings"]) == len(found["what you were choosing"]) == 1
    assert len(found["pictures of others that you asked for"]) == 1
    text = json.dumps(found)
    assert SECRET in text
    assert "a dog" not in text
    assert "token" not in text


async def test_the_accounts_are_as_they_were(kept: Kept) -> None:
    after = kept.town.books()
    assert after.entries == kept.before.entries
    assert after.spent_micro == kept.town.runware.ledger.billed_micro
    assert [(one["id"], one["state"]) for one in after.jobs] == [
        (one["id"], one["state"]) for one in kept.before.jobs
    ]


async def test_nothing_of_hers_is_left_beside_them(kept: Kept) -> None:
    assert SECRET not in json.dumps(_dump(kept.town))
    for table in ("drafts", "member_settings"):
        assert kept.of_mia(table) == []
    jobs = kept.of_mia("jobs")
    ids = {one["id"] for one in jobs}
    for table in ("answers", "posts", "reviews"):
        assert [row for row in kept.rows(table) if row["job_id"] in ids] == []
    for job in jobs:
        assert (job["channel_id"], job["status_message_id"], job["role_ids"]) == (0, None, "[]")
        assert job["picture_message_id"] is job["picture_author_id"] is None
    assert {row["url"] for row in kept.rows("clips") if row["job_id"] in ids} == {""}
    assert not [name for name in kept.town.leftovers if name[:36] in ids]


async def test_what_she_had_asked_an_author_is_taken_back(kept: Kept) -> None:
    await kept.noah.wait_for(lambda one: "✖️ Taken back" in told(one), 20)
    (question,) = kept.of_mia("approvals")
    assert (question["outcome"], question["ask"]) == ("withdrawn", "{}")


async def test_what_is_another_persons_stays(kept: Kept) -> None:
    (job,) = [one for one in kept.town.books().jobs if one["member_id"] == int(kept.noah.id)]
    assert [job] == [one for one in kept.before.jobs if one["member_id"] == int(kept.noah.id)]
    assert [name for name in kept.town.leftovers if name.startswith(job["id"])]


async def test_her_clip_is_still_there_and_its_buttons_say_what_became_of_it(kept: Kept) -> None:
    mia = kept.town.mia
    clip = await mia.seen(kept.clip)
    answer = await mia.wait_for_reply(await mia.press(clip, "Info"))
    assert "This clip's record was deleted." in told(answer)
    listed = await mia.wait_for_reply(await mia.command("history"))
    assert "You have asked for none in this server yet." in told(listed)
    left = await mia.wait_for_reply(await mia.command("usage me"))
    assert "$0.35 spent" in told(left)


async def test_settings_are_told_of_where_there_are_some(kept: Kept) -> None:
    shown = await kept.noah.wait_for_reply(await kept.noah.command("privacy show"))
    assert "1 clip in 1 server, and what of it is in the accounts." in told(shown)


async def test_twice_is_once(kept: Kept) -> None:
    mia = kept.town.mia
    before = _dump(kept.town)
    asked = await mia.wait_for_reply(await mia.command("privacy delete"))
    await mia.press(asked, "Delete it")
    await mia.wait_for(lambda one: one["id"] == asked["id"] and "0 clips" in told(one))
    await until(lambda: _dump(kept.town) == before)
    assert kept.town.trouble() == []
