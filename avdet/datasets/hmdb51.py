"""HMDB51, by its official lists."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from avdet.datasets.class_names import ClassNames
from avdet.datasets.classification import ClassificationConfig, ClassificationDataset
from avdet.datasets.dataset import Split
from avdet.datasets.segments import Segments
from avdet.datasets.tables import read_lines
from avdet.datasets.video_files import VideoIndex, strip_video_suffix

__all__ = ["Hmdb51", "Hmdb51Config", "read_hmdb51", "read_hmdb51_classes"]

FLAGS = {"train": "1", "val": "2"}  # 0: in neither


class Hmdb51Config(ClassificationConfig):
    """HMDB51."""

    kind: Literal["hmdb51"] = "hmdb51"
    videos: Path = Field(Path("data/hmdb51/videos"), description="Folder of the videos, in folders of classes or not.")
    annotations: Path = Field(Path("data/hmdb51/annotations"), description="Folder of the official lists.")
    split: Literal[1, 2, 3] = Field(1, description="Official split.")


class Hmdb51(ClassificationDataset[Hmdb51Config]):
    """One list CLASS_test_splitN.txt per class."""

    Config = Hmdb51Config

    def files(self, split: Split) -> dict[str, Path]:
        found = sorted(self.config.annotations.glob(f"*_test_split{self.config.split}.txt"))
        expected = self.config.annotations / f"CLASS_test_split{self.config.split}.txt"
        return {f"data.annotations' {path.name}": path for path in found or [expected]}

    def benchmark_classes(self) -> dict[str, ClassNames]:
        return {"action": read_hmdb51_classes(self.config.annotations, self.config.split)}

    def read_segments(
        self, split: Split, classes: Mapping[str, ClassNames], videos: VideoIndex
    ) -> tuple[Segments, list[str]]:
        return read_hmdb51(self.config.annotations, self.config.split, split, classes["action"]), []


def read_hmdb51_classes(annotations: Path, split: Literal[1, 2, 3]) -> ClassNames:
    """One class per CLASS_test_splitN.txt. Raises ValueError if the three splits have different classes."""
    of_all, of_split = _listed_classes(annotations, "[123]"), _listed_classes(annotations, str(split))
    if missing := sorted(of_all - of_split):
        raise ValueError(
            f"{annotations} lacks the lists of split {split} of {len(missing)} of {len(of_all)} classes, such as "
            f"{missing[0]}_test_split{split}.txt; unpack all of HMDB51's lists there"
        )
    return ClassNames.numbered(sorted(of_split))


def _listed_classes(annotations: Path, split: str) -> set[str]:
    return {re.sub(r"_test_split\d", "", path.stem) for path in annotations.glob(f"[!.]*_test_split{split}.txt")}


def read_hmdb51(annotations: Path, number: Literal[1, 2, 3], split: Split, classes: ClassNames) -> Segments:
    """CLASS_test_splitN.txt: `clip.avi 1` (training), 2 (test) or 0 (neither) per line."""
    names, labels = [], []
    for index, name in enumerate(classes.names):
        path = annotations / f"{name}_test_split{number}.txt"
        for line in read_lines(path):
            clip, flag = (["", *line.rsplit(None, 1)])[-2:]
            if flag not in {"0", "1", "2"} or not clip:
                raise ValueError(f"{path} has the line {line!r}; HMDB51's lists have `clip.avi 0`, 1 or 2")
            if flag == FLAGS[split]:
                names.append(f"{name}/{strip_video_suffix(clip.strip())}")
                labels.append(index)
    return Segments.whole_videos(np.array(names, object), {"action": np.array(labels, np.int64)})
