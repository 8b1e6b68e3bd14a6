"""Every door through the local Discord: what people see of it, and what the accounts say.

The doors ask for a picture that somebody else has posted, but for the command and for a picture
that comes with the mention: those are of who asks.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bot.policy import Consent, Policy
from bot.sandbox.discord.message import Message
from bot.sandbox.person import Person, Started
from bot.sandbox.runware.outcomes import Outcome
from tests.town import (
    CLIP_WITHIN,
    EPHEMERAL,
    JSON,
    NOT_CHARGED,
    PRICE,
    Books,
    Town,
    photo_file,
    told,
    town,
    until,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLAPPER = "🎬"
TURBO, TURBO_PRICE = "klingai:6@0", 210_000
WIDE, TALL = photo_file(640, 360), photo_file(360, 640)


# --- The doors -----------------------------------------------------------------------------------


class Door(ABC):
    """A way to ask, as people go it."""

    who = "Mia"
    is_own_picture = False
    is_overheard = False
    """Whether everybody reads why nothing was started."""

    @abstractmethod
    async def knock(self, who: Person, message: JSON) -> Any:
        """Ask for a clip of a message's picture."""

    @abstractmethod
    async def hears(self, who: Person, knocked: Any) -> str:
        """Return what is said to who asked, when that is why nothing was started."""


async def private_word(who: Person, started: Started) -> str:
    answer = await who.wait_for_reply(started)
    assert answer["flags"] & EPHEMERAL, "everybody sees the refusal"
    return told(answer)


class Command(Door):
    is_own_picture = True

    async def knock(self, who: Person, message: JSON) -> Started:
        image = await who.attach(WIDE, "photo.png")
        return await who.command("animate", where=message["channel_id"], image=image)

    async def hears(self, who: Person, knocked: Any) -> str:
        return await private_word(who, knocked)


class Menu(Door):
    async def knock(self, who: Person, message: JSON) -> Started:
        return await who.menu(await who.seen(message), "Animate")

    async def hears(self, who: Person, knocked: Any) -> str:
        return await private_word(who, knocked)


class FilledIn(Door):
    """The menu's form, which may not even come up."""

    async def knock(self, who: Person, message: JSON) -> Started:
        started = await who.menu(await who.seen(message), "Animate with options…")
        state = await who.wait_for_state(started, "modal", "done")
        return await who.submit(started) if state["state"] == "modal" else started

    async def hears(self, who: Person, knocked: Any) -> str:
        return await private_word(who, knocked)


class Reaction(Door):
    is_overheard = True

    async def knock(self, who: Person, message: JSON) -> JSON:
        await who.react(await who.seen(message), CLAPPER)
        return message

    async def hears(self, who: Person, knocked: Any) -> str:
        return told(await whisper(who, knocked))


class Reply(Door):
    who = "Kim"
    is_overheard = True

    async def knock(self, who: Person, message: JSON) -> JSON:
        return await who.reply(await who.seen(message), "@bot", ping=False)

    async def hears(self, who: Person, knocked: Any) -> str:
        return told(await whisper(who, knocked))


class Mention(Door):
    """A message that mentions the bot and has the picture itself."""

    who = "Ada"
    is_own_picture = True
    is_overheard = True

    async def knock(self, who: Person, message: JSON) -> JSON:
        image = await who.attach(WIDE, "photo.png")
        return await who.send("@bot look", image, channel=message["channel_id"])

    async def hears(self, who: Person, knocked: Any) -> str:
        return told(await whisper(who, knocked))


async def whisper(who: Person, message: JSON) -> JSON:
    """Return the bot's answer to a message that says what was not charged."""
    return await who.wait_for(answers(message, NOT_CHARGED), CLIP_WITHIN)


def answers(message: JSON, words: str) -> Callable[[JSON], bool]:
    """Tell an answer to a message, with these words in it, from all others."""

    def fits(answer: JSON) -> bool:
        about = answer.get("message_reference") or {}
        return about.get("message_id") == message["id"] and words in told(answer)

    return fits


DOORS = {
    "command": Command(),
    "menu": Menu(),
    "form": FilledIn(),
    "reaction": Reaction(),
    "reply": Reply(),
    "mention": Mention(),
}
OTHERS = {name: door for name, door in DOORS.items() if not door.is_own_picture}
every_door = pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
every_door_to_others = pytest.mark.parametrize("door", OTHERS.values(), ids=OTHERS)


# --- The town ------------------------------------------------------------------------------------


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A town in which the bot may read what people write."""
    async with town(tmp_path_factory.mktemp("town")) as made:
        made.discord.set_limits({"message_content_enabled": True, "rate_limits_enabled": False})
        async with made.bot(ANIMATE_MEMBER_MONTHLY_USD="unlimited", **UNLIMITED):
            yield made


UNLIMITED = {"ANIMATE_SERVER_MONTHLY_USD": "unlimited", "ANIMATE_BOT_MONTHLY_USD": "unlimited"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def people(here: Town) -> AsyncIterator[Mapping[str, Person]]:
    async with (
        Person(here.discord.url, "Noah") as noah,
        Person(here.discord.url, "Kim") as kim,
        Person(here.discord.url, "Ada") as ada,
    ):
        yield {"Mia": here.mia, "Noah": noah, "Kim": kim, "Ada": ada}


@dataclass(frozen=True, slots=True)
class Case:
    """Something that stands in the way of a wish."""

    says: str
    rules: Mapping[str, Any] = field(default_factory=dict)
    """Of the server; `supporter` and `studio` stand for their numbers."""
    rows: tuple[str, ...] = ()
    """SQL; `:guild`, `:who` and `:author` are known."""
    is_about_others: bool = False
    aloud: str = ""
    """What is said instead of it where everybody reads along."""


OPT_OUT = """INSERT INTO member_settings (member_id, dm_copies, dm_when_lost, has_opted_out)
             VALUES (:author, 0, 0, 1)"""
CASES = {
    "quota": Case(
        "Your limit in this server is $0.00",
        rows=("INSERT INTO rules VALUES (:guild, 'member', :who, 'month', 0)",),
        aloud="`/usage me` shows you alone",
    ),
    "consent": Case("Not your picture", {"consent": Consent.OWN}, is_about_others=True),
    "opted out": Case(
        "Its author asked that their pictures are not animated",
        rows=(OPT_OUT,),
        is_about_others=True,
    ),
    "channel": Case("Clips are switched on in <#", {"channels": ["studio"]}),
    "role": Case("Animating here needs one of: <@&", {"roles": ["supporter"]}),
    "block": Case(
        "A moderator switched it off for you",
        rows=("INSERT INTO blocks VALUES (:guild, :who, 1, 1, 'because')",),
        aloud="`/animate` tells you alone why",
    ),
    "paused": Case("Paused by the moderators", {"is_paused": True}),
}


@contextmanager
def standing(here: Town, case: Case, who: Person, author: Person) -> Iterator[None]:
    """Have a case hold for this block, beside an emoji that asks for clips."""
    known = {"studio": who.channel_id("studio"), "supporter": who.role_id("Supporter")}
    rules: dict[str, Any] = {
        name: frozenset(int(known[one]) for one in value) if isinstance(value, list) else value
        for name, value in case.rules.items()
    }
    ids = {"guild": here.guild_id, "who": int(who.id), "author": int(author.id)}
    policy = Policy(reaction=CLAPPER, **rules).to_json()
    with here.database() as db:
        db.execute("INSERT OR REPLACE INTO policies VALUES (?, ?)", (ids["guild"], policy))
        for row in case.rows:
            db.execute(row, ids)
        try:
            yield
        finally:
            for table in ("policies", "rules", "blocks", "member_settings"):
                db.execute(f"DELETE FROM {table}")


FREE = Case("")
NO_FORM = {
    "match": {"method": "POST", "path": "/callback"},
    "do": "status",
    "status": 400,
    "body": {"code": 50035, "message": "Invalid Form Body"},
}
DOWN = {"match": {"label": "^videoInference$"}, "do": "status", "status": 503, "times": None}


async def photo_of(author: Person, *contents: bytes, channel: str = "general") -> JSON:
    """Have somebody post pictures."""
    contents = contents or (WIDE,)
    images = [await author.attach(content, "photo.png") for content in contents]
    return await author.send("look", *images, channel=channel)


@asynccontextmanager
async def nothing_starts(here: Town) -> AsyncIterator[None]:
    """Check that this block leaves nothing behind."""
    before = here.books()
    yield
    assert len(here.books().jobs) == len(before.jobs)
    assert here.books().entries == before.entries
    assert here.leftovers == []
    assert here.trouble() == []


def clips(here: Town) -> list[Message]:
    """What the bot has posted."""
    bot_id = here.discord.world.bot.id
    return [one for one in here.discord.messages if one.attachments and one.author_id == bot_id]


@asynccontextmanager
async def one_clip(here: Town, price: int = PRICE) -> AsyncIterator[list[JSON]]:
    """Check that this block leads to one clip that is paid for; its job is in the list then."""
    before, posts = here.books(), len(clips(here))
    made: list[JSON] = []
    yield made
    await until(lambda: len(clips(here)) > posts, CLIP_WITHIN)
    after: Books = await here.settled()
    new = [job for job in after.jobs if job["id"] not in {one["id"] for one in before.jobs}]
    assert [job["state"] for job in new] == ["delivered"]
    assert after.spent_micro - before.spent_micro == price
    assert after.held_micro == 0
    assert len(clips(here)) == posts + 1
    assert here.trouble() == []
    made.extend(new)


# --- What every door does ------------------------------------------------------------------------


@every_door
async def test_a_clip_is_made_for_who_asks_and_paid_once(
    here: Town, people: Mapping[str, Person], door: Door
) -> None:
    who, noah = people[door.who], people["Noah"]
    message = await photo_of(noah)
    with standing(here, FREE, who, noah):
        async with one_clip(here) as made:
            await door.knock(who, message)
    (job,) = made
    assert job["member_id"] == int(who.id)
    assert (job["picture_message_id"] == int(message["id"])) is not door.is_own_picture
    if not door.is_own_picture:
        assert job["picture_author_id"] == int(noah.id)
    (post,) = clips(here)[-1:]
    assert post.mentions == [who.id], "nobody but the requester is mentioned"
    answered = post.reference and post.reference["message_id"]
    if job["door"] == "command":
        assert answered == str(job["status_message_id"])
    else:
        assert answered == str(job["picture_message_id"])


@every_door_to_others
async def test_in_a_thread_it_is_the_same(
    here: Town, people: Mapping[str, Person], door: Door
) -> None:
    who, noah = people[door.who], people["Noah"]
    thread = await noah.thread(await noah.send("a thread", channel="general"), "pictures")
    message = await photo_of(noah, channel=thread)
    with standing(here, FREE, who, noah):
        async with one_clip(here) as made:
            await door.knock(who, message)
    (job,) = made
    assert job["channel_id"] == int(thread)
    assert job["parent_channel_id"] == int(who.channel_id("general"))


@every_door
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_what_stands_in_the_way_is_told_to_who_asks_and_nothing_is_started(
    here: Town, people: Mapping[str, Person], door: Door, case: Case
) -> None:
    if case.is_about_others and door.is_own_picture:
        pytest.skip("it is their own picture")
    who, noah = people[door.who], people["Noah"]
    message = await photo_of(noah)
    with standing(here, case, who, noah):
        async with nothing_starts(here):
            knocked = await door.knock(who, message)
            text = await door.hears(who, knocked)
    is_aloud = door.is_overheard and case.aloud
    assert (case.aloud if is_aloud else case.says) in text
    assert not (is_aloud and case.says in text)
    assert NOT_CHARGED in text


@every_door_to_others
async def test_where_the_author_is_asked_nothing_is_held_until_they_allow_it(
    here: Town, people: Mapping[str, Person], door: Door
) -> None:
    who, noah = people[door.who], people["Noah"]
    message = await photo_of(noah)
    with standing(here, Case("", {"consent": Consent.ASK}), who, noah):
        async with nothing_starts(here):
            await door.knock(who, message)
            question = await noah.wait_for(
                answers(message, "May your picture be animated?"), CLIP_WITHIN
            )
        assert question["mentions"] == [] or question["mentions"][0]["id"] == noah.id
        async with one_clip(here) as made:
            await noah.press(question, "Allow")
    (job,) = made
    assert job["member_id"] == int(who.id)


async def test_a_reaction_taken_back_takes_the_question_to_its_author_back(
    here: Town, people: Mapping[str, Person]
) -> None:
    mia, noah = here.mia, people["Noah"]
    message = await photo_of(noah)
    with standing(here, Case("", {"consent": Consent.ASK}), mia, noah):
        async with nothing_starts(here):
            await mia.react(message, CLAPPER)
            question = await noah.wait_for(
                answers(message, "May your picture be animated?"), CLIP_WITHIN
            )
            await mia.unreact(message, CLAPPER)
            await here.says(question, "Taken back")


@every_door
async def test_an_event_that_comes_over_and_over_is_one_wish(
    here: Town, people: Mapping[str, Person], door: Door
) -> None:
    who, noah = people[door.who], people["Noah"]
    message = await photo_of(noah)
    with standing(here, FREE, who, noah):
        async with one_clip(here):
            await door.knock(who, message)
            for _ in range(4):
                await here.control("POST", "gateway", {"do": "duplicate", "count": 3})
                await asyncio.sleep(0.05)
        await here.control("POST", "gateway", {"do": "duplicate", "count": 12})
        await asyncio.sleep(0.2)
        assert (await here.settled()).held_micro == 0
        assert here.books().jobs[-1]["id"] not in {one["id"] for one in here.books().jobs[:-1]}


async def test_a_form_that_discord_refuses_leaves_nobody_without_a_word(
    here: Town, people: Mapping[str, Person]
) -> None:
    mia, noah = here.mia, people["Noah"]
    message = await photo_of(noah)
    with standing(here, FREE, mia, noah):
        async with nothing_starts(here):
            here.trouble_at_discord(**NO_FORM)
            started = await mia.menu(await mia.seen(message), "Animate with options…")
            text = await private_word(mia, started)
    assert "nothing was started" in text
    assert NOT_CHARGED in text


@every_door_to_others
async def test_a_message_without_a_picture_is_told_how_to_find_one(
    here: Town, people: Mapping[str, Person], door: Door
) -> None:
    who, noah = people[door.who], people["Noah"]
    message = await noah.send("no picture, http://evil.example/cat.png", channel="general")
    with standing(here, FREE, who, noah):
        async with nothing_starts(here):
            text = await door.hears(who, await door.knock(who, message))
    assert "That message has no picture I can use" in text
    assert "Apps → Animate" in text


@pytest.mark.parametrize("door", [DOORS["reaction"], DOORS["reply"]], ids=["reaction", "reply"])
async def test_of_several_pictures_reactions_and_replies_take_the_first(
    here: Town, people: Mapping[str, Person], door: Door
) -> None:
    who, noah = people[door.who], people["Noah"]
    message = await photo_of(noah, TALL, WIDE)
    with standing(here, FREE, who, noah):
        async with one_clip(here):
            await door.knock(who, message)
    assert await last_shape(here) == (720, 1280)


async def last_shape(here: Town) -> tuple[int, int]:
    """The size of the picture that the video service got last."""
    task = (await here.tasks())[-1]
    return task["width"], task["height"]


@pytest.mark.parametrize("entry", ["Animate", "Animate with options…"])
async def test_of_several_pictures_the_menu_has_one_chosen_by_its_number(
    here: Town, people: Mapping[str, Person], entry: str
) -> None:
    mia, noah = here.mia, people["Noah"]
    message = await photo_of(noah, WIDE, TALL)
    with standing(here, FREE, mia, noah):
        started = await mia.menu(await mia.seen(message), entry)
        choice = await mia.wait_for_reply(started)
        assert choice["flags"] & EPHEMERAL
        assert "That message has 2 pictures. Choose one below." in choice["content"]
        assert [one["title"] for one in choice["embeds"]] == ["Picture 1", "Picture 2"]
        assert all(one["thumbnail"]["url"] for one in choice["embeds"])
        async with one_clip(here):
            chosen = await mia.choose(choice, "🖼️ Which picture?", "Picture 2")
            if entry != "Animate":
                await mia.submit(chosen)
    assert await last_shape(here) == (720, 1280)
    shown = await here.says(choice, "Done")  # the choice has become the status
    assert shown["components"] == []


async def test_a_choice_works_after_a_restart(tmp_path: Path) -> None:
    async with town(tmp_path) as here, Person(here.discord.url, "Noah") as noah:
        async with here.bot():
            message = await photo_of(noah, WIDE, TALL)
            started = await here.mia.menu(await here.mia.seen(message), "Animate")
            choice = await here.mia.wait_for_reply(started)
        async with here.bot(), one_clip(here):
            await here.mia.choose(choice, "🖼️ Which picture?", "Picture 1")


# --- Where pictures are --------------------------------------------------------------------------


async def forwarded(author: Person) -> JSON:
    return await author.forward(await photo_of(author, TALL, channel="studio"), "general")


@every_door_to_others
async def test_who_forwards_a_picture_does_not_get_past_whose_it_is(
    here: Town, people: Mapping[str, Person], door: Door
) -> None:
    who, noah = people[door.who], people["Noah"]
    original = await photo_of(noah, channel="studio")
    first, second = [await who.forward(await who.seen(original), "general") for _ in range(2)]
    with standing(here, Case("", {"consent": Consent.ASK}), who, noah):
        async with nothing_starts(here):
            await door.knock(who, first)
            asked = answers(first, "May your picture be animated?")
            question = await noah.wait_for(asked, CLIP_WITHIN)
        async with one_clip(here) as made:
            await noah.press(question, "Allow")
    (job,) = made
    assert job["picture_author_id"] == int(noah.id)
    await noah.delete(original)
    with standing(here, CASES["consent"], who, noah):
        async with nothing_starts(here):
            knocked = await door.knock(who, second)
            assert "I can't tell from whom" in await door.hears(who, knocked)


async def linked(author: Person) -> JSON:
    published = await author.publish(TALL, "postcard.png")
    message = await author.send(f"look {published.picture}", channel="general")

    def has_preview(one: JSON) -> bool:
        return one["id"] == message["id"] and bool(one["embeds"])

    return await author.wait_for(has_preview)


async def stuck(author: Person, sticker: str) -> JSON:
    return await author.send(sticker=sticker, channel="general")


PLACES: dict[str, tuple[Callable[[Person], Awaitable[JSON]], tuple[int, int]]] = {
    "forward": (forwarded, (720, 1280)),
    "link": (linked, (720, 1280)),
    "PNG sticker": (lambda author: stuck(author, "Fern"), (720, 720)),
    "APNG sticker": (lambda author: stuck(author, "Comet"), (720, 720)),
    "GIF sticker": (lambda author: stuck(author, "Wave"), (720, 720)),
}


@every_door_to_others
@pytest.mark.parametrize(("place", "size"), PLACES.values(), ids=PLACES)
async def test_a_picture_is_found_wherever_people_see_one(
    here: Town,
    people: Mapping[str, Person],
    door: Door,
    place: Callable[[Person], Awaitable[JSON]],
    size: tuple[int, int],
) -> None:
    who, noah = people[door.who], people["Noah"]
    message = await place(noah)
    with standing(here, FREE, who, noah):
        async with one_clip(here):
            await door.knock(who, message)
    assert await last_shape(here) == size


async def test_a_sticker_that_is_a_drawing_is_no_picture(
    here: Town, people: Mapping[str, Person]
) -> None:
    mia, noah = here.mia, people["Noah"]
    message = await stuck(noah, "Spark")
    with standing(here, FREE, mia, noah):
        async with nothing_starts(here):
            text = await private_word(mia, await mia.menu(await mia.seen(message), "Animate"))
    assert "No picture found" in text


# --- What only one door does ---------------------------------------------------------------------


async def test_the_form_has_the_prices_and_what_it_says_is_done(
    here: Town, people: Mapping[str, Person]
) -> None:
    mia, noah = here.mia, people["Noah"]
    message = await photo_of(noah)
    with standing(here, FREE, mia, noah):
        started = await mia.menu(await mia.seen(message), "Animate with options…")
        form = await mia.form(started)
        assert form["title"] == "Animate · from $0.1848"
        async with one_clip(here, 2 * PRICE) as made:
            await mia.submit(
                started,
                {
                    "How long?": "10 seconds · $0.3696",
                    "Which shape?": "square 1:1",
                    "If the picture has another shape": "keep all of it, on a blurred copy",
                    "Who sees it?": ["Behind a spoiler"],
                },
            )
    (job,) = made
    assert '"duration": 10.0' in job["order"]
    assert await last_shape(here) == (720, 720)
    assert '"is_spoiler": true' in job["wish"]
    assert '"fit": "pad"' in job["wish"]


async def test_the_form_has_the_prices_that_would_be_held(
    here: Town, people: Mapping[str, Person]
) -> None:
    mia, noah = here.mia, people["Noah"]
    message = await photo_of(noah, TALL)
    with standing(here, FREE, mia, noah):
        here.charged("klingai:2@1, 720x1280, 10 s", 400_000)
        started = await mia.menu(await mia.seen(message), "Animate with options…")
        await mia.form(started)
        async with one_clip(here, 2 * PRICE) as made:
            await mia.submit(started, {"How long?": "10 seconds · $0.40"})
    (job,) = made
    assert job["quote_micro"] == 400_000


async def test_a_reaction_is_answered_by_signs_alone(
    here: Town, people: Mapping[str, Person]
) -> None:
    mia, noah = here.mia, people["Noah"]
    message = await photo_of(noah)
    with standing(here, FREE, mia, noah):
        async with one_clip(here):
            await mia.react(message, CLAPPER)
            await mia.wait_for_reaction(message, "✅")
    await until(lambda: mia.reactions(message) == {CLAPPER: 1, "✅": 1})
    answers = [one for one in here.discord.messages if one.id > message["id"]]
    assert [bool(one.attachments) for one in answers] == [True]


async def test_a_reaction_to_a_clip_that_fails_is_signed_and_costs_nothing(
    here: Town, people: Mapping[str, Person]
) -> None:
    mia, noah = here.mia, people["Noah"]
    message = await photo_of(noah)
    here.runware.outcomes.add(Outcome(next="moderated"))
    before = here.books().spent_micro
    with standing(here, FREE, mia, noah):
        await mia.react(message, CLAPPER)
        await mia.wait_for_reaction(message, "⚠️")
    books = await here.settled()
    assert books.spent_micro == before
    assert books.held_micro == 0


@pytest.mark.parametrize("rules", [{}, {"reaction": "🐱"}], ids=["off", "another emoji"])
async def test_a_reaction_that_the_server_has_not_set_means_nothing(
    here: Town, people: Mapping[str, Person], rules: dict[str, str]
) -> None:
    mia, noah = here.mia, people["Noah"]
    message = await photo_of(noah)
    with standing(here, FREE, mia, noah):
        set_reaction(here, rules.get("reaction", ""))
        async with nothing_starts(here):
            await mia.react(message, CLAPPER)
            await asyncio.sleep(0.3)
    assert mia.reactions(message) == {CLAPPER: 1}


def set_reaction(here: Town, emoji: str) -> None:
    guild_id = here.guild_id
    with here.database() as db:
        policy = Policy(reaction=emoji).to_json()
        db.execute("INSERT OR REPLACE INTO policies VALUES (?, ?)", (guild_id, policy))


async def test_a_reaction_to_an_old_message_means_nothing(
    here: Town, people: Mapping[str, Person]
) -> None:
    mia, noah = here.mia, people["Noah"]
    message = await photo_of(noah)
    with standing(here, Case("", {"oldest_days": 0}), mia, noah):
        async with nothing_starts(here):
            await mia.react(message, CLAPPER)
            await asyncio.sleep(0.3)
    assert mia.reactions(message) == {CLAPPER: 1}


async def test_a_reaction_taken_back_while_the_clip_waits_takes_the_clip_back(
    tmp_path: Path,
) -> None:
    async with town(tmp_path) as here, Person(here.discord.url, "Noah") as noah:
        here.discord.set_limits({"message_content_enabled": True})
        here.trouble_at_runware(**DOWN)
        async with here.bot(ANIMATE_MEMBER_CLIPS="unlimited"):
            await taken_back_in_line(here, noah)


async def taken_back_in_line(here: Town, noah: Person) -> None:
    for _ in range(5):  # in a row, and the service is left in peace
        await here.animate(WIDE)
    await until(lambda: "kept in line" in here.log, CLIP_WITHIN)
    message = await photo_of(noah)
    with standing(here, FREE, here.mia, noah):
        await here.mia.react(message, CLAPPER)
        await here.mia.wait_for_reaction(message, "⏳")
        assert here.books().states[-1] == "queued"
        await here.mia.unreact(message, CLAPPER)
        await until(lambda: here.mia.reactions(message) == {}, CLIP_WITHIN)
    (job,) = [one for one in here.books().jobs if one["door"] == "reaction"]
    assert (job["state"], job["failure"]) == ("failed", "cancelled")
    assert here.books().of(job) == ["hold", "release"]


async def test_reactions_to_the_bots_own_messages_mean_nothing(
    here: Town, people: Mapping[str, Person]
) -> None:
    mia, noah = here.mia, people["Noah"]
    with standing(here, FREE, mia, noah):
        async with one_clip(here):
            started = await here.animate(WIDE)
        clip = await here.clip(started)
        async with nothing_starts(here):
            await mia.react(clip, CLAPPER)
            await asyncio.sleep(0.3)
            assert mia.reactions(clip) == {CLAPPER: 1}


async def test_an_answer_to_the_bots_own_message_is_no_wish_unless_it_is_spoken_to(
    here: Town, people: Mapping[str, Person]
) -> None:
    mia, noah = here.mia, people["Noah"]
    with standing(here, FREE, mia, noah):
        async with one_clip(here):
            started = await here.animate(WIDE)
        clip = await here.clip(started)
        async with nothing_starts(here):
            nice = await noah.reply(await noah.seen(clip), "nice", ping=True)
            await asyncio.sleep(0.3)
            later = [one for one in here.discord.messages if one.id > nice["id"]]
            assert later == []


async def test_the_menu_of_the_bots_own_clip_finds_no_picture(
    here: Town, people: Mapping[str, Person]
) -> None:
    mia, noah = here.mia, people["Noah"]
    with standing(here, FREE, mia, noah):
        async with one_clip(here):
            started = await here.animate(WIDE)
        clip = await here.clip(started)
        async with nothing_starts(here):
            text = await private_word(mia, await mia.menu(clip, "Animate"))
        assert "No picture found" in text


async def test_plain_words_beside_a_mention_are_understood(
    here: Town, people: Mapping[str, Person]
) -> None:
    kim, noah = people["Kim"], people["Noah"]
    message = await photo_of(noah)
    with standing(here, FREE, kim, noah):
        async with one_clip(here, 2 * PRICE) as made:
            await kim.reply(await kim.seen(message), "@bot 10s square pad please, spoiler")
    (job,) = made
    assert '"duration": 10.0' in job["order"]
    assert '"fit": "pad"' in job["wish"]
    assert '"is_spoiler": true' in job["wish"]
    assert await last_shape(here) == (720, 720)


async def test_a_word_that_the_model_has_no_use_for_is_refused_with_what_it_takes(
    here: Town, people: Mapping[str, Person]
) -> None:
    kim, noah = people["Kim"], people["Noah"]
    message = await photo_of(noah)
    with standing(here, FREE, kim, noah):
        async with nothing_starts(here):
            said = await kim.reply(await kim.seen(message), "@bot 7s")
            text = told(await whisper(kim, said))
    assert "`duration` takes 5 or 10 seconds." in text


async def test_where_replies_are_off_a_mention_is_passed_over(
    here: Town, people: Mapping[str, Person]
) -> None:
    kim, noah = people["Kim"], people["Noah"]
    message = await photo_of(noah)
    with standing(here, Case("", {"has_replies": False}), kim, noah):
        async with nothing_starts(here):
            said = await kim.reply(await kim.seen(message), "@bot")
            await asyncio.sleep(0.3)
            assert [one for one in here.discord.messages if one.id > said["id"]] == []


async def test_the_status_of_a_reply_is_an_answer_to_it(
    here: Town, people: Mapping[str, Person]
) -> None:
    kim, noah = people["Kim"], people["Noah"]
    message = await photo_of(noah)
    with standing(here, FREE, kim, noah):
        async with one_clip(here) as made:
            said = await kim.reply(await kim.seen(message), "@bot")
    (job,) = made
    status = await kim.seen({"id": str(job["status_message_id"]), **said_in(said)})
    assert status["message_reference"]["message_id"] == said["id"]
    await here.says(status, "Done")


def said_in(message: JSON) -> JSON:
    return {"channel_id": message["channel_id"]}


async def test_a_refused_reaction_is_taken_away_where_the_bot_may(
    here: Town, people: Mapping[str, Person]
) -> None:
    kim, noah = people["Kim"], people["Noah"]
    studio = kim.channel_id("studio")
    await here.control("PATCH", "channel", {"channel_id": studio, "allow": ["MANAGE_MESSAGES"]})
    message = await photo_of(noah, channel="studio")
    with standing(here, CASES["role"], kim, noah):
        async with nothing_starts(here):
            await kim.react(await kim.seen(message), CLAPPER)
            await until(lambda: kim.reactions(message) == {})
    await here.control("PATCH", "channel", {"channel_id": studio})


async def test_whoever_keeps_doing_what_is_refused_hears_of_it_once(
    here: Town, people: Mapping[str, Person]
) -> None:
    ada, noah = people["Ada"], people["Noah"]
    with standing(here, CASES["consent"], ada, noah):
        async with nothing_starts(here):
            first, second = await photo_of(noah), await photo_of(noah)
            await ada.react(await ada.seen(first), CLAPPER)
            await whisper(ada, first)
            await ada.react(await ada.seen(second), CLAPPER)
            await asyncio.sleep(0.3)
            answered = [
                one.reference["message_id"]
                for one in here.discord.messages
                if one.reference is not None
            ]
            assert second["id"] not in answered


# --- With a model that needs a prompt ------------------------------------------------------------


async def test_a_model_that_needs_a_prompt_is_given_one_by_each_door(tmp_path: Path) -> None:
    async with town(tmp_path) as here, Person(here.discord.url, "Noah") as noah:
        here.discord.set_limits({"message_content_enabled": True})
        async with here.bot(ANIMATE_MODEL=TURBO, **UNLIMITED):
            message = await photo_of(noah)
            with standing(here, FREE, here.mia, noah):
                async with one_clip(here, TURBO_PRICE):
                    started = await here.mia.menu(await here.mia.seen(message), "Animate")
                    await here.mia.submit(started, {"What should happen?": "it *rains*"})
                assert (await here.tasks())[-1]["positivePrompt"] == "it *rains*"
                async with one_clip(here, TURBO_PRICE):
                    await here.mia.reply(message, "@bot 5s it snows, wide")
                assert (await here.tasks())[-1]["positivePrompt"] == "it snows, wide"
                async with nothing_starts(here):
                    await here.mia.react(message, CLAPPER)
                    assert "`prompt` takes" in told(await whisper(here.mia, message))


# --- Without Discord's switch --------------------------------------------------------------------


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def closed(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Town]:
    """A town in which other people's messages are closed to the bot."""
    async with town(tmp_path_factory.mktemp("closed")) as made, made.bot():
        yield made


async def test_without_the_switch_the_log_says_so_and_the_menu_works(closed: Town) -> None:
    async with Person(closed.discord.url, "Noah") as noah:
        message = await photo_of(noah)
        async with one_clip(closed):
            await DOORS["menu"].knock(closed.mia, message)
    await until(lambda: "other people's messages: closed to the bot" in closed.log)


@pytest.mark.parametrize("name", ["reaction", "reply"])
async def test_without_the_switch_reactions_and_replies_point_to_the_menu(
    closed: Town, name: str
) -> None:
    door = DOORS[name]
    async with (
        Person(closed.discord.url, "Noah") as noah,
        Person(closed.discord.url, door.who) as who,
    ):
        message = await photo_of(noah)
        with standing(closed, FREE, who, noah):
            async with nothing_starts(closed):
                text = await door.hears(who, await door.knock(who, message))
    assert "Discord shows me other people's pictures only from the menu" in text


async def test_without_the_switch_a_picture_that_comes_with_the_mention_is_seen(
    closed: Town,
) -> None:
    async with Person(closed.discord.url, "Ada") as ada, Person(closed.discord.url, "Noah") as noah:
        message = await photo_of(noah)
        with standing(closed, FREE, ada, noah):
            async with one_clip(closed):
                await DOORS["mention"].knock(ada, message)
