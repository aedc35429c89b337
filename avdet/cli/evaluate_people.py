"""What a person detector is worth on a recipe's val: its boxes, and numbers."""

from __future__ import annotations

import json
import logging

import pandas as pd

from avdet.cli.people_split import labelled_split
from avdet.datasets.keyframes import KeyframeTable
from avdet.datasets.locate import annotation_files
from avdet.engine.progress import progress_bar
from avdet.engine.results import provenance
from avdet.engine.run_dir import RunDir
from avdet.people.box_table import box_table, csv_lines
from avdet.people.find_persons import detect_persons_at
from avdet.people.person_detector import PersonDetector
from avdet.people.person_metrics import id_switches, person_metrics
from avdet.settings import Config
from avdet.structures import PersonBoxes

__all__ = ["evaluate_people"]

logger = logging.getLogger(__name__)
MIN_SCORE = 0.05


def evaluate_people(detector: PersonDetector, config: Config, run: RunDir) -> None:
    """boxes.csv of val; results.json with the numbers under "people" and their origin beside them.

    Recall, precision and identity switches are those of the boxes with `data.min_box_score` or more, which the
    detector of actions takes.
    """
    keyframes, movies = labelled_split(config, "val")
    threshold = config.ava.min_box_score
    truth: list[PersonBoxes] = []
    found: list[PersonBoxes] = []
    tables: list[pd.DataFrame] = []
    switches = 0
    by_video = _by_video(keyframes)
    with progress_bar("val", len(by_video)) as advance:
        for video, (times_s, people) in by_video.items():
            here = detect_persons_at(movies[video], detector, times_s, min_score=MIN_SCORE, origin_s=keyframes.origin_s)
            tables.append(box_table(video, times_s, here))
            switches += id_switches(people, [one.select(one.scores >= threshold) for one in here])
            truth += people
            found += here
            advance(video)
    (run.path / "boxes.csv").write_text("".join(csv_lines(table) for table in tables), encoding="utf-8")
    numbers = {**person_metrics(truth, found, threshold=threshold).to_json(), "identity_switches": switches}
    files = [path for path in annotation_files(config.data, "val").values() if path.is_file()]
    content = {"people": numbers, "seed": config.seed, **provenance(files, config.data.videos)}
    run.results.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    shown = (
        f"{name} {value:.3f}" if isinstance(value, float) else f"{name} {value}" for name, value in numbers.items()
    )
    logger.info("val: %s", ", ".join(shown))
    logger.info("The boxes of val are in %s", (run.path / "boxes.csv").absolute())


def _by_video(keyframes: KeyframeTable) -> dict[str, tuple[list[float], list[PersonBoxes]]]:
    """Times and people of each video's keyframes, which the table has sorted."""
    videos: dict[str, tuple[list[float], list[PersonBoxes]]] = {}
    for index in range(len(keyframes)):
        keyframe = keyframes[index]
        times_s, people = videos.setdefault(keyframe.video, ([], []))
        times_s.append(keyframe.time_s)
        people.append(keyframe.people)
    return videos
