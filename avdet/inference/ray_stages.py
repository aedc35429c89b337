"""What a worker of a cluster does with a chunk: takes it from the stage before, one step on, hands it to the next."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from avdet.inference.detector import ActionDetector
from avdet.inference.resumable_output import fingerprint, reason_of
from avdet.inference.stages import Wishes, pictures_at
from avdet.inference.video_names import VideoJob
from avdet.people.person_detector import PersonDetector

__all__ = ["Stage", "Step", "Work", "cutting", "decoding", "finding", "judging", "plan"]


@dataclass(frozen=True)
class Work:
    """A chunk on its way. `value`: what the last stage made of it; `error`: why none of them makes anything."""

    job: VideoJob
    plan: str = ""
    count: int = 0
    number: int = 0
    times_s: tuple[float, ...] = ()
    value: Any = None
    error: str | None = None

    def row(self) -> dict[str, bytes]:
        return {"work": pickle.dumps(self)}


Step = Callable[[Work], object]


class Stage:
    """What a worker of Ray is made of: `build` gives, once a worker, what turns one chunk's value into the next."""

    def __init__(self, build: Callable[[], Step]) -> None:
        self._build = build
        self._step: Step | None = None

    def __call__(self, rows: Mapping[str, Sequence[bytes]]) -> dict[str, Any]:
        done = np.empty(len(rows["work"]), object)
        done[:] = [self._done(pickle.loads(row)).row()["work"] for row in rows["work"]]
        return {"work": done}

    def _done(self, work: Work) -> Work:
        if work.error is not None:
            return work
        try:
            self._step = self._step or self._build()
            return replace(work, value=self._step(work))
        except Exception as error:
            return replace(work, value=None, error=reason_of(error))


def plan(wishes: Wishes, row: Mapping[str, bytes]) -> list[dict[str, bytes]]:
    """A video's chunks, or its one error. With given people each chunk has them already."""
    work: Work = pickle.loads(row["work"])
    given, done = work.value
    try:
        chunks = wishes.chunks(work.job.path, given)
    except Exception as error:
        return [replace(work, value=None, error=reason_of(error)).row()]
    planned = replace(work, plan=fingerprint(chunks), count=len(chunks), value=None)
    return [
        replace(
            planned, number=n, times_s=t, value=given and given(pictures_at(work.job.path, "", t, needs_frames=False))
        ).row()
        for n, t in enumerate(chunks)
        if n not in done
    ]


def decoding() -> Step:
    return lambda work: pictures_at(work.job.path, work.job.name, work.times_s)


def finding(people: Callable[[], PersonDetector]) -> Step:
    detector = people()
    return lambda work: detector(work.value)


def cutting(checkpoint: Path, min_box_score: float) -> Step:
    detector = ActionDetector.from_checkpoint(checkpoint, device="cpu")
    return lambda work: (
        work.value,
        detector.cut(work.job.path, work.job.name, work.times_s, work.value, min_box_score),
    )


def judging(checkpoint: Path, min_box_score: float) -> Step:
    detector = ActionDetector.from_checkpoint(checkpoint)

    def step(work: Work) -> bytes:
        people, clips = work.value
        return detector.judge(work.times_s, people, clips, min_box_score).to_bytes()

    return step
