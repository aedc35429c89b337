"""Kinetics-400, -600, -700 and Kinetics-Sounds: the official CSV; and own lists of clips."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field

from avdet.datasets.class_names import ClassNames, class_indices, read_class_list
from avdet.datasets.classification import ClassificationConfig, ClassificationDataset
from avdet.datasets.clip_lists import read_clip_list
from avdet.datasets.dataset import SampleSet, Split
from avdet.datasets.metrics import Scores
from avdet.datasets.segments import Segments, keep_valid
from avdet.datasets.tables import numbers, read_table, read_text
from avdet.datasets.video_files import VideoIndex, find_video

__all__ = ["Kinetics", "KineticsConfig", "read_kinetics", "select_classes", "subset_classes"]

KINETICS_SOUNDS = Path(__file__).with_name("kinetics_sounds_classes.txt")
COLUMNS = ("label", "youtube_id", "time_start", "time_end")


class KineticsConfig(ClassificationConfig):
    """Kinetics and every list of clips and their labels."""

    kind: Literal["kinetics"] = "kinetics"
    videos: Path = Field(Path("data/kinetics/videos"), description="Folder of the videos, trimmed or whole.")
    annotations: Path = Field(Path("data/kinetics/annotations"), description="Folder of the annotation files.")
    train_csv: Path = Field(Path("kinetics-400_train.csv"), description="Training clips.")
    val_csv: Path = Field(Path("kinetics-400_val.csv"), description="Validation clips.")
    label_map: Path = Field(Path("label_map_k400.txt"), description="Class names, one per line.")
    classes: Path | None = Field(
        None,
        description="List of the classes to use; null: all. Without such a file in `annotations`, "
        "kinetics_sounds_classes.txt is the list of 32 that comes with avdet.",
    )
    test_classes: Path | None = Field(
        None, description="List of the classes that are tested, as `classes`; the model predicts all. null: all."
    )
    multilabel: bool = Field(False, description="A clip may have several classes (sigmoid, scored by mAP).")


class Kinetics(ClassificationDataset[KineticsConfig]):
    """Kinetics' official CSV or any list that `read_clip_list` reads, with all classes or a subset."""

    Config = KineticsConfig

    @property
    def multilabel(self) -> bool:
        return self.config.multilabel

    @property
    def sample_set(self) -> SampleSet:
        return "classification" if self.config.task == "classification" else "unlabelled"

    @property
    def sample_recipe(self) -> str:
        return "kinetics.yaml" if self.config.task == "classification" else "unlabelled.yaml"

    def files(self, split: Split) -> dict[str, Path]:
        names = ("label_map", "classes", *(("test_classes",) if split == "val" else ()), f"{split}_csv")
        files = {f"data.{name}": getattr(self.config, name) for name in names}
        return {setting: self._file(file) for setting, file in files.items() if file is not None}

    def benchmark_classes(self) -> dict[str, ClassNames]:
        classes, subset = self._all_classes(), self.config.classes
        return {"action": classes if subset is None else subset_classes(self._file(subset), classes)}

    def read_segments(
        self, split: Split, classes: Mapping[str, ClassNames], videos: VideoIndex
    ) -> tuple[Segments, list[str]]:
        all_classes = self._all_classes()
        file, multilabel = self.files(split)[f"data.{split}_csv"], self.config.multilabel
        segments, faults = read_kinetics(file, all_classes, videos, multilabel=multilabel)
        if self.config.classes is not None:
            segments = select_classes(segments, all_classes, classes["action"])
        if split == "val" and self.config.test_classes is not None:
            segments = segments.select(np.isin(segments.labels["action"], self._tested(classes["action"])))
        return segments, faults

    def measure(
        self, classes: Mapping[str, ClassNames], segments: Segments, scores: Mapping[str, Scores], annotated: Segments
    ) -> tuple[str, float | None, dict[str, Any]]:
        """See `ClassificationDataset.measure`; with `test_classes` no other class can be predicted."""
        if self.config.test_classes is not None:
            untested = np.ones(len(classes["action"]), bool)
            untested[self._tested(classes["action"])] = False
            scores = {"action": np.where(untested, -np.inf, scores["action"])}
        return super().measure(classes, segments, scores, annotated)

    def _tested(self, classes: ClassNames) -> list[int]:
        """Output indices of `test_classes`."""
        assert self.config.test_classes is not None
        return classes.indices(subset_classes(self._file(self.config.test_classes), classes).names, "data.test_classes")

    def _file(self, file: Path) -> Path:
        """A file of `annotations`, or the list of Kinetics-Sounds that comes with avdet."""
        own = self.config.annotations / file
        return own if own.is_file() or file != Path(KINETICS_SOUNDS.name) else KINETICS_SOUNDS

    def _all_classes(self) -> ClassNames:
        return read_class_list(self.config.annotations / self.config.label_map)


def read_kinetics(
    path: Path, classes: ClassNames, videos: VideoIndex, *, multilabel: bool = False
) -> tuple[Segments, list[str]]:
    """Segments of the official CSV (label, youtube_id, time_start, time_end) or of any list of `read_clip_list`.

    A file ID_000417_000427 is the trimmed clip; a file ID is the whole video, from which the clip is cut. The second
    value has a sentence per kind of row that was skipped.
    """
    text = read_text(path)
    first_line = text.lstrip().partition("\n")[0]
    cells = {cell.strip().strip('"').casefold() for cell in re.split(r"[,;\t]", first_line)}
    if "youtube_id" not in cells or multilabel:
        return read_clip_list(text, path, classes, videos, multilabel=multilabel)
    return _read_csv(path, classes, videos)


def subset_classes(path: Path, classes: ClassNames) -> ClassNames:
    """The classes that a list names, in its order and in Kinetics' spelling."""
    rows = class_indices(read_class_list(path).names, classes, path)
    return ClassNames.numbered([classes.names[row] for row in rows])


def select_classes(segments: Segments, classes: ClassNames, subset: ClassNames) -> Segments:
    """The segments of the subset's classes, labelled by its indices."""
    labels = segments.labels["action"]
    if labels.ndim > 1:
        raise ValueError("data.classes selects the clips of single labels; remove it, or set data.multilabel=false")
    index = {classes.names.index(name): i for i, name in enumerate(subset.names)}
    labels = np.array([index.get(int(label), -1) for label in labels], dtype=np.int64)
    kept = segments.select(labels >= 0)
    kept.labels["action"] = labels[labels >= 0]
    return kept


def _read_csv(path: Path, classes: ClassNames, videos: VideoIndex) -> tuple[Segments, list[str]]:
    table = read_table(path, COLUMNS)
    start_s, end_s = numbers(table, "time_start", path), numbers(table, "time_end", path)
    ids = [
        f"{video}_{_stamp(start)}_{_stamp(end)}"
        for video, start, end in zip(table["youtube_id"], start_s, end_s, strict=True)
    ]
    trimmed = np.array(
        [
            find_video(videos, i) is not None or video not in videos
            for i, video in zip(ids, table["youtube_id"], strict=True)
        ],
        dtype=bool,
    )
    segments = Segments(
        np.array(ids, object),
        np.where(trimmed & (table["youtube_id"] != ""), np.array(ids, object), table["youtube_id"].to_numpy(object)),
        np.where(trimmed, 0.0, start_s),
        np.where(trimmed, np.inf, end_s),
        {"action": class_indices(table["label"].tolist(), classes, path)},
    )
    timed = np.isfinite(start_s) & np.isfinite(end_s) & (start_s >= 0)
    segments, untimed = keep_valid(segments, timed, "have no time, or a negative one")
    segments, reversed_ = keep_valid(segments, (end_s > start_s)[timed], "end before they start")
    return segments, untimed + reversed_


def _stamp(time_s: float) -> str:
    """000417, as in Kinetics' file names; fractional times keep their fraction, so that ids are unique."""
    if not np.isfinite(time_s):
        return "none"
    return f"{time_s:06.0f}" if time_s % 1 == 0 else f"{time_s:010.3f}"
