"""Benchmarks that label segments of videos: their common settings, reading, test protocol and metrics."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from avdet.datasets.class_names import ClassNames
from avdet.datasets.dataset import DataConfig, SampleSet, Split, evenly_spaced
from avdet.datasets.metrics import (
    Labels,
    Metrics,
    Scores,
    average_precision,
    class_accuracy,
    metrics_table,
    rank_classes,
    top_k,
)  # fmt: skip
from avdet.datasets.segments import Segments, drop_duplicate_ids, find_overlap, keep_valid
from avdet.datasets.video_files import VideoIndex, index_videos, match_videos

__all__ = ["ClassificationConfig", "ClassificationDataset", "SegmentSplit", "accuracy_by_class", "refuse_shared"]

logger = logging.getLogger(__name__)
ROTATIONS = ClassNames.numbered(("upright", "left", "upside down", "right"))  # quarter turns


class ClassificationConfig(DataConfig):
    """Settings of benchmarks whose labels are of whole clips."""

    task: Literal["classification", "rotation", "none"] = Field(
        "classification",
        description="What the classifier learns: the benchmark's classes, the clip's rotation (self-supervised), or "
        "nothing (AVS loss alone).",
    )
    test_num_clips: int = Field(10, ge=1, description="Clips per segment in testing, evenly spaced.")
    test_num_crops: Literal[1, 3] = Field(
        3, description="Square crops per clip in testing: the centre, or three along the longer side."
    )
    test_aggregation: Literal["mean", "max"] = Field(
        "mean", description="How the scores of a segment's clips and crops are combined."
    )

    @property
    def has_labels(self) -> bool:
        return self.task != "none"


C = TypeVar("C", bound=ClassificationConfig)


@dataclass(frozen=True)
class SegmentSplit:
    """The segments of a split whose video exists, the files by video name, and all annotated segments."""

    segments: Segments
    files: Mapping[str, Path]
    annotated: Segments

    def first(self, count: int) -> SegmentSplit:
        """The first `count` segments."""
        return self._select(np.arange(len(self.segments)) < count)

    def spread(self, count: int) -> SegmentSplit:
        """At most `count` segments, evenly spaced over the list."""
        return self._select(evenly_spaced(len(self.segments), count))

    def _select(self, keep: NDArray[np.bool_]) -> SegmentSplit:
        few = self.segments.select(keep)
        return SegmentSplit(few, self.files, few)


class ClassificationDataset(ABC, Generic[C]):
    """Implements `Dataset` for benchmarks with labelled segments; a benchmark adds its files and perhaps metrics."""

    Config: ClassVar[type[ClassificationConfig]]
    guide: ClassVar[str] = "docs/benchmarks.md"

    def __init__(self, config: C) -> None:
        self.config = config

    @property
    def multilabel(self) -> bool:
        """Whether a segment has several classes, scored by sigmoids and mAP."""
        return False

    @property
    def sample_set(self) -> SampleSet:
        return "classification"

    @property
    def sample_recipe(self) -> str:
        return f"{self.config.kind}.yaml"

    @abstractmethod
    def files(self, split: Split) -> dict[str, Path]:
        """See `Dataset.files`."""

    @abstractmethod
    def benchmark_classes(self) -> dict[str, ClassNames]:
        """The benchmark's own class sets by name."""

    @abstractmethod
    def read_segments(
        self, split: Split, classes: Mapping[str, ClassNames], videos: VideoIndex
    ) -> tuple[Segments, list[str]]:
        """The segments of the benchmark's files, and a sentence per kind of row that was skipped.

        videos: the files that exist, by which Kinetics tells trimmed clips from whole videos.
        """

    def class_sets(self) -> dict[str, ClassNames]:
        if self.config.task == "classification":
            return self.benchmark_classes()
        return {"rotation": ROTATIONS} if self.config.task == "rotation" else {}

    def annotated(self, split: Split, videos: VideoIndex) -> tuple[Segments, list[str]]:
        """All annotated segments, with or without a video, and a sentence per kind of row that was skipped."""
        segments, faults = self.read_segments(split, self.benchmark_classes(), videos)
        segments, nameless = keep_valid(segments, segments.videos != "", "name no video")
        segments, repeated = drop_duplicate_ids(segments)
        return segments, faults + nameless + repeated

    def read(self, split: Split) -> SegmentSplit:
        """The segments of a split; logs what is skipped.

        Raises ValueError if nothing is left, or anything is skipped under `require_all_videos`. With `overfit_clips`,
        every split is those segments of train.
        """
        split = "train" if self.config.overfit_clips else split
        videos = index_videos(self.config.videos)
        annotated, faults = self.annotated(split, videos)
        segments, files, missing = match_videos(annotated, videos)
        faults += missing
        logger.info("%s: %s clips of %s videos", split, f"{len(segments):,}", f"{len(files):,}")
        for fault in faults:
            logger.warning("%s: %s", split, fault)
        if not len(segments) or (self.config.require_all_videos and faults):
            way_out = ", or set data.require_all_videos=false" if len(segments) else ""
            reason = "; ".join(faults) or "the annotations list no clip"
            raise ValueError(f"{split}: {reason}; check {self.config.videos.absolute()} and correct the data{way_out}")
        found = SegmentSplit(segments, files, annotated)
        return found.spread(self.config.overfit_clips) if self.config.overfit_clips else found

    def load_metric_lists(self) -> None:
        """Reads the lists that the metrics need beside the segments, so that a faulty one stops a run early."""

    def measure(
        self, classes: Mapping[str, ClassNames], segments: Segments, scores: Mapping[str, Scores], annotated: Segments
    ) -> tuple[str, float | None, dict[str, Any]]:
        """Name and value of the main metric, and all metrics. By default top-1 and top-5, or mAP if `multilabel`.

        scores: (N, C) of each class set, in the order of `segments`. annotated: all annotated segments.
        """
        if self.multilabel:
            return mean_average_precision(classes["action"], segments, scores["action"], annotated)
        scored, labels = scores["action"], segments.labels["action"]
        top1 = top_k(scored, labels, 1)
        content = {
            "top1": top1,
            "top5": top_k(scored, labels, 5),
            "mean_class_accuracy": class_accuracy(scored, labels),
            "accuracy": accuracy_by_class(classes["action"], labels, scored),
        }
        return "top1", top1, content

    def metrics(
        self, classes: Mapping[str, ClassNames], segments: Segments, scores: Mapping[str, Scores], annotated: Segments
    ) -> Metrics:
        """The benchmark's metrics with the counts and the test protocol beside them."""
        name, score, content = self.measure(classes, segments, scores, annotated)
        protocol = {
            "clips": len(segments),
            "expected_clips": len(annotated),
            "views": f"{self.config.test_num_clips} x {self.config.test_num_crops}",
            "pooling": self.config.test_aggregation,
        }
        content = {**content, **protocol}
        return Metrics(name, score, content, metrics_table(content))

    def predicting(self, class_sets: Collection[str]) -> ClassificationDataset[C]:
        """This data set for a model that predicts only those class sets, if it has several (EPIC)."""
        return self

    def submission_form(self) -> str | None:
        """What the benchmark's server or script reads, in a word; None if it has no form of its own."""
        return None

    def submission(self, classes: Mapping[str, ClassNames], ids: Sequence[str], scores: Mapping[str, Scores]) -> str:
        """Predictions in that form. Raises ValueError if the scores are not enough."""
        raise ValueError(f"{self.config.kind} has no submission format")


def accuracy_by_class(classes: ClassNames, labels: Labels, scores: Scores) -> dict[str, float | None]:
    """Top-1 accuracy of each class; None for a class without clips."""
    hits = rank_classes(scores)[:, 0] == labels
    return {
        name: float(hits[labels == i].mean()) if (labels == i).any() else None for i, name in enumerate(classes.names)
    }


def mean_average_precision(
    classes: ClassNames, segments: Segments, scores: Scores, annotated: Segments
) -> tuple[str, float | None, dict[str, Any]]:
    """mAP over all annotated videos: those without a prediction rank last, as in Charades' script."""
    table = pd.DataFrame(scores, index=segments.ids).reindex(annotated.ids, fill_value=-np.inf)
    labels = annotated.labels["action"]
    ap = average_precision(table.to_numpy(), labels)
    mean = None if np.isnan(ap).all() else float(np.nanmean(ap))
    content = {
        "mAP": mean,
        "classes_averaged": int((~np.isnan(ap)).sum()),
        "AP": {name: None if np.isnan(x) else float(x) for name, x in zip(classes.names, ap, strict=True)},
        "videos_without_a_class": int((~labels.any(axis=1)).sum()),
    }
    return "mAP", mean, content


def refuse_shared(train: SegmentSplit, val: SegmentSplit) -> None:
    """Raises ValueError for clips that are both trained on and tested."""
    fault = find_overlap(train.segments, val.segments, {**train.files, **val.files})
    if fault is not None:
        raise ValueError(fault)
