"""Times the way from a video to an annotated one, part by part: decoding, people, actions, drawing, writing."""

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

from avdet.cli.benchmark_films import write_clip
from avdet.config import load_config
from avdet.data.build import build_clip_extractor
from avdet.data.clip_extractor import ClipExtractor
from avdet.datasets.keyframes import ClassNames
from avdet.inference.predictions import PersonPredictions
from avdet.inference.stages import extract_clips, judge, pictures_at
from avdet.media.reader import VideoReader
from avdet.media.video_writer import VideoWriter
from avdet.models.action_model import ActionModel
from avdet.models.build import build_model
from avdet.people.find_persons import keyframe_times
from avdet.people.person_detector import PersonDetector
from avdet.people.torchvision_rcnn import MODELS, torchvision_rcnn
from avdet.structures import PersonBoxes
from avdet.visualization.draw import annotate
from avdet.visualization.person_timeline import detected_people

PARTS = ("decode", "people", "actions", "drawing", "writing")
CLASSES = 60
CHUNK = 4


@dataclass(frozen=True)
class Chain:
    """What is timed. people: None where the boxes are given. boxes: persons a keyframe, standing side by side."""

    model: ActionModel
    extractor: ClipExtractor
    short_side: int
    people: PersonDetector | None
    boxes: int
    device: torch.device


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config", type=Path, default=Path("configs/ava/avslowfast.yaml"), help="a recipe (default AVA's AVSlowFast)"
    )
    parser.add_argument("--video", type=Path, help="a film of your own (default: 480x360, 30 fps, made here)")
    parser.add_argument("--seconds", type=int, default=10, help="length of the film that is made (default 10)")
    parser.add_argument("--boxes", type=int, default=3, help="people a keyframe (default 3)")
    parser.add_argument("--rate", type=float, default=1.0, help="keyframes a second (default 1)")
    parser.add_argument("--people-model", choices=list(MODELS), default="resnet50", help="of torchvision's detectors")
    parser.add_argument("--given-boxes", action="store_true", help="do not look for people")


def run_and_print(args: argparse.Namespace) -> None:
    if args.boxes < 1 or args.seconds < 3:
        raise ValueError(f"{args.boxes} people in {args.seconds} s leave nothing to measure; give 1 and 3 s or more")
    config = load_config(args.config)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = build_model(config.model, num_classes=CLASSES, head="roi").to(device).eval()
    people = None if args.given_boxes else torchvision_rcnn(args.people_model, None, device)
    chain = Chain(model, build_clip_extractor(config), config.data.test_short_side, people, args.boxes, device)
    with tempfile.TemporaryDirectory() as folder:
        video = args.video or write_clip(Path(folder) / "film.mp4", seconds=args.seconds)
        with VideoReader(video) as reader:
            info = reader.info
        spent = measure(chain, video, Path(folder) / "annotated.mp4", rate=args.rate)
    where = torch.cuda.get_device_name() if device.type == "cuda" else f"CPU, {torch.get_num_threads()} threads"
    title = f"{info.duration_s:.1f} s of {info.width} x {info.height}, {args.rate:g} keyframes a second; {where}"
    Console(width=max(90, Console().width)).print(_table(spent, info.duration_s, title))


def _table(spent: Mapping[str, Spent], duration_s: float, title: str) -> Table:
    table = Table("part", "s", "CPU s", "video seconds a second", title=title)
    whole = Spent(sum(one.wall_s for one in spent.values()), sum(one.cpu_s for one in spent.values()))
    for part, one in [*((part, spent[part]) for part in PARTS if part in spent), ("all", whole)]:
        table.add_row(part, f"{one.wall_s:.2f}", f"{one.cpu_s:.2f}", f"{duration_s / one.wall_s:.2f}")
    return table


def measure(chain: Chain, video: Path, output: Path, *, rate: float) -> dict[str, Spent]:
    """What each part takes over the whole video, after one keyframe that is not timed. `output` is written."""
    with VideoReader(video) as reader:
        times_s = keyframe_times(reader.info.duration_s, rate=rate)
    _judge(chain, video, times_s[:1], Stopwatch())
    timed = Stopwatch()
    found = [_judge(chain, video, times_s[first : first + CHUNK], timed) for first in range(0, len(times_s), CHUNK)]
    _film(video, output, PersonPredictions.concatenate(found), timed)
    return dict(timed.spent)


@dataclass
class Spent:
    """Seconds on the clock, and of all of the process's threads together: the latter count no other program's work."""

    wall_s: float = 0.0
    cpu_s: float = 0.0


class Stopwatch:
    """Adds up what each part takes: `with timed("decode"): ...`."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, Spent] = defaultdict(Spent)

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        wall_s, cpu_s = time.perf_counter(), time.process_time()
        yield
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        spent = self.spent[part]
        spent.wall_s += time.perf_counter() - wall_s
        spent.cpu_s += time.process_time() - cpu_s


def _judge(chain: Chain, video: Path, times_s: list[float], timed: Stopwatch) -> PersonPredictions:
    """As ActionDetector does it; people are looked for, but those judged are always as many."""
    if chain.people is not None:
        with timed("decode"):
            pictures = pictures_at(video, video.stem, times_s)
        with timed("people"):
            chain.people(pictures)
    people = [_side_by_side(chain.boxes)] * len(times_s)
    with timed("decode"):
        clips = extract_clips(
            video, video.stem, times_s, people, chain.extractor, short_side=chain.short_side, min_box_score=0.0
        )
    with timed("actions"):
        return judge(chain.model, times_s, people, clips, num_classes=CLASSES, min_box_score=0.0, device=chain.device)


def _side_by_side(count: int) -> PersonBoxes:
    left = torch.arange(count) / count
    boxes = torch.stack([left, torch.full_like(left, 0.1), left + 0.9 / count, torch.full_like(left, 0.9)], dim=1)
    return PersonBoxes.from_boxes(boxes, person_ids=torch.arange(count))


def _film(video: Path, output: Path, found: PersonPredictions, timed: Stopwatch) -> None:
    """As view.render does it, with the sound left out."""
    classes = ClassNames(tuple(range(1, CLASSES + 1)), tuple(f"action {number}" for number in range(1, CLASSES + 1)))
    with timed("drawing"):
        table = found.action_rows(video.stem, classes)
        timeline = detected_people(table, label_map=classes.label_map, min_score=0.0, top=3)
    with VideoReader(video) as reader:
        info = reader.info
        played = reader.play()
        with VideoWriter(output, fps=info.fps, width=info.width, height=info.height) as writer:
            while True:
                with timed("decode"):
                    shown = next(played, None)
                if shown is None:
                    break
                time_s, rgb = shown
                with timed("drawing"):
                    frame = np.array(rgb, order="C")
                    annotate(frame, timeline.at(time_s), time_s)
                with timed("writing"):
                    writer.write_frame(frame, time_s=time_s)
