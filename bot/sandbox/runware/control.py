"""The control interface: what a test or an operator sees and sets, and no client of the API uses.

Owns the routes below /sandbox/control. Faults add their own beside these.
"""

from typing import Any

import orjson
from aiohttp import web
from pydantic import TypeAdapter, ValidationError

from bot.sandbox.runware.journal import Journal
from bot.sandbox.runware.ledger import Ledger
from bot.sandbox.runware.outcomes import Outcome, Outcomes
from bot.sandbox.runware.settings import Settings
from bot.sandbox.runware.tasks import TaskBook

PREFIX = "/sandbox/control"
_OUTCOMES = TypeAdapter(list[Outcome])


class Control:
    """The handlers, handed the parts that they show."""

    def __init__(
        self,
        settings: Settings,
        ledger: Ledger,
        outcomes: Outcomes,
        journal: Journal,
        book: TaskBook,
    ) -> None:
        self._settings = settings
        self._ledger = ledger
        self._outcomes = outcomes
        self._journal = journal
        self._book = book

    def add_to(self, app: web.Application) -> None:
        """Serve the control interface."""
        app.router.add_get(f"{PREFIX}/ledger", self.show_ledger)
        app.router.add_get(f"{PREFIX}/settings", self.show_settings)
        app.router.add_patch(f"{PREFIX}/settings", self.change_settings)
        app.router.add_post(f"{PREFIX}/outcomes", self.order_outcomes)
        app.router.add_delete(f"{PREFIX}/outcomes", self.forget_outcomes)
        app.router.add_get(f"{PREFIX}/requests", self.show_requests)
        app.router.add_get(PREFIX + "/pictures/{task_uuid}", self.show_picture)

    async def show_ledger(self, _request: web.Request) -> web.Response:
        """Answer the accounts, one line per task included."""
        return _json(self._ledger.snapshot())

    async def show_settings(self, _request: web.Request) -> web.Response:
        """Answer the switches, the key left out."""
        return _json(self._settings.model_dump(mode="json"))

    async def change_settings(self, request: web.Request) -> web.Response:
        """Set what is given, all or nothing; 422 says what is wrong."""
        try:
            changes = orjson.loads(await request.read())
            kept = self._settings.model_dump() | {"api_key": self._settings.api_key}
            Settings.model_validate(kept | changes)
        except ValidationError as error:
            return _json(error.errors(include_url=False, include_context=False), 422)
        except (orjson.JSONDecodeError, TypeError):
            return _json({"message": "an object of settings is needed"}, 422)
        for name, value in changes.items():
            setattr(self._settings, name, value)
        return await self.show_settings(request)

    async def order_outcomes(self, request: web.Request) -> web.Response:
        """Put orders for the next tasks behind those there are."""
        try:
            ordered = _OUTCOMES.validate_json(await request.read())
        except ValidationError as error:
            return _json(error.errors(include_url=False, include_context=False), 422)
        for outcome in ordered:
            self._outcomes.add(outcome)
        return web.Response(status=204)

    async def forget_outcomes(self, _request: web.Request) -> web.Response:
        """Let what follows succeed."""
        self._outcomes.clear()
        return web.Response(status=204)

    async def show_requests(self, _request: web.Request) -> web.Response:
        """Answer what clients sent, oldest first."""
        return _json(self._journal.entries())

    async def show_picture(self, request: web.Request) -> web.StreamResponse:
        """Serve the picture of a task, byte for byte as it was received."""
        task = self._book.tasks.get(request.match_info["task_uuid"].lower())
        if task is None:
            raise web.HTTPNotFound
        return web.FileResponse(
            task.picture.path, headers={"Content-Type": task.picture.media_type}
        )


def _json(value: Any, status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(value), status=status, content_type="application/json")
