"""Times each stage from a video file to an annotated video: decoding, persons, actions, drawing, writing."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from avdet.config import load_config
from avdet.data.build import build_clip_extractor
from avdet.data.clip_extractor import ClipExtractor
from avdet.datasets.class_names import ClassNames
from avdet.inference.predictions import PersonPredictions
from avdet.inference.stages import extract_clips, keyframe_images, score_persons
from avdet.media.video_reader import VideoReader
from avdet.media.video_writer import VideoWriter
from avdet.models.action_model import ActionModel
from avdet.models.build import build_model
from avdet.people.find_persons import keyframe_times
from avdet.people.person_detector import PersonDetector
from avdet.people.torchvision_rcnn import MODELS, torchvision_rcnn
from avdet.structures import PersonBoxes
from avdet.visualization.draw import draw_persons
from avdet.visualization.person_timeline import Overlay, detected_persons
from benchmarks.benchmark_videos import write_clip

STAGES = ("decode", "persons", "actions", "drawing", "writing")
CLASSES = 60
CHUNK = 4  # keyframes per batch


@dataclass(frozen=True)
class Pipeline:
    """The timed stages.

    persons: None measures without a person detector; boxes: persons per keyframe that are scored, side by side.
    """

    model: ActionModel
    extractor: ClipExtractor
    short_side: int
    persons: PersonDetector | None
    boxes: int
    device: torch.device


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", type=Path, default=Path("configs/ava/avslowfast.yaml"), help="default: configs/ava/avslowfast.yaml"
    )
    parser.add_argument("--video", type=Path, help="default: a synthetic video, 480x360, 30 fps")
    parser.add_argument("--seconds", type=int, default=10, help="length of the synthetic video (default 10)")
    parser.add_argument("--boxes", type=int, default=3, help="persons per keyframe (default 3)")
    parser.add_argument("--keyframe-rate", type=float, default=1.0, help="keyframes per second (default 1)")
    parser.add_argument("--person-model", choices=list(MODELS), default="resnet50", help="torchvision's detector")
    parser.add_argument("--given-boxes", action="store_true", help="run no person detector")


def run_and_print(args: argparse.Namespace) -> None:
    if args.boxes < 1 or args.seconds < 3:
        raise ValueError(
            f"--boxes is {args.boxes} and --seconds is {args.seconds}; give 1 or more boxes and 3 or more seconds"
        )
    config = load_config(args.config)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = build_model(config.model, num_classes=CLASSES, head="roi").to(device).eval()
    persons = None if args.given_boxes else torchvision_rcnn(args.person_model, None, device)
    extractor = build_clip_extractor(config)
    pipeline = Pipeline(model, extractor, config.data.test_short_side, persons, args.boxes, device)
    with tempfile.TemporaryDirectory() as folder:
        video = args.video or write_clip(Path(folder) / "video.mp4", seconds=args.seconds)
        with VideoReader(video) as reader:
            info = reader.info
        spent = measure(pipeline, video, Path(folder) / "annotated.mp4", rate=args.keyframe_rate)
    machine = torch.cuda.get_device_name() if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    size = f"{info.duration_s:.1f} s of {info.width} x {info.height}"
    title = f"{size}, {args.keyframe_rate:g} keyframes per second; {machine}"
    Console(width=max(90, Console().width)).print(_table(spent, info.duration_s, title))


def _table(spent: Mapping[str, Spent], duration_s: float, title: str) -> Table:
    table = Table("stage", "s", "CPU s", "video seconds per second", title=title)
    total = Spent(sum(stage.wall_s for stage in spent.values()), sum(stage.cpu_s for stage in spent.values()))
    for name, stage in [*((name, spent[name]) for name in STAGES if name in spent), ("total", total)]:
        table.add_row(name, f"{stage.wall_s:.2f}", f"{stage.cpu_s:.2f}", f"{duration_s / stage.wall_s:.2f}")
    return table


def measure(pipeline: Pipeline, video: Path, output: Path, *, rate: float) -> dict[str, Spent]:
    """Times each stage over the whole video, after one warm-up keyframe. Writes `output`."""
    with VideoReader(video) as reader:
        times_s = keyframe_times(reader.info.duration_s, rate=rate)
    _predict(pipeline, video, times_s[:1], Stopwatch())
    timed = Stopwatch()
    chunks = [times_s[first : first + CHUNK] for first in range(0, len(times_s), CHUNK)]
    predictions = [_predict(pipeline, video, chunk, timed) for chunk in chunks]
    _annotate(video, output, PersonPredictions.concatenate(predictions), timed)
    return dict(timed.spent)


@dataclass
class Spent:
    """Wall-clock seconds, and CPU seconds of all threads of the process, which other programs do not affect."""

    wall_s: float = 0.0
    cpu_s: float = 0.0


class Stopwatch:
    """Sums the time of each stage: `with timed("decode"): ...`."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, Spent] = defaultdict(Spent)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        yield
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        spent = self.spent[stage]
        spent.wall_s += time.perf_counter() - wall_s
        spent.cpu_s += time.process_time() - cpu_s


def _predict(pipeline: Pipeline, video: Path, times_s: list[float], timed: Stopwatch) -> PersonPredictions:
    """Runs ActionDetector's stages; the number of scored persons does not depend on the person detector."""
    if pipeline.persons is not None:
        with timed("decode"):
            images = keyframe_images(video, times_s)
        with timed("persons"):
            pipeline.persons(images)
    persons = [_side_by_side(pipeline.boxes)] * len(times_s)
    with timed("decode"):
        clips = extract_clips(
            video, times_s, persons, pipeline.extractor, short_side=pipeline.short_side, min_box_score=0.0
        )
    with timed("actions"):
        return score_persons(
            pipeline.model, times_s, persons, clips, num_classes=CLASSES, min_box_score=0.0, device=pipeline.device
        )


def _side_by_side(count: int) -> PersonBoxes:
    left = torch.arange(count) / count
    boxes = torch.stack([left, torch.full_like(left, 0.1), left + 0.9 / count, torch.full_like(left, 0.9)], dim=1)
    return PersonBoxes.from_boxes(boxes, person_ids=torch.arange(count))


def _annotate(video: Path, output: Path, predictions: PersonPredictions, timed: Stopwatch) -> None:
    """Draws the predictions as `visualization.render` does, without audio."""
    classes = ClassNames(tuple(range(1, CLASSES + 1)), tuple(f"action {number}" for number in range(1, CLASSES + 1)))
    with timed("drawing"):
        table = predictions.action_rows(video.stem, classes)
        overlay = Overlay(detected_persons(table, classes.label_map), min_score=0.0)
    with VideoReader(video) as reader:
        info = reader.info
        frames = reader.play()
        with VideoWriter(output, fps=info.fps, width=info.width, height=info.height) as writer:
            while True:
                with timed("decode"):
                    item = next(frames, None)
                if item is None:
                    break
                time_s, rgb = item
                with timed("drawing"):
                    frame = np.array(rgb, order="C")
                    draw_persons(frame, overlay.persons_at(time_s), time_s)
                with timed("writing"):
                    writer.write_frame(frame, time_s=time_s)
