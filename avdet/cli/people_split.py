"""A recipe's labelled people, as what finds or learns people wants them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from avdet.cli.config_arguments import provide_sample
from avdet.datasets.data_settings import AvaData
from avdet.datasets.locate import require_data
from avdet.settings import Config

if TYPE_CHECKING:
    from avdet.datasets.keyframes import KeyframeTable

__all__ = ["labelled_split", "provide_labels"]


def provide_labels(config: Config, splits: tuple[str, ...], *, sample: bool) -> None:
    """Makes the sample set where it is wanted.

    Raises ValueError where files are missing; the detected boxes need not be there, for here they are made.
    """
    if not isinstance(config.data, AvaData):
        raise ValueError(f"{config.name} has data of kind {config.data.kind}, without boxes; give a recipe of kind ava")
    if sample:
        provide_sample(config)
    require_data(config.data.model_copy(update={f"{split}_boxes": None for split in splits}), splits)


def labelled_split(config: Config, split: str) -> tuple[KeyframeTable, dict[str, Path]]:
    """The keyframes of a split whose movie is there, and the movies by name."""
    from avdet.data.build import build_classes, read_truth
    from avdet.datasets.videos import find_videos_by_name

    keyframes, _, _ = read_truth(config.ava, split, build_classes(config.ava))
    return keyframes, find_videos_by_name(config.ava.videos)
