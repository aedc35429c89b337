"""What avdet asks of a benchmark: the Protocol `Dataset`, and the settings that all benchmarks share."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from avdet.datasets.class_names import ClassNames
from avdet.media.video_source import OpenOptions
from avdet.settings import Fraction, Section

__all__ = ["SPLITS", "DataConfig", "Dataset", "SampleSet", "Split", "evenly_spaced", "require_data"]

Split = Literal["train", "val"]
SPLITS: tuple[Split, Split] = ("train", "val")
SampleSet = Literal["detection", "classification", "unlabelled"]


class DataConfig(Section):
    """Settings of section `data` that every benchmark has. Annotation files are relative to `annotations`."""

    kind: str = Field(description="The benchmark, a key of avdet.datasets.DATASETS.")
    videos: Path = Field(description="Folder of the videos.")
    annotations: Path = Field(description="Folder of the annotation files.")
    nominal_fps: float = Field(30.0, gt=0, description="Frame rate at which the model's frames become seconds.")
    train_short_side: tuple[int, int] = Field(
        (256, 320), description="Range of the frame's short side in training, in pixels."
    )
    train_scale: Literal["uniform", "inverse_uniform"] = Field(
        "uniform", description="Whether the short side or its inverse is drawn uniformly."
    )
    train_crop: int = Field(224, ge=32, description="Side of the random training crop, in pixels.")
    test_short_side: int = Field(256, ge=32, description="Short side of the frames in testing, in pixels.")
    flip: Fraction = Field(0.5, description="Probability of a horizontal flip in training.")
    colour_jitter: Fraction = Field(
        0.0, description="Largest relative change of brightness, contrast and saturation in training."
    )
    pca_lighting: float = Field(
        0.0, ge=0, description="Standard deviation of the shift along ImageNet's principal colours in training."
    )
    hard_negative_fraction: Fraction = Field(
        0.25, description="Fraction of hard negatives of the AVS loss in the second half of training."
    )
    workers: int = Field(8, ge=0, description="Data loading processes, at most one per core.")
    require_all_videos: bool = Field(
        False, description="Stop if a video is missing, instead of skipping its annotations."
    )
    max_bad_clips: int = Field(
        100, ge=0, description="Unreadable training clips that are replaced before training stops."
    )
    clip_timeout_s: float = Field(
        120.0, gt=0, le=86_400, description="Seconds that reading one clip may take before the run stops."
    )

    frames_fps: float = Field(30.0, gt=0, description="Rate at which folders of frames were extracted.")
    audio_track: int | None = Field(
        None, ge=0, description="Number of the audio track that is read, from 0; null: the one that players select."
    )
    overfit_clips: int | None = Field(
        None, ge=1, description="Training clips to train and evaluate on, as a first check; null: the whole splits."
    )

    @property
    def open_options(self) -> OpenOptions:
        return OpenOptions(self.frames_fps, self.audio_track)

    @property
    def has_labels(self) -> bool:
        """Whether training has labels to learn; without them the AVS loss is the only one."""
        return True

    @model_validator(mode="after")
    def _crop_fits(self) -> DataConfig:
        low, high = self.train_short_side
        if not self.train_crop <= low <= high:
            raise ValueError(
                f"train_short_side {low}-{high} must rise and be at least train_crop {self.train_crop}; "
                "raise it or lower train_crop"
            )
        return self


class Dataset(Protocol):
    """One benchmark: its settings, files, classes, splits, metrics and test protocol.

    `DetectionDataset` and `ClassificationDataset` implement all but the benchmark's own files.
    """

    guide: ClassVar[str]  # the page that says where to get the data

    @property
    def config(self) -> DataConfig: ...

    @property
    def sample_set(self) -> SampleSet:
        """The synthetic data set that `--sample` runs on."""
        ...

    @property
    def sample_recipe(self) -> str:
        """The file in avdet/synthetic/recipes that scales a config down to it."""
        ...

    def class_sets(self) -> dict[str, ClassNames]:
        """The classes of each set that a model predicts: "action", or EPIC's "verb" and "noun"."""
        ...

    def files(self, split: Split) -> dict[str, Path]:
        """The annotation files of a split by the setting that names them."""
        ...


def require_data(dataset: Dataset, splits: tuple[Split, ...] = SPLITS, *, person_boxes: bool = True) -> None:
    """Raises ValueError if a folder or annotation file is missing: which, where it was expected, and the next step.

    person_boxes: False for a tool that creates the files of detected person boxes.
    """
    config = dataset.config
    if config.overfit_clips is not None:
        splits, person_boxes = ("train",), False
    files = {setting: path for split in splits for setting, path in dataset.files(split).items()}
    if not person_boxes:
        files = {setting: path for setting, path in files.items() if not setting.endswith("_boxes")}
    folders = {"data.videos": config.videos} | ({"data.annotations": config.annotations} if files else {})
    missing = {setting: path for setting, path in folders.items() if not path.is_dir()}
    if "data.annotations" not in missing:
        missing |= {setting: path for setting, path in files.items() if not path.is_file()}
    if not missing:
        return
    expected = ", ".join(f"{path.absolute()} ({setting})" for setting, path in missing.items())
    if all(setting.endswith("_boxes") for setting in missing):
        split = next(iter(missing)).removeprefix("data.").removesuffix("_boxes")
        raise ValueError(
            f"The person boxes of {split} are missing: {expected}; create them with tools/detect_people.py --config "
            f"CONFIG --split {split} --output FILE"
        )
    raise ValueError(
        f"The data set is missing: {expected}. See {dataset.guide} for how to get it and where to put it, or add "
        "--sample to run the same config on the built-in synthetic data set"
    )


def evenly_spaced(total: int, count: int) -> NDArray[np.bool_]:
    """(total,) mask of at most `count` places, from the first to the last."""
    chosen = np.zeros(total, np.bool_)
    chosen[np.linspace(0, total - 1, min(count, total)).round().astype(int)] = True
    return chosen
