"""What train_net.py and test_net.py report at the end of a run: the metrics, and one annotated video."""

from __future__ import annotations

from typing import Any

import ava_eval
from avdet.config import Config
from avdet.datasets.detection import DetectionDataset
from avdet.datasets.timestamp_offset import add_trimmed, find_timestamp_offset
from avdet.datasets.video_files import videos_by_name
from avdet.engine.progress import CONSOLE
from avdet.engine.run_dir import RunDir
from avdet.engine.task import EvaluationResult
from avdet.visualization.person_timeline import Overlay, detected_persons, rows_of_video
from avdet.visualization.render import render

__all__ = ["annotate_first_video", "print_result"]


def print_result(result: EvaluationResult, run: RunDir, config: Config, *, annotate: bool = False) -> None:
    """Prints the metrics and the run directory. annotate: also write annotated.mp4, if the run detects actions."""
    CONSOLE.print(result.metrics.text, highlight=False, markup=False)
    CONSOLE.print(f"All files of this run are in {run.path}", highlight=False, markup=False)
    dataset = config.dataset()
    if annotate and isinstance(dataset, DetectionDataset):
        annotate_first_video(run, dataset)


def annotate_first_video(run: RunDir, dataset: DetectionDataset[Any]) -> None:
    """Writes annotated.mp4: the first video in the run's detections with its boxes and its audio."""
    detections = ava_eval.read_detections(run.detections)
    name = str(detections["video"].iloc[0])
    path = add_trimmed(videos_by_name(dataset.config.videos), [name])[name]
    if path.is_dir():
        CONSOLE.print(f"{name} is a folder of frames; no annotated video is written", highlight=False, markup=False)
        return
    rows = detections[detections["video"] == name]
    offset_s = find_timestamp_offset(rows, {name: path}, dataset.config.offset_setting, run.detections).of(name)
    rows = rows_of_video(detections, name, offset_s, "detections")
    render(path, run.annotated, Overlay(detected_persons(rows, dataset.label_map()), timestamp_offset_s=offset_s))
    CONSOLE.print(f"{name} with its detections and audio: {run.annotated}", highlight=False, markup=False)
