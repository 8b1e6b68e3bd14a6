"""The prepared first frames of jobs, one file each: durable before the job is, gone after it.

Takes a millisecond or two where the disk is busy: not for the loop's thread.
"""

import logging
import os
from collections.abc import Container
from pathlib import Path

log = logging.getLogger(__name__)


class Pictures:
    """The prepared first frames of open jobs, one file each.

    Those of failed ones may be set aside, so that they can be tried again: in `spares`, which
    somebody else sweeps; None: they are not kept.
    """

    def __init__(self, folder: Path, spares: Path | None = None) -> None:
        self._folder = folder
        self._spares = spares

    def path(self, job_id: str) -> Path:
        """Where the frame of a job is kept."""
        return self._folder / f"{job_id}.jpg"

    def keep(self, job_id: str, jpeg: bytes) -> None:
        """Write a frame, whole or not at all."""
        path = self.path(job_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        try:
            with part.open("wb") as file:
                file.write(jpeg)
                file.flush()
                os.fsync(file.fileno())  # as durable as the row that will count on it
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def drop(self, job_id: str) -> None:
        """Forget a frame; it is fine if there is none, and no reason to stop if it stays.

        Takes a millisecond or two where the disk is busy: not for the loop's thread.
        """
        try:
            self.path(job_id).unlink(missing_ok=True)
        except OSError as error:
            log.warning("a picture stays behind: %s", error)

    def set_aside(self, job_id: str) -> None:
        """Keep the frame of a job that has failed for a while, where such are kept."""
        path = self.path(job_id)
        try:
            if self._spares is not None and path.exists():
                self._spares.mkdir(parents=True, exist_ok=True)
                os.utime(path)  # it is swept so long after this moment
                path.replace(self._spare(job_id))
        except OSError as error:
            log.warning("a picture could not be set aside: %s", error)
        self.drop(job_id)

    def has_spare(self, job_id: str) -> bool:
        """Whether the frame of a failed job is at hand yet."""
        return self._spares is not None and self._spare(job_id).exists()

    def spare(self, job_id: str) -> bytes | None:
        """Return the frame of a failed job, None where it is gone."""
        try:
            return self._spare(job_id).read_bytes() if self._spares is not None else None
        except OSError:
            return None

    def _spare(self, job_id: str) -> Path:
        assert self._spares is not None, "the caller looked"
        return self._spares / f"{job_id}-picture.jpg"

    def sweep(self, open_jobs: Container[str]) -> None:
        """Forget what belongs to no open job, such as after a crash between a file and its row.

        What cannot be removed, such as a storage's own folder, stops nobody.
        """
        for path in self._folder.iterdir() if self._folder.is_dir() else ():
            if path.stem not in open_jobs:
                try:
                    path.unlink(missing_ok=True)
                except OSError as error:
                    log.warning("what is no open job's picture stays behind: %s", error)
