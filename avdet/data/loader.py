"""A data loader that reports in one sentence which clip failed and why."""

from __future__ import annotations

import logging
import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
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

from avdet.data.safe_dataset import READING, TIMED_OUT, BadClipLog, ClipSource, SafeDataset
from avdet.distributed import num_cores
from avdet.structures import ClipBatch

__all__ = ["ClipLoader", "StartMethod", "init_worker"]

logger = logging.getLogger(__name__)

WORKER_EXIT_S = 5.0  # that a worker with a closed pipe may take to end, such as to write a core file

B = TypeVar("B")
StartMethod = Literal["fork", "spawn", "forkserver"]


class ClipLoader(DataLoader[Any], Generic[B]):
    """Batches of clips, the same for any number of workers and any start method.

    workers: at most; no more than there are cores.
    limit_s: seconds that one clip may take. A worker that takes longer ends, and iterating raises ValueError with the
    clip's name; without workers the process ends.
    persistent: keep the workers from one epoch to the next.
    bad_clips: records replaced clips. None: no clip is replaced, and the first unreadable one raises DecodeError.
    """

    def __init__(
        self,
        clips: ClipSource[Any],
        batches: Sampler[list[Any]] | Sequence[list[Any]],
        collate: Callable[[list[Any]], B],
        *,
        workers: int,
        limit_s: float,
        persistent: bool = False,
        bad_clips: BadClipLog | None = None,
        start_method: StartMethod | None = None,
    ) -> None:
        workers = min(workers, num_cores())  # more of them only wait, and torch warns
        reports = Path(tempfile.mkdtemp(prefix="avdet-loader-"))
        super().__init__(
            SafeDataset(clips, limit_s=limit_s, replace_bad=bad_clips is not None, reports=reports),
            batch_sampler=batches,
            num_workers=workers,
            collate_fn=_Collate(collate),
            pin_memory=torch.cuda.is_available(),
            persistent_workers=persistent and workers > 0,
            worker_init_fn=init_worker,
            multiprocessing_context=start_method if workers else None,
            generator=torch.Generator(),  # its own, so that DropPathway's draws do not depend on the loader
        )
        self.clips = clips
        self._reports = reports
        self._bad_clips = bad_clips
        weakref.finalize(self, _remove, reports, os.getpid())

    def __iter__(self) -> Iterator[B]:  # type: ignore[override]  # a generator is an iterator
        failure: Exception
        try:
            for batch in super().__iter__():
                if (error := self._failure(batch)) is not None:
                    failure = error
                    break
                yield batch
            else:
                return
        except (RuntimeError, OSError, EOFError) as error:  # torch's, for a worker that ended
            failure = self._explain(error)
        self._iterator = None  # ends the workers at once; the garbage collector would wait five seconds for each
        raise failure

    def _failure(self, batch: B | ValueError) -> ValueError | None:
        """The error in place of a batch, if it is one; records bad clips."""
        if isinstance(batch, ValueError):
            return batch
        if self._bad_clips is not None and isinstance(batch, ClipBatch):
            try:
                self._bad_clips.add(batch.bad)
            except ValueError as error:
                return error.with_traceback(None)
        return None

    def _explain(self, error: Exception) -> Exception:
        """An error that names the clip a worker was reading when it ended, if one did."""
        try:
            return self._with_clip(error)
        except RuntimeError as late:  # torch's signal handler raises it anywhere once a worker has ended
            return self._with_clip(late)

    def _with_clip(self, error: Exception) -> Exception:
        for report in self._reports.glob(f"*{TIMED_OUT}"):
            sentence, _, stack = report.read_text(encoding="utf-8").partition("\n")
            logger.error("the worker's stack:\n%s", stack)
            return ValueError(sentence)
        deadline = time.monotonic() + WORKER_EXIT_S
        workers = multiprocessing.active_children()
        while (clip := self._unfinished_clip()) is None:  # a pipe closes shortly before its process ends
            left_s = deadline - time.monotonic()
            if not workers or left_s <= 0:
                return error
            wait([worker.sentinel for worker in workers], left_s)
            workers = multiprocessing.active_children()
        return ValueError(f"{clip} killed its worker; repair or remove the file, or provide more memory ({error})")

    def _unfinished_clip(self) -> str | None:
        """The clip that a worker which has ended was reading."""
        alive = {child.pid for child in multiprocessing.active_children()}
        for reading in self._reports.glob(f"*{READING}"):
            if int(reading.name.removesuffix(READING)) not in alive:
                return reading.read_text(encoding="utf-8")
        return None


@dataclass(frozen=True)
class _Collate(Generic[B]):
    """Collates a batch, or returns its first error."""

    collate: Callable[[list[Any]], B]

    def __call__(self, items: list[Any]) -> B | ValueError:
        error = next((item for item in items if isinstance(item, ValueError)), None)
        return error or self.collate(items)


def init_worker(worker: int) -> None:
    """Leaves Ctrl-C and SIGTERM, which terminals and service managers send to all processes, to the main process.

    One thread per worker computes.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # also in the threads that start from now on
    threading.Thread(target=_obey_parent, args=(os.getppid(),), daemon=True).start()
    cv2.setNumThreads(1)


def _obey_parent(parent: int) -> None:
    """Ends this worker at a SIGTERM of its parent, such as DataLoader's for a worker that does not end by itself."""
    while signal.sigwaitinfo({signal.SIGTERM}).si_pid != parent:
        pass
    os._exit(0)


def _remove(folder: Path, owner: int) -> None:
    """Only in the owner: forked workers have a copy of the loader."""
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)
