"""Detection over a Ray cluster: each stage of the pipeline is a pool of Ray Data workers.

    videos -> chunks -> keyframe images -> person boxes -> clips -> predictions -> this process, which writes

Workers load their model once; Ray repeats the work of a lost worker. Workers use this process's paths, so videos and
checkpoint must be on storage that all machines share.
"""

from __future__ import annotations

import importlib
import os
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd

from avdet.datasets.class_names import ClassNames
from avdet.inference.detector import ActionDetector
from avdet.inference.load_network import read_checkpoint
from avdet.inference.output_tables import OutputSettings, write_label_map
from avdet.inference.resumable_output import (
    FinishedVideo,
    ResumableOutput,
    error_text,
    fingerprint,
    read_predictions,
)
from avdet.inference.stages import InferenceSettings, boxes_of_video, keyframe_images
from avdet.inference.video_names import VideoJob
from avdet.models.inference_model import Precision
from avdet.people.person_detector import PersonDetector
from avdet.resume_journal import ResumeJournal

__all__ = ["RayRun", "Stage", "Step", "Work", "decode", "detect_persons", "extract", "plan", "require_ray", "score"]

_MAX_CPU_SHARE = 0.9  # of the cluster, for the worker pools; the rest is for `plan`
_BLOCK_BYTES = 2**24  # a few chunks of frames: the unit that Ray hands to one worker, and repeats after a loss


@dataclass(frozen=True)
class RayRun:
    """Settings of a run.

    person_detector: builds the person detector, in each worker.
    boxes: a table of boxes, which replaces the person detector.
    workers: number of workers that decode (frames, and again as many for clips), detect persons and score actions.
    short_side: of the model's frames, in pixels; None is that of the checkpoint's settings.
    """

    checkpoint: Path
    person_detector: Callable[[], PersonDetector]
    boxes: pd.DataFrame | None
    settings: InferenceSettings
    workers: tuple[int, int, int]
    precision: Precision = "auto"
    short_side: int | None = None

    def detect(
        self,
        jobs: Sequence[VideoJob],
        output: ResumableOutput,
        output_settings: OutputSettings,
        *,
        address: str,
        object_store_mb: int | None = None,
    ) -> list[tuple[VideoJob, FinishedVideo | str]]:
        """Writes each video's tables as parquet, and label_map.txt. Returns each video's counts or error message.

        address: of a cluster; "local" starts one on this machine, whose object store has `object_store_mb`.
        """
        checkpoint, _, _ = read_checkpoint(self.checkpoint, task="detection")
        classes = ClassNames.from_label_map(checkpoint.class_names)
        write_label_map(classes, output.output)
        collector = _Collector(output, classes, output_settings)
        rows = [row for job in jobs for row in self._unfinished(job, collector)]
        if rows:
            ray = require_ray()
            _start(ray, address, object_store_mb)
            try:
                for row in self._pipeline(ray, rows).iter_rows():
                    collector.add(pickle.loads(row["work"]))
            finally:
                ray.shutdown()
        return [(job, collector.outcomes[job]) for job in jobs]

    def _unfinished(self, job: VideoJob, collector: _Collector) -> Iterator[dict[str, bytes]]:
        """Yields the row of a video that is not finished."""
        try:
            boxes = None if self.boxes is None else boxes_of_video(self.boxes, job.path)
            done: frozenset[int] = frozenset()
            if collector.is_finished(job):
                return
            if collector.output.has_begun(job):
                chunks = self.settings.chunks(job.path, boxes)
                done = collector.journal(job, fingerprint(chunks), len(chunks)).done
            if job not in collector.outcomes:
                yield Work(job, value=(boxes, done)).row()
        except (ValueError, OSError) as error:
            collector.outcomes[job] = error_text(error)

    def _pipeline(self, ray: ModuleType, rows: list[dict[str, bytes]]) -> Any:  # noqa: ANN401  (ray's own type)
        resources = ray.cluster_resources()
        decoders, finders, scorers = self.workers
        cpus = min(1.0, _MAX_CPU_SHARE * resources["CPU"] / (2 * decoders + finders + scorers))
        gpus = min(1.0, resources.get("GPU", 0) / (finders + scorers))
        find = partial(detect_persons, self.person_detector)
        min_box_score = self.settings.min_box_score
        cut = partial(extract, self.checkpoint, min_box_score, self.short_side)
        predict = partial(score, self.checkpoint, min_box_score, self.precision)
        stages = [(decode, decoders, 0.0), (find, finders, gpus)] if self.boxes is None else []
        chunks = ray.data.from_items(rows).flat_map(partial(plan, self.settings), num_cpus=0.1)
        for build, count, gpu_share in [*stages, (cut, decoders, 0.0), (predict, scorers, gpus)]:
            pool = ray.data.ActorPoolStrategy(size=count)
            options = {
                "fn_constructor_args": (build,),
                "batch_size": 1,
                "num_cpus": cpus,
                "num_gpus": gpu_share or None,
            }
            chunks = chunks.map_batches(Stage, compute=pool, **options)
        return chunks


class _Collector:
    """Collects scored chunks, which arrive in any order, and writes a video's tables once it has all of them."""

    def __init__(self, output: ResumableOutput, classes: ClassNames, settings: OutputSettings) -> None:
        self.output = output
        self.outcomes: dict[VideoJob, FinishedVideo | str] = {}
        self._classes, self._settings = classes, settings
        self._journals: dict[VideoJob, ResumeJournal] = {}

    def is_finished(self, job: VideoJob) -> bool:
        """Whether an earlier run finished the video, whose outcome is noted then."""
        finished = self.output.finished(job, self._settings, "parquet")
        if finished is not None:
            self.outcomes[job] = finished
        return finished is not None

    def journal(self, job: VideoJob, chunks: str, count: int) -> ResumeJournal:
        """The video's journal; with `count` chunks it is complete and the video's tables are written."""
        if job not in self._journals:
            self._journals[job] = self.output.journal(job, chunks)
        journal = self._journals[job]
        if len(journal.done) == count:
            predictions = read_predictions(journal).linked().smoothed(self._settings.smooth_window_s)
            self.outcomes[job] = self.output.finish(job, predictions, self._classes, self._settings, "parquet")
            del self._journals[job]
        return journal

    def add(self, work: Work) -> None:
        if work.error is not None:
            self.outcomes.setdefault(work.job, work.error)
            return
        self.journal(work.job, work.chunks, -1).add(work.number, work.value)
        self.journal(work.job, work.chunks, work.count)


def require_ray() -> ModuleType:
    """The package ray, with ray.data. Raises ValueError if it is not installed."""
    try:
        importlib.import_module("pyarrow")
        importlib.import_module("ray.data")
        return importlib.import_module("ray")
    except ImportError as error:
        raise ValueError(
            f'--ray needs a package that is not installed ({error}); run pip install "avdet[ray]", or leave --ray out: '
            "torchrun distributes the videos over the processes of one machine"
        ) from None


def _start(ray: ModuleType, address: str, object_store_mb: int | None) -> None:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # a cluster started here sends no usage reports
    options: dict[str, object] = {}
    if address == "local":
        options = {"include_dashboard": False}
        if object_store_mb is not None:
            options["object_store_memory"] = object_store_mb * 10**6
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR", **options)
    except ConnectionError as error:
        raise ValueError(f"there is no Ray cluster at {address} ({error}); start one with ray start --head") from None
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.target_max_block_size = _BLOCK_BYTES


@dataclass(frozen=True)
class Work:
    """A chunk in the pipeline. `value`: the result of the last stage; `error`: why the later stages skip it.

    chunks: the `fingerprint` of the video's chunks; count: their number; number: the index of this one.
    """

    job: VideoJob
    chunks: str = ""
    count: int = 0
    number: int = 0
    times_s: tuple[float, ...] = ()
    value: Any = None
    error: str | None = None

    def row(self) -> dict[str, bytes]:
        """The row of the Ray data set that holds this work."""
        return {"work": pickle.dumps(self)}


Step = Callable[[Work], object]


class Stage:
    """A Ray worker. `build` is called once per worker; its result maps a chunk to the chunk's next value."""

    def __init__(self, build: Callable[[], Step]) -> None:
        self._build = build
        self._step: Step | None = None

    def __call__(self, rows: Mapping[str, Sequence[bytes]]) -> dict[str, Any]:
        results = np.empty(len(rows["work"]), object)
        results[:] = [self._process(pickle.loads(row)).row()["work"] for row in rows["work"]]
        return {"work": results}

    def _process(self, work: Work) -> Work:
        if work.error is not None:
            return work
        try:
            self._step = self._step or self._build()
            return replace(work, value=self._step(work))
        except Exception as error:
            return replace(work, value=None, error=error_text(error))


def plan(settings: InferenceSettings, row: Mapping[str, bytes]) -> list[dict[str, bytes]]:
    """The rows of a video's unfinished chunks, or one with its error. Given boxes are in the rows already."""
    work: Work = pickle.loads(row["work"])
    boxes, done = work.value
    try:
        chunks = settings.chunks(work.job.path, boxes)
    except Exception as error:
        return [replace(work, value=None, error=error_text(error)).row()]
    planned = replace(work, chunks=fingerprint(chunks), count=len(chunks), value=None)
    return [
        replace(
            planned,
            number=number,
            times_s=times_s,
            value=boxes and boxes(keyframe_images(work.job.path, times_s, needs_frames=False)),
        ).row()
        for number, times_s in enumerate(chunks)
        if number not in done
    ]


def decode() -> Step:
    """Builds the step from keyframe times to keyframe images."""
    return lambda work: keyframe_images(work.job.path, work.times_s)


def detect_persons(build_person_detector: Callable[[], PersonDetector]) -> Step:
    """Builds the step from keyframe images to person boxes."""
    detector = build_person_detector()
    return lambda work: detector(work.value)


def extract(checkpoint: Path, min_box_score: float, short_side: int | None = None) -> Step:
    """Builds the step from person boxes to the boxes and their clips."""
    detector = ActionDetector.from_checkpoint(checkpoint, device="cpu")
    detector.short_side = short_side or detector.short_side
    return lambda work: (
        work.value,
        detector.extract_clips(work.job.path, work.times_s, work.value, min_box_score),
    )


def score(checkpoint: Path, min_box_score: float, precision: Precision = "auto") -> Step:
    """Builds the step from boxes and clips to predictions, as bytes."""
    detector = ActionDetector.from_checkpoint(checkpoint, precision=precision)

    def step(work: Work) -> bytes:
        persons, clips = work.value
        return detector.score_persons(work.times_s, persons, clips, min_box_score).to_bytes()

    return step
