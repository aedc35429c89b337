"""Something-Something v2: trimmed clips without audio, whose labels are templates such as "Pushing [something]"."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from pydantic import Field

from avdet.datasets.class_names import ClassNames, class_indices, read_class_list
from avdet.datasets.classification import ClassificationConfig, ClassificationDataset
from avdet.datasets.dataset import Split
from avdet.datasets.segments import Segments
from avdet.datasets.tables import read_text
from avdet.datasets.video_files import VideoIndex
from avdet.settings import Fraction

__all__ = ["Ssv2", "Ssv2Config", "read_ssv2"]


class Ssv2Config(ClassificationConfig):
    """Something-Something v2."""

    kind: Literal["ssv2"] = "ssv2"
    videos: Path = Field(Path("data/ssv2/videos"), description="Folder of the videos.")
    annotations: Path = Field(Path("data/ssv2/annotations"), description="Folder of the annotation files.")
    label_map: Path = Field(Path("labels.json"), description="Templates and their ids.")
    train_json: Path = Field(Path("train.json"), description="Training clips.")
    val_json: Path = Field(Path("validation.json"), description="Validation clips.")
    flip: Fraction = Field(0.0, description="Probability of a horizontal flip in training; left and right differ.")
    test_num_clips: int = Field(1, ge=1, description="Clips per video in testing, evenly spaced.")


class Ssv2(ClassificationDataset[Ssv2Config]):
    """The official JSON files."""

    Config = Ssv2Config

    def files(self, split: Split) -> dict[str, Path]:
        names = ("label_map", f"{split}_json")
        return {f"data.{name}": self.config.annotations / getattr(self.config, name) for name in names}

    def benchmark_classes(self) -> dict[str, ClassNames]:
        return {"action": read_class_list(self.config.annotations / self.config.label_map)}

    def read_segments(
        self, split: Split, classes: Mapping[str, ClassNames], videos: VideoIndex
    ) -> tuple[Segments, list[str]]:
        return read_ssv2(self.files(split)[f"data.{split}_json"], classes["action"]), []


def read_ssv2(path: Path, classes: ClassNames) -> Segments:
    """Whole clips from a list of {"id": "78687", "template": "Holding [something] next to [something]", ..}.

    Raises ValueError for another form, and for a template that is not a class.
    """
    try:
        clips = json.loads(read_text(path))
        names = [str(clip["id"]) for clip in clips]
        templates = [clip["template"].replace("[", "").replace("]", "") for clip in clips]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(
            f"{path} is no JSON list of clips with an id and a template ({type(error).__name__}: {error}); give the "
            "benchmark's own file"
        ) from None
    return Segments.whole_videos(np.array(names, object), {"action": class_indices(templates, classes, path)})
