"""Whose picture it is decides: asked by a message, answered by its buttons, across restarts.

discord.py is real and runs against SimCord's Discord; behind the buttons are the real mediator, the
real intake and its accounts.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import discord
import pytest
import simcord
from simcord import ChannelHandle, Env, GuildHandle, InteractionResult, MemberActor

from bot.admin import Change
from bot.answers import Answer
from bot.approvals import MOST_A_DAY, MOST_OPEN, MOST_TO_AUTHOR, Approval, Approvals, Outcome
from bot.client import AnimateBot
from bot.consent import Mediator
from bot.encore import origin
from bot.errors import (
    Bar,
    Barred,
    CannotPostHere,
    ConsentNeeded,
    CoolingDown,
    NotAccepting,
    PictureRefused,
    StoreError,
)
from bot.intake import Ask
from bot.keepsake import from_json, to_json
from bot.lifecycle import Job
from bot.policy import Consent
from bot.refusals import refusal
from bot.rules import Limits
from bot.wish import NOBODY, Door, Fit, Origin, Wish
from bot.words import Note
from tests.conftest import NOON, UNLIMITED, monthly
from tests.corridor import KLING, PICTURE_URL, Bot, World, ask, model, world
from tests.test_cogs import rooms
from tests.town import NOT_CHARGED, photo_file

HOUR = 3600


@dataclass(slots=True)
class Scene:
    """A server whose authors are asked: Mia wants Noah's picture animated, and Zoe looks on."""

    env: Env
    guild: GuildHandle
    channel: ChannelHandle
    people: dict[str, MemberActor]
    picture: discord.Message
    around: World
    bot: Bot
    mediator: Mediator
    told: list[Note]
    """What Mia was told privately."""

    def wish(self, **changes: Any) -> Ask:
        origin = Origin(
            channel_id=self.channel.id,
            message_id=self.picture.id,
            key="attachment:1",
            author_id=self.people["noah"].id,
        )
        given = {
            "guild_id": self.guild.id,
            "channel_id": self.channel.id,
            "member_id": self.people["mia"].id,
            "door": Door.MENU,
            "picture": origin,
            "reply": self.reply,
        }
        return ask(**given | changes)

    async def reply(self, note: Note) -> None:
        self.told.append(note)

    async def asks(self, **changes: Any) -> discord.Message:
        """Have Mia ask, and return the question."""
        with pytest.raises(ConsentNeeded):
            await self.bot.intake.accept(self.wish(**changes))
        return self.question()

    def question(self) -> discord.Message:
        """The last message that the bot has posted."""
        me = self.env.bot.user
        return [one for one in self.channel.history() if one.author == me][-1]

    async def press(self, who: str, label: str, question: discord.Message) -> InteractionResult:
        return await self.people[who].click(question, label=label)

    async def jobs(self) -> list[Job]:
        found = [await self.bot.store.job(one) for one in await self.bot.store.open_jobs()]
        return [one for one in found if one is not None]

    async def change(self, **fields: Any) -> None:
        change = Change(guild_id=self.guild.id, actor_id=1, at=NOON)
        await self.bot.policies.change(change, lambda policy: replace(policy, **fields))


@asynccontextmanager
async def scene(
    folder: Path, limits: Limits = UNLIMITED, consent: Consent = Consent.ASK, **overwrites: bool
) -> AsyncIterator[Scene]:
    async with world(folder) as around, around.bot(limits=limits) as bot:
        client = AnimateBot()
        await client.load(model(KLING))
        mediator = Mediator(client, Approvals(bot.database), around.clock)
        bot.intake.ask_author = mediator.ask
        client.open_doors(replace(rooms(bot.intake), mediator=mediator))
        async with simcord.run(client) as env:
            guild = env.create_guild()
            people = {
                name: guild.add_member(env.create_user(name)) for name in ("mia", "noah", "zoe")
            }
            assert client.user is not None
            denied = discord.PermissionOverwrite(**overwrites)
            channel = guild.create_text_channel("studio", overwrites={client.user: denied})
            picture = await people["noah"].send(channel, "look")
            made = Scene(env, guild, channel, people, picture, around, bot, mediator, told=[])
            mediator.start(bot.intake.accept)
            await made.change(consent=consent)
            try:
                yield made
            finally:
                await mediator.stop()


def said(message: discord.Message) -> str:
    (embed,) = message.embeds
    return f"{embed.title}\n{embed.description}"


def labels(message: discord.Message) -> list[str]:
    rows: Any = message.components
    return [str(button.label) for row in rows for button in row.children]


# --- Asking --------------------------------------------------------------------------------------


async def test_the_author_is_asked_below_their_picture_and_nobody_else_is_mentioned(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as here:
        with pytest.raises(ConsentNeeded) as asked:
            await here.bot.intake.accept(here.wish())
        question = here.question()
        mia, noah = here.people["mia"].id, here.people["noah"].id
        expires = (NOON + HOUR * 1000) // 1000
        assert question.content == f"<@{noah}>"
        assert [one.id for one in question.mentions] == [noah]
        assert question.reference is not None
        assert question.reference.message_id == here.picture.id
        assert labels(question) == ["Allow", "Don't allow"]
        assert f"<@{mia}> would like to have your picture animated" in said(question)
        assert f"<t:{expires}:R>" in said(question)
        text = refusal(asked.value).body
        assert f"<@{noah}> decides about their own pictures" in text
        assert f"<t:{expires}:t>" in text
        assert not await here.jobs()
        assert here.around.most_serving == 0
        assert here.around.leftovers == []


async def test_the_question_shows_what_is_wished_without_letting_it_speak_for_itself(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as here:
        await here.change(consent=Consent.ASK)
        with pytest.raises(ConsentNeeded):
            await here.mediator.ask(here.wish(prompt="@everyone **dance**\n# now " + "x" * 500))
        text = said(here.question())
        assert r"What should happen in the clip: \@everyone \*\*dance\*\* \# now xxx" in text
        assert "x…" in text
        assert len(text) < 700


async def test_a_picture_that_is_asked_about_already_is_not_asked_about_twice(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as here:
        first = await here.asks()
        here.around.clock.forward(seconds=60)
        with pytest.raises(ConsentNeeded) as again:
            await here.bot.intake.accept(here.wish())
        assert again.value.expires_at == NOON // 1000 + HOUR
        assert here.question().id == first.id
        assert len(here.channel.history()) == 2


async def test_a_question_ends_before_the_address_of_its_picture_does(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        soon = NOON // 1000 + 600
        with pytest.raises(ConsentNeeded) as asked:
            await here.bot.intake.accept(here.wish(picture_url=f"{PICTURE_URL}?ex={soon:x}&is=1"))
        assert asked.value.expires_at == soon - 60


async def test_a_picture_whose_address_is_at_its_end_is_not_asked_about(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        with pytest.raises(PictureRefused):
            await here.bot.intake.accept(
                here.wish(picture_url=f"{PICTURE_URL}?ex={NOON // 1000 + 61:x}")
            )
        assert len(here.channel.history()) == 1


async def test_where_the_question_cannot_be_posted_it_is_said_and_forgotten(tmp_path: Path) -> None:
    async with scene(tmp_path, send_messages=False) as here:
        for _ in range(MOST_OPEN + 1):
            with pytest.raises(CannotPostHere):
                await here.bot.intake.accept(here.wish())


async def test_where_discord_does_not_answer_nothing_waits(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        here.env.inject_error("POST", "/channels/*/messages", status=400, code=0)
        with pytest.raises(NotAccepting):
            await here.bot.intake.accept(here.wish())


# --- The consent table ---------------------------------------------------------------------------

ASKED, BARRED, ACCEPTED = "asked", "barred", "accepted"


@pytest.mark.parametrize(
    ("consent", "whose", "has_role", "outcome"),
    [
        (Consent.ANYONE, "mia", False, ACCEPTED),
        (Consent.ANYONE, "noah", False, ACCEPTED),
        (Consent.OWN, "mia", False, ACCEPTED),
        (Consent.OWN, "noah", False, BARRED),
        (Consent.OWN, "noah", True, BARRED),
        (Consent.ROLES, "mia", False, ACCEPTED),
        (Consent.ROLES, "noah", False, BARRED),
        (Consent.ROLES, "noah", True, ACCEPTED),
        (Consent.ASK, "mia", False, ACCEPTED),
        (Consent.ASK, "noah", False, ASKED),
        (Consent.ASK, "noah", True, ASKED),
    ],
)
async def test_what_becomes_of_a_wish_by_consent(
    tmp_path: Path, consent: Consent, whose: str, has_role: bool, outcome: str
) -> None:
    async with scene(tmp_path, consent=consent) as here:
        await here.change(consent_roles=frozenset({77}))
        wish = here.wish(role_ids=(77,) if has_role else ())
        assert wish.picture is not None
        wish = replace(wish, picture=replace(wish.picture, author_id=here.people[whose].id))
        try:
            await here.bot.intake.accept(wish)
            found = ACCEPTED
        except ConsentNeeded:
            found = ASKED
        except Barred as error:
            found = BARRED if error.bar is Bar.NOT_YOURS else error.bar
        assert found == outcome
        assert len(await here.jobs()) == (outcome == ACCEPTED)


@pytest.mark.parametrize("entry", ["Animate", "Animate with options…"])
async def test_of_a_webhooks_picture_nobody_is_asked_and_who_asks_hears_why_at_once(
    tmp_path: Path, entry: str
) -> None:
    async with scene(tmp_path) as here:
        webhook = here.guild.create_webhook(here.channel, "Bridge")
        posted = await webhook.send("look", attachments=[("photo.png", photo_file())])
        assert isinstance(here.env.bot, AnimateBot)
        await here.env.bot.tree.sync()
        result = await here.people["mia"].context_menu(here.channel, entry, posted)
        assert result.response is not None
        assert result.response.ephemeral
        (embed,) = result.response.embeds
        assert "there is nobody I could ask" in str(embed.description)
        assert NOT_CHARGED in str(embed.description)
        assert here.channel.history()[-1].id == posted.id
        assert not await kept(here)


async def test_nor_is_anybody_for_another_clip_of_it(tmp_path: Path) -> None:
    async with scene(tmp_path, consent=Consent.ANYONE) as here:
        wish = here.wish()
        assert wish.picture is not None
        picture = replace(wish.picture, author_id=NOBODY)
        admitted = await here.bot.intake.accept(replace(wish, picture=picture))
        await here.change(consent=Consent.ASK)
        job = await here.bot.store.job(admitted.job.id)
        assert job is not None
        with pytest.raises(Barred) as refused:
            await here.bot.intake.accept(here.wish(source="again", picture=origin(job)))
        assert refused.value.bar is Bar.NOBODY
        assert not await kept(here)


async def kept(here: Scene) -> list[Any]:
    """Return all questions that are known."""
    return await here.bot.database.run(lambda db: db.execute("SELECT id FROM approvals").fetchall())


# --- Answering -----------------------------------------------------------------------------------


async def test_what_the_author_allows_is_made_with_its_status_in_the_question(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as here:
        question = await here.asks(duration=10.0, source="interaction:77")
        result = await here.press("noah", "Allow", question)
        assert result.acknowledged
        assert result.followups == []
        (job,) = await here.jobs()
        assert (job.member_id, job.source) == (here.people["mia"].id, "interaction:77")
        assert (job.status_message_id, job.order.duration) == (question.id, 10.0)
        assert job.picture is not None
        assert job.picture.author_id == here.people["noah"].id
        # The corridor's channel only remembers: the first status would go through this.
        note, reply = here.around.channel.notes[-1], here.around.channel.replies[-1]
        assert reply is not None
        await reply(note)
        question = here.question()
        assert "Queued" in said(question)
        assert question.content == ""
        assert labels(question) == ["Cancel"]


async def test_who_waits_for_an_author_hears_where_they_were_told_so_that_it_goes_on(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as here:
        answer = Answer(token="secret", expires_at=NOON + 60_000)
        question = await here.asks(status_message_id=None, answer=answer)
        await here.press("noah", "Allow", question)
        (note,) = here.told
        assert note.title == "🙋 Its author agreed"
        assert f"The clip comes in <#{here.channel.id}>." in note.body
        assert NOT_CHARGED not in note.body
        assert len(await here.jobs()) == 1


async def test_a_private_answer_that_can_be_reached_no_more_is_left_alone(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        answer = Answer(token="secret", expires_at=NOON + 60_000)
        question = await here.asks(status_message_id=None, answer=answer)
        here.around.clock.forward(seconds=61)
        await here.press("noah", "Allow", question)
        assert here.told == []
        assert len(await here.jobs()) == 1


async def test_what_the_author_declines_is_over_and_its_asker_hears_it(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        question = await here.asks()
        await here.press("noah", "Don't allow", question)
        question = here.question()
        assert "Its author did not agree" in said(question)
        assert "Nothing was charged" in said(question)
        assert labels(question) == []
        assert [one.title for one in here.told] == ["🙋 Not available for this picture"]
        assert not await here.jobs()
        with pytest.raises(Barred) as again:
            await here.bot.intake.accept(here.wish())
        assert again.value.bar is Bar.DECLINED


@pytest.mark.parametrize("who", ["mia", "zoe", "moderator"])
@pytest.mark.parametrize("label", ["Allow", "Don't allow"])
async def test_nobody_answers_for_the_author(tmp_path: Path, who: str, label: str) -> None:
    async with scene(tmp_path) as here:
        chief = here.guild.create_role("Chief", permissions=discord.Permissions(administrator=True))
        here.people["moderator"] = here.guild.add_member(here.env.create_user("ada"), roles=[chief])
        question = await here.asks()
        (followup,) = (await here.press(who, label, question)).followups
        assert followup.ephemeral
        assert f"Only <@{here.people['noah'].id}> can answer this." in str(
            followup.embeds[0].description
        )
        assert labels(here.question()) == ["Allow", "Don't allow"]
        assert not await here.jobs()
        await here.press("noah", "Allow", question)
        assert len(await here.jobs()) == 1


async def test_an_answer_that_is_faster_than_the_word_of_the_posting_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(tmp_path) as here:

        async def lost(*_: object) -> None:
            raise StoreError

        with monkeypatch.context() as patch:
            patch.setattr(Approvals, "posted", lost)
            question = await here.asks()
        await here.press("noah", "Allow", question)
        (job,) = await here.jobs()
        assert job.status_message_id == question.id


async def test_a_button_that_is_sent_again_does_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        question = await here.asks()
        noah = here.people["noah"].id
        await here.press("noah", "Don't allow", question)
        for is_yes in (True, False):
            note = await here.mediator.answer(1, question.id, noah, is_yes=is_yes)
            assert note is not None
            assert note.title == "🙋 This question is over"
        assert not await here.jobs()


async def test_a_number_that_is_made_up_or_of_another_message_is_no_question(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as here:
        question = await here.asks()
        noah = here.people["noah"].id
        for approval_id, message_id in ((2, question.id), (1, question.id + 1), (1, 0)):
            note = await here.mediator.answer(approval_id, message_id, noah, is_yes=True)
            assert note is not None
            assert note.title == "🙋 This question is over"
        assert not await here.jobs()


async def test_a_press_in_the_time_of_a_broken_database_is_told_and_can_be_repeated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(tmp_path) as here:
        question = await here.asks()

        async def broken(*_: object, **__: object) -> None:
            raise StoreError

        with monkeypatch.context() as patch:
            patch.setattr(here.mediator, "answer", broken)
            (followup,) = (await here.press("noah", "Allow", question)).followups
            assert "can't be read right now" in str(followup.embeds[0].title)
        await here.press("noah", "Allow", question)
        assert len(await here.jobs()) == 1


# --- The rules of the moment of the answer -------------------------------------------------------


@pytest.mark.parametrize(
    "fields",
    [{"is_paused": True}, {"consent": Consent.OWN}, {"roles": frozenset({5})}],
)
async def test_the_rules_count_as_they_are_when_the_author_allows_it(
    tmp_path: Path, fields: dict[str, Any]
) -> None:
    async with scene(tmp_path) as here:
        question = await here.asks()
        await here.change(**fields)
        await here.press("noah", "Allow", question)
        assert not await here.jobs()
        text = said(here.question())
        assert "It could not be started" in text
        assert "Nothing was charged" in text
        assert len(here.told) == 1


async def test_roles_count_as_they_are_when_the_author_allows_it(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        role = here.guild.create_role("Supporter")
        leo = here.guild.add_member(here.env.create_user("leo"), roles=[role])
        question = await here.asks(member_id=leo.id, role_ids=())
        await here.change(roles=frozenset({role.id}))
        await here.press("noah", "Allow", question)
        (job,) = await here.jobs()
        assert set(job.role_ids) == {here.guild.id, role.id}


async def test_a_limit_that_is_in_the_way_by_then_is_told_to_its_asker_alone(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path, limits=monthly(member=1)) as here:
        question = await here.asks()
        await here.press("noah", "Allow", question)
        assert "$" not in said(here.question())
        assert [one.title for one in here.told] == ["🚫 Monthly limit reached"]


async def test_who_has_left_gets_no_clip(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        question = await here.asks()
        here.guild.remove_member(here.people["mia"])
        await here.press("noah", "Allow", question)
        assert not await here.jobs()
        assert "It could not be started" in said(here.question())


async def test_a_private_wish_keeps_its_status_private(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        answer = Answer(token="secret", expires_at=NOON + 60_000)
        question = await here.asks(
            wish=Wish(is_private=True), status_message_id=None, answer=answer
        )
        await here.press("noah", "Allow", question)
        (job,) = await here.jobs()
        assert job.status_message_id is None
        assert "Its author agreed" in said(here.question())
        assert here.around.channel.replies[-1] == here.reply
        assert here.told == []


async def test_a_reaction_has_its_status_on_the_picture_and_the_question_is_closed(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as here:
        question = await here.asks(door=Door.REACTION, status_message_id=None)
        await here.press("noah", "Allow", question)
        (job,) = await here.jobs()
        assert job.status_message_id is None
        assert "Its author agreed" in said(here.question())
        assert labels(here.question()) == []


# --- Asked for in another channel ----------------------------------------------------------------


@dataclass(slots=True)
class Lounge:
    """Another channel of the server, where Mia presses Again under a clip of Noah's picture."""

    here: Scene
    channel: ChannelHandle

    @property
    def said(self) -> list[discord.Message]:
        return self.channel.history()

    async def asks(self, **changes: Any) -> discord.Message:
        return await self.here.asks(door=Door.AGAIN, channel_id=self.channel.id, **changes)


def lounge(here: Scene, **overwrites: bool) -> Lounge:
    assert here.env.bot.user is not None
    denied = discord.PermissionOverwrite(**overwrites)
    made = here.guild.create_text_channel("lounge", overwrites={here.env.bot.user: denied})
    return Lounge(here, made)


async def test_a_clip_of_another_channel_has_its_status_there_and_the_question_is_closed(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as here:
        away = lounge(here)
        question = await away.asks()
        assert away.said == []
        await here.press("noah", "Allow", question)
        (job,) = await here.jobs()
        (status,) = away.said
        assert (job.channel_id, job.status_message_id) == (away.channel.id, status.id)
        assert "Its author agreed" in said(status)
        assert here.question().id == question.id
        assert "Its author agreed" in said(here.question())
        assert labels(here.question()) == []


async def test_where_nothing_can_be_posted_the_clip_has_no_status_and_is_made_all_the_same(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as here:
        question = await lounge(here, send_messages=False).asks()
        await here.press("noah", "Allow", question)
        (job,) = await here.jobs()
        assert job.status_message_id is None
        assert labels(here.question()) == []


async def test_a_clip_of_another_channel_that_could_not_be_started_is_told_there(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path, limits=monthly(member=1)) as here:
        away = lounge(here)
        await here.press("noah", "Allow", await away.asks())
        assert not await here.jobs()
        for message in (away.said[0], here.question()):
            assert "It could not be started" in said(message)
            assert labels(message) == []


async def test_a_yes_that_is_carried_out_later_is_told_once_where_it_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(tmp_path) as here:
        away = lounge(here)
        question = await away.asks()
        here.bot.intake.is_open = False
        await here.press("noah", "Allow", question)
        await here.mediator.round()
        here.bot.intake.is_open = True

        async def cut_off(_: int) -> None:
            raise StoreError

        with monkeypatch.context() as patch:
            patch.setattr(Approvals, "told", cut_off)
            await here.mediator.round()
        await here.mediator.round()
        (job,) = await here.jobs()
        (status,) = away.said
        assert job.status_message_id == status.id


async def test_a_private_answer_that_can_be_reached_yet_shows_a_clip_of_another_channel(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as here:
        away = lounge(here)
        answer = Answer(token="secret", expires_at=NOON + 60_000)
        await here.press("noah", "Allow", await away.asks(status_message_id=None, answer=answer))
        (job,) = await here.jobs()
        assert job.status_message_id is None
        assert away.said == []
        assert here.around.channel.replies[-1] == here.reply
        assert here.told == []


async def test_a_picture_without_a_message_is_asked_about_without_an_answer_to_one(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as here:
        picture = here.wish().picture
        assert picture is not None
        question = await here.asks(door=Door.AGAIN, picture=replace(picture, message_id=0))
        assert question.reference is None
        assert labels(question) == ["Allow", "Don't allow"]


# --- Time ----------------------------------------------------------------------------------------


async def test_a_question_without_an_answer_ends_and_says_so(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        question = await here.asks()
        here.around.clock.forward(seconds=HOUR)
        await here.mediator.round()
        assert "No answer in time" in said(here.question())
        assert labels(here.question()) == []
        noah = here.people["noah"].id
        assert await here.mediator.answer(1, question.id, noah, is_yes=True) is not None
        assert not await here.jobs()


async def test_an_answer_that_comes_too_late_counts_for_nothing_before_any_round(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as here:
        question = await here.asks()
        here.around.clock.forward(seconds=HOUR)
        (followup,) = (await here.press("noah", "Allow", question)).followups
        assert "This question is over" in str(followup.embeds[0].title)
        assert not await here.jobs()


async def test_who_takes_their_reaction_back_is_not_waited_for(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        await here.asks(door=Door.REACTION)
        await here.mediator.withdraw(here.picture.id, here.people["zoe"].id)
        assert labels(here.question()) == ["Allow", "Don't allow"]
        await here.mediator.withdraw(here.picture.id, here.people["mia"].id)
        assert "Taken back" in said(here.question())
        assert labels(here.question()) == []


async def test_what_was_asked_by_another_door_is_not_taken_back_with_a_reaction(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as here:
        await here.asks(door=Door.MENU)
        await here.mediator.withdraw(here.picture.id, here.people["mia"].id)
        assert labels(here.question()) == ["Allow", "Don't allow"]


async def test_a_question_that_a_moderator_has_deleted_is_done_with(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        question = await here.asks()
        await question.delete()
        here.around.clock.forward(seconds=HOUR)
        await here.mediator.round()
        assert await Approvals(here.bot.database).ended(here.around.clock()) == []


# --- Crashes and restarts ------------------------------------------------------------------------


async def test_a_question_from_before_a_restart_is_answered_all_the_same(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        question = await here.asks()
        await here.mediator.stop()
        client = AnimateBot()
        await client.load(model(KLING))
        await here.env.restart_bot(client)
        mediator = Mediator(client, Approvals(here.bot.database), here.around.clock)
        client.open_doors(replace(rooms(here.bot.intake), mediator=mediator))
        mediator.start(here.bot.intake.accept)
        await here.press("noah", "Allow", question)
        assert len(await here.jobs()) == 1
        await mediator.stop()


async def test_a_press_before_the_doors_are_open_waits_for_them(tmp_path: Path) -> None:
    async with scene(tmp_path) as here:
        question = await here.asks()
        client = here.env.bot
        assert isinstance(client, AnimateBot)
        client.doors_are_open.clear()
        asyncio.get_running_loop().call_later(0.2, client.doors_are_open.set)
        await here.press("noah", "Allow", question)
        assert len(await here.jobs()) == 1


async def test_a_yes_that_a_crash_has_cut_off_is_carried_out_by_the_next_life(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as here:
        await here.asks(source="interaction:5")
        approvals = Approvals(here.bot.database)
        assert await approvals.end(1, Outcome.AGREED, NOON) is not None
        await here.mediator.round()
        (job,) = await here.jobs()
        assert job.source == "interaction:5"
        await here.mediator.round()
        assert len(await here.jobs()) == 1


async def test_a_yes_that_was_carried_out_and_cut_off_then_makes_no_second_clip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(tmp_path) as here:
        question = await here.asks()

        async def cut_off(_: int) -> None:
            raise StoreError

        with monkeypatch.context() as patch:
            patch.setattr(Approvals, "told", cut_off)
            await here.press("noah", "Allow", question)
        await here.mediator.round()
        assert len(await here.jobs()) == 1
        assert labels(here.question()) == []


async def test_a_question_that_breaks_keeps_no_other_from_being_carried_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with scene(tmp_path) as here:
        await here.asks(source="interaction:5")
        broken = "UPDATE approvals SET ask = '{}', outcome = 'agreed'"
        await here.bot.database.run(lambda db: db.execute(broken))
        await here.asks(source="interaction:6")
        await Approvals(here.bot.database).end(2, Outcome.AGREED, NOON)
        await here.mediator.round()
        (job,) = await here.jobs()
        assert job.source == "interaction:6"
        assert "question 1 broke" in caplog.text


async def test_a_yes_while_nothing_is_accepted_is_carried_out_later_or_given_up(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as here:
        question = await here.asks()
        here.bot.intake.is_open = False
        await here.press("noah", "Allow", question)
        assert not await here.jobs()
        assert labels(here.question()) == ["Allow", "Don't allow"]
        here.around.clock.forward(seconds=HOUR)
        await here.mediator.round()
        assert "It could not be started" in said(here.question())


# --- Manners -------------------------------------------------------------------------------------

WHERE = Approval(
    guild_id=1,
    channel_id=2,
    member_id=3,
    author_id=4,
    picture="5 attachment:6",
    ask="{}",
    asked_at=NOON,
    expires_at=NOON + HOUR * 1000,
)


@pytest.fixture
def approvals(database: Any) -> Approvals:
    return Approvals(database)


async def asked(approvals: Approvals, number: int, **changes: Any) -> Approval:
    wish = replace(WHERE, picture=f"{number} attachment:1", **changes)
    return (await approvals.open(wish))[0]


async def test_a_member_has_so_many_questions_open_at_once(approvals: Approvals) -> None:
    for number in range(MOST_OPEN):
        await asked(approvals, number, author_id=number)
    with pytest.raises(CoolingDown) as error:
        await asked(approvals, 99, author_id=99)
    assert error.value.until == NOON // 1000 + HOUR
    await asked(approvals, 98, author_id=98, member_id=30)
    await asked(approvals, 97, author_id=97, guild_id=10)
    await approvals.end(1, Outcome.DECLINED, NOON)
    await asked(approvals, 96, author_id=96)


async def test_a_member_asks_so_often_a_day(approvals: Approvals) -> None:
    for number in range(MOST_A_DAY):
        question = await asked(approvals, number, author_id=number)
        await approvals.end(question.id, Outcome.AGREED, NOON)
    with pytest.raises(CoolingDown) as error:
        await asked(approvals, 99, author_id=99)
    assert error.value.until == NOON // 1000 + 24 * HOUR
    tomorrow = NOON + 24 * HOUR * 1000
    await asked(approvals, 99, author_id=99, asked_at=tomorrow, expires_at=tomorrow + 1)


async def test_an_author_is_asked_by_so_many_at_once(approvals: Approvals) -> None:
    for number in range(MOST_TO_AUTHOR):
        await asked(approvals, number, member_id=number)
    with pytest.raises(CoolingDown):
        await asked(approvals, 99, member_id=99)
    await asked(approvals, 98, member_id=99, author_id=40)


async def test_who_was_told_no_does_not_ask_that_author_again_that_day(
    approvals: Approvals,
) -> None:
    question = await asked(approvals, 1)
    await approvals.end(question.id, Outcome.DECLINED, NOON)
    with pytest.raises(Barred) as error:
        await asked(approvals, 2)
    assert error.value.bar is Bar.DECLINED
    await asked(approvals, 2, member_id=30)
    later = NOON + 24 * HOUR * 1000
    await asked(approvals, 3, asked_at=later, expires_at=later + 1)


async def test_a_question_whose_time_is_over_is_in_nobodys_way(approvals: Approvals) -> None:
    first = await asked(approvals, 1)
    later = first.expires_at
    again, is_new = await approvals.open(replace(first, id=0, asked_at=later, expires_at=later + 1))
    assert is_new
    assert again.id != first.id


async def test_what_is_a_day_old_is_forgotten(approvals: Approvals) -> None:
    question = await asked(approvals, 1)
    later = question.expires_at + 24 * HOUR * 1000
    (ended,) = await approvals.ended(later)
    assert ended.outcome is Outcome.EXPIRED
    await approvals.told(ended.id)
    await approvals.ended(later + 1)
    assert await approvals.get(question.id) is None


async def test_a_number_never_comes_twice(approvals: Approvals) -> None:
    first = await asked(approvals, 1)
    await approvals.drop(first.id)
    assert (await asked(approvals, 1)).id > first.id


async def test_an_end_is_the_end(approvals: Approvals, database: Any) -> None:
    question = await asked(approvals, 1)
    assert await approvals.end(question.id, Outcome.AGREED, NOON) is not None
    assert await approvals.end(question.id, Outcome.DECLINED, NOON) is None
    update = "UPDATE approvals SET outcome = 'declined'"
    with pytest.raises(StoreError, match="has its answer"):
        await database.run(lambda db: db.execute(update))


# --- What is kept of a wish ----------------------------------------------------------------------


def test_a_wish_is_read_as_it_was_kept_but_for_what_dies() -> None:
    async def reply(_: Note) -> None:
        raise AssertionError

    whole = ask(
        parent_channel_id=21,
        place_ids=(21, 22),
        role_ids=(1, 2),
        has_consent=True,
        door=Door.REACTION,
        picture=Origin(channel_id=1, message_id=2, key="embed:0", author_id=3),
        wish=Wish(locale="de", shape="tall 9:16", fit=Fit.PAD, is_spoiler=True, most_bytes=9),
        duration=10.0,
        guidance=0.25,
        results=2,
        prompt="now",
        negative="people",
        seed=7,
        reply=reply,
    )
    kept = replace(
        whole, role_ids=(), has_consent=False, status_message_id=None, answer=None, reply=None
    )
    assert from_json(to_json(whole)) == kept
    assert from_json(to_json(ask(source="x"))) == ask(source="x", status_message_id=None)


def test_no_token_is_kept() -> None:
    secret = ask(status_message_id=None, answer=Answer(token="secret-token", expires_at=NOON))
    assert "secret-token" not in to_json(secret)
