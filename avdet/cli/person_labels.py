"""The labelled persons of a config's data, for the tools that run or train a person detector."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from avdet.cli.config_arguments import provide_sample
from avdet.config import Config
from avdet.datasets.dataset import Split, require_data

if TYPE_CHECKING:
    from avdet.data.keyframes import KeyframeTable

__all__ = ["read_person_labels", "require_person_labels"]


def require_person_labels(config: Config, splits: tuple[Split, ...], *, sample: bool) -> None:
    """Checks that the files of the splits exist, except detected boxes; creates the sample set for --sample.

    Raises ValueError if files are missing, or the data set has no person boxes.
    """
    dataset = config.detection_dataset()
    if sample:
        provide_sample(config)
    require_data(dataset, splits, person_boxes=False)


def read_person_labels(config: Config, split: Split) -> tuple[KeyframeTable, Mapping[str, Path]]:
    """The labelled keyframes of a split whose videos exist, and the paths of the videos by name."""
    from avdet.data.keyframes import labelled_keyframes

    dataset = config.detection_dataset()
    labels = dataset.read(split)
    return labelled_keyframes(labels.rows, dataset.class_names(), labels.offsets), labels.videos
