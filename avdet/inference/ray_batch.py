"""The same over a Ray cluster: decoding, people and actions are stages of Ray Data, with as many workers as wanted.

    videos -> chunks -> pictures -> people -> clips -> judged people -> this process, which writes

Stages' workers load what they need once; Ray does the work of a lost one again. Workers see the paths that this process
sees: videos and checkpoint lie on storage that all machines share.
"""

from __future__ import annotations

import importlib
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd

from avdet.checkpoints.checkpoint_io import load_checkpoint
from avdet.datasets.keyframes import ClassNames
from avdet.inference.output_tables import OutputSettings, write_label_map
from avdet.inference.predictions import PersonPredictions
from avdet.inference.ray_stages import Stage, Work, cutting, decoding, finding, judging, plan
from avdet.inference.resumable_output import Finished, ResumableOutput, fingerprint, reason_of
from avdet.inference.resume_journal import ResumeJournal
from avdet.inference.stages import GivenPeople, Wishes, name_of
from avdet.inference.video_names import VideoJob
from avdet.people.person_detector import PersonDetector

__all__ = ["RayRun", "require_ray"]

_GPU, _MOST_CPUS = "GPU", 0.9  # of all; the rest plans
_BLOCK_BYTES = 2**24  # a few chunks of pictures: what goes to one worker, and what is done again after it is lost


@dataclass(frozen=True)
class RayRun:
    """people: makes what finds people, in each worker; boxes: who is there, where a table says it.

    workers: how many decode (pictures, and as many again clips), find people and judge actions.
    """

    checkpoint: Path
    people: Callable[[], PersonDetector]
    boxes: pd.DataFrame | None
    wishes: Wishes
    workers: tuple[int, int, int]

    def detect(
        self,
        jobs: Sequence[VideoJob],
        workplace: ResumableOutput,
        showing: OutputSettings,
        *,
        address: str,
        object_store_mb: int | None = None,
    ) -> list[tuple[VideoJob, Finished | str]]:
        """Each video's tables as parquet, or why there are none; and the names of their action ids.

        address: of a cluster; "local" starts one here, with so much memory for what is on its way.
        """
        classes = ClassNames.from_label_map(load_checkpoint(self.checkpoint).class_names)
        write_label_map(classes, workplace.output)
        desk = _Desk(workplace, classes, showing)
        left = [row for job in jobs for row in self._left(job, desk)]
        if left:
            ray = require_ray()
            _start(ray, address, object_store_mb)
            try:
                for row in self._stages(ray, left).iter_rows():
                    desk.take(pickle.loads(row["work"]))
            finally:
                ray.shutdown()
        return [(job, desk.outcomes[job]) for job in jobs]

    def _left(self, job: VideoJob, desk: _Desk) -> Iterator[dict[str, bytes]]:
        """What is still to be done of a video: a row, or none."""
        try:
            given = None if self.boxes is None else GivenPeople(self.boxes, name_of(job.path))
            done: frozenset[int] = frozenset()
            if desk.knows(job):
                return
            if desk.workplace.has_begun(job):
                chunks = self.wishes.chunks(job.path, given)
                done = desk.begin(job, fingerprint(chunks), len(chunks)).done
            if job not in desk.outcomes:
                yield Work(job, value=(given, done)).row()
        except (ValueError, OSError) as error:
            desk.outcomes[job] = reason_of(error)

    def _stages(self, ray: ModuleType, rows: list[dict[str, bytes]]) -> Any:  # noqa: ANN401  (ray's own type)
        resources = ray.cluster_resources()
        decoders, finders, judges = self.workers
        cpus = min(1.0, _MOST_CPUS * resources["CPU"] / (2 * decoders + finders + judges))
        gpus = min(1.0, resources.get(_GPU, 0) / (finders + judges))
        found = partial(finding, self.people)
        cut, judged = (partial(step, self.checkpoint, self.wishes.min_box_score) for step in (cutting, judging))
        stages = [(decoding, decoders, 0.0), (found, finders, gpus)] if self.boxes is None else []
        chunks = ray.data.from_items(rows).flat_map(partial(plan, self.wishes), num_cpus=0.1)
        for build, count, share in [*stages, (cut, decoders, 0.0), (judged, judges, gpus)]:
            pool = ray.data.ActorPoolStrategy(size=count)
            options = {"fn_constructor_args": (build,), "batch_size": 1, "num_cpus": cpus, "num_gpus": share or None}
            chunks = chunks.map_batches(Stage, compute=pool, **options)
        return chunks


class _Desk:
    """Where judged chunks arrive, in any order, and are put together video by video."""

    def __init__(self, workplace: ResumableOutput, classes: ClassNames, showing: OutputSettings) -> None:
        self.workplace = workplace
        self.outcomes: dict[VideoJob, Finished | str] = {}
        self._classes, self._showing = classes, showing
        self._open: dict[VideoJob, ResumeJournal] = {}

    def knows(self, job: VideoJob) -> bool:
        finished = self.workplace.finished(job, self._showing, "parquet")
        if finished is not None:
            self.outcomes[job] = finished
        return finished is not None

    def begin(self, job: VideoJob, plan: str, count: int) -> ResumeJournal:
        """Its chunks so far. A video of which none is missing is finished."""
        if job not in self._open:
            self._open[job] = self.workplace.parts(job, plan)
        parts = self._open[job]
        if len(parts.done) == count:
            people = parts.read().linked().smoothed(self._showing.smooth_s)
            self.outcomes[job] = self.workplace.finish(job, people, self._classes, self._showing, "parquet")
            del self._open[job]
        return parts

    def take(self, work: Work) -> None:
        if work.error is not None:
            self.outcomes.setdefault(work.job, work.error)
            return
        self.begin(work.job, work.plan, -1).add(work.number, PersonPredictions.from_bytes(work.value))
        self.begin(work.job, work.plan, work.count)


def require_ray() -> ModuleType:
    """The package, with ray.data. Raises ValueError where it is not installed."""
    try:
        importlib.import_module("pyarrow")
        importlib.import_module("ray.data")
        return importlib.import_module("ray")
    except ImportError as error:
        raise ValueError(
            f'--ray needs a package that is not installed ({error}); run pip install "avdet[ray]", or leave --ray out: '
            "torchrun shares the videos of one machine among processes"
        ) from None


def _start(ray: ModuleType, address: str, object_store_mb: int | None) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a cluster started here reports to nobody
    options: dict[str, object] = {}
    if address == "local":
        options = {"include_dashboard": False}
        if object_store_mb is not None:
            options["object_store_memory"] = object_store_mb * 10**6
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR", **options)
    except ConnectionError as error:
        raise ValueError(f"no Ray cluster answers at {address} ({error}); start one with ray start --head") from None
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.target_max_block_size = _BLOCK_BYTES
