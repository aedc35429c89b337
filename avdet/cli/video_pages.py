"""The pages of detect_actions.py --player: one per video in the output folder, and index.html over all."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from avdet.datasets.class_names import ClassNames
    from avdet.inference.predictions import PersonPredictions
    from avdet.inference.video_names import VideoJob

__all__ = ["page_path", "require_free_pages", "write_page", "write_pages_index"]

logger = logging.getLogger(__name__)
_HEAD_BYTES = 2000  # of a page that must name its generator


def page_path(output: Path, job: VideoJob) -> Path:
    """Path of a video's page."""
    return output / f"{job.name}.html"


def require_free_pages(output: Path, jobs: Sequence[VideoJob]) -> None:
    """Raises ValueError if a page would overwrite a file that no earlier run wrote, or two pages have one name."""
    from avdet.visualization.player.index_page import PAGE_META

    for path in [output / "index.html", *(page_path(output, job) for job in jobs)]:
        if path.exists() and PAGE_META.encode() not in path.read_bytes()[:_HEAD_BYTES]:
            raise ValueError(f"{path} exists and is not from this command; give another --output, or move the file")
    if any(job.name == "index" for job in jobs):
        raise ValueError("a video is named index, so its page would be index.html, which lists all pages; rename it")


def write_page(
    job: VideoJob, page: Path, predictions: PersonPredictions, classes: ClassNames, min_score: float
) -> None:
    """Writes a video's page; a failure is a warning, because the tables are complete."""
    from avdet.inference.resumable_output import error_text
    from avdet.visualization.person_timeline import Overlay, detected_persons
    from avdet.visualization.player.page import write_player
    from avdet.visualization.player.tracks import MIN_SCORE

    rows = predictions.action_rows(job.name, classes, min_score=min(MIN_SCORE, min_score))
    try:
        write_player(job.path, page, Overlay(detected_persons(rows, classes.label_map), min_score=min_score))
    except Exception as error:
        logger.warning("%s is in the tables, but its page cannot be written: %s", job.path, error_text(error))


def write_pages_index(output: Path, names: Sequence[str], errors: Mapping[str, str]) -> None:
    """Writes index.html from the joined tables in `output`."""
    import pandas as pd

    from ava_eval import read_label_map
    from avdet.visualization.player.index_page import IndexContent, write_index

    tubes = pd.read_csv(output / "tubes.csv", dtype={"video": str}, keep_default_na=False)
    index = write_index(output, IndexContent(names, tubes, read_label_map(output / "label_map.txt"), errors))
    logger.info("%s: open it in a browser; it lists all videos and their best moments", index)
