"""What can be done with a clip afterwards, through the local Discord: by whom, and at whose cost.

Mia has asked for clips of Noah's pictures. Zoe is a plain member, Kim a moderator, Otto somebody of
another server. The bot is a process of its own.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import pytest_asyncio

from bot.policy import Flagged, Policy
from bot.rights import Verb
from bot.sandbox.discord.filling import buttons_of
from bot.sandbox.person import Person, Started
from tests.corridor import clip as tiny_clip
from tests.test_doors import NO_FORM
from tests.town import EPHEMERAL, JSON, NO_LIMITS, PRICE, Books, Town, photo_file, told, town, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

WIDE = photo_file(640, 360)
SETTINGS = NO_LIMITS | {"ANIMATE_KEEP_CLIPS_HOURS": "24"}


@dataclass(slots=True)
class After:
    """The town, and who lives there."""

    town: Town
    people: Mapping[str, Person]
    shared: JSON | None = None
    """A clip that nobody deletes."""

    def __getitem__(self, name: str) -> Person:
        return self.people[name]

    def job(self, job_id: str) -> JSON:
        return next(one for one in self.town.books().jobs if one["id"] == job_id)

    async def clip(self, where: str = "general") -> JSON:
        """Have Mia ask for a clip of a picture of Noah's; return its job, once it is delivered."""
        before = {one["id"] for one in self.town.books().jobs}
        photo = await self["Noah"].attach(WIDE, "photo.png")
        message = await self["Noah"].send("look", photo, channel=where)
        await self["Mia"].menu(await self["Mia"].seen(message), "Animate")
        await until(lambda: {one["id"] for one in self.town.books().jobs} - before)
        (job,) = [one for one in (await self.town.settled()).jobs if one["id"] not in before]
        assert job["state"] == "delivered"
        return job

    async def one(self) -> JSON:
        """Return a clip that is not to be changed."""
        if self.shared is None:
            self.shared = await self.clip()
        return self.shared

    async def post(self, job: JSON) -> JSON:
        """Return the message with a job's clip, as Mia sees it."""
        return await self["Mia"].wait_for(lambda one: one["id"] == str(job["message_id"]))

    async def press(self, who: str, verb: Verb, job_id: str, where: str = "general") -> Started:
        """Have somebody press a button that says this, below a message of the bot's."""
        person = self[who]
        button = {"type": 2, "style": 2, "label": "x", "custom_id": f"anim:{verb}:{job_id}"}
        posted = await self.town.post_as_bot(person.channel_id(where), button)
        message = await person.wait_for(lambda one: one["id"] == posted)
        return await person.press(message, f"anim:{verb}:{job_id}")

    async def hears(self, who: str, started: Started) -> JSON:
        return await self[who].wait_for_reply(started)

    async def settled(self) -> Books:
        return await self.town.settled()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[After]:
    async with town(tmp_path_factory.mktemp("town")) as made:
        made.discord.set_limits({"message_content_enabled": True, "rate_limits_enabled": False})
        world = made.discord.world
        world.join(world.add_user("zoe", "Zoe", "#123456"))
        url = made.discord.url
        async with (
            made.bot(**SETTINGS),
            Person(url, "Noah") as noah,
            Person(url, "Kim") as kim,
            Person(url, "Zoe") as zoe,
            Person(url, "Otto", "lobby") as otto,
        ):
            people = {"Mia": made.mia, "Noah": noah, "Kim": kim, "Zoe": zoe, "Otto": otto}
            yield After(made, people)


# --- Who may -------------------------------------------------------------------------------------

# Everybody tries everything in `test_who_may.py`.
FOR_ALL = {Verb.AGAIN, Verb.LONGER, Verb.RETRY, Verb.SHOW}
JUDGED = {Verb.DELETE, Verb.CANCEL}
OWN = {Verb.RETRY, Verb.RESEND, Verb.DIRECT, Verb.SHOW}


@pytest.mark.parametrize("verb", [verb for verb in Verb if verb is not Verb.EDIT])
async def test_all_but_clips_is_for_who_presses_alone(here: After, verb: Verb) -> None:
    job = await (here.clip() if verb in FOR_ALL | JUDGED else here.one())
    answer = await here.hears("Mia", await here.press("Mia", verb, job["id"]))
    assert bool(answer["flags"] & EPHEMERAL) is (verb not in FOR_ALL)
    await here.settled()


@pytest.mark.parametrize("verb", sorted(OWN | JUDGED))
async def test_who_is_refused_hears_in_private_whose_it_is(here: After, verb: Verb) -> None:
    job, before = await here.one(), await here.settled()
    answer = await here.hears("Zoe", await here.press("Zoe", verb, job["id"]))
    assert "🙅 That's not yours" in told(answer)
    assert f"Only <@{here['Mia'].id}>" in told(answer)
    assert ("or a moderator" in told(answer)) is (verb in JUDGED)
    assert answer["flags"] & EPHEMERAL
    assert here.town.books() == before


async def test_the_author_of_a_picture_is_nobody_to_its_clip_in_another_server(here: After) -> None:
    job, before = await here.one(), await here.settled()
    answer = await here.hears("Noah", await here.press("Noah", Verb.DELETE, job["id"], "lobby"))
    assert "🙅 That's a clip of another server" in told(answer)
    assert answer["flags"] & EPHEMERAL
    assert here.town.books() == before


@pytest.mark.parametrize("verb", Verb)
async def test_of_a_clip_that_nobody_knows_it_is_said_so(here: After, verb: Verb) -> None:
    started = await here.press("Mia", verb, "00000000-0000-4000-8000-000000000000")
    assert "This clip's record was deleted." in told(await here.hears("Mia", started))


# --- Another clip of the same picture ------------------------------------------------------------


async def again(here: After, who: str, job: JSON, button: str) -> JSON:
    """Have somebody press a button under a clip, and return the job that comes of it."""
    before = {one["id"] for one in here.town.books().jobs}
    seen = await here[who].wait_for(lambda one: one["id"] == str(job["message_id"]))
    await here[who].press(seen, button)
    await until(lambda: {one["id"] for one in here.town.books().jobs} - before)
    (made,) = [one for one in (await here.settled()).jobs if one["id"] not in before]
    return made


async def test_every_clip_comes_with_its_buttons(here: After) -> None:
    post = await here.post(await here.one())
    assert buttons_of(post) == ["Again", "10 s", "Edit", "Info", "Delete"]


@pytest.mark.parametrize("who", ["Zoe", "Noah", "Mia"])
async def test_who_presses_again_pays_and_gets_a_clip_of_their_own(here: After, who: str) -> None:
    job = await here.one()
    books = here.town.books()
    made = await again(here, who, job, "Again")
    assert made["state"] == "delivered"
    assert made["member_id"] == int(here[who].id)
    assert made["door"] == "again"
    assert made["picture_author_id"] == int(here["Noah"].id)
    spent = [one for one in here.town.books().entries if one["job_id"] == made["id"]]
    assert {one["member_id"] for one in spent} == {int(here[who].id)}
    assert here.town.books().spent_micro - books.spent_micro == PRICE
    assert json.loads(made["order"]) == json.loads(job["order"])
    posts = [one for one in here.town.posts if one.id == str(made["message_id"])]
    assert [one.mentions for one in posts] == [[here[who].id]]


async def test_the_longer_one_costs_what_longer_ones_cost(here: After) -> None:
    books = here.town.books()
    made = await again(here, "Zoe", await here.one(), "10 s")
    assert json.loads(made["order"])["duration"] == 10
    assert here.town.books().spent_micro - books.spent_micro == 2 * PRICE
    post = await here.post(made)
    assert buttons_of(post) == ["Again", "Edit", "Info", "Delete"]


async def test_an_edited_one_is_as_it_was_filled_in(here: After) -> None:
    job = await here.one()
    before = {one["id"] for one in here.town.books().jobs}
    started = await here["Zoe"].press(await here.post(job), "Edit")
    form = await here["Zoe"].form(started)
    assert len(form["components"]) <= 5
    answers = {"Which shape?": "square 1:1", "How close to the picture?": "0,8"}
    await here["Zoe"].submit(started, answers)
    await until(lambda: {one["id"] for one in here.town.books().jobs} - before)
    (made,) = [one for one in (await here.settled()).jobs if one["id"] not in before]
    order = json.loads(made["order"])
    assert (order["width"], order["height"], order["guidance"]) == (720, 720, 0.8)
    assert made["member_id"] == int(here["Zoe"].id)


async def test_a_form_that_discord_refuses_leaves_nobody_without_a_word(here: After) -> None:
    job, before = await here.one(), await here.settled()
    here.town.trouble_at_discord(**NO_FORM)
    started = await here["Zoe"].press(await here.post(job), "Edit")
    answer = await here.hears("Zoe", started)
    assert "nothing was started" in told(answer)
    assert answer["flags"] & EPHEMERAL
    assert here.town.books() == before


@pytest.mark.parametrize("typed", ["1.5", "much"])
async def test_a_number_that_the_model_does_not_take_is_refused_with_those_it_does(
    here: After, typed: str
) -> None:
    job, before = await here.one(), await here.settled()
    started = await here["Zoe"].press(await here.post(job), "Edit")
    submitted = await here["Zoe"].submit(started, {"How close to the picture?": typed})
    answer = await here.hears("Zoe", submitted)
    assert "`guidance` takes 0 to 1." in told(answer)
    assert "You were not charged." in told(answer)
    assert answer["flags"] & EPHEMERAL
    assert here.town.books() == before


async def test_two_presses_within_seconds_are_one_clip(here: After) -> None:
    job = await here.clip()
    post = await here.post(job)
    before = len((await here.settled()).jobs)
    first, second = [await here["Zoe"].press(post, "Again") for _ in range(2)]
    assert "second press within seconds" in told(await here.hears("Zoe", second))
    await here["Zoe"].wait_for_reply(first)
    assert len((await here.settled()).jobs) == before + 1


OPT_OUT = """INSERT INTO member_settings (member_id, dm_copies, dm_when_lost, has_opted_out)
             VALUES (:author, 0, 0, 1)"""


async def test_it_is_refused_like_any_other_wish_and_says_why(here: After) -> None:
    job = await here.clip()
    guild = here.town.guild_id
    rows = {
        "quota": (
            "INSERT INTO rules VALUES (:guild, 'member', :who, 'month', 0)",
            "No budget for you here",
        ),
        "block": ("INSERT INTO blocks VALUES (:guild, :who, 1, 1, 'b')", "can't use this here"),
        "consent": (
            'INSERT OR REPLACE INTO policies VALUES (:guild, \'{"consent": "own"}\')',
            "Not your picture",
        ),
        "opted out": (
            OPT_OUT,
            "asked that their pictures are not animated",
        ),
    }
    ids = {"guild": guild, "who": int(here["Zoe"].id), "author": int(here["Noah"].id)}
    before = await here.settled()
    for number, (row, says) in enumerate(rows.values()):
        with here.town.database() as db:
            db.execute(row, ids)
            try:
                verb = [Verb.AGAIN, Verb.LONGER][number % 2]
                await asyncio.sleep(3.1 if number else 0)
                answer = await here.hears("Zoe", await here.press("Zoe", verb, job["id"]))
            finally:
                for table in ("policies", "rules", "blocks", "member_settings"):
                    db.execute(f"DELETE FROM {table}")
        assert says in told(answer)
        assert "You were not charged." in told(answer)
    assert here.town.books() == before


async def test_above_the_servers_threshold_the_price_is_shown_first(here: After) -> None:
    job = await here.clip()
    guild = here.town.guild_id
    policy = json.dumps({"confirm_over_micro": PRICE})
    before = await here.settled()
    with here.town.database() as db:
        db.execute("INSERT INTO policies VALUES (?, ?)", (guild, policy))
        try:
            post = await here.post(job)
            asked = await here.hears("Zoe", await here["Zoe"].press(post, "10 s"))
            assert asked["flags"] & EPHEMERAL
            assert "This clip would cost $0.3696. Nothing has been started." in told(asked)
            assert buttons_of(asked)[0] == "Yes, for $0.3696"
            assert here.town.books() == before
            yes = [here["Zoe"].press(asked, "Yes, for $0.3696") for _ in range(2)]
            await asyncio.gather(*yes)
            await until(lambda: len(here.town.books().jobs) > len(before.jobs))
            after = await here.settled()
            assert len(after.jobs) == len(before.jobs) + 1
            assert after.spent_micro - before.spent_micro == 2 * PRICE
            # Just at the threshold nothing is asked.
            assert (await again(here, "Mia", job, "Again"))["state"] == "delivered"
        finally:
            db.execute("DELETE FROM policies")


async def test_the_picture_comes_from_the_clip_where_its_message_is_gone(here: After) -> None:
    job = await here.clip()
    message = await here["Noah"].wait_for(lambda one: one["id"] == str(job["picture_message_id"]))
    await here["Noah"].delete(message)
    made = await again(here, "Zoe", job, "Again")
    (task,) = [one for one in await here.town.tasks() if one["taskUUID"] == made["task_uuid"]]
    assert await here.town.received_picture(task)
    assert made["state"] == "delivered"


# --- What there is -------------------------------------------------------------------------------


async def test_info_says_all_of_it_to_who_asks_alone(here: After) -> None:
    job = await here.one()
    answer = await here.hears("Zoe", await here["Zoe"].press(await here.post(job), "Info"))
    text = told(answer)
    assert answer["flags"] & EPHEMERAL
    assert f"Asked for by <@{here['Mia'].id}> by the menu of a message" in text
    assert f"The picture is <@{here['Noah'].id}>'s: https://discord.com/channels/" in text
    assert "It cost $0.1848." in text
    assert "```\n/animate duration:5 guidance:0.5\n```" in text


@pytest.mark.parametrize("who", ["Mia", "Noah", "Kim"])
async def test_delete_takes_the_message_and_the_file_and_leaves_the_accounts(
    here: After, who: str
) -> None:
    job = await here.clip()
    post = await here.post(job)
    before = here.town.books()
    files = [name for name in here.town.leftovers if name.startswith(job["id"])]
    assert files
    answer = await here.hears(who, await here[who].press(post, "Delete"))
    assert "🗑️ Deleted\nWhat it cost stays spent." in told(answer)
    assert str(job["message_id"]) not in {one.id for one in here.town.discord.messages}
    assert not [name for name in here.town.leftovers if name.startswith(job["id"])]
    assert here.town.books().entries == before.entries
    assert here.job(job["id"])["deleted_at"] is not None


def carried(here: After, job: JSON) -> list[str]:
    """Return the direct messages of Mia's that carry a job's clips."""
    direct = here.town.discord.world.direct_channel(here["Mia"].id)
    return [
        one.id
        for one in direct.messages.values()
        if any(job["id"][-8:] in file.filename for file in one.attachments)
    ]


@pytest.mark.parametrize("who", ["Noah", "Kim", "Mia"])
async def test_delete_takes_the_copy_in_direct_messages_too(here: After, who: str) -> None:
    with here.town.database() as db:
        db.execute(
            "INSERT INTO member_settings (member_id, dm_copies, dm_when_lost) VALUES (?, 1, 0)",
            (int(here["Mia"].id),),
        )
    try:
        job = await here.clip()
        await until(lambda: carried(here, job))
    finally:
        with here.town.database() as db:
            db.execute("DELETE FROM member_settings")
    post = await here.post(job)
    answer = await here.hears(who, await here[who].press(post, "Delete"))
    assert "🗑️ Deleted" in told(answer)
    assert carried(here, job) == []


async def test_delete_takes_what_was_sent_to_somebodys_direct_messages_later(here: After) -> None:
    job = await here.clip()
    post = await here.post(job)
    sent = await here.hears("Mia", await here.press("Mia", Verb.DIRECT, job["id"]))
    assert "It is in your direct messages." in told(sent)
    assert len(carried(here, job)) == 1
    await here.hears("Noah", await here["Noah"].press(post, "Delete"))
    assert carried(here, job) == []


async def test_who_moderates_one_channel_is_a_moderator_there_and_nowhere_else(
    here: After,
) -> None:
    job, zoe = await here.clip("general"), here["Zoe"]

    async def moderating(channel: str, *permissions: str) -> None:
        change = {"channel_id": zoe.channel_id(channel), "target_id": zoe.id, "allow": permissions}
        await here.town.control("PATCH", "channel", change)

    await moderating("studio", "MANAGE_MESSAGES")
    answer = await here.hears("Zoe", await here.press("Zoe", Verb.DELETE, job["id"], "studio"))
    assert "🙅 That's not yours" in told(answer)
    await moderating("studio")
    await moderating("general", "MANAGE_MESSAGES")
    answer = await here.hears("Zoe", await here.press("Zoe", Verb.DELETE, job["id"], "general"))
    assert "🗑️ Deleted" in told(answer)
    await moderating("general")


async def test_what_could_not_be_deleted_is_deleted_by_the_next_press(here: After) -> None:
    job = await here.clip()
    post = await here.post(job)
    one_message = {"method": "DELETE", "path": f"/messages/{job['message_id']}"}
    here.town.trouble_at_discord(do="status", status=403, match=one_message, times=1)
    answer = await here.hears("Noah", await here["Noah"].press(post, "Delete"))
    assert "press again later" in told(answer)
    assert str(job["message_id"]) in {one.id for one in here.town.discord.messages}
    answer = await here.hears("Noah", await here["Noah"].press(post, "Delete"))
    assert "🗑️ Deleted" in told(answer)
    assert str(job["message_id"]) not in {one.id for one in here.town.discord.messages}


async def test_a_deleted_clip_is_not_had_again_in_any_way(here: After) -> None:
    job = await here.clip()
    await here.hears("Mia", await here["Mia"].press(await here.post(job), "Delete"))
    for verb in (Verb.RESEND, Verb.DIRECT, Verb.SHOW, Verb.AGAIN, Verb.LONGER):
        answer = await here.hears("Mia", await here.press("Mia", verb, job["id"]))
        assert "🗑️ This clip was deleted" in told(answer), verb
    answer = await here.hears("Mia", await here.press("Mia", Verb.INFO, job["id"]))
    assert "Deleted since." in told(answer)


# --- Commands ------------------------------------------------------------------------------------


async def test_history_lists_ones_own_and_hands_them_out(here: After) -> None:
    job = await here.clip()
    mia = here["Mia"]
    listed = await here.hears("Mia", await mia.command("history", where="general"))
    assert listed["flags"] & EPHEMERAL
    assert "🗂️ Your clips" in told(listed)
    opened = await mia.choose(listed, "Choose a clip…", job["id"])
    one = await mia.wait_for(
        lambda seen: seen["id"] == listed["id"] and "Asked for by" in told(seen)
    )
    del opened
    assert buttons_of(one) == ["Resend here", "Send to my DMs", "Delete", "◀ Back"]
    again = await here.hears("Mia", await mia.press(one, "Resend here"))
    assert again["flags"] & EPHEMERAL
    assert [len(await mia.download(file)) for file in again["attachments"]] == [len(tiny_clip())]
    sent = await here.hears("Mia", await mia.press(one, "Send to my DMs"))
    assert "It is in your direct messages." in told(sent)
    empty = await here.hears("Zoe", await here["Zoe"].command("history", where="general"))
    assert job["id"][-8:] not in told(empty)


async def test_show_puts_a_clip_up_for_everybody_with_its_buttons(here: After) -> None:
    job = await here.clip()
    mia = here["Mia"]
    offered = await mia.autocomplete("show", "job", "", where="studio")
    assert job["id"] in {one["value"] for one in offered}
    shown = await here.hears("Mia", await mia.command("show", where="studio", job=job["id"]))
    assert not shown["flags"] & EPHEMERAL
    assert len(shown["attachments"]) == 1
    assert buttons_of(shown) == ["Again", "10 s", "Edit", "Info", "Delete"]
    # Deleted by whose picture it is, it is gone in both places.
    await here.hears("Noah", await here["Noah"].press(shown, "Delete"))
    left = {one.id for one in here.town.discord.messages}
    assert not left & {shown["id"], str(job["message_id"])}


RULES = {
    "paused": (Policy(is_paused=True), "", "Paused by the moderators"),
    "channel": (Policy(denied_channels=frozenset({1})), "", "Clips are off in this channel"),
    "role": (Policy(roles=frozenset({2})), "", "Animating here needs one of"),
    "block": (
        Policy(),
        "INSERT INTO blocks VALUES (:guild, :who, 1, 1, '')",
        "A moderator switched it off for you",
    ),
}


@contextmanager
def ruled(here: After, policy: Policy, row: str = "") -> Iterator[None]:
    """Have the server's rules be these for a while, beside what a row of SQL says of Mia."""
    ids = {"guild": here.town.guild_id, "who": int(here["Mia"].id)}
    with here.town.database() as db:
        db.execute("INSERT INTO policies VALUES (?, ?)", (ids["guild"], policy.to_json()))
        if row:
            db.execute(row, ids)
        try:
            yield
        finally:
            db.execute("DELETE FROM policies")
            db.execute("DELETE FROM blocks")


@pytest.mark.parametrize("name", RULES)
async def test_what_the_rules_of_a_place_do_not_let_in_is_not_shown_there(
    here: After, name: str
) -> None:
    job, mia = await here.one(), here["Mia"]
    policy, row, words = RULES[name]
    if policy.denied_channels:
        policy = Policy(denied_channels=frozenset({int(mia.channel_id("studio"))}))
    with ruled(here, policy, row):
        refused = await here.hears("Mia", await mia.command("show", where="studio", job=job["id"]))
    assert refused["flags"] & EPHEMERAL
    assert words in told(refused)
    assert refused["attachments"] == []


async def test_a_clip_of_an_age_restricted_channel_is_shown_in_such_channels_alone(
    here: After,
) -> None:
    job, mia = await here.clip(where="after-dark"), here["Mia"]
    refused = await here.hears("Mia", await mia.command("show", where="general", job=job["id"]))
    assert refused["flags"] & EPHEMERAL
    assert "It's a clip of an age-restricted channel" in told(refused)
    shown = await here.hears("Mia", await mia.command("show", where="after-dark", job=job["id"]))
    assert len(shown["attachments"]) == 1


async def test_what_is_shown_in_an_age_restricted_channel_is_covered_or_kept_out_by_its_rules(
    here: After,
) -> None:
    job, mia = await here.one(), here["Mia"]
    with ruled(here, Policy(age_restricted=Flagged.SPOILER)):
        shown = await here.hears(
            "Mia", await mia.command("show", where="after-dark", job=job["id"])
        )
    (file,) = shown["attachments"]
    assert file["filename"].startswith("SPOILER_")
    with ruled(here, Policy(age_restricted=Flagged.HOLD)):
        refused = await here.hears(
            "Mia", await mia.command("show", where="after-dark", job=job["id"])
        )
    assert refused["flags"] & EPHEMERAL
    assert "moderators look at clips first here" in told(refused)


@pytest.mark.parametrize("who", ["Noah", "Zoe", "Kim"])
async def test_nobody_shows_or_lists_what_is_another_persons(here: After, who: str) -> None:
    job = await here.one()
    person = here[who]
    offered = await person.autocomplete("show", "job", "", where="general")
    assert job["id"] not in {one["value"] for one in offered}
    refused = await here.hears(who, await person.command("show", where="general", job=job["id"]))
    assert refused["flags"] & EPHEMERAL
    assert "That's not yours" in told(refused)


async def test_help_names_commands_that_can_be_clicked(here: After) -> None:
    text = told(await here.hears("Mia", await here["Mia"].command("help", where="general")))
    assert "</animate:" in text
    assert "</usage me:" in text
    assert "</quota view:" not in text
    assert "answer it and mention me" in text


async def test_settings_are_kept_and_hold_for_the_next_clip(here: After) -> None:
    zoe = here["Zoe"]
    panel = await here.hears("Zoe", await zoe.command("settings", where="general"))
    assert panel["flags"] & EPHEMERAL
    await zoe.choose(panel, "How long your clips are", "10 seconds")
    await zoe.wait_for(
        lambda one: one["id"] == panel["id"] and "**Duration:** 10 seconds" in told(one)
    )
    await zoe.press(panel, "Don't animate my pictures: off")
    await zoe.wait_for(lambda one: one["id"] == panel["id"] and "☑️" in told(one))
    with here.town.database() as db:
        row = db.execute(
            "SELECT duration, has_opted_out FROM member_settings WHERE member_id = ?",
            (int(zoe.id),),
        ).fetchone()
        db.execute("DELETE FROM member_settings")
    assert row == (10.0, 1)


async def test_who_has_their_clips_forgotten_leaves_the_author_the_way_to_delete(
    here: After,
) -> None:
    job = await here.clip()
    post = await here.post(job)
    asked = await here.hears("Mia", await here["Mia"].command("privacy delete"))
    await here["Mia"].press(asked, "Delete it")
    await here["Mia"].wait_for(lambda one: one["id"] == asked["id"] and "deleted" in told(one))
    here.shared = None
    answer = await here.hears("Zoe", await here["Zoe"].press(post, "Again"))
    assert "record was deleted" in told(answer)
    answer = await here.hears("Noah", await here["Noah"].press(post, "Delete"))
    assert "🗑️ Deleted" in told(answer)
    assert str(job["message_id"]) not in {one.id for one in here.town.discord.messages}


async def test_nothing_of_it_was_trouble(here: After) -> None:
    assert here.town.trouble() == []
