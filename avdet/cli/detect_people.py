"""Find the people of videos, or of a recipe's keyframes, and write them as boxes with ids.

With --config, what stands in place of videos are settings that win over the recipe's: section.key=value.
A run that was interrupted goes on when the same command is given again.
"""

from __future__ import annotations

import argparse
import logging
import math
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from avdet.cli.arguments import require_not_nan, require_output, user_errors
from avdet.cli.config_arguments import SAMPLE_FOLDER, config_from_arguments, configure_logging
from avdet.cli.people_split import labelled_split, provide_labels
from avdet.datasets.locate import annotation_files
from avdet.engine.progress import counting_bars

if TYPE_CHECKING:
    import pandas as pd
    from rich.progress import Progress

    from avdet.people.box_table_detector import BoxTableDetector
    from avdet.people.person_detector import PersonDetector

logger = logging.getLogger(__name__)
INTERRUPTED = 130  # as shells count it


@dataclass(frozen=True)
class Job:
    """A video, and its keyframes where a data set says them; `origin_s` is what it calls the video's first second."""

    video: Path
    name: str
    times_s: tuple[float, ...] | None = None
    origin_s: float = 0.0


def main(argv: list[str] | None = None) -> int:
    """Exit status 2 too where a video could not be read; the others are done then."""
    parser = argparse.ArgumentParser(prog="detect_people.py", description=__doc__)
    parser.add_argument("inputs", nargs="*", metavar="VIDEO", help="video files; with --config: settings")
    parser.add_argument("--config", type=Path, help="find the people of this recipe's keyframes")
    parser.add_argument("--split", choices=("train", "val"), default="val", help="of the recipe (default val)")
    parser.add_argument("--sample", action="store_true", help=f"of the sample set in {SAMPLE_FOLDER}")
    parser.add_argument("--output", type=Path, required=True, help="the CSV of boxes to write or to go on with")
    add_detector_arguments(parser)
    parser.add_argument("--rate", type=float, default=1.0, help="keyframes a second of plain videos (default 1)")
    parser.add_argument("--min-score", type=float, default=0.05, help="boxes below it are left out (default 0.05)")
    parser.add_argument(
        "--smooth", type=float, default=0.0, metavar="SECONDS", help="mean of scores along a track (default 0: none)"
    )
    parser.add_argument("--batch-size", type=int, default=8, help="pictures at once (default 8)")
    args = parser.parse_intermixed_args(argv)
    configure_logging()
    with user_errors():
        try:
            return _detect(_jobs(args), args)
        except KeyboardInterrupt:
            logger.info("Stopped; what is done is saved in %s, and the same command goes on", args.output)
            return INTERRUPTED


def add_detector_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--detector", choices=("detectron2", "torchvision", "csv", "ground_truth"),
        help="default: what trained --weights, else Detectron2 where it is installed, else torchvision",
    )  # fmt: skip
    parser.add_argument(
        "--model", help="Detectron2: a config file or a name in its zoo; torchvision: resnet50, mobilenet, tiny"
    )
    parser.add_argument(
        "--weights",
        type=Path,
        help="a file; where it is not given: the published ones, or the recipe's table for ground_truth",
    )
    parser.add_argument("--device", help="cpu, cuda, cuda:1, ... (default: the GPU where there is one)")


def _jobs(args: argparse.Namespace) -> list[Job]:
    if args.config is None:
        if not args.inputs or args.sample:
            raise ValueError("there is nothing to look at; give video files, or --config with a recipe")
        return _jobs_of_videos([Path(name) for name in args.inputs])
    args.overrides = args.inputs
    config = config_from_arguments(args)
    provide_labels(config, (args.split,), sample=args.sample)
    if args.detector == "ground_truth" and args.weights is None:
        args.weights = annotation_files(config.ava, args.split)[f"data.{args.split}_csv"]
    keyframes, movies = labelled_split(config, args.split)
    times: dict[str, list[float]] = {}
    for video, time_s in zip(keyframes.videos.tolist(), keyframes.times_s.tolist(), strict=True):
        times.setdefault(video, []).append(time_s)
    return [Job(movies[video], video, tuple(times_s), keyframes.origin_s) for video, times_s in times.items()]


def _jobs_of_videos(videos: list[Path]) -> list[Job]:
    from avdet.people.find_persons import video_name

    names = [video_name(video) for video in videos]
    double = {name for name in names if names.count(name) > 1}
    if double:
        raise ValueError(f"several videos are named {min(double)}, which is all that the table says; rename one")
    return [Job(video, name) for video, name in zip(videos, names, strict=True)]


def _detect(jobs: list[Job], args: argparse.Namespace) -> int:
    from avdet.media.reader import DecodeError
    from avdet.people.box_table import ResumableBoxesFile
    from avdet.people.box_table_detector import BoxTableDetector
    from avdet.people.build_detector import build_person_detector

    _refuse_impossible(jobs, args)
    detector = build_person_detector(args.detector, model=args.model, weights=args.weights, device=args.device)
    if isinstance(detector, BoxTableDetector):
        _say_whom_it_lacks(detector, jobs, args.weights)
    file = ResumableBoxesFile(args.output, _settings(args), {job.name: _version(job) for job in jobs})
    left = [job for job in jobs if job.name not in file.done]
    if len(left) < len(jobs):
        logger.info("%s: %d of %d videos are done already", args.output, len(jobs) - len(left), len(jobs))
    failed: list[str] = []
    with counting_bars() as progress:
        videos = progress.add_task("videos", total=len(left))
        for job in left:
            try:
                boxes = _find(job, detector, args, progress)
            except (DecodeError, OSError) as error:
                failed.append(job.video.name)
                logger.warning("%s is left out: %s", job.video.name, error)
            else:
                file.add(job.name, boxes)
                logger.info("%s: %d boxes at %d times", job.video.name, len(boxes), boxes["timestamp"].nunique())
            progress.advance(videos)
    if failed:
        raise ValueError(
            f"{len(failed)} of {len(jobs)} videos could not be read ({', '.join(failed[:3])}); the others are in "
            f"{args.output}: the same command tries these again"
        )
    file.finish()
    return 0


def _find(job: Job, detector: PersonDetector, args: argparse.Namespace, progress: Progress) -> pd.DataFrame:
    from avdet.people.find_persons import find_persons
    from avdet.people.tubes import smooth_scores

    pictures = progress.add_task(job.video.name, total=None)
    try:
        boxes = find_persons(
            job.video,
            detector,
            times_s=job.times_s,
            origin_s=job.origin_s,
            rate=args.rate,
            batch_size=args.batch_size,
            min_score=args.min_score,
            on_progress=lambda done, total: progress.update(pictures, completed=done, total=total),
        )
    finally:
        progress.remove_task(pictures)
    return smooth_scores(boxes, args.smooth)


def _refuse_impossible(jobs: list[Job], args: argparse.Namespace) -> None:
    require_output(args.output, (args.weights, args.config, *(job.video for job in jobs)))
    for option, value, least in (
        ("--rate", args.rate, 1e-6), ("--batch-size", args.batch_size, 1), ("--smooth", args.smooth, 0)
    ):  # fmt: skip
        if not least <= value < math.inf:
            raise ValueError(
                f"{option} is {value:g}; it must be a finite number, {'above 0' if least else '0 or more'}"
            )
    require_not_nan(args, "min_score")


def _say_whom_it_lacks(table: BoxTableDetector, jobs: list[Job], path: Path) -> None:
    """Nobody may be in a video; that nobody is in any is another thing."""
    unknown = [job.name for job in jobs if job.name not in table.videos]
    if table.videos and len(unknown) == len(jobs):
        raise ValueError(
            f"{path} has boxes of {', '.join(table.videos[:3])}, and none of {unknown[0]}; its column video must hold "
            "a file's name without suffix"
        )
    for name in unknown:
        logger.warning("%s has no box of %s", path, name)


def _settings(args: argparse.Namespace) -> dict[str, object]:
    """What every row of one file has in common."""
    names = ("config", "split", "detector", "model", "weights", "rate", "min_score", "smooth")
    changed_s = args.weights.stat().st_mtime if args.weights is not None else None
    return {**{name: getattr(args, name) for name in names}, "weights_changed_s": changed_s}


def _version(job: Job) -> dict[str, object] | None:
    """What one video's rows depend on; None where the video is not there."""
    from avdet.media.media_file import file_fingerprint

    keyframes = zlib.crc32(repr((job.times_s, job.origin_s)).encode())
    with suppress(OSError):
        return {**file_fingerprint(job.video), "keyframes": keyframes}
    return None
