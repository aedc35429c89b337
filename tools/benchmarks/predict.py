"""Times the whole chain from a video file to an annotated video, and how long each of its stages is busy."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from avdet.config import load_config
from avdet.data.build import build_clip_extractor
from avdet.data.clip_extractor import ClipExtractor
from avdet.datasets.class_names import ClassNames
from avdet.inference.detector import ActionDetector
from avdet.inference.predictions import PersonPredictions
from avdet.inference.stages import InferenceSettings
from avdet.media.video_reader import VideoReader
from avdet.models.action_model import ActionModel
from avdet.models.build import build_model
from avdet.models.inference_model import inference_model
from avdet.overlap import StageTimes
from avdet.people.build_detector import build_person_detector
from avdet.people.person_detector import KeyframeImage, PersonDetector
from avdet.people.torchvision_rcnn import MODELS, torchvision_rcnn
from avdet.structures import PersonBoxes
from avdet.visualization.person_timeline import Overlay, detected_persons
from avdet.visualization.render import render
from benchmarks.benchmark_videos import write_clip

STAGES = ("decode", "persons", "actions", "drawing", "encoding")
CLASSES = 60
CHUNK = 4  # keyframes per batch


@dataclass(frozen=True)
class Pipeline:
    """What is timed.

    persons: None measures without a person detector; boxes: persons per keyframe that are scored, side by side.
    """

    model: ActionModel
    extractor: ClipExtractor
    short_side: int
    persons: PersonDetector | None
    boxes: int
    device: torch.device


@dataclass(frozen=True)
class Spent:
    """Wall-clock seconds, CPU seconds of all threads of the process, and the seconds that each stage was busy."""

    wall_s: float
    cpu_s: float
    busy_s: dict[str, float]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", type=Path, default=Path("configs/ava/avslowfast.yaml"), help="default: configs/ava/avslowfast.yaml"
    )
    parser.add_argument("--video", type=Path, help="default: a synthetic video, 480x360, 30 fps")
    parser.add_argument("--seconds", type=int, default=10, help="length of the synthetic video (default 10)")
    parser.add_argument("--boxes", type=int, default=3, help="persons per keyframe (default 3)")
    parser.add_argument("--short-side", type=int, help="of the model's frames, in pixels (default: the config's)")
    parser.add_argument("--keyframe-rate", type=float, default=1.0, help="keyframes per second (default 1)")
    parser.add_argument("--person-model", choices=list(MODELS), default="resnet50", help="torchvision's detector")
    parser.add_argument("--person-weights", type=Path, metavar="FILE", help="another detector: FILE.onnx or people.pt")
    parser.add_argument("--given-boxes", action="store_true", help="run no person detector")
    parser.add_argument("--precision", choices=("auto", "float32", "bfloat16"), default="auto", help="of the model")


def run_and_print(args: argparse.Namespace) -> None:
    if args.boxes < 1 or args.seconds < 3:
        raise ValueError(
            f"--boxes is {args.boxes} and --seconds is {args.seconds}; give 1 or more boxes and 3 or more seconds"
        )
    config = load_config(args.config)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = build_model(config.model, num_classes=CLASSES, head="roi").eval()
    persons: PersonDetector | None = None
    if args.person_weights is not None:
        persons = build_person_detector(weights=args.person_weights, device=str(device))
    elif not args.given_boxes:
        persons = torchvision_rcnn(args.person_model, None, device)
    pipeline = Pipeline(
        inference_model(model, device, args.precision), build_clip_extractor(config),
        args.short_side or config.data.test_short_side, persons, args.boxes, device,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        video = args.video or write_clip(Path(folder) / "video.mp4", seconds=args.seconds)
        with VideoReader(video) as reader:
            info = reader.info
        spent = measure(pipeline, video, Path(folder) / "annotated.mp4", rate=args.keyframe_rate)
    machine = torch.cuda.get_device_name() if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    size = f"{info.duration_s:.1f} s of {info.width} x {info.height}"
    title = f"{size}, {args.keyframe_rate:g} keyframes per second; {machine}"
    Console(width=max(90, Console().width)).print(_table(spent, info.duration_s, title))


def _table(spent: Spent, duration_s: float, title: str) -> Table:
    table = Table("stage", "busy, s", "share", title=title)
    for name in STAGES:
        table.add_row(name, f"{spent.busy_s[name]:.2f}", f"{spent.busy_s[name] / spent.wall_s:.0%}")
    speed = f"{duration_s / spent.wall_s:.2f} video seconds per second"
    table.add_row("total", f"{spent.wall_s:.2f}", f"{spent.cpu_s:.2f} CPU s; {speed}")
    return table


def measure(pipeline: Pipeline, video: Path, output: Path, *, rate: float) -> Spent:
    """Times the whole video, after one warm-up keyframe. Writes `output`."""
    classes = ClassNames(tuple(range(1, CLASSES + 1)), tuple(f"action {number}" for number in range(1, CLASSES + 1)))
    detector = ActionDetector(
        pipeline.model, classes, pipeline.extractor, short_side=pipeline.short_side, device=pipeline.device,
        person_detector=_SideBySide(pipeline.persons, pipeline.boxes),
    )  # fmt: skip
    plan = detector.plan(video, settings=InferenceSettings(rate, min_box_score=0.0, chunk_size=CHUNK))
    list(detector.chunks(replace(plan, chunks=[plan.chunks[0][:1]])))
    wall_s, cpu_s, times = time.perf_counter(), time.process_time(), StageTimes()
    predictions = PersonPredictions.concatenate([chunk for _, chunk in detector.chunks(plan, times=times)])
    rows = predictions.action_rows(video.stem, classes)
    render(video, output, Overlay(detected_persons(rows, classes.label_map), min_score=0.0), times=times)
    return Spent(time.perf_counter() - wall_s, time.process_time() - cpu_s, dict(times.busy_s))


class _SideBySide:
    """Runs a person detector, whose boxes it replaces: the number of scored persons does not depend on it."""

    min_score = 0.0

    def __init__(self, detector: PersonDetector | None, count: int) -> None:
        self.needs_frames = detector is not None
        self._detector = detector
        left = torch.arange(count) / count
        boxes = torch.stack([left, torch.full_like(left, 0.1), left + 0.9 / count, torch.full_like(left, 0.9)], dim=1)
        self._persons = PersonBoxes.from_boxes(boxes, person_ids=torch.arange(count))

    def __call__(self, images: Sequence[KeyframeImage]) -> list[PersonBoxes]:
        if self._detector is not None:
            self._detector(images)
        return [self._persons] * len(images)
