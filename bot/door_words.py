"""Every word of the doors besides the command's: menus, the form, the choice of a picture.

Said in the language of who is answered.
"""

from collections.abc import Collection

from bot.catalog import AUTO, Guidance, seconds, shape_name
from bot.lifecycle import Job
from bot.money import usd
from bot.picker import FITS, SHAPES
from bot.rehearsal import Rehearsed
from bot.tongue import mark, tongue
from bot.wish import Fit
from bot.words import NOT_CHARGED, Note, Tone

_BUTTONS = {Fit.CROP: mark("Cut"), Fit.PAD: mark("Keep all of it"), "cancel": mark("Cancel")}
_ALL = 0.995

# --- The form ------------------------------------------------------------------------------------


def form_title(prices: Collection[int]) -> str:
    """Head the form; where there is but one price, with it."""
    say = tongue()
    if len(set(prices)) == 1:
        return say("Animate · {usd}", usd=usd(min(prices)))
    return say("Animate · from {usd}", usd=usd(min(prices)))


def questions() -> dict[str, str]:
    """Return what the form asks, by option; Discord takes 45 characters each."""
    say = tongue()
    return {
        "prompt": say("What should happen?"),
        "duration": say("How long?"),
        "shape": say("Which shape?"),
        "fit": say("If the picture has another shape"),
        "guidance": say("How close to the picture?"),
        "more": say("Who sees it?"),
    }


def reach(guidance: Guidance) -> str:
    """Say what numbers guidance takes."""
    say = tongue()
    least, most = f"{guidance.least:g}", f"{guidance.most:g}"
    return say("{least} is free, {most} is strict", least=least, most=most)


def priced(duration: float, micro: int) -> str:
    """Name a duration, and what it costs."""
    say = tongue()
    return say("{seconds} seconds · {usd}", seconds=seconds(duration), usd=usd(micro))


def shape(name: str) -> str:
    """Name a shape: "wide 16:9"."""
    say = tongue()
    if name == AUTO:
        return say("nearest to the picture")
    word, _, rest = name.partition(" ")
    return f"{say(SHAPES.get(word, word))} {rest}"


def fit(name: Fit) -> str:
    """Name a way to bring a picture to another shape."""
    say = tongue()
    return say(FITS[name])


def private() -> str:
    """Name the choice of a private clip."""
    say = tongue()
    return say("Only me")


def spoiler() -> str:
    """Name the choice of a clip behind a spoiler."""
    say = tongue()
    return say("Behind a spoiler")


# --- Several pictures ----------------------------------------------------------------------------


def which(count: int) -> Note:
    """Ask which of a message's pictures is meant."""
    say = tongue()
    text = say("That message has {n} pictures. Choose one below.", n=count)
    return Note(say("🖼️ Which picture?"), text, Tone.WORKING)


def number(place: int) -> str:
    """Name one of several pictures, by its place from 1 on."""
    say = tongue()
    return say("Picture {number}", number=place)


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


# --- A preview -----------------------------------------------------------------------------------


def preview(rehearsed: Rehearsed) -> Note:
    """Say what would be made, and what that would cost."""
    say = tongue()
    order = rehearsed.order
    facts = [say("{seconds} s", seconds=seconds(order.duration))]
    if order.width and order.height:
        facts.append(shape(shape_name(order.width, order.height)))
    if order.results > 1:
        facts.append(say.many("{n} clip", "{n} clips", order.results))
    facts.append(usd(rehearsed.price_micro))
    kept = (
        say("All of the picture is kept.")
        if rehearsed.kept >= _ALL
        else say("{share} of the picture is kept.", share=f"{rehearsed.kept:.0%}")
    )
    text = say("Nothing is started yet, and nothing is charged.")
    return Note(say("✂️ Preview"), f"{' · '.join(facts)}\n{kept} {text}", Tone.WORKING)


def start(price_micro: int) -> str:
    """Name the button that has a clip made, with what it costs."""
    say = tongue()
    return say("Start · {usd}", usd=usd(price_micro))


def button(do: str) -> str:
    """Name another button below a preview."""
    say = tongue()
    return say(_BUTTONS[do])


def not_started() -> Note:
    """Say that there will be no clip."""
    say = tongue()
    text = say("Nothing was started.")
    return Note(say("✖️ Cancelled"), f"{text} {say(NOT_CHARGED)}", Tone.WORKING)
