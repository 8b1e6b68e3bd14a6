"""The page in a real browser: the system's own is used, none is downloaded."""

import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

playwright = pytest.importorskip("playwright.async_api", reason="playwright is not installed")

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
DESKTOP, PHONE = (1280, 800), (390, 844)
ANSWER_WITHIN = 15_000
"""Milliseconds."""

everywhere = pytest.mark.parametrize(
    "size", [pytest.param(DESKTOP, id="desktop"), pytest.param(PHONE, id="phone")]
)


@asynccontextmanager
async def opened_browser() -> "AsyncIterator[Browser]":
    """Open the browser; skips the test where there is none."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"no browser on this machine: none of {', '.join(BROWSERS)}")
    async with playwright.async_playwright() as driver:
        # A container's root has no sandbox to put the browser in; it opens nothing but our page.
        opened = await driver.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield opened
        await opened.close()


@asynccontextmanager
async def page_at(url: str, browser: "Browser", size: tuple[int, int]) -> "AsyncIterator[Page]":
    """Open a page in a window, or on a screen, of this size; any error on it fails the test."""
    width, height = size
    context = await browser.new_context(
        viewport={"width": width, "height": height}, has_touch=size == PHONE
    )
    page = await context.new_page()
    page.set_default_timeout(ANSWER_WITHIN)
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    await page.goto(url)
    await page.locator("body[data-ready]").wait_for()
    yield page
    wide = await page.evaluate("document.scrollingElement.scrollWidth")
    assert wide <= width, "the page is wider than the screen"
    assert problems == []
    await context.close()
