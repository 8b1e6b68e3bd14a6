"""Every word of the doors besides the command's: menus, the form, the choice of a picture.

Said in the language of who is answered.
"""

from bot.catalog import AUTO, Model, seconds
from bot.lifecycle import Job
from bot.money import usd
from bot.picker import FITS, SHAPES
from bot.tongue import tongue
from bot.wish import Fit
from bot.words import Note, Tone

# --- The form ------------------------------------------------------------------------------------


def form_title(model: Model) -> str:
    """Head the form; where there is but one price, with it."""
    say = tongue()
    prices = {model.price_micro(duration) for duration in model.durations}
    if len(prices) == 1:
        return say("Animate · {usd}", usd=usd(prices.pop()))
    return say("Animate · from {usd}", usd=usd(min(prices)))


def questions() -> dict[str, str]:
    """Return what the form asks, by option; Discord takes 45 characters each."""
    say = tongue()
    return {
        "prompt": say("What should happen?"),
        "duration": say("How long?"),
        "shape": say("Which shape?"),
        "fit": say("If the picture has another shape"),
        "more": say("Who sees it?"),
    }


def priced(model: Model, duration: float) -> str:
    """Name a duration, and what a clip of it costs."""
    return tongue()(
        "{seconds} seconds · {usd}",
        seconds=seconds(duration),
        usd=usd(model.price_micro(duration)),
    )


def shape(name: str) -> str:
    """Name a shape: "wide 16:9"."""
    say = tongue()
    if name == AUTO:
        return say("nearest to the picture")
    word, _, rest = name.partition(" ")
    return f"{say(SHAPES.get(word, word))} {rest}"


def fit(name: Fit) -> str:
    """Name a way to bring a picture to another shape."""
    return tongue()(FITS[name])


def private() -> str:
    """Name the choice of a private clip."""
    return tongue()("Only me")


def spoiler() -> str:
    """Name the choice of a clip behind a spoiler."""
    return tongue()("Behind a spoiler")


# --- Several pictures ----------------------------------------------------------------------------


def which(count: int) -> Note:
    """Ask which of a message's pictures is meant."""
    say = tongue()
    text = say("That message has {n} pictures. Choose one below.", n=count)
    return Note(say("🖼️ Which picture?"), text, Tone.WORKING)


def number(place: int) -> str:
    """Name one of several pictures, by its place from 1 on."""
    return tongue()("Picture {number}", number=place)


# --- While it is looked at -----------------------------------------------------------------------


def looking() -> Note:
    """Say that the picture is being looked at; nothing is decided yet."""
    say = tongue()
    return Note(say("⏳ One moment"), say("I'm looking at the picture."), Tone.WORKING)


def started(job: Job) -> Note:
    """Say that this wish has been a job for a while."""
    say = tongue()
    text = say("It's job {job}; it was started before.", job=job.short_id)
    return Note(say("⏳ Already started"), text, Tone.WORKING)
