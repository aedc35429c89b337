"""AVA, and own videos annotated in AVA's CSV format (paper, section 4.3)."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

import pandas as pd
from pydantic import Field

from ava_eval import read_excluded, read_ground_truth, read_label_map
from avdet.datasets.dataset import Split
from avdet.datasets.detection import DetectionConfig, DetectionDataset
from avdet.datasets.keyframe_split import with_table_names
from avdet.datasets.proposals import read_proposals

__all__ = ["Ava", "AvaConfig"]

logger = logging.getLogger(__name__)


class AvaConfig(DetectionConfig):
    """AVA and everything in its file formats."""

    kind: Literal["ava"] = "ava"
    videos: Path = Field(Path("data/ava/videos"), description="Folder of the videos, or of folders of frames.")
    annotations: Path = Field(Path("data/ava/annotations"), description="Folder of the annotation files.")
    train_csv: Path = Field(Path("ava_train_v2.2.csv"), description="Ground truth of the training split.")
    val_csv: Path = Field(Path("ava_val_v2.2.csv"), description="Ground truth of the validation split.")
    label_map: Path = Field(
        Path("ava_action_list_v2.2_for_activitynet_2019.pbtxt"),
        description="Names of the classes that are scored: a pbtxt or plain list.",
    )
    train_label_map: Path | None = Field(
        None, description="Names of the classes that are trained, such as AVA's 80; null: those of `label_map`."
    )
    train_excluded: Path | None = Field(
        Path("ava_train_excluded_timestamps_v2.2.csv"), description="Excluded keyframes of the training split."
    )
    val_excluded: Path | None = Field(
        Path("ava_val_excluded_timestamps_v2.2.csv"), description="Excluded keyframes of the validation split."
    )
    train_boxes: Path | None = Field(
        Path("ava_train_predicted_boxes.csv"),
        description="Detected person boxes that are added in training if the file exists; null: none.",
    )
    val_boxes: Path = Field(
        Path("ava_val_predicted_boxes.csv"), description="Detected person boxes that are classified in testing."
    )


class Ava(DetectionDataset[AvaConfig]):
    """Reads AVA's CSV files as published."""

    Config = AvaConfig

    def files(self, split: Split) -> dict[str, Path]:
        names = ("label_map", "train_label_map", f"{split}_csv", f"{split}_excluded", f"{split}_boxes")
        given = {f"data.{name}": getattr(self.config, name) for name in names}
        files = {setting: self.config.annotations / file for setting, file in given.items() if file is not None}
        if split == "train" and "data.train_boxes" in files and not files["data.train_boxes"].is_file():
            del files["data.train_boxes"]  # training also works without detected boxes
        return files

    def label_map(self) -> dict[int, str]:
        return read_label_map(self.config.annotations / (self.config.train_label_map or self.config.label_map))

    def scored_label_map(self) -> dict[int, str]:
        return read_label_map(self.config.annotations / self.config.label_map)

    def ground_truth(self, split: Split) -> pd.DataFrame:
        return with_table_names(read_ground_truth(self.files(split)[f"data.{split}_csv"]))

    def excluded(self, split: Split) -> pd.DataFrame | None:
        file = self.files(split).get(f"data.{split}_excluded")
        return None if file is None else with_table_names(read_excluded(file))

    def person_boxes(self, split: Split) -> pd.DataFrame | None:
        file = self.files(split).get(f"data.{split}_boxes")
        if file is None and self.config.train_boxes is not None:
            logger.warning("train: no %s, so training has labelled boxes alone", self.config.train_boxes)
        return None if file is None else with_table_names(read_proposals(file))
