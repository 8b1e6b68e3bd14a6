"""Another clip of the same picture: what it is like, and whose picture that is.

Pure. Whoever asks for it pays, and is asked about as any other; where the picture itself comes from
is `archive.py`'s.
"""

from bot.catalog import AUTO, Model, Policy
from bot.lifecycle import Job, Order
from bot.options import Options
from bot.wish import Origin

_CLIP = "clip:"
"""With the id of a job behind it, the key of a picture that was handed over to that job."""


def first_of(job: Job) -> str:
    """Return the id of the job that the picture was handed over to, where that was another one."""
    key = "" if job.picture is None else job.picture.key
    return key.removeprefix(_CLIP) if key.startswith(_CLIP) else ""


def origin(job: Job) -> Origin:
    """Say whose the picture of a job is, for the next one that is made of it.

    What somebody handed over is theirs, whoever has another clip made of it. It is taken to be in
    the channel of its clip, and never in the direct messages of whoever got that there.
    """
    if job.picture is not None:
        return job.picture
    channel_id, message_id = job.message_channel_id or job.channel_id, job.message_id
    if not message_id or channel_id not in (job.channel_id, job.parent_channel_id):
        channel_id, message_id = job.channel_id, job.status_message_id
    return Origin(
        channel_id=channel_id,
        message_id=message_id or 0,
        key=f"{_CLIP}{job.id}",
        author_id=job.member_id,
    )


def options(job: Job, model: Model, *, duration: float | None = None) -> Options:
    """Return what a job was asked for, as far as the model of today has it; a seed is not kept.

    Nothing is left open, so nobody's own settings come in.
    """
    order, wish = job.order, job.wish
    durations = (duration, order.duration, model.durations[0])
    rule = model.guidance
    return Options(
        duration=next(one for one in durations if one in model.durations),
        shape=wish.shape if wish.shape in model.shapes else AUTO,
        fit=wish.fit,
        guidance=order.guidance if rule is not None and rule.allows(order.guidance) else None,
        results=min(order.results, model.most_results),
        prompt=order.prompt if model.prompt.policy is not Policy.ABSENT else None,
        negative=_if_taken(order.negative_prompt, model),
        is_private=wish.is_private,
        is_spoiler=wish.is_spoiler,
    )


def _if_taken(negative: str | None, model: Model) -> str | None:
    return negative if model.negative_prompt.policy is not Policy.ABSENT else None


def longer(model: Model, order: Order) -> float | None:
    """Return the next longer duration that the model makes, where it is the model of the order."""
    if order.model != model.id:
        return None
    return min((one for one in model.durations if one > order.duration), default=None)


def size_of(model: Model, job: Job, shape: str) -> tuple[int, int] | None:
    """Return the size of a clip of this shape, where it is known before the picture is seen."""
    if shape != AUTO:
        return model.shapes.get(shape)
    order = job.order
    same = job.wish.shape == AUTO and order.width and order.height
    return (order.width, order.height) if same and order.width and order.height else None
