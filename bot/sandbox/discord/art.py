"""The stickers that the first server has: one of each format, drawn when they are asked for."""

import io
from functools import cache

import orjson
from PIL import Image, ImageDraw

PNG, APNG, LOTTIE, GIF = 1, 2, 3, 4
_SIZE = 320
_FRAMES, _FRAME_MS = 8, 90


@cache
def stickers() -> tuple[tuple[str, str, int, bytes], ...]:
    """Return the stickers as (name, emoji, format, file)."""
    return (
        ("Fern", "🌿", PNG, _fern()),
        ("Comet", "☄️", APNG, _animated("PNG")),
        ("Spark", "✨", LOTTIE, _spark()),
        ("Wave", "👋", GIF, _animated("GIF")),
    )


def _fern() -> bytes:
    picture = Image.new("RGBA", (_SIZE, _SIZE))
    draw = ImageDraw.Draw(picture)
    draw.line((160, 300, 160, 40), fill=(40, 140, 70), width=10)
    for index in range(8):
        y, reach = 280 - index * 30, 120 - index * 13
        for side in (-1, 1):
            tip = (160 + side * reach, y - 50)
            draw.line((160, y, *tip), fill=(70, 180, 90), width=14)
            draw.ellipse((tip[0] - 16, tip[1] - 16, tip[0] + 16, tip[1] + 16), fill=(110, 210, 120))
    return _saved(picture, "PNG")


def _animated(kind: str) -> bytes:
    """Draw a ball with a tail that goes across."""
    frames = []
    for step in range(_FRAMES):
        picture = Image.new("RGBA", (_SIZE, _SIZE))
        draw = ImageDraw.Draw(picture)
        x, y = 60 + step * 28, 240 - step * 20
        draw.polygon((x - 60, y + 80, x - 20, y - 10, x + 30, y + 30), fill=(250, 180, 70))
        draw.ellipse((x - 40, y - 40, x + 40, y + 40), fill=(240, 90, 60))
        frames.append(picture)
    first, *rest = frames
    out = io.BytesIO()
    first.save(out, kind, save_all=True, append_images=rest, duration=_FRAME_MS, loop=0, disposal=2)
    return out.getvalue()


def _spark() -> bytes:
    """Write a square that turns, as Lottie: vectors in JSON, which is no picture."""
    turn = {"a": 1, "k": [{"t": 0, "s": [0]}, {"t": 60, "s": [360]}]}
    centre = {"a": 0, "k": [_SIZE / 2, _SIZE / 2]}
    shape = {
        "ty": "gr",
        "it": [
            {"ty": "rc", "p": {"a": 0, "k": [0, 0]}, "s": {"a": 0, "k": [140, 140]}},
            {"ty": "fl", "c": {"a": 0, "k": [1, 0.8, 0.3, 1]}, "o": {"a": 0, "k": 100}},
            {"ty": "tr", "p": {"a": 0, "k": [0, 0]}},
        ],
    }
    layer = {"ty": 4, "ip": 0, "op": 60, "st": 0, "ks": {"r": turn, "p": centre}, "shapes": [shape]}
    film = {"v": "5.5.0", "fr": 60, "ip": 0, "op": 60, "w": _SIZE, "h": _SIZE, "layers": [layer]}
    return orjson.dumps(film)


def _saved(picture: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind)
    return out.getvalue()
