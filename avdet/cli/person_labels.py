"""The labelled persons of a config's data, for the tools that run or train a person detector."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from avdet.cli.config_arguments import provide_sample
from avdet.datasets.data_settings import AvaData
from avdet.datasets.locate import require_data
from avdet.settings import Config

if TYPE_CHECKING:
    from avdet.datasets.keyframes import KeyframeTable

__all__ = ["read_person_labels", "require_person_labels"]


def require_person_labels(config: Config, splits: tuple[str, ...], *, sample: bool) -> None:
    """Checks that the files of the splits exist, except detected boxes; creates the sample set for --sample.

    Raises ValueError where files are missing, or where the data set has no boxes.
    """
    if not isinstance(config.data, AvaData):
        raise ValueError(f"{config.name} has data of kind {config.data.kind}, without boxes; give a config of kind ava")
    if sample:
        provide_sample(config)
    require_data(config.data.model_copy(update={f"{split}_boxes": None for split in splits}), splits)


def read_person_labels(config: Config, split: str) -> tuple[KeyframeTable, dict[str, Path]]:
    """Returns the keyframes of a split whose videos exist, and the paths of the videos by name."""
    from avdet.data.build import build_classes, read_truth
    from avdet.datasets.videos import find_videos_by_name

    keyframes, _, _ = read_truth(config.ava, split, build_classes(config.ava))
    return keyframes, find_videos_by_name(config.ava.videos)
