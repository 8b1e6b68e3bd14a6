"""What members do about what they asked for: what waits, what failed, what is of an earlier life.

Each in a town of its own, with the real bot in it.
"""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.policy import Flagged, Policy
from bot.sandbox.discord.filling import buttons_of
from bot.sandbox.person import Person
from bot.sandbox.runware.outcomes import Outcome
from tests.town import (
    CLIP_WITHIN,
    EPHEMERAL,
    JSON,
    NO_LIMITS,
    PRICE,
    Town,
    photo_file,
    told,
    town,
    until,
)

SETTINGS = NO_LIMITS | {"ANIMATE_KEEP_CLIPS_HOURS": "24"}
WIDE = photo_file(640, 360)
DOWN = {"match": {"path": "/v1"}, "do": "status", "status": 503, "times": None}


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path) as made:
        made.discord.set_limits({"rate_limits_enabled": False})
        yield made


async def new_job(here: Town, before: set[str]) -> JSON:
    """Wait for one more job, and for its end."""
    await until(lambda: {one["id"] for one in here.books().jobs} - before, CLIP_WITHIN)
    (job,) = [one for one in (await here.settled()).jobs if one["id"] not in before]
    return job


def known(here: Town) -> set[str]:
    return {one["id"] for one in here.books().jobs}


async def answer(who: Person, started: Any) -> JSON:
    """Wait for a private answer."""
    found = await who.wait_for_reply(started)
    assert found["flags"] & EPHEMERAL
    return found


async def in_line(here: Town, count: int) -> list[JSON]:
    """Have Mia ask for clips that wait in line, as the service does not answer; newest last."""
    here.trouble_at_runware(**DOWN)
    for _ in range(5):  # in a row, and it is left in peace
        await here.status(await here.animate(WIDE))
    await until(lambda: "kept in line" in here.log, CLIP_WITHIN)
    statuses = [await here.status(await here.animate(WIDE)) for _ in range(count)]
    return [await here.says(status, "kept in line") for status in statuses]


# --- In the making -------------------------------------------------------------------------------


async def test_what_waits_is_listed_and_can_be_taken_back_from_the_list_by_its_id_and_its_status(
    here: Town,
) -> None:
    async with here.bot(**SETTINGS), here.person("Noah") as noah, here.person("Kim") as kim:
        statuses = await in_line(here, 3)
        mia = here.mia
        listed = await answer(mia, await mia.command("queue"))
        assert "⏳ Your clips in the making" in told(listed)
        assert told(listed).count("$0.1848 held") == 8
        first, second, third = [one for one in here.books().jobs if one["state"] == "queued"][-3:]

        # Nobody sees another's, but a moderator who asks for everybody's.
        assert "There are none." in told(await answer(noah, await noah.command("queue")))
        others = await answer(noah, await noah.command("queue", everybody=True))
        assert "⏳ Your clips in the making\nThere are none." in told(others)
        everybodys = await answer(kim, await kim.command("queue", everybody=True))
        assert f"<@{mia.id}>" in told(everybodys)

        await mia.press(listed, f"anim:cancel:{first['id']}")
        await here.says(statuses[0], "✖️ Cancelled")
        offered = await mia.autocomplete("cancel", "job", second["id"][-8:])
        assert [one["value"] for one in offered] == [second["id"]]
        said = await answer(mia, await mia.command("cancel", job=second["id"][-8:]))
        assert "✖️ Cancelled\nIt hadn't been sent yet. You were not charged." in told(said)
        await mia.press(statuses[2], "Cancel")
        await here.says(statuses[2], "✖️ Cancelled")

        again = await answer(mia, await mia.command("cancel", job=second["id"]))
        assert "✖️ Too late to cancel" in told(again)
        for job in (first, second, third):
            assert here.books().of(job) == ["hold", "release"]
        assert told(await answer(mia, await mia.command("queue"))).count("held") == 5


# --- Paid, and not posted ------------------------------------------------------------------------


async def test_what_waits_to_be_posted_comes_first_in_the_history_and_can_be_had_from_there(
    here: Town,
) -> None:
    mia = here.mia
    async with here.bot(**SETTINGS):
        here.runware.outcomes.add(Outcome(next="success", render_seconds=2))
        status = await here.status(await here.animate(WIDE))
        await here.deny("studio", "ATTACH_FILES")
        await here.says(status, "Finished, but I can't post it here")
        (waiting,) = here.books().jobs
        for _ in range(2):
            await here.clip(await here.animate(WIDE, where="general"))

        listed = await answer(mia, await mia.command("history", where="general"))
        lines = told(listed).splitlines()[1:]
        assert len(lines) == 3
        assert waiting["id"][-8:] in lines[0]
        assert "**finished, not posted yet**" in lines[0]
        assert all(line.endswith("· done") for line in lines[1:])

        await mia.choose(listed, "Choose a clip…", waiting["id"])
        one = await mia.wait_for(
            lambda seen: seen["id"] == listed["id"] and "Asked for by" in told(seen)
        )
        # What is paid can only be delivered: there is no Delete.
        assert buttons_of(one) == ["Resend here", "Send to my DMs", "◀ Back"]
        handed = await answer(mia, await mia.press(one, "Resend here"))
        assert len(handed["attachments"]) == 1
        await here.settled()
        await mia.press(one, "◀ Back")
        await mia.wait_for(
            lambda seen: seen["id"] == listed["id"] and told(seen).count("· done") == 3
        )
        assert here.books().spent_micro == here.runware.ledger.billed_micro == 3 * PRICE


async def test_what_is_held_back_comes_first_too_and_is_not_handed_out(here: Town) -> None:
    mia = here.mia
    async with here.bot(**SETTINGS):
        policy = Policy(flagged=Flagged.HOLD).to_json()
        with here.database() as db:
            db.execute("INSERT INTO policies VALUES (?, ?)", (here.guild_id, policy))
        here.runware.outcomes.add(Outcome(next="success", flagged=True))
        await here.says(await here.status(await here.animate(WIDE)), "🛡️ Held for review")
        (held,) = here.books().jobs
        await here.clip(await here.animate(WIDE))

        listed = await answer(mia, await mia.command("history"))
        assert held["id"][-8:] in told(listed).splitlines()[1]
        await mia.choose(listed, "Choose a clip…", held["id"])
        one = await mia.wait_for(
            lambda seen: seen["id"] == listed["id"] and "Asked for by" in told(seen)
        )
        for button in ("Resend here", "Send to my DMs"):
            refused = await answer(mia, await mia.press(one, button))
            while "Look again in a minute" in told(refused):  # just then the worker has it in hand
                refused = await answer(mia, await mia.press(one, button))
            assert "🛡️ Held for review" in told(refused)
            assert not refused["attachments"]
        assert len(here.posts) == 1


# --- Failed --------------------------------------------------------------------------------------


async def test_after_a_failure_of_the_service_one_press_makes_it_and_it_is_paid_once(
    here: Town,
) -> None:
    async with here.bot(**SETTINGS), here.person("Noah") as noah:
        here.runware.outcomes.add(Outcome(next="failed"))
        status = await here.status(await here.animate(WIDE, duration=10))
        failed = await here.says(status, "You were not charged.")
        assert buttons_of(failed) == ["Try again – $0.3696"]
        before = known(here)

        seen = await noah.seen(failed)
        not_his = await answer(noah, await noah.press(seen, "Try again – $0.3696"))
        assert "🙅 That's not yours" in told(not_his)
        pressed = await here.mia.press(failed, "Try again – $0.3696")
        job = await new_job(here, before)
        assert (job["state"], json.loads(job["order"])["duration"]) == ("delivered", 10)
        await here.clip(pressed)
        books = here.books()
        first, second = books.jobs
        assert books.of(first) == ["hold", "release"]
        assert books.of(second) == ["hold", "spend"]
        assert books.spent_micro == here.runware.ledger.billed_micro == 2 * PRICE


# --- From before a restart -----------------------------------------------------------------------


async def test_the_buttons_of_before_a_restart_work_after_it(here: Town) -> None:
    mia = here.mia
    async with here.bot(**SETTINGS) as process:
        clip = await here.clip(await here.animate(WIDE))
        here.runware.outcomes.add(Outcome(next="failed"))
        status = await here.status(await here.animate(WIDE))
        failed = await here.says(status, "You were not charged.")
        listed = await answer(mia, await mia.command("history"))
        first, _ = here.books().jobs
        await here.crash(process)
    async with here.bot(**SETTINGS):
        said = told(await answer(mia, await mia.press(clip, "Info")))
        assert f"Asked for by <@{mia.id}> by `/animate`" in said
        assert "It cost $0.1848." in said

        for message, button in ((clip, "Again"), (failed, "Try again – $0.1848")):
            before = known(here)
            await mia.press(message, button)
            assert (await new_job(here, before))["state"] == "delivered"

        await mia.choose(listed, "Choose a clip…", first["id"])
        await mia.wait_for(lambda one: one["id"] == listed["id"] and "Asked for by" in told(one))

        started = await mia.press(clip, "Edit")
        assert (await mia.form(started))["title"].startswith("Animate")
        assert "🗑️ Deleted" in told(await answer(mia, await mia.press(clip, "Delete")))
        assert clip["id"] not in {one.id for one in here.discord.messages}
        assert here.books().spent_micro == here.runware.ledger.billed_micro == 3 * PRICE
        assert here.trouble() == []


async def test_a_clip_that_waits_in_line_through_a_restart_can_be_taken_back_after_it(
    here: Town,
) -> None:
    async with here.bot(**SETTINGS) as process:
        *_, status = await in_line(here, 4)
        await here.crash(process)
    so_far = here.log.count("kept in line")
    async with here.bot(**SETTINGS):
        await until(lambda: here.log.count("kept in line") > so_far, CLIP_WITHIN)
        await here.mia.press(status, "Cancel")
        await here.says(status, "✖️ Cancelled")
        job = here.books().jobs[-1]
        assert (job["failure"], here.books().of(job)) == ("cancelled", ["hold", "release"])
