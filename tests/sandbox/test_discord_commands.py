"""Registering commands: what replaces what, which ids stay, and what Discord refuses."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.sandbox.discord import LocalDiscord
from tests.sandbox.discord_client import ANIMATE, JSON, PING, Api


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    async with LocalDiscord() as server, Api(server) as client:
        yield client


@pytest.fixture
def path(api: Api) -> str:
    return f"/applications/{api.server.world.application_id}/commands"


async def test_an_overwrite_keeps_the_ids_of_equal_names(api: Api, path: str) -> None:
    first, second = await api.register(ANIMATE, PING)
    assert first["options"][0] == ANIMATE["options"][0]
    [again] = await api.register({**PING, "description": "New"})
    assert again["id"] == second["id"]
    assert again["version"] != second["version"]
    assert (await api.call("GET", f"{path}?with_localizations=true"))[1] == [again]
    status, refused = await api.call("GET", f"{path}/{first['id']}")
    assert (status, refused["code"]) == (404, 10063)


async def test_a_guilds_commands_are_its_own(api: Api, path: str) -> None:
    await api.register(PING)
    root = path.removesuffix("/commands")
    scoped = f"{root}/guilds/{api.server.world.guild.id}/commands"
    status, made = await api.call("PUT", scoped, [ANIMATE])
    assert status == 200
    assert made[0]["guild_id"] == api.server.world.guild.id
    assert [one["name"] for one in (await api.call("GET", path))[1]] == ["ping"]


async def test_a_single_command_is_made_changed_and_deleted(api: Api, path: str) -> None:
    status, made = await api.call("POST", path, PING)
    assert status == 201
    assert (await api.call("POST", path, PING))[0] == 200
    where = f"{path}/{made['id']}"
    _, changed = await api.call("PATCH", where, {"description": "New"})
    assert (changed["id"], changed["description"]) == (made["id"], "New")
    assert (await api.call("DELETE", where))[0] == 204
    assert (await api.call("GET", path))[1] == []


async def test_another_application_is_unknown(api: Api) -> None:
    status, refused = await api.call("PUT", "/applications/1/commands", [])
    assert (status, refused["code"]) == (404, 10002)


def option(**changes: Any) -> JSON:
    """A command with one option."""
    plain = {"type": 3, "name": "prompt", "description": "What"}
    return {**PING, "options": [{**plain, **changes}]}


LEAF: JSON = {"type": 1, "name": "leaf", "description": "What"}
GROUP: JSON = {"type": 2, "name": "group", "description": "What"}

REFUSED: list[tuple[list[JSON], list[str]]] = [
    ([{**PING, "name": "Has Space"}], ["0", "name"]),
    ([{**PING, "name": "UPPER"}], ["0", "name"]),
    ([{**PING, "name": "x" * 33}], ["0", "name"]),
    ([{**PING, "description": ""}], ["0", "description"]),
    ([{**PING, "description": "x" * 101}], ["0", "description"]),
    ([PING, PING], ["1"]),
    ([{"type": 3, "name": "Menu", "description": "no"}], ["0", "description"]),
    ([option(type=99)], ["0", "options", "0", "type"]),
    ([option(type=6, autocomplete=True)], ["0", "options", "0", "autocomplete"]),
    ([{**PING, "options": [LEAF, *option()["options"]]}], ["0", "options"]),
    ([option(**GROUP, options=[GROUP])], ["0", "options", "0", "options", "0", "type"]),
    ([option(**LEAF, options=[LEAF])], ["0", "options", "0", "options", "0", "type"]),
    ([option(name="No Good")], ["0", "options", "0", "name"]),
    ([option(choices=[{"name": "x", "value": "x"}] * 26)], ["0", "options", "0", "choices"]),
    (
        [{**PING, "options": [*option()["options"], {**option()["options"][0], "required": True}]}],
        ["0", "options", "1"],
    ),
    (
        [{**PING, "options": [{**option()["options"][0], "name": f"o{n}"} for n in range(26)]}],
        ["0", "options"],
    ),
]


@pytest.mark.parametrize(("forms", "where"), REFUSED)
async def test_a_bad_command_is_refused_with_the_path_to_its_mistake(
    api: Api, path: str, forms: list[JSON], where: list[str]
) -> None:
    status, refused = await api.call("PUT", path, forms)
    assert (status, refused["code"]) == (400, 50035)
    node = refused["errors"]
    for step in where:
        node = node[step]
    assert node["_errors"]
