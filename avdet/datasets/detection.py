"""Benchmarks that label person boxes at keyframes: their common settings, reading and metric."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Annotated, ClassVar, Generic, Literal, TypeVar

import pandas as pd
from pydantic import Field, field_validator, model_validator

import ava_eval
from ava_eval import KEYFRAME_COLUMNS
from ava_eval.protocols import PROTOCOLS
from ava_eval.ties import Ties
from avdet.datasets.class_names import ClassNames
from avdet.datasets.dataset import DataConfig, SampleSet, Split
from avdet.datasets.keyframe_split import KeyframeSplit, refuse_unknown_actions, with_video, without_excluded
from avdet.datasets.metrics import Metrics
from avdet.datasets.timestamp_offset import OffsetSetting, VideoOffsets, add_trimmed, find_timestamp_offset
from avdet.datasets.video_files import videos_by_name
from avdet.settings import Fraction

__all__ = ["DetectionConfig", "DetectionDataset"]

logger = logging.getLogger(__name__)


class DetectionConfig(DataConfig):
    """Settings of benchmarks with person boxes."""

    min_box_score: Fraction = Field(0.8, description="Lowest score of the detected person boxes that are used.")
    negative_boxes: bool = Field(
        False, description="Train on detected boxes that overlap no labelled person as persons without actions."
    )
    test_short_sides: tuple[Annotated[int, Field(ge=32)], ...] = Field(
        (), description="Short sides in testing, whose scores are averaged; []: `test_short_side` alone."
    )
    test_flip: bool = Field(False, description="Also average over mirrored frames in testing.")
    test_num_clips: int = Field(
        1, ge=1, le=100, description="Clips per keyframe in testing, spread over half a clip's span around it."
    )
    timestamp_offset: Literal["auto"] | float | Path = Field(
        "auto", description="Timestamp of the videos' start; auto: 0, AVA's 900 or ID_START_END; a CSV video,offset."
    )
    classes: tuple[str, ...] = Field((), description="Classes of the label map to train and score; []: all.")
    exclusive_groups: tuple[tuple[str, ...], ...] = Field(
        (), description="Groups of classes of which a person does exactly one (softmax instead of sigmoid)."
    )
    repeat_threshold: Fraction = Field(
        0.0, description="Keyframes of classes rarer than this fraction are repeated (LVIS); 0: off."
    )
    class_weights: Literal["equal", "inverse_sqrt"] = Field(
        "equal", description="Weights of the classes' positives in the loss, by their number of rows."
    )

    @property
    def offset_setting(self) -> OffsetSetting:
        offset = self.timestamp_offset
        return self.annotations / offset if isinstance(offset, Path) else offset

    @field_validator("timestamp_offset")
    @classmethod
    def _is_auto_seconds_or_csv(cls, offset: OffsetSetting) -> OffsetSetting:
        if isinstance(offset, Path) and offset.suffix != ".csv":
            raise ValueError(f"{str(offset)!r} is not auto, a number of seconds or a .csv file of video,offset")
        return offset

    @model_validator(mode="after")
    def _classes_occur_once(self) -> DetectionConfig:
        grouped = [name for members in self.exclusive_groups for name in members]
        for setting, listed, rule in (
            ("classes", self.classes, "list each class once"),
            ("exclusive_groups", grouped, "a class belongs to at most one group"),
        ):
            repeated = next((name for name in listed if listed.count(name) > 1), None)
            if repeated is not None:
                raise ValueError(f"{setting} lists {repeated!r} twice; {rule}")
        single = next((members for members in self.exclusive_groups if len(members) < 2), None)
        if single is not None:
            raise ValueError(f"exclusive_groups has the group {list(single)}; a group needs two classes or more")
        return self


C = TypeVar("C", bound=DetectionConfig)


class DetectionDataset(ABC, Generic[C]):
    """Implements `Dataset` for benchmarks with person boxes; a benchmark adds its files."""

    Config: ClassVar[type[DetectionConfig]]
    guide: ClassVar[str] = "docs/data.md"
    sample_set: SampleSet = "detection"
    sample_recipe: str = "detection.yaml"

    def __init__(self, config: C) -> None:
        self.config = config

    @abstractmethod
    def files(self, split: Split) -> dict[str, Path]:
        """See `Dataset.files`."""

    @abstractmethod
    def label_map(self) -> dict[int, str]:
        """Names of all classes that can be trained, by the benchmark's ids."""

    def scored_label_map(self) -> dict[int, str]:
        """Names of the classes that the metrics average; by default all."""
        return self.label_map()

    @abstractmethod
    def ground_truth(self, split: Split) -> pd.DataFrame:
        """Rows of `ava_eval.read_ground_truth`."""

    @abstractmethod
    def excluded(self, split: Split) -> pd.DataFrame | None:
        """The keyframes that are neither trained on nor scored; None if the benchmark excludes none."""

    @abstractmethod
    def person_boxes(self, split: Split) -> pd.DataFrame | None:
        """Detected person boxes: video, timestamp, box, score, person_id; None if there are none."""

    def class_names(self) -> ClassNames:
        """The classes that are trained."""
        classes = ClassNames.from_label_map(self.label_map())
        return classes.select(self.config.classes, "data.classes") if self.config.classes else classes

    def scored_classes(self) -> ClassNames:
        """The trained classes that the metrics average. Raises ValueError if there is none."""
        trained, scored = self.class_names().ids, self.scored_label_map()
        if not scored.keys() & set(trained):
            raise ValueError("data.label_map has none of the trained classes (data.train_label_map, data.classes)")
        return ClassNames.from_label_map({i: name for i, name in scored.items() if i in trained})

    def class_sets(self) -> dict[str, ClassNames]:
        return {"action": self.class_names()}

    def exclusive_groups(self, classes: ClassNames) -> list[list[int]]:
        """Output indices of each group of classes of which a person does exactly one."""
        return [classes.indices(names, "data.exclusive_groups") for names in self.config.exclusive_groups]

    def read(self, split: Split) -> KeyframeSplit:
        """The keyframes of a split; logs how many are skipped because their video is missing.

        Raises ValueError if no video is found, any is missing under `require_all_videos`, or a time is outside its
        video. With `overfit_clips`, every split is those keyframes of train.
        """
        split = "train" if self.config.overfit_clips else split
        truth, table = self.ground_truth(split), self.files(split)[f"data.{split}_csv"]
        refuse_unknown_actions(truth, self.label_map(), table)
        config, excluded = self.config, self.excluded(split)
        videos = add_trimmed(videos_by_name(config.videos), truth["video"].unique())
        rows = with_video(without_excluded(truth, excluded), videos, split, self.config)
        keyframes = rows.drop_duplicates(KEYFRAME_COLUMNS)
        offsets = find_timestamp_offset(keyframes, videos, config.offset_setting, table, config.frames_fps)
        if offsets != VideoOffsets():
            logger.info("%s: the videos start at timestamp %s", split, offsets)
        found = KeyframeSplit(rows, truth, excluded, videos, offsets)
        return found.spread(config.overfit_clips) if config.overfit_clips else found

    def metrics(
        self, detections: pd.DataFrame, split: KeyframeSplit, *, protocol: str, iou: float, ties: Ties = "expected"
    ) -> Metrics:
        """Frame mAP of a table of detections, whose scores should not be rounded: rounded ones tie."""
        label_map = self.scored_classes().label_map
        detections = detections[detections["action_id"].isin(list(label_map))]
        excluded = split.excluded if PROTOCOLS[protocol].uses_excluded else None
        result = ava_eval.evaluate(
            split.ground_truth, detections, label_map, excluded=excluded, protocol=protocol, iou=iou, ties=ties
        )
        text = "\n".join([ava_eval.table(result), *(f"note: {note}" for note in result.notes)])
        return Metrics("mAP", result.mean_ap, result.to_json(), text)
