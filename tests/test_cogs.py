"""The door `/animate` alone: what it offers for a model, what it asks of the intake, what it says.

discord.py is real and runs against SimCord's Discord; behind the door stands an intake that only
remembers. What the whole bot does with a wish is `test_end_to_end.py`'s.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import aiohttp
import discord
import pytest
import simcord
from simcord import ChannelHandle, Env, InteractionResult, MemberActor

from bot import words
from bot.cancellation import Cancellation
from bot.catalog import Model, SeedRule
from bot.client import AnimateBot
from bot.consent import Mediator
from bot.delivery import Delivery
from bot.desk import Desk
from bot.docket import Docket
from bot.drafts import Drafts
from bot.errors import (
    AccountPaused,
    ConsentNeeded,
    LimitReached,
    NotAccepting,
    PictureProblem,
    PictureRefused,
    StoreError,
    TooManyAtOnce,
    UserError,
)
from bot.history import History
from bot.intake import Ask, Intake
from bot.members import Members, MemberSettings
from bot.policies import Policies
from bot.policy import Asker
from bot.privacy import Privacy
from bot.rehearsal import Rehearsal
from bot.reissue import Reissue
from bot.removal import Removal
from bot.rooms import Rooms
from bot.rulebook import Rulebook
from bot.shelf import NOTHING, Shelf, Waiting
from bot.store import Admitted
from bot.whispers import Whispers
from bot.wish import Fit
from cogs.animate import animate_command
from tests.corridor import KLING, TURBO, model
from tests.town import NOT_CHARGED, photo_file

PHOTO = ("photo.png", photo_file())
TEXT, INTEGER, NUMBER, ATTACHMENT = 3, 4, 10, 11


class NoDesk(Desk):
    """Behind this door nobody asks about the accounts, and no role has a limit."""

    def __init__(self) -> None:
        """Have no accounts."""

    async def drop_rules_of_roles(
        self, guild_id: int, actor_id: int, is_gone: Callable[[int], bool]
    ) -> None:
        del guild_id, actor_id, is_gone


class Porter(Intake):
    """An intake that remembers what it was asked, and refuses when told to."""

    def __init__(self) -> None:
        self.is_open = True
        self.asks: list[Ask] = []
        self.askers: list[tuple[int, Asker]] = []
        self.first: UserError | None = None
        """Refuses at once, before the wish is acknowledged."""
        self.second: Exception | None = None
        """Refuses after a look at the picture."""

    def check(self, picture_size: int) -> None:
        assert picture_size == len(PHOTO[1])
        if self.first is not None:
            raise self.first

    async def admit(self, guild_id: int, asker: Asker) -> None:
        self.askers.append((guild_id, asker))

    async def accept(self, ask: Ask) -> Admitted:
        self.asks.append(ask)
        # Before the refusal too: SimCord, unlike Discord, takes no follow-up after "thinking…" was
        # deleted. `test_bad_input.py` has that, with the local Discord.
        assert ask.reply is not None
        await ask.reply(words.Note("⏳ Queued", "You're next.", words.Tone.WORKING))
        if self.second is not None:
            raise self.second
        return Admitted.__new__(Admitted)


class Mute(Delivery):
    """Nothing waits to be said here."""

    def __init__(self) -> None:
        """Have no client."""

    def show_again(self, guild_id: int, channel_id: int | None = None) -> None:
        del guild_id, channel_id


class EmptyShelf(Shelf):
    """Nothing waits to be posted here."""

    def __init__(self) -> None:
        """Have no database."""

    async def offer(self, guild_id: int, channel_id: int | None = None) -> int:
        del guild_id, channel_id
        return 0

    async def waiting(self, member_id: int | None = None) -> Waiting:
        del member_id
        return NOTHING


class Wishes(Members):
    """Everybody has set the same, usually nothing."""

    def __init__(self, wished: MemberSettings | None = None) -> None:
        self.wished = wished or MemberSettings()
        self.problem: StoreError | None = None
        self.takes = 0.0

    async def settings(self, member_id: int) -> MemberSettings:
        del member_id
        await asyncio.sleep(self.takes)
        if self.problem is not None:
            raise self.problem
        return self.wished


def rooms(intake: Intake, desk: Desk | None = None, members: Members | None = None) -> Rooms:
    """What is behind the doors: an intake, and little else."""
    return Rooms(
        intake=intake,
        cancellation=Cancellation.__new__(Cancellation),
        delivery=Mute(),
        desk=desk or NoDesk(),
        docket=Docket.__new__(Docket),
        mediator=Mediator.__new__(Mediator),
        members=members or Wishes(),
        policies=Policies.__new__(Policies),
        rulebook=Rulebook.__new__(Rulebook),
        drafts=Drafts.__new__(Drafts),
        whispers=Whispers(lambda: 0.0),
        rehearsal=Rehearsal.__new__(Rehearsal),
        history=History.__new__(History),
        privacy=Privacy.__new__(Privacy),
        reissue=Reissue.__new__(Reissue),
        removal=Removal.__new__(Removal),
        shelf=EmptyShelf(),
    )


@dataclass(slots=True)
class Door:
    """The door, with Discord before it and the porter behind."""

    env: Env
    porter: Porter
    wishes: Wishes
    channel: ChannelHandle
    mia: MemberActor

    async def animate(self, **options: Any) -> InteractionResult:
        return await self.mia.slash(self.channel, "animate", image=PHOTO, **options)


@asynccontextmanager
async def door(model_id: str = KLING, denied: str = "") -> AsyncIterator[Door]:
    """Open the door for a model, in a channel where the bot lacks the permission `denied`."""
    bot, porter, wishes = AnimateBot(), Porter(), Wishes()
    await bot.load(model(model_id))
    bot.open_doors(rooms(porter, members=wishes))
    async with simcord.run(bot, settle_timeout=30.0) as env:
        guild = env.create_guild()
        assert bot.user is not None
        overwrite = discord.PermissionOverwrite(**dict.fromkeys(denied.split(), False))
        channel = guild.create_text_channel("studio", overwrites={bot.user: overwrite})
        mia = guild.add_member(env.create_user("mia"))
        await bot.tree.sync()
        yield Door(env, porter, wishes, channel, mia)


def options(command_model: Model) -> dict[str, dict[str, Any]]:
    """The command's options by name, as Discord gets them."""
    bot = AnimateBot()
    return {one["name"]: one for one in animate_command(command_model).to_dict(bot.tree)["options"]}


def said(result: InteractionResult) -> str:
    """What the answer to a command says; there is one embed."""
    assert result.response is not None
    (embed,) = result.response.embeds
    return f"{embed.title}\n{embed.description}"


# --- What the command offers ---------------------------------------------------------------------


def test_a_model_without_prompts_has_no_option_for_one() -> None:
    offered = options(model(KLING))
    assert list(offered) == [
        *("image", "duration", "shape", "fit", "guidance", "results"),
        *("private", "spoiler", "preview"),
    ]
    assert offered["image"]["type"] == ATTACHMENT
    assert [name for name, one in offered.items() if one.get("required")] == ["image"]


def test_a_model_that_needs_a_prompt_requires_one_and_takes_a_negative() -> None:
    offered = options(model(TURBO))
    assert list(offered) == [
        *("image", "prompt", "duration", "guidance", "negative", "results"),
        *("private", "spoiler", "preview"),
    ]
    assert [name for name, one in offered.items() if one.get("required")] == ["image", "prompt"]
    assert offered["prompt"]["min_length"] == 2
    assert offered["prompt"]["max_length"] == 2000
    assert not offered["negative"].get("required")
    assert offered["negative"]["min_length"] == 2


def test_choices_and_ranges_are_those_of_the_record() -> None:
    offered = options(model(KLING))
    durations = offered["duration"]
    assert durations["type"] == NUMBER
    assert [(one["name"], one["value"]) for one in durations["choices"]] == [
        ("5 seconds", 5.0),
        ("10 seconds", 10.0),
    ]
    shapes = offered["shape"]
    assert shapes["type"] == TEXT
    assert [one["value"] for one in shapes["choices"]] == [
        *("auto", "wide 16:9", "square 1:1", "tall 9:16")
    ]
    assert (offered["guidance"]["min_value"], offered["guidance"]["max_value"]) == (0, 1)
    assert offered["results"]["type"] == INTEGER
    assert (offered["results"]["min_value"], offered["results"]["max_value"]) == (1, 4)


def test_what_a_model_cannot_do_is_not_offered() -> None:
    plain = model(KLING).model_copy(
        update={"durations": (5.0,), "sizes": (), "guidance": None, "most_results": 1}
    )
    assert list(options(plain)) == ["image", "private", "spoiler", "preview"]


def test_a_model_that_takes_a_seed_offers_one_in_its_range() -> None:
    seeded = model(KLING).model_copy(update={"seed": SeedRule(least=1, most=100)})
    offered = options(seeded)["seed"]
    assert offered["type"] == INTEGER
    assert (offered["min_value"], offered["max_value"]) == (1, 100)


@pytest.mark.parametrize("name", [KLING, TURBO])
def test_the_command_is_for_servers_and_described_in_full(name: str) -> None:
    command = animate_command(model(name)).to_dict(AnimateBot().tree)
    assert command["contexts"] == [0]
    assert command["integration_types"] == [0]
    assert 1 <= len(command["description"]) <= 100
    for option in command["options"]:
        assert 1 <= len(option["description"]) <= 100
        assert option["description"] != "…"


# --- What becomes of a wish ----------------------------------------------------------------------


async def test_a_bare_wish_is_acknowledged_in_public_and_handed_on_with_no_options() -> None:
    async with door() as here:
        result = await here.animate()

        (ask,) = here.porter.asks
        assert result.acknowledged
        assert not result.ephemeral
        assert said(result) == "⏳ Queued\nYou're next."
        assert ask.member_id == here.mia.id
        assert ask.channel_id == here.channel.id
        assert ask.guild_id == here.mia.guild.id
        assert result.response is not None
        assert ask.status_message_id == result.response.id
        assert ask.picture_url.endswith("/photo.png")
        left_open = (ask.duration, ask.guidance, ask.results, ask.prompt, ask.negative)
        assert left_open == (None,) * 5
        assert ask.wish.shape == "auto"


async def test_every_option_is_handed_on_as_it_was_given() -> None:
    async with door() as here:
        await here.animate(duration=10.0, shape="tall 9:16", guidance=0.25, results=3)
        (ask,) = here.porter.asks
        assert (ask.duration, ask.wish.shape, ask.guidance, ask.results) == (
            10.0,
            "tall 9:16",
            0.25,
            3,
        )


async def test_what_is_left_open_is_as_the_member_has_set_it() -> None:
    async with door() as here:
        here.wishes.wished = MemberSettings(duration=10.0, shape="tall 9:16", fit=Fit.PAD)
        await here.animate()
        await here.animate(duration=5.0, shape="square 1:1", fit="crop")
        left, said_so = here.porter.asks
        assert (left.duration, left.wish.shape, left.wish.fit) == (10.0, "tall 9:16", Fit.PAD)
        assert (said_so.duration, said_so.wish.shape, said_so.wish.fit) == (
            *(5.0, "square 1:1"),
            Fit.CROP,
        )


async def test_a_setting_that_the_model_does_not_have_is_left_to_the_model() -> None:
    async with door() as here:
        here.wishes.wished = MemberSettings(duration=7.0, shape="round")
        await here.animate()
        (ask,) = here.porter.asks
        assert (ask.duration, ask.wish.shape) == (None, "auto")


@pytest.mark.parametrize("is_set", [True, False], ids=["by its member", "by the option"])
async def test_a_private_clip_is_acknowledged_privately_and_its_answer_goes_along(
    is_set: bool,
) -> None:
    async with door(denied="send_messages") as here:
        here.wishes.wished = MemberSettings(is_private=is_set)
        result = await here.animate(**({} if is_set else {"private": True}))
        (ask,) = here.porter.asks
        assert result.ephemeral
        assert ask.wish.is_private
        assert ask.status_message_id is None
        assert ask.answer is not None
        assert ask.answer.token


async def test_a_member_who_is_private_by_default_may_say_otherwise() -> None:
    async with door() as here:
        here.wishes.wished = MemberSettings(is_private=True)
        result = await here.animate(private=False, spoiler=True)
        (ask,) = here.porter.asks
        assert not result.ephemeral
        assert ask.answer is None
        assert (ask.wish.is_private, ask.wish.is_spoiler) == (False, True)


async def test_where_the_settings_cannot_be_read_nothing_is_started_for_it_may_be_private() -> None:
    async with door() as here:
        here.wishes.problem = StoreError()
        result = await here.animate()
        assert result.ephemeral
        assert "Not taking new clips" in said(result)
        assert here.porter.asks == []


@pytest.mark.parametrize("is_private", [True, False])
async def test_where_the_settings_take_too_long_the_answer_is_private_whatever_they_say(
    is_private: bool,
) -> None:
    async with door() as here:
        here.wishes.wished = MemberSettings(is_private=is_private)
        here.wishes.takes = 1.2
        result = await here.animate()
        (ask,) = here.porter.asks
        assert result.ephemeral
        assert ask.answer is not None
        assert ask.wish.is_private is is_private


async def test_a_prompt_is_handed_on_to_a_model_that_takes_one() -> None:
    async with door(TURBO) as here:
        await here.animate(prompt="the cat waves", negative="people")
        (ask,) = here.porter.asks
        assert (ask.prompt, ask.negative) == ("the cat waves", "people")


async def test_the_client_asks_for_the_prompt_that_a_model_needs() -> None:
    async with door(TURBO) as here:
        with pytest.raises(simcord.OptionError, match="prompt"):
            await here.animate()
        assert here.porter.asks == []


async def test_each_wish_has_a_source_of_its_own() -> None:
    async with door() as here:
        await here.animate()
        await here.animate()
        one, other = here.porter.asks
        assert one.source.startswith("interaction:")
        assert one.source != other.source


# --- Refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("denied", "missing"),
    [
        ("attach_files", "Attach Files"),
        ("embed_links", "Embed Links"),
        ("send_messages", "Send Messages"),
        ("attach_files embed_links", "Attach Files, Embed Links"),
    ],
)
async def test_where_the_bot_lacks_a_permission_it_names_it_privately_and_starts_nothing(
    denied: str, missing: str
) -> None:
    async with door(denied=denied) as here:
        result = await here.animate()
        assert result.ephemeral
        assert not result.deferred
        assert f"I need {missing}" in said(result)
        assert NOT_CHARGED in said(result)
        assert here.porter.asks == []


@pytest.mark.parametrize(
    "error", [NotAccepting(), AccountPaused(), PictureRefused(PictureProblem.EMPTY)]
)
async def test_what_is_refused_at_once_is_answered_privately_without_thinking(
    error: UserError,
) -> None:
    async with door() as here:
        here.porter.first = error
        result = await here.animate()
        assert result.ephemeral
        assert not result.deferred
        assert NOT_CHARGED in said(result)
        assert here.porter.asks == []


@pytest.mark.parametrize(
    ("error", "title"),
    [
        (PictureRefused(PictureProblem.DAMAGED), "Can't read that picture"),
        (
            LimitReached(
                whom="member",
                period="month",
                limit_micro=5_000_000,
                spent_micro=5_000_000,
                held_micro=0,
                left_micro=0,
                wanted_micro=184_800,
                resets_at=1_796_083_200,
            ),
            "limit reached",
        ),
        (NotAccepting(), "Not taking new clips"),
        (AccountPaused(), "Paused"),
    ],
)
async def test_what_is_refused_after_a_look_replaces_the_public_placeholder_by_a_private_word(
    error: UserError, title: str
) -> None:
    async with door() as here:
        here.porter.second = error
        result = await here.animate()
        assert result.response is None, "the public placeholder is still there"
        (followup,) = result.followups
        assert followup.ephemeral
        (embed,) = followup.embeds
        assert title in str(embed.title)
        assert NOT_CHARGED in str(embed.description)
        assert "**" not in str(embed.title)


async def test_what_becomes_of_a_refusal_later_takes_the_place_of_the_private_word() -> None:
    async with door() as here:
        here.porter.second = ConsentNeeded(5, 1_796_083_200)
        result = await here.animate()
        reply = here.porter.asks[-1].reply
        assert reply is not None
        await reply(words.Note("🙋 Its author agreed", "It is being made.", words.Tone.DONE))
        (followup,) = result.followups
        assert followup.ephemeral
        assert followup.embeds[0].title == "🙋 Its author agreed"


async def test_help_offers_no_answer_to_a_message_where_the_bot_may_not_read_it() -> None:
    async with door() as here:
        result = await here.mia.slash(here.channel, "help")
        assert result.response is not None
        text = str(result.response.embeds[0].description)
        assert "*Apps* and *Animate*." in text
        assert "mention me" not in text


async def test_a_bug_behind_the_door_is_logged_and_told_as_one_without_its_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with door() as here:
        here.porter.second = RuntimeError("the secret inner life")
        result = await here.animate()
        (followup,) = result.followups
        assert followup.ephemeral
        (embed,) = followup.embeds
        assert "Something broke on my side" in str(embed.title)
        assert NOT_CHARGED in str(embed.description)
        assert "secret" not in str(embed.to_dict())
    assert "the secret inner life" in caplog.text


async def test_an_acknowledgement_that_discord_refuses_starts_nothing() -> None:
    async with door() as here:
        here.env.inject_error("POST", "/interactions/*/callback", status=404, code=10062)
        await here.animate()
        assert here.porter.asks == []


Defer = Callable[..., Awaitable[Any]]


def acknowledged(monkeypatch: pytest.MonkeyPatch, wrap: Callable[[Defer], Defer]) -> None:
    """Change what becomes of the answer to a defer."""
    monkeypatch.setattr(
        discord.InteractionResponse, "defer", wrap(discord.InteractionResponse.defer)
    )


def http_error(status: int, code: int) -> discord.HTTPException:
    response = SimpleNamespace(status=status, reason="")
    return discord.HTTPException(response, {"code": code})


LOST = [
    aiohttp.ServerDisconnectedError(),
    OSError(),
    TimeoutError(),
    http_error(400, 40060),
    http_error(502, 0),
]


@pytest.mark.parametrize("problem", LOST, ids=repr)
async def test_an_acknowledgement_that_discord_took_though_its_answer_was_lost_goes_on(
    monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    def lost(defer: Defer) -> Defer:
        async def wrapped(*given: Any, **named: Any) -> None:
            await defer(*given, **named)
            raise problem

        return wrapped

    acknowledged(monkeypatch, lost)
    async with door() as here:
        result = await here.animate()
        (ask,) = here.porter.asks
        assert result.response is not None
        assert ask.status_message_id == result.response.id
        assert said(result) == "⏳ Queued\nYou're next."


@pytest.mark.parametrize("problem", LOST, ids=repr)
async def test_an_acknowledgement_that_discord_never_took_starts_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, problem: Exception
) -> None:
    def lost(_defer: Defer) -> Defer:
        async def wrapped(*_given: Any, **_named: Any) -> None:
            raise problem

        return wrapped

    caplog.set_level("INFO")
    acknowledged(monkeypatch, lost)
    async with door() as here:
        await here.animate()
        assert here.porter.asks == []
    (line,) = [one for one in caplog.records if one.name == "bot.answering"]
    assert line.levelname == "INFO"
    assert "nothing was started" in line.message
    assert line.exc_info is None


async def test_an_acknowledgement_that_does_not_name_its_placeholder_is_asked_for_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nameless(defer: Defer) -> Defer:
        async def wrapped(*given: Any, **named: Any) -> Any:
            answer = await defer(*given, **named)
            answer.message_id = None
            return answer

        return wrapped

    acknowledged(monkeypatch, nameless)
    async with door() as here:
        result = await here.animate()
        (ask,) = here.porter.asks
        assert result.response is not None
        assert ask.status_message_id == result.response.id


async def test_a_refusal_that_cannot_be_shown_is_no_crash(caplog: pytest.LogCaptureFixture) -> None:
    async with door() as here:
        here.porter.second = NotAccepting()
        here.env.inject_error("POST", "/webhooks/*", status=404, code=10015)
        await here.animate()
    assert "a refusal could not be shown: HTTP 404, code 10015" in caplog.text
    assert "broke" not in caplog.text


async def test_a_placeholder_that_a_moderator_has_deleted_keeps_nothing_from_its_sender() -> None:
    async with door() as here:
        here.porter.second = NotAccepting()
        here.env.inject_error("DELETE", "/webhooks/*", status=404, code=10008)
        (followup,) = (await here.animate()).followups
        assert followup.ephemeral
        assert NOT_CHARGED in str(followup.embeds[0].description)


@pytest.mark.parametrize(
    "problem", [http_error(403, 50001), aiohttp.ServerDisconnectedError(), TimeoutError()], ids=repr
)
async def test_a_placeholder_that_cannot_be_deleted_becomes_the_refusal(
    monkeypatch: pytest.MonkeyPatch, problem: Exception
) -> None:
    async def stays(_interaction: Any) -> None:
        raise problem

    monkeypatch.setattr(discord.Interaction, "delete_original_response", stays)
    async with door() as here:
        here.porter.second = NotAccepting()
        result = await here.animate()
        assert "Not taking new clips" in said(result)
        assert NOT_CHARGED in said(result)
        assert result.followups == []


async def test_of_a_placeholder_that_everybody_sees_nobody_learns_what_was_spent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def stays(_interaction: Any) -> None:
        raise TimeoutError

    monkeypatch.setattr(discord.Interaction, "delete_original_response", stays)
    async with door() as here:
        here.porter.second = TooManyAtOnce("server", 20, 20)
        result = await here.animate()
        assert "`/usage me` shows you alone" in said(result)
        assert "20" not in said(result)


async def test_a_placeholder_whose_deletion_was_not_confirmed_is_followed_by_a_private_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    delete = discord.Interaction.delete_original_response

    async def unconfirmed(interaction: Any) -> None:
        await delete(interaction)
        raise aiohttp.ServerDisconnectedError

    monkeypatch.setattr(discord.Interaction, "delete_original_response", unconfirmed)
    async with door() as here:
        here.porter.second = NotAccepting()
        (followup,) = (await here.animate()).followups
        assert followup.ephemeral


@pytest.mark.parametrize("problem", LOST, ids=repr)
async def test_a_refusal_that_is_lost_after_the_deletion_is_logged_without_a_token(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, problem: Exception
) -> None:
    async def lost(*_given: Any, **_named: Any) -> None:
        raise problem

    monkeypatch.setattr(discord.Webhook, "send", lost)
    async with door() as here:
        here.porter.second = NotAccepting()
        await here.animate()
    (line,) = [one for one in caplog.records if one.name == "bot.answering"]
    assert line.levelname == "ERROR"
    assert line.message.startswith("a refusal could not be shown: ")
    assert line.exc_info is None
    assert "webhooks" not in line.message


async def test_a_wish_from_before_the_doors_are_open_waits_for_them() -> None:
    async with door() as here:
        bot = here.env.bot
        assert isinstance(bot, AnimateBot)
        bot.doors_are_open.clear()
        asyncio.get_running_loop().call_later(0.2, bot.doors_are_open.set)
        result = await here.animate()
        assert result.acknowledged
        assert len(here.porter.asks) == 1
