"""The ids of jobs and of their tasks: unique, and in the order of time. Pure.

An index takes an id that is greater than all before at its end, in memory; random ones are strewn
over the whole file. With a million entries that was half of what an accepted clip had to write.
"""

_SHORT = 8
_VERSION = 14
"""Where a UUID says how it was made: 4 by chance, 7 by time and chance."""


def job_id(at: int, uuid4: str) -> str:
    """Return a UUID v7: the moment, Unix milliseconds, and the chance that is in `uuid4`."""
    return _timed(at, "7" + uuid4[_VERSION + 1 :])


def task_uuid(at: int, uuid4: str) -> str:
    """Return the same in the form of a UUID v4, which is what the service takes."""
    return _timed(at, uuid4[_VERSION:])


def short(job_id: str) -> str:
    """Return what people see of an id and can quote: of the part that is chance."""
    return job_id[-_SHORT:] if job_id[_VERSION] == "7" else job_id[:_SHORT]


def _timed(at: int, chance: str) -> str:
    time = f"{at:012x}"
    return f"{time[:8]}-{time[8:]}-{chance}"
