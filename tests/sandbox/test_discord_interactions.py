"""What an app may answer to an interaction, in which order and how late; what people see of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bot.sandbox.discord import Limits, LocalDiscord
from bot.sandbox.person import Person, PersonError, Started
from tests.sandbox.discord_client import JSON, PING, Api

DEFERRED, EPHEMERAL, LOADING = 5, 64, 128


@dataclass
class Scene:
    """Mia and Noah in the studio, and an app that is called by hand."""

    server: LocalDiscord
    api: Api
    mia: Person
    noah: Person

    async def ping(self) -> Started:
        """Mia types /ping."""
        return await self.mia.command("ping")

    def limit(self, **changes: object) -> None:
        """Change limits."""
        self.server.set_limits(changes)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    async with (
        LocalDiscord(limits=Limits(rate_limits_enabled=False)) as server,
        Api(server) as api,
        Person(server.url, "Mia") as mia,
        Person(server.url, "Noah") as noah,
    ):
        await api.register(PING)
        yield Scene(server, api, mia, noah)


async def test_a_deferred_answer_says_that_the_app_is_thinking_until_it_is_edited(
    scene: Scene,
) -> None:
    started = await scene.ping()
    status, body = await scene.api.callback(started, DEFERRED)
    assert status == 200
    about = body["interaction"]
    assert about["response_message_loading"] is True
    assert about["response_message_ephemeral"] is False
    assert "resource" not in body
    thinking = await scene.mia.wait_for(lambda one: one["id"] == about["response_message_id"])
    assert thinking["flags"] == LOADING
    assert thinking["type"] == 20
    status, edited = await scene.api.webhook(
        started, "PATCH", "/messages/@original", {"content": "done"}
    )
    assert (status, edited["flags"], edited["edited_timestamp"]) == (200, 0, None)
    status, edited = await scene.api.webhook(
        started, "PATCH", "/messages/@original", {"content": "done twice"}
    )
    assert edited["edited_timestamp"] is not None


async def test_a_follow_up_while_thinking_becomes_the_answer_and_its_flags_are_ignored(
    scene: Scene,
) -> None:
    started = await scene.ping()
    _, body = await scene.api.callback(started, DEFERRED)
    status, message = await scene.api.webhook(
        started, "POST", payload={"content": "here", "flags": EPHEMERAL}
    )
    assert status == 200
    assert message["id"] == body["interaction"]["response_message_id"]
    assert message["flags"] == 0
    await scene.noah.wait_for(lambda one: one["content"] == "here")


async def test_after_the_answer_is_deleted_a_follow_up_is_new_and_may_be_ephemeral(
    scene: Scene,
) -> None:
    started = await scene.ping()
    _, body = await scene.api.callback(started, DEFERRED)
    assert (await scene.api.webhook(started, "DELETE", "/messages/@original"))[0] == 204
    status, message = await scene.api.webhook(
        started, "POST", payload={"content": "psst", "flags": EPHEMERAL}
    )
    assert status == 200
    assert message["id"] != body["interaction"]["response_message_id"]
    assert message["flags"] == EPHEMERAL
    await scene.mia.wait_for(lambda one: one["content"] == "psst")
    assert scene.noah.messages() == []
    status, refused = await scene.api.webhook(started, "GET", "/messages/@original")
    assert (status, refused["code"]) == (404, 10008)


async def test_an_ephemeral_answer_is_for_its_invoker_and_out_of_reach_of_the_bot_token(
    scene: Scene,
) -> None:
    started = await scene.ping()
    _, body = await scene.api.callback(started, 4, {"content": "only you", "flags": EPHEMERAL})
    message = body["resource"]["message"]
    assert message["flags"] == EPHEMERAL
    await scene.mia.wait_for(lambda one: one["id"] == message["id"])
    path = f"/channels/{message['channel_id']}/messages/{message['id']}"
    for method in ("GET", "PATCH", "DELETE"):
        status, refused = await scene.api.call(method, path, {"content": "x"})
        assert (status, refused["code"]) == (404, 10008)
    status, listed = await scene.api.call("GET", f"/channels/{message['channel_id']}/messages")
    assert (status, listed) == (200, [])
    assert scene.noah.messages() == []


async def test_the_flags_of_a_defer_decide_and_a_later_edit_cannot_hide_the_answer(
    scene: Scene,
) -> None:
    started = await scene.ping()
    await scene.api.callback(started, DEFERRED)
    _, edited = await scene.api.webhook(
        started, "PATCH", "/messages/@original", {"content": "x", "flags": EPHEMERAL}
    )
    assert edited["flags"] == 0


async def test_an_answer_after_three_seconds_finds_no_interaction(scene: Scene) -> None:
    scene.limit(interaction_deadline_s=0.05)
    started = await scene.ping()
    failed = await scene.mia.wait_for_state(started, "failed")
    assert failed["reason"] == "The application did not respond"
    status, refused = await scene.api.callback(started, DEFERRED)
    assert (status, refused["code"]) == (404, 10062)


async def test_an_unknown_interaction_cannot_be_answered(scene: Scene) -> None:
    status, refused = await scene.api.call("POST", "/interactions/1/none/callback", {"type": 5})
    assert (status, refused) == (404, {"message": "Unknown interaction", "code": 10062})


async def test_a_second_answer_is_one_too_many(scene: Scene) -> None:
    started = await scene.ping()
    answers = await asyncio.gather(
        scene.api.callback(started, DEFERRED), scene.api.callback(started, DEFERRED)
    )
    assert sorted(status for status, _ in answers) == [200, 400]
    assert {body.get("code") for _, body in answers} == {None, 40060}


async def test_a_refused_form_leaves_the_interaction_to_be_answered(scene: Scene) -> None:
    started = await scene.ping()
    status, refused = await scene.api.callback(started, 4, {"content": "x" * 2001})
    assert (status, refused["code"]) == (400, 50035)
    assert "content" in refused["errors"]
    assert (await scene.api.callback(started, 4, {"content": "short"}))[0] == 200


async def test_a_token_dies_with_its_quarter_of_an_hour(scene: Scene) -> None:
    scene.limit(token_life_s=0.1)
    started = await scene.ping()
    await scene.api.callback(started, DEFERRED)
    await asyncio.sleep(0.15)
    for method, tail in (("PATCH", "/messages/@original"), ("POST", "")):
        status, refused = await scene.api.webhook(started, method, tail, {"content": "x"})
        assert (status, refused) == (401, {"message": "Invalid Webhook Token", "code": 50027})


async def test_a_webhook_call_before_the_answer_finds_nothing(scene: Scene) -> None:
    started = await scene.ping()
    status, refused = await scene.api.webhook(started, "POST", payload={"content": "x"})
    assert (status, refused["code"]) == (404, 10015)


async def test_answers_are_not_bound_by_the_bots_permissions_in_the_channel(scene: Scene) -> None:
    started = await scene.mia.command("ping", "gallery")
    assert (await scene.api.callback(started, 4, {"content": "hello"}))[0] == 200
    await scene.mia.wait_for(lambda one: one["content"] == "hello")


async def test_a_pressed_button_can_update_its_message_or_add_one(scene: Scene) -> None:
    button = {"type": 2, "style": 1, "label": "More", "custom_id": "more"}
    shown = {"content": "one", "components": [{"type": 1, "components": [button]}]}
    _, body = await scene.api.callback(await scene.ping(), 4, shown)
    message = body["resource"]["message"]
    pressed = await scene.noah.press(message, "more")
    assert (await scene.api.callback(pressed, 6))[0] == 200
    status, edited = await scene.api.webhook(
        pressed, "PATCH", "/messages/@original", {"content": "two"}
    )
    assert (status, edited["id"]) == (200, message["id"])
    pressed = await scene.noah.press(message, "more")
    _, body = await scene.api.callback(pressed, 4, {"content": "three"})
    added = body["resource"]["message"]
    assert added["interaction_metadata"]["interacted_message_id"] == message["id"]
    assert added["message_reference"]["message_id"] == message["id"]


async def test_an_autocompletion_takes_choices_only(scene: Scene) -> None:
    started = await scene.mia.send_raw({"kind": "autocomplete", "name": "ping", "options": []})
    status, refused = await scene.api.callback(started, 4, {"content": "x"})
    assert (status, refused["code"]) == (400, 50035)
    choices = [{"name": "A", "value": "a"}]
    assert (await scene.api.callback(started, 8, {"choices": choices}))[0] == 200
    state = await scene.mia.wait_for_state(started, "choices")
    assert state["choices"] == choices


async def test_an_interaction_in_a_channel_that_is_gone_has_nowhere_to_answer(
    scene: Scene,
) -> None:
    started = await scene.ping()
    await scene.api.callback(started, DEFERRED)
    channel = scene.server.world.channels.pop(scene.api.channel("studio"))
    assert channel.name == "studio"
    status, refused = await scene.api.webhook(
        started, "PATCH", "/messages/@original", {"content": "x"}
    )
    assert (status, refused["code"]) == (404, 10003)


async def test_a_reply_to_an_answer_is_no_mention_unless_the_answer_was_a_message(
    scene: Scene,
) -> None:
    _, body = await scene.api.callback(await scene.ping(), 4, {"content": "hi <@1>"})
    assert body["resource"]["message"]["mentions"] == []
    _, body = await scene.api.callback(
        await scene.ping(), 4, {"content": f"hi <@{scene.mia.id}> @everyone"}
    )
    message = body["resource"]["message"]
    assert [one["id"] for one in message["mentions"]] == [scene.mia.id]
    assert message["mention_everyone"] is False


async def test_editing_with_the_bot_token_ends_the_thinking_too(scene: Scene) -> None:
    started = await scene.ping()
    _, body = await scene.api.callback(started, DEFERRED)
    about = body["interaction"]
    path = f"/channels/{about['channel_id']}/messages/{about['response_message_id']}"
    status, edited = await scene.api.call("PATCH", path, {"content": "late"})
    assert (status, edited["flags"]) == (200, 0)
    await scene.mia.wait_for_state(started, "done")


async def test_an_answer_may_be_as_large_as_the_persons_own_uploads(scene: Scene) -> None:
    scene.limit(upload_limit_bytes=1000, nitro_upload_limit_bytes=2000)
    started = await scene.ping()
    await scene.api.callback(started, DEFERRED)
    root = f"/webhooks/{scene.server.world.application_id}/{scene.api.token(started)}"
    clip = ("clip.mp4", b"x" * 1500)
    status, _ = await scene.api.upload("PATCH", f"{root}/messages/@original", {}, clip)
    assert status == 200
    status, refused = await scene.api.upload(
        "POST", f"/channels/{scene.api.channel('studio')}/messages", {}, clip
    )
    assert (status, refused["code"]) == (413, 40005)


FORM: JSON = {
    "title": "Animate",
    "custom_id": "form",
    "components": [
        {"type": 10, "content": "Tell us"},
        {"type": 1, "components": [{"type": 4, "custom_id": "old", "label": "Old", "style": 1}]},
        {
            "type": 18,
            "label": "Shape",
            "component": {
                "type": 21,
                "custom_id": "shape",
                "options": [{"label": "Wide", "value": "w"}, {"label": "Square", "value": "s"}],
            },
        },
        {
            "type": 18,
            "label": "Extras",
            "component": {
                "type": 22,
                "custom_id": "extras",
                "required": False,
                "options": [{"label": "A", "value": "a"}, {"label": "B", "value": "b"}],
            },
        },
        {"type": 18, "label": "Sure", "component": {"type": 23, "custom_id": "sure"}},
    ],
}


async def test_a_form_carries_every_kind_of_answer(scene: Scene) -> None:
    started = await scene.ping()
    assert (await scene.api.callback(started, 9, FORM))[0] == 200
    with pytest.raises(PersonError) as refused:
        await scene.mia.submit(started, shape="x", extras=["c"])
    assert refused.value.errors == {
        "old": "This field is required",
        "shape": "Choose one of the listed values",
        "extras": "Choose one of the listed values",
    }
    submitted = await scene.mia.submit(started, old="text", shape="s", extras=["a", "b"], sure=True)
    data = scene.api.interaction(submitted).data
    assert data["custom_id"] == "form"
    answers = data["components"][1:]
    assert answers[0]["components"][0]["value"] == "text"
    assert [one["component"].get("value") for one in answers[1:]] == ["s", None, True]
    assert answers[2]["component"]["values"] == ["a", "b"]


async def test_a_form_must_be_the_first_answer_and_not_to_a_form(scene: Scene) -> None:
    started = await scene.ping()
    await scene.api.callback(started, DEFERRED)
    status, refused = await scene.api.callback(started, 9, FORM)
    assert (status, refused["code"]) == (400, 40060)
    started = await scene.ping()
    await scene.api.callback(started, 9, FORM)
    submitted = await scene.mia.submit(started, old="text", shape="s")
    status, refused = await scene.api.callback(submitted, 9, FORM)
    assert (status, refused["code"]) == (400, 50035)
