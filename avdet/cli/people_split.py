"""A recipe's labelled people, as what finds or learns people wants them."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from avdet.data.locate import annotation_files, require_data
from avdet.data_settings import AvaData
from avdet.settings import Config

if TYPE_CHECKING:
    from avdet.data.keyframes import KeyframeTable

__all__ = ["labelled_split", "require_labels"]

logger = logging.getLogger(__name__)


def require_labels(config: Config, splits: tuple[str, ...]) -> None:
    """Raises ValueError where files are missing; the detected boxes need not be there, for here they are made."""
    if not isinstance(config.data, AvaData):
        raise ValueError(f"{config.name} has data of kind {config.data.kind}, without boxes; give a recipe of kind ava")
    require_data(config.data.model_copy(update={f"{split}_boxes": None for split in splits}), splits)


def labelled_split(config: Config, split: str) -> tuple[KeyframeTable, dict[str, Path]]:
    """The keyframes of a split whose movie is there, and the movies by name."""
    from ava_eval import read_excluded, read_ground_truth, read_label_map
    from avdet.data.keyframes import ClassNames, labelled_keyframes, without_excluded
    from avdet.data.movies import find_movies, with_movie
    from avdet.data.time_origin import on_movie_time

    data = config.ava
    files = annotation_files(data, split)
    excluded = files.get(f"data.{split}_excluded")
    ground_truth = without_excluded(
        read_ground_truth(files[f"data.{split}_csv"]), read_excluded(excluded) if excluded else None
    )
    classes = ClassNames.from_label_map(read_label_map(files["data.label_map"]))
    movies = find_movies(data.videos)
    keyframes, coverage = with_movie(labelled_keyframes(ground_truth, classes), movies)
    logger.info("%s: %s; %s keyframes", split, coverage, f"{len(keyframes):,}")
    if not len(keyframes) or (data.strict and coverage.missing):
        raise ValueError(f"{split}: {coverage}; add the movies to {data.videos.absolute()}")
    return on_movie_time(keyframes, movies, data.time_origin, files[f"data.{split}_csv"]), movies
