"""What a finished run shows: numbers on the terminal, and a clip on which one can see and hear what they mean."""

from __future__ import annotations

import ava_eval
from avdet.datasets.keyframes import keyframes_of_boxes
from avdet.datasets.timestamp_offset import with_timestamp_offset
from avdet.datasets.videos import find_videos_by_name
from avdet.engine.evaluation_result import EvaluationResult
from avdet.engine.progress import CONSOLE
from avdet.engine.run_dir import RunDir
from avdet.settings import Config
from avdet.visualization.person_timeline import Overlay, detected_persons, rows_of_video
from avdet.visualization.render import render

__all__ = ["annotate_first_video", "show_result"]


def show_result(outcome: EvaluationResult, run: RunDir) -> None:
    """The table of the numbers, and where everything lies."""
    CONSOLE.print(outcome.text, highlight=False, markup=False)
    CONSOLE.print(f"Everything of this run is in {run.path}", highlight=False, markup=False)


def annotate_first_video(run: RunDir, config: Config) -> None:
    """annotated.mp4: the first video of the run's detections, with its own sound."""
    detections = ava_eval.read_detections(run.detections)
    video = str(detections["video"].iloc[0])
    label_map = ava_eval.read_label_map(config.data.annotations / config.ava.label_map)
    mine = detections[detections["video"] == video]
    movie = find_videos_by_name(config.data.videos)[video]
    if movie.is_dir():
        CONSOLE.print(f"{video} is a folder of frames: no film of it is annotated", highlight=False, markup=False)
        return
    keyframes = keyframes_of_boxes(mine, min_score=0.0)
    origin_s = with_timestamp_offset(keyframes, {video: movie}, config.ava.timestamp_offset, run.detections).origin_s
    rows = rows_of_video(detections, video, origin_s, "detections")
    render(movie, run.annotated, Overlay(detected_persons(rows, label_map), timestamp_offset_s=origin_s))
    CONSOLE.print(f"{video} with its detections and sound: {run.annotated}", highlight=False, markup=False)
