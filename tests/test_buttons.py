"""The buttons that come with a clip: which there are, what they say, and their ids."""

import asyncio
import re
from dataclasses import replace

import discord
import pytest

from bot import buttons, labels, words
from bot.lifecycle import Failure, Job, State
from bot.rights import Press, Verb
from tests.conftest import make_job

JOB = make_job(state=State.DELIVERED, message_id=1)


def shown(presses: tuple[Press, ...]) -> list[str]:
    return [f"{one.emoji} {one.label}".strip() for one in presses]


def failed(failure: Failure) -> Job:
    return make_job(state=State.FAILED, failure=failure)


def test_a_short_clip_of_a_model_that_makes_longer_ones_offers_that() -> None:
    assert shown(labels.of_clip(JOB, 10.0)) == [
        *("🔄 Again", "➕ 10 s", "✏️ Edit", "ℹ️ Info", "🗑️ Delete")  # noqa: RUF001
    ]
    assert shown(labels.of_clip(JOB, None)) == ["🔄 Again", "✏️ Edit", "ℹ️ Info", "🗑️ Delete"]  # noqa: RUF001


@pytest.mark.parametrize("state", State)
def test_only_what_was_not_sent_yet_can_be_cancelled(state: State) -> None:
    job = make_job(state=state, failure=Failure.CANCELLED if state is State.FAILED else None)
    verbs = [one.verb for one in labels.of_status(job, has_picture=True)]
    assert verbs == ([Verb.CANCEL] if state is State.QUEUED else [])


@pytest.mark.parametrize("failure", Failure)
def test_what_may_go_better_is_offered_again_with_its_price(failure: Failure) -> None:
    offered = labels.of_status(failed(failure), has_picture=True)
    hopeless = {Failure.DECLINED, Failure.CANCELLED}
    assert shown(offered) == ([] if failure in hopeless else ["Try again – $0.1848"])
    assert not labels.of_status(failed(failure), has_picture=False)


def test_the_status_carries_them_from_the_line_to_the_end() -> None:
    queued = make_job()
    for note in (words.queued(queued, 0), words.paused(queued), words.unanswered(queued)):
        assert shown(note.buttons) == ["Cancel"]
    sent = replace(queued, state=State.RENDERING)
    for note in (words.animating(sent), words.slow(sent), words.done(JOB)):
        assert note.buttons == ()
    assert words.failed(failed(Failure.LOST)).buttons == ()
    assert words.failed(failed(Failure.LOST), has_picture=True).buttons


async def test_a_button_is_read_back_from_its_id() -> None:
    for verb in Verb:
        press = Press(verb, JOB.id, "Say")
        made = buttons.ClipButton(press)
        assert made.custom_id == f"anim:{verb}:{JOB.id}"
        match = made.template.fullmatch(made.custom_id)
        assert match is not None
        again = await buttons.ClipButton.from_custom_id(
            discord.Interaction.__new__(discord.Interaction), made.item, match
        )
        assert again.press == press


@pytest.mark.parametrize(
    "text", ["anim:again", f"anim:AGAIN:{JOB.id}", f"anim:again:{JOB.id}x", "anim:again:../../etc"]
)
def test_what_is_no_id_of_ours_is_no_button(text: str) -> None:
    template: re.Pattern[str] = buttons.ClipButton.__discord_ui_compiled_template__
    assert template.fullmatch(text) is None


async def test_buttons_never_time_out_and_none_are_kept_in_memory() -> None:
    made = buttons.view(labels.of_clip(JOB, 10.0))
    assert made is not None
    assert made.is_persistent()
    assert all(isinstance(one, buttons.ClipButton) for one in made.children)
    await asyncio.sleep(0)


def test_where_there_are_no_buttons_the_old_ones_go() -> None:
    assert buttons.view(()) is None
