"""A data loader whose workers say what went wrong with a clip, in one sentence."""

from __future__ import annotations

import logging
import multiprocessing
import os
import shutil
import signal
import tempfile
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, Generic, Literal, TypeVar

import cv2
import torch
from torch.utils.data import DataLoader, Sampler

from avdet.data.safe_dataset import ENDED, READING, BadClipLog, Clips, SafeDataset
from avdet.structures import ClipBatch

__all__ = ["ClipLoader", "StartMethod", "begin_worker"]

logger = logging.getLogger(__name__)

ENDING_S = 5.0  # that a process whose pipe is closed may take to end: writing its memory to a file, say

B = TypeVar("B")
StartMethod = Literal["fork", "spawn", "forkserver"]


class ClipLoader(DataLoader[Any], Generic[B]):
    """Batches of a data set's clips, the same ones for any number of workers and however they are started.

    limit_s: seconds that one clip may take. A worker that takes longer ends, and iterating raises ValueError with the
    clip's name; where there are no workers the whole process ends.
    persistent: the workers stay from one epoch to the next.
    bad_clips: where replaced clips are noted. None replaces none: the first that cannot be read raises DecodeError.
    """

    def __init__(
        self,
        clips: Clips[Any],
        batches: Sampler[list[Any]] | Sequence[list[Any]],
        collate: Callable[[list[Any]], B],
        *,
        workers: int,
        limit_s: float,
        persistent: bool = False,
        bad_clips: BadClipLog | None = None,
        start_method: StartMethod | None = None,
    ) -> None:
        reports = Path(tempfile.mkdtemp(prefix="avdet-loader-"))
        super().__init__(
            SafeDataset(clips, limit_s=limit_s, replaces=bad_clips is not None, reports=reports),
            batch_sampler=batches,
            num_workers=workers,
            collate_fn=_Collate(collate),
            pin_memory=torch.cuda.is_available(),
            persistent_workers=persistent and workers > 0,
            worker_init_fn=begin_worker,
            multiprocessing_context=start_method if workers else None,
            generator=torch.Generator(),  # of its own: drawing from torch's would move what is dropped next
        )
        self.clips = clips
        self._reports = reports
        self._bad_clips = bad_clips
        weakref.finalize(self, _remove, reports, os.getpid())

    def __iter__(self) -> Iterator[B]:  # type: ignore[override]  # a generator is an iterator
        failure: Exception
        try:
            for batch in super().__iter__():
                if (wrong := self._failure(batch)) is not None:
                    failure = wrong
                    break
                yield batch
            else:
                return
        except (RuntimeError, OSError, EOFError) as error:  # torch's, of a worker that ended
            failure = self._explained(error)
        self._iterator = None  # ends the workers at once; for the garbage collector each of them takes five seconds
        raise failure

    def _failure(self, batch: B | ValueError) -> ValueError | None:
        """What is wrong with a batch; bad clips are noted."""
        if isinstance(batch, ValueError):
            return batch
        if self._bad_clips is not None and isinstance(batch, ClipBatch):
            try:
                self._bad_clips.note(batch.bad)
            except ValueError as error:
                return error.with_traceback(None)
        return None

    def _explained(self, error: Exception) -> Exception:
        """The clip that a worker ended with, if that is what happened."""
        try:
            return self._with_clip(error)
        except RuntimeError as late:  # torch's handler raises it when a worker has ended, wherever we stand then
            return self._with_clip(late)

    def _with_clip(self, error: Exception) -> Exception:
        for report in self._reports.glob(f"*{ENDED}"):
            sentence, _, stack = report.read_text(encoding="utf-8").partition("\n")
            logger.error("where the worker stood:\n%s", stack)
            return ValueError(sentence)
        given_up = time.monotonic() + ENDING_S
        workers = multiprocessing.active_children()
        while (clip := self._left_unread()) is None:  # a pipe closes a moment before its process has ended
            left_s = given_up - time.monotonic()
            if not workers or left_s <= 0:
                return error
            wait([worker.sentinel for worker in workers], left_s)
            workers = multiprocessing.active_children()
        return ValueError(f"{clip} killed its worker; mend or remove the file, or give more memory ({error})")

    def _left_unread(self) -> str | None:
        """The clip of a worker that is no more."""
        alive = {child.pid for child in multiprocessing.active_children()}
        for reading in self._reports.glob(f"*{READING}"):
            if int(reading.name.removesuffix(READING)) not in alive:
                return reading.read_text(encoding="utf-8")
        return None


@dataclass(frozen=True)
class _Collate(Generic[B]):
    """In place of a batch that is not whole comes the first of its errors."""

    collate: Callable[[list[Any]], B]

    def __call__(self, items: list[Any]) -> B | ValueError:
        error = next((item for item in items if isinstance(item, ValueError)), None)
        return error or self.collate(items)


def begin_worker(worker: int) -> None:
    """A terminal sends Ctrl-C to the workers too, but only the main process may decide. One thread a worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)


def _remove(folder: Path, owner: int) -> None:
    """Forked workers hold the loader too."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
