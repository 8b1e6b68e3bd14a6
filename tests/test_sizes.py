"""Any clip in, a playable one out: clips of 1 to 120 MB where 10, 20 or 50 MiB may be posted.

The service's clip is a real one, and so is the encoder. What takes long is marked `slow`, and
played by `make soak`.
"""

import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.clip import probe
from bot.copies import recoded
from bot.places import MIB
from tests.corridor import World, world
from tests.footage import Film, likeness, make

log = logging.getLogger(__name__)

LIMITS = (10, 20, 50)
"""MiB."""
SECONDS = {1: 1, 9: 1, 11: 1, 24: 1, 60: 3, 120: 4}
"""By megabytes. Noise cannot be packed, but a second of it has only so many bits."""
LIKENESS = {
    (11, 10): 0.98,
    (24, 10): 0.95,
    (24, 20): 0.99,
    (60, 10): 0.8,
    (60, 20): 0.95,
    (60, 50): 0.99,
    (120, 10): 0.7,
    (120, 20): 0.9,
    (120, 50): 0.99,
}
"""The least of a copy of so many megabytes for a limit (SSIM): of noise, the worst there is."""
AS_IT_IS = [(size, limit) for size in SECONDS for limit in LIMITS if (size, limit) not in LIKENESS]
QUICK = ((11, 10), (24, 10), (24, 20), (120, 10))
"""The one with the fewest bits for each pixel is among them."""
COPIED = [pytest.param(*cell, marks=[] if cell in QUICK else pytest.mark.slow) for cell in LIKENESS]

Films = Callable[[int], Path]
pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> Films:
    """Makes films of so many megabytes, each once."""
    folder = tmp_path_factory.mktemp("films")

    def made(megabytes: int) -> Path:
        path = folder / f"{megabytes}.mp4"
        if not path.exists():
            make(path, Film(megabytes=megabytes, seconds=SECONDS[megabytes]))
            assert path.stat().st_size == pytest.approx(megabytes * 1e6, rel=0.1)
        return path

    return made


async def posted(folder: Path, film: Path, limit: int) -> Path:
    """Have a film animated where so many MiB may be posted; return what is in the channel."""
    async with world(folder, canned_clip=film) as here:
        _narrow(here, limit)
        async with here.bot() as bot:
            await bot.finished(await bot.accept())
    (post,) = here.channel.posts.values()
    path = folder / "posted.mp4"
    path.write_bytes(post.clips[0])
    return path


def _narrow(here: World, limit: int) -> None:
    here.recode = recoded
    here.usual_bytes = here.channel.most_bytes = limit * MIB


@pytest.mark.parametrize(("megabytes", "limit"), AS_IT_IS)
async def test_a_clip_that_fits_is_posted_as_it_is(
    films: Films, tmp_path: Path, megabytes: int, limit: int
) -> None:
    film = films(megabytes)
    post = await posted(tmp_path, film, limit)
    assert post.read_bytes() == film.read_bytes()
    assert post.stat().st_size <= limit * MIB
    assert probe(post).plays_everywhere


@pytest.mark.parametrize(("megabytes", "limit"), COPIED)
async def test_one_that_does_not_fit_is_posted_as_a_copy_with_every_frame_that_looks_like_it(
    films: Films,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
    megabytes: int,
    limit: int,
) -> None:
    film = films(megabytes)
    original = probe(film)
    copy = await posted(tmp_path, film, limit)

    made = probe(copy)
    assert 0.6 * limit * MIB < made.size <= limit * MIB
    assert made.plays_everywhere
    assert (made.width, made.height) == (original.width, original.height)
    assert made.duration == pytest.approx(original.duration, abs=1 / 30)
    alike = likeness(film, copy, every=7)  # decodes all of both, and they have as many frames
    record_property("SSIM", alike)
    log.info("%d MB for %d MiB: %.2f MiB, SSIM %.3f", megabytes, limit, made.size / MIB, alike)
    assert alike >= LIKENESS[megabytes, limit]
