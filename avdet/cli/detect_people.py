"""Detect the persons in videos, or at the keyframes of a config's data, and write their boxes with track ids.

With --config, the positional arguments are settings that override the config's: section.key=value.
The same command resumes an interrupted run.
"""

from __future__ import annotations

import argparse
import logging
import math
import zlib
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from avdet.cli.arguments import (
    INTERRUPTED,
    MIN_SCORE_HELP,
    ToolParser,
    add_person_arguments,
    min_box_score,
    person_detector_arguments,
    require_output,
    user_errors,
)
from avdet.cli.config_arguments import SAMPLE_FOLDERS, config_from_arguments, configure_logging
from avdet.cli.person_labels import read_person_labels, require_person_labels
from avdet.engine.progress import counting_bars
from avdet.media.video_source import OpenOptions
from avdet.output_lock import lock_file

if TYPE_CHECKING:
    import pandas as pd
    from rich.progress import Progress

    from avdet.people.box_table_detector import BoxTableDetector
    from avdet.people.person_detector import PersonDetector

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class VideoJob:
    """A video, its name in tables, and its keyframes where the data set defines them.

    origin_s: the timestamp of the video's first second. options: how the data set's videos are opened.
    """

    video: Path
    name: str
    times_s: tuple[float, ...] | None = None
    origin_s: float = 0.0
    options: OpenOptions = field(default_factory=OpenOptions)


def main(argv: list[str] | None = None) -> int:
    """Exits with status 2 also where single videos could not be read; all others are done then."""
    args = _parser().parse(argv)
    configure_logging()
    with user_errors():
        try:
            jobs = _jobs(args)
            _check_arguments(jobs, args)
            with lock_file(args.output):
                return _detect(jobs, args)
        except KeyboardInterrupt:
            logger.info("Interrupted; finished videos are saved in %s, and the same command resumes", args.output)
            return INTERRUPTED


def _parser() -> ToolParser:
    parser = ToolParser("detect_people.py", __doc__)
    parser.add_argument("inputs", nargs="*", metavar="VIDEO", help="files, folders, patterns; with --config: settings")
    parser.add_argument("--config", type=Path, help="detect persons at the labelled keyframes of this config's data")
    parser.add_argument("--split", choices=("train", "val"), default="val", help="split of the data (default val)")
    parser.add_argument("--sample", action="store_true", help=f"use the sample set in {SAMPLE_FOLDERS['detection']}")
    parser.add_argument("--output", type=Path, required=True, help="the CSV of boxes to write or to resume")
    names = (
        "detectron2",
        "torchvision",
        "onnx",
        "csv",
        "ground_truth",
    )  # the last two read a table, which --weights gives
    flags = {option: (f"--{option}", f"--person-{option}") for option in ("weights", "model")}
    add_person_arguments(parser, names=names, weights=flags["weights"], model=flags["model"])
    parser.add_argument("--device", help="cpu, cuda, cuda:1, ... (default: a GPU if there is one)")
    parser.add_argument(
        "--keyframe-rate", type=float, default=1.0, help="keyframes per second without --config (default 1)"
    )
    parser.add_argument(
        "--min-score",
        type=float,
        dest="min_box_score",
        help=f"omit boxes with a lower score (default: {MIN_SCORE_HELP}; with --config data.min_box_score)",
    )
    parser.add_argument(
        "--smooth-window",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="average the scores of each track over this window (default 0: off)",
    )
    parser.add_argument("--batch-size", type=int, default=8, help="frames per batch (default 8)")
    return parser


def _jobs(args: argparse.Namespace) -> list[VideoJob]:
    if args.config is None:
        if not args.inputs or args.sample:
            raise ValueError("no input; give video files, or --config")
        return _jobs_of_videos([Path(name) for name in args.inputs])
    args.overrides = args.inputs
    config = config_from_arguments(args)
    require_person_labels(config, (args.split,), sample=args.sample)
    if args.person_detector == "ground_truth" and args.person_weights is None:
        args.person_weights = config.dataset().files(args.split)[f"data.{args.split}_csv"]
    elif args.min_box_score is None and args.person_detector != "csv":
        args.min_box_score = config.detection_dataset().config.min_box_score
    keyframes, video_paths = read_person_labels(config, args.split)
    times: dict[str, list[float]] = {}
    for video, time_s in zip(keyframes.videos.tolist(), keyframes.times_s.tolist(), strict=True):
        times.setdefault(video, []).append(time_s)
    origin_s, options = keyframes.offsets.of, config.data.open_options
    return [VideoJob(video_paths[name], name, tuple(at_s), origin_s(name), options) for name, at_s in times.items()]


def _jobs_of_videos(videos: list[Path]) -> list[VideoJob]:
    from avdet.inference.video_names import expand_videos
    from avdet.people.find_persons import video_name

    videos = expand_videos(videos)
    names = [video_name(video) for video in videos]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ValueError(f"several videos are named {min(repeated)}, by which the table identifies them; rename one")
    return [VideoJob(video, name) for video, name in zip(videos, names, strict=True)]


def _detect(jobs: list[VideoJob], args: argparse.Namespace) -> int:
    from avdet.media.video_reader import DecodeError
    from avdet.people.box_table import ResumableBoxesFile
    from avdet.people.box_table_detector import BoxTableDetector
    from avdet.people.build_detector import build_person_detector

    detector = build_person_detector(**person_detector_arguments(args), device=args.device)
    if isinstance(detector, BoxTableDetector):
        _check_videos_in_table(detector, jobs, args.person_weights)
    file = ResumableBoxesFile(args.output, _settings(args), {job.name: _version(job) for job in jobs})
    remaining = [job for job in jobs if job.name not in file.done]
    if len(remaining) < len(jobs):
        logger.info("%s: %d of %d videos are already done", args.output, len(jobs) - len(remaining), len(jobs))
    failed: list[str] = []
    with counting_bars() as progress:
        bar = progress.add_task("videos", total=len(remaining))
        for job in remaining:
            try:
                boxes = _detect_video(job, detector, args, progress)
            except (DecodeError, OSError) as error:
                failed.append(job.video.name)
                logger.warning("%s is skipped: %s", job.video.name, error)
            else:
                file.add(job.name, boxes)
                logger.info("%s: %d boxes at %d keyframes", job.video.name, len(boxes), boxes["timestamp"].nunique())
            progress.advance(bar)
    if failed:
        raise ValueError(
            f"{len(failed)} of {len(jobs)} videos could not be read ({', '.join(failed[:3])}); the others are in "
            f"{args.output}, and the same command retries the failed ones"
        )
    file.finish()
    return 0


def _detect_video(
    job: VideoJob, detector: PersonDetector, args: argparse.Namespace, progress: Progress
) -> pd.DataFrame:
    from avdet.people.find_persons import find_persons
    from avdet.people.tubes import smooth_scores

    bar = progress.add_task(job.video.name, total=None)
    try:
        boxes = find_persons(
            job.video,
            detector,
            times_s=job.times_s,
            origin_s=job.origin_s,
            options=job.options,
            rate=args.keyframe_rate,
            batch_size=args.batch_size,
            min_score=args.min_box_score,
            on_progress=lambda done, total: progress.update(bar, completed=done, total=total),
        )
    finally:
        progress.remove_task(bar)
    return smooth_scores(boxes, args.smooth_window)


def _check_arguments(jobs: list[VideoJob], args: argparse.Namespace) -> None:
    require_output(args.output, (args.person_weights, args.config, *(job.video for job in jobs)))
    for option, value, minimum in (
        ("--keyframe-rate", args.keyframe_rate, 1e-6),
        ("--batch-size", args.batch_size, 1),
        ("--smooth-window", args.smooth_window, 0),
    ):
        if not minimum <= value < math.inf:
            raise ValueError(f"{option} is {value:g}; give a finite number {'above 0' if minimum else 'of 0 or more'}")
    args.min_box_score = min_box_score(args)
    if math.isnan(args.min_box_score):
        raise ValueError("--min-score is nan; give a number")


def _check_videos_in_table(table: BoxTableDetector, jobs: list[VideoJob], path: Path) -> None:
    """Warns of videos without boxes. Raises ValueError if the table has boxes, but of none of the videos."""
    missing = [job.name for job in jobs if job.name not in table.videos]
    if table.videos and len(missing) == len(jobs):
        raise ValueError(
            f"{path} has boxes of {', '.join(table.videos[:3])}, but none of {missing[0]}; its column video must hold "
            "the file's name without suffix"
        )
    for name in missing:
        logger.warning("%s has no box of %s", path, name)


def _settings(args: argparse.Namespace) -> dict[str, object]:
    """The options on which all rows of the output depend; a resumed run must have the same."""
    names = ("config", "split", "keyframe_rate", "min_box_score", "smooth_window")
    weights = args.person_weights
    modified_s = weights.stat().st_mtime if weights is not None else None
    return {
        **{name: getattr(args, name) for name in names},
        **person_detector_arguments(args),
        "weights_changed_s": modified_s,
    }


def _version(job: VideoJob) -> dict[str, object] | None:
    """Fingerprint of the video and its keyframes, on which its rows depend; None where the video is missing."""
    from avdet.media.media_file import file_fingerprint

    keyframes = zlib.crc32(repr((job.times_s, job.origin_s)).encode())
    with suppress(OSError):
        return {**file_fingerprint(job.video), "keyframes": keyframes}
    return None
