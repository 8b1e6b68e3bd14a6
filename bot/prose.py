"""Pieces of texts: other people's words, escaped, and lists that fit in an embed. Pure."""

import re
from collections.abc import Sequence

from bot.tongue import mark, tongue

MOST_BODY = 4096
"""Characters that Discord takes as the description of an embed."""
_MORE = mark("… and {more} more")


def escaped(text: str) -> str:
    """Write somebody's own words so that they are shown as they are."""
    return re.sub(r"([\\*_~`|>#\[\]()<:@-])", r"\\\1", text)


def fitted(blocks: Sequence[str], *, beside: int = 0) -> str:
    """Join as many blocks as fit in an embed, `beside` characters left free; say what is not."""
    kept: list[str] = []
    more = tongue()(_MORE, more=len(blocks))
    room = MOST_BODY - beside - len(more)
    for block in blocks:
        room -= len(block) + 1
        if room < 0:
            return "\n".join([*kept, tongue()(_MORE, more=len(blocks) - len(kept))])
        kept.append(block)
    return "\n".join(kept)
