"""The whole story of clips in a real browser, on a desktop and on a phone: asked for twice,
looked at, deleted, looked back upon, and refused where a limit is reached.
"""

from pathlib import Path

from tests.sandbox.browser import everywhere, opened_browser, page_at
from tests.story import begun, nobody_looks, pictured, studio, told_in_full
from tests.town import NOT_CHARGED, PRICE, photo_file

SAID = {
    "info": [
        "5 s · wide 16:9",
        "Asked for by @Mia by a button under a clip",
        "The picture is @Noah's: #studio",
        "It cost $0.1848.",
        "/animate duration:5",
        "Only you can see this",
    ],
    "delete": ["🗑️ Deleted What it cost stays spent.", "Only you can see this"],
    "history": ["🗂️ Your clips", "· done", "· deleted", "Resend here", "Send to my DMs"],
    "usage": [
        "💳 What you can use here This month · $4.6304 left of $5.00",
        "$0.3696 spent · set by the bot's owner",
        "Only you can see this",
    ],
    "limit": ["✅ Limit set Each member: $0.50 a month.", "Only you can see this"],
    "refusal": [
        "🚫 Monthly limit reached You have $0.1304 left of $0.50 this month",
        "($0.3696 is spent), and this clip needs $0.1848.",
        NOT_CHARGED,
        "Only you can see this",
    ],
}
"""What is read at each step, by whoever has asked and by nobody else."""


@everywhere
async def test_everything_a_member_can_do_with_a_clip_from_the_menu_to_the_limit(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with (
        opened_browser() as browser,
        pictured(tmp_path, photo_file()) as here,
        page_at(studio(here), browser, size) as page,
    ):
        said = await told_in_full(await begun(page, nobody_looks))
        missing = [
            (step, words)
            for step, every in SAID.items()
            for words in every
            if words not in said[step]
        ]
        assert missing == [], said
        books = await here.settled()
        assert books.states == ["delivered", "delivered"]
        assert books.spent_micro == here.runware.ledger.billed_micro == 2 * PRICE
        assert books.held_micro == 0
        *_, left = here.posts
        assert left.mentions == [here.mia.id]
        assert here.trouble() == []
