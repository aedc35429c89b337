"""What train_net.py and test_net.py report at the end of a run: the metrics, and one annotated video."""

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

__all__ = ["annotate_first_video", "print_result"]


def print_result(result: EvaluationResult, run: RunDir) -> None:
    """Prints the table of metrics and the path of the run directory."""
    CONSOLE.print(result.text, highlight=False, markup=False)
    CONSOLE.print(f"All files of this run are in {run.path}", highlight=False, markup=False)


def annotate_first_video(run: RunDir, config: Config) -> None:
    """Writes annotated.mp4: the first video in the run's detections with its boxes and its audio."""
    detections = ava_eval.read_detections(run.detections)
    name = str(detections["video"].iloc[0])
    path = find_videos_by_name(config.data.videos)[name]
    if path.is_dir():
        CONSOLE.print(f"{name} is a folder of frames; no annotated video is written", highlight=False, markup=False)
        return
    label_map = ava_eval.read_label_map(config.data.annotations / config.ava.label_map)
    keyframes = keyframes_of_boxes(detections[detections["video"] == name], min_score=0.0)
    origin_s = with_timestamp_offset(keyframes, {name: path}, config.ava.timestamp_offset, run.detections).origin_s
    rows = rows_of_video(detections, name, origin_s, "detections")
    render(path, run.annotated, Overlay(detected_persons(rows, label_map), timestamp_offset_s=origin_s))
    CONSOLE.print(f"{name} with its detections and audio: {run.annotated}", highlight=False, markup=False)
