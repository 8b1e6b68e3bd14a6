"""A person played by code: waiting, watching, and acting in several windows."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.sandbox.discord import LocalDiscord
from bot.sandbox.person import Person
from tests.sandbox.discord_client import PING, Api, commands, connected, discord, png


@pytest.fixture
async def server() -> AsyncIterator[LocalDiscord]:
    async with LocalDiscord() as running:
        yield running


@pytest.fixture
async def mia(server: LocalDiscord) -> AsyncIterator[Person]:
    async with Person(server.url, "Mia") as person:
        yield person


@pytest.mark.parametrize("name", ["Mia", "mia"])
async def test_a_person_is_known_by_name_or_id(server: LocalDiscord, name: str) -> None:
    async with Person(server.url, name) as person, Person(server.url, person.id) as same:
        assert same.id == person.id


async def test_waiting_finds_what_is_there_and_what_comes(mia: Person) -> None:
    first = await mia.send("first")
    assert (await mia.wait_for(lambda one: one["content"] == "first"))["id"] == first["id"]
    coming = asyncio.create_task(mia.wait_for(lambda one: one["content"] == "second"))
    await asyncio.sleep(0)
    second = await mia.send("second")
    assert (await coming)["id"] == second["id"]


async def test_waiting_ends(mia: Person) -> None:
    with pytest.raises(TimeoutError):
        await mia.wait_for(lambda _one: False, within=0.05)


async def test_a_later_window_sees_what_was_said_before(server: LocalDiscord, mia: Person) -> None:
    message = await mia.send("look", await mia.attach(png(), "cat.png"), channel="general")
    await mia.react(message, "🎬")
    async with Person(server.url, "Noah", channel="general") as noah:
        [seen] = noah.messages()
        assert seen["id"] == message["id"]
        assert seen["reactions"][0]["me"] is False
        assert noah.messages("studio") == []


async def test_two_windows_of_one_person_see_the_same(server: LocalDiscord, mia: Person) -> None:
    async with Api(server) as api, Person(server.url, "Mia") as again:
        await api.register(PING)
        started = await mia.command("ping")
        await api.callback(started, 4, {"content": "psst", "flags": 64})
        for window in (mia, again):
            assert (await window.wait_for_reply(started))["content"] == "psst"


async def test_a_reply_pings_unless_told_not_to(mia: Person) -> None:
    first = await mia.send("first")
    loud = await mia.send("loud", reply_to=first)
    quiet = await mia.send("quiet", reply_to=first, ping=False)
    assert [one["id"] for one in loud["mentions"]] == [mia.id]
    assert quiet["mentions"] == []
    assert quiet["referenced_message"]["content"] == "first"


async def test_a_person_speaks_only_where_they_see(mia: Person) -> None:
    with pytest.raises(KeyError):
        await mia.send("hello", channel="secret")


async def test_many_commands_at_once_each_find_their_answer(
    server: LocalDiscord, mia: Person
) -> None:
    async with Api(server) as api:
        await api.register(PING)
        started = await asyncio.gather(*(mia.command("ping") for _ in range(50)))
        for number, one in enumerate(started):
            await api.callback(one, 4, {"content": str(number)})
        replies = await asyncio.gather(*(mia.wait_for_reply(one) for one in started))
    assert [one["content"] for one in replies] == [str(number) for number in range(50)]


class Panel(discord.ui.View):
    """Buttons and menus, one of each sort that a person names by what they read."""

    def __init__(self) -> None:
        super().__init__(timeout=None)

    @discord.ui.button(label="Again", custom_id="again", emoji="🔄")
    async def again(self, interaction: discord.Interaction[Any], _button: Any) -> None:
        await interaction.response.send_modal(Wish(custom_id="wish"))

    @discord.ui.button(emoji="🗑️", custom_id="delete")
    async def delete(self, interaction: discord.Interaction[Any], _button: Any) -> None:
        await interaction.response.send_message("no", ephemeral=True)

    @discord.ui.button(label="Cancel", custom_id="cancel", disabled=True)
    async def cancel(self, _interaction: discord.Interaction[Any], _button: Any) -> None:
        raise AssertionError

    @discord.ui.select(
        custom_id="shape",
        placeholder="Which shape?",
        options=[discord.SelectOption(label="Wide", value="16:9")],
    )
    async def shape(self, interaction: discord.Interaction[Any], select: Any) -> None:
        await interaction.response.send_message(f"shape {select.values[0]}")

    @discord.ui.select(
        cls=discord.ui.MentionableSelect, custom_id="whom", placeholder="Whom?", max_values=2
    )
    async def whom(self, interaction: discord.Interaction[Any], select: Any) -> None:
        await interaction.response.send_message(" ".join(one.name for one in select.values))


class Wish(discord.ui.Modal, title="Animate again"):
    """Fields of which most are as the person wants them already."""

    words = discord.ui.Label(
        text="What happens?",
        component=discord.ui.TextInput[Any](custom_id="words", default="wave"),
    )
    length = discord.ui.Label(
        text="How long?",
        component=discord.ui.RadioGroup[Any](
            custom_id="length",
            options=[
                discord.RadioGroupOption(label="5 seconds", value="5", default=True),
                discord.RadioGroupOption(label="10 seconds", value="10"),
            ],
        ),
    )
    private = discord.ui.Label(
        text="Only for me", component=discord.ui.Checkbox[Any](custom_id="private")
    )

    async def on_submit(self, interaction: discord.Interaction[Any], /) -> None:
        parts: list[Any] = [self.words.component, self.length.component, self.private.component]
        text, length, private = parts
        words = f"wish {text.value} {length.value} {private.value}"
        await interaction.response.send_message(words)


def panelled(bot: commands.Bot) -> None:
    @bot.tree.command(description="Show the panel")
    async def panel(interaction: discord.Interaction[Any]) -> None:
        await interaction.response.send_message("the panel", view=Panel())

    @bot.tree.context_menu(name="Look")
    async def look(interaction: discord.Interaction[Any], message: discord.Message) -> None:
        await interaction.response.send_message(f"seen {message.content}")

    @bot.tree.context_menu(name="Wave")
    async def wave(interaction: discord.Interaction[Any], user: discord.Member) -> None:
        await interaction.response.send_message(f"hello {user.display_name}")


async def test_a_person_uses_what_a_bot_offers_by_the_words_on_it(
    server: LocalDiscord, mia: Person
) -> None:
    async with connected(server, panelled), Person(server.url, "Noah") as noah:
        panel = await mia.wait_for_reply(await mia.command("panel"))
        assert mia.buttons(panel) == ["Again", "🗑️"]
        await noah.press(panel, "🗑️")
        await noah.sees("no", by="bot")
        await mia.choose(panel, "Which shape?", "Wide")
        await mia.sees("shape 16:9")
        await mia.choose(panel, "whom", "Noah", "Supporter")
        await mia.sees("noah Supporter")
        with pytest.raises(LookupError, match="Again, 🗑️, Cancel, Which shape"):
            await mia.press(panel, "Agian")

        asked = await mia.press(panel, "Again")
        assert (await mia.form(asked))["title"] == "Animate again"
        await mia.submit(asked, {"How long?": "10 seconds"}, words="jump")
        await mia.sees("wish jump 10 False")
        await mia.submit(await mia.press(panel, "Again"), private=True)
        await mia.sees("wish wave 5 True")


async def test_a_person_names_others_as_they_see_them(server: LocalDiscord, mia: Person) -> None:
    async with connected(server, panelled), Person(server.url, "Noah") as noah:
        picture = await mia.send("look, @Noah", await mia.attach(png(), "cat.png"))
        assert [one["id"] for one in picture["mentions"]] == [noah.id]
        await noah.menu(picture, "Look")
        await noah.sees(f"seen look, <@{noah.id}>", channel="#studio", by="bot")
        await noah.user_menu("Mia", "Wave")
        await mia.sees("hello Mia")
        reply = await noah.reply(picture, "@bot 10s", ping=False)
        assert [one["username"] for one in reply["mentions"]] == ["animate-bot"]
        await noah.react(picture, "🎬")
        await mia.wait_for_reaction(picture, "🎬")
        assert mia.reactions(picture) == {"🎬": 1}
        await mia.delete(picture)
        await noah.wait_until_gone(picture)
        with pytest.raises(TimeoutError):
            await noah.sees("cat.png", within=0.05)
