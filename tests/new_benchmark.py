"""A complete benchmark in one file: a JSON list of {"video": NAME, "label": CLASS} per split, and a list of classes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from avdet.datasets.class_names import ClassNames, read_class_list
from avdet.datasets.classification import ClassificationConfig, ClassificationDataset
from avdet.datasets.dataset import Split
from avdet.datasets.segments import Segments
from avdet.datasets.video_files import VideoIndex


class ClipListConfig(ClassificationConfig):
    """Trimmed clips with one label each."""

    kind: Literal["clip_list"] = "clip_list"
    videos: Path = Field(Path("data/clip_list/videos"), description="Folder of the clips.")
    annotations: Path = Field(Path("data/clip_list/annotations"), description="Folder of the JSON files.")
    label_map: Path = Field(Path("classes.txt"), description="Class names, one per line.")
    train_json: Path = Field(Path("train.json"), description="Training clips.")
    val_json: Path = Field(Path("val.json"), description="Validation clips.")


class ClipList(ClassificationDataset[ClipListConfig]):
    """Top-1 and top-5 accuracy of clips, each with one class."""

    Config = ClipListConfig

    def files(self, split: Split) -> dict[str, Path]:
        names = ("label_map", f"{split}_json")
        return {f"data.{name}": self.config.annotations / getattr(self.config, name) for name in names}

    def benchmark_classes(self) -> dict[str, ClassNames]:
        return {"action": read_class_list(self.config.annotations / self.config.label_map)}

    def read_segments(
        self, split: Split, classes: Mapping[str, ClassNames], videos: VideoIndex
    ) -> tuple[Segments, list[str]]:
        setting = f"data.{split}_json"
        clips = json.loads(self.files(split)[setting].read_text("utf-8"))
        names = np.array([clip["video"] for clip in clips], object)
        labels = classes["action"].indices([clip["label"] for clip in clips], setting)
        return Segments.whole_videos(names, {"action": np.array(labels, np.int64)}), []
