"""UCF101, by its official lists."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np
from pydantic import Field

from avdet.datasets.class_names import ClassNames, unknown_classes
from avdet.datasets.classification import ClassificationConfig, ClassificationDataset
from avdet.datasets.dataset import Split
from avdet.datasets.segments import Segments
from avdet.datasets.tables import read_lines
from avdet.datasets.video_files import VideoIndex, strip_video_suffix

__all__ = ["Ucf101", "Ucf101Config", "read_ucf101", "read_ucf101_classes"]


class Ucf101Config(ClassificationConfig):
    """UCF101."""

    kind: Literal["ucf101"] = "ucf101"
    videos: Path = Field(Path("data/ucf101/videos"), description="Folder of the videos, in folders of classes or not.")
    annotations: Path = Field(Path("data/ucf101/annotations"), description="Folder of the official lists.")
    split: Literal[1, 2, 3] = Field(1, description="Official split.")


class Ucf101(ClassificationDataset[Ucf101Config]):
    """classInd.txt, trainlistNN.txt and testlistNN.txt."""

    Config = Ucf101Config

    def files(self, split: Split) -> dict[str, Path]:
        names = ("classInd.txt", _list_name(split, self.config.split))
        return {f"data.annotations' {name}": self.config.annotations / name for name in names}

    def benchmark_classes(self) -> dict[str, ClassNames]:
        return {"action": read_ucf101_classes(self.config.annotations)}

    def read_segments(
        self, split: Split, classes: Mapping[str, ClassNames], videos: VideoIndex
    ) -> tuple[Segments, list[str]]:
        return read_ucf101(self.config.annotations, self.config.split, split, classes["action"]), []


def read_ucf101_classes(annotations: Path) -> ClassNames:
    """classInd.txt: `1 ApplyEyeMakeup` per line."""
    path = annotations / "classInd.txt"
    names = [line.split()[-1] for line in read_lines(path)]
    if not names or len(set(names)) < len(names):
        fault = f"lists {max(names, key=names.count)!r} twice" if names else "lists no class"
        raise ValueError(f"{path} {fault}; give UCF101's own list of classes")
    return ClassNames.numbered(names)


def read_ucf101(annotations: Path, number: Literal[1, 2, 3], split: Split, classes: ClassNames) -> Segments:
    """trainlistNN.txt or testlistNN.txt: `Class/v_Class_g01_c01.avi` per line, in training with the class number."""
    path = annotations / _list_name(split, number)
    names = [re.sub(r"\s+\d+$", "", line).replace("\\", "/") for line in read_lines(path)]
    folders = [PurePosixPath(name).parent.name for name in names]
    unknown = [folder for folder in folders if folder not in classes.names]
    if unknown:
        raise unknown_classes(unknown, classes, path)
    labels = np.array([classes.names.index(folder) for folder in folders], np.int64)
    return Segments.whole_videos(np.array([strip_video_suffix(name) for name in names], object), {"action": labels})


def _list_name(split: Split, number: int) -> str:
    return f"{'train' if split == 'train' else 'test'}list{number:02d}.txt"
