"""Extract feature vectors from videos: of windows, or of each person and keyframe (--persons).

Of a window: the means of the pathways' last features over space and time. Any checkpoint of actions will do.
Of a person: the input of the detector's last layer. Persons come from --boxes or from the person detector.

Writes VIDEO.npy (N, D) float32 and VIDEO.csv, whose row i has the times of vector i and, of a person, the box; or both
in one VIDEO.parquet (--format parquet). errors.csv lists the videos that could not be read. The same command resumes
an interrupted run; torchrun distributes the videos over processes.
"""

from __future__ import annotations

import argparse
import importlib.util
import logging
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from avdet.cli.arguments import (
    INTERRUPTED,
    MIN_SCORE_HELP,
    PERSON_OPTIONS,
    ToolParser,
    add_person_arguments,
    add_precision_argument,
    add_video_arguments,
    min_box_score,
    require_boxes_alone,
    require_not_nan,
    require_output_folder,
    user_errors,
)
from avdet.cli.config_arguments import configure_logging
from avdet.cli.each_video import (
    failed_videos,
    file_versions,
    for_each_video,
    jobs_from_arguments,
    report_videos,
    video_progress,
)
from avdet.cli.many_videos import given_boxes, inference_settings, person_detector, require_unique_names
from avdet.output_lock import lock_folder
from avdet.overlap import StageTimes

if TYPE_CHECKING:
    from avdet.distributed import DistributedContext
    from avdet.inference.feature_table import FeatureTable
    from avdet.inference.resume_folder import ResumeFolder
    from avdet.inference.video_names import VideoJob

    Extract = Callable[[VideoJob, ResumeFolder], FeatureTable]

logger = logging.getLogger(__name__)


def main(argv: list[str] | None = None) -> int:
    """Exits with status 2 only if no video could be processed; errors.csv lists single videos that failed."""
    args = _parser().parse(argv)
    with user_errors(), ExitStack() as stack:
        _check_arguments(args)
        stack.enter_context(lock_folder(args.output))
        from avdet.distributed import distributed_context

        # The processes exchange lists alone, and the first to finish waits for the last.
        with distributed_context(backend="gloo", timeout=timedelta(days=365)) as process:
            configure_logging(quiet=not process.is_main)
            return _extract_videos(args, process)


def _parser() -> ToolParser:
    parser = ToolParser("extract_features.py", __doc__)
    add_video_arguments(parser)
    parser.add_argument("--checkpoint", type=Path, required=True, help="best.pt of a run, or a public checkpoint")
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for the vectors")
    parser.add_argument("--format", choices=("npy", "parquet"), default="npy", help="of the vectors (default npy)")
    parser.add_argument(
        "--every",
        type=float,
        metavar="SECONDS",
        help="distance of the windows (default: the clip's span, so that they follow one another)",
    )
    parser.add_argument("--persons", action="store_true", help="a vector of each person and keyframe, by a detector")
    parser.add_argument("--boxes", type=Path, help="with --persons: CSV of boxes instead of a person detector")
    add_person_arguments(parser)
    parser.add_argument("--keyframe-rate", type=float, help="with --persons: keyframes per second (default 1)")
    parser.add_argument(
        "--min-box-score",
        type=float,
        help=f"with --persons: ignore persons with a lower score (default: {MIN_SCORE_HELP})",
    )
    parser.add_argument("--batch-size", type=int, default=8, help="windows or keyframes per batch (default 8)")
    add_precision_argument(parser)
    return parser


def _check_arguments(args: argparse.Namespace) -> None:
    require_output_folder(args.output)
    require_not_nan(args, "every", "min_box_score")
    of_persons = ("boxes", *PERSON_OPTIONS, "keyframe_rate", "min_box_score")
    given = [f"--{name.replace('_', '-')}" for name in of_persons if getattr(args, name) is not None]
    if given and not args.persons:
        raise ValueError(f"{given[0]} has no effect on the vectors of windows; add --persons, or remove it")
    require_boxes_alone(args)
    if args.persons and args.every is not None:
        raise ValueError("--every is the distance of windows; with --persons give --keyframe-rate")
    if args.every is not None and args.every <= 0:
        raise ValueError(f"--every is {args.every:g}; give more than 0 seconds")
    if args.batch_size < 1:
        raise ValueError(f"--batch-size is {args.batch_size}; give 1 or more")
    args.keyframe_rate = 1.0 if args.keyframe_rate is None else args.keyframe_rate
    args.min_box_score = min_box_score(args, given_boxes=args.boxes is not None)
    args.start, args.end = 0.0, None
    inference_settings(args)
    if args.format == "parquet" and importlib.util.find_spec("pyarrow") is None:
        raise ValueError("--format parquet needs the package pyarrow; pip install pyarrow, or leave --format out")


def _extract_videos(args: argparse.Namespace, process: DistributedContext) -> int:
    from avdet.inference.output_tables import write_errors
    from avdet.inference.resume_folder import ResumeFolder, require_free_names

    jobs = jobs_from_arguments(args)
    require_unique_names(args, jobs)
    files = [args.output / f"{job.name}.{suffix}" for job in jobs for suffix in ("npy", "csv", "parquet")]
    require_free_names(args.output, jobs, [args.output / "errors.csv", *files])
    device = str(process.device)
    extract = _person_vectors(args, jobs, device) if args.persons else _window_vectors(args, device)
    names = (
        "every", "persons", "person_detector", "person_model", "person_class", "person_format", "keyframe_rate",
        "min_box_score", "batch_size", "precision",
    )  # fmt: skip
    versions = file_versions(checkpoint=args.checkpoint, boxes=args.boxes, person_weights=args.person_weights)
    output = ResumeFolder(args.output, {**{name: getattr(args, name) for name in names}, **versions})
    results, interrupted = for_each_video(jobs, process, lambda job: _extract_video(job, extract, args, output))
    if process.is_main:
        failed = failed_videos(results)
        write_errors(failed, args.output, "csv")
        num_done = len(results) - len(failed)
        report_videos(len(jobs), num_done, failed, output=args.output, errors=args.output / "errors.csv")
    if interrupted:
        logger.info("Interrupted; finished videos are saved in %s, and the same command resumes", args.output)
        return INTERRUPTED
    return 0


def _extract_video(job: VideoJob, extract: Extract, args: argparse.Namespace, output: ResumeFolder) -> int:
    """Writes the vectors of one video, unless an earlier command did. Returns their number."""
    from avdet.inference.feature_table import feature_files

    note = output.note(job)
    files = feature_files(args.output, job.name, args.format)
    if note is not None and note.get("format") == args.format and all(file.exists() for file in files):
        logger.info("%s: already done", job.path)
        return int(note["vectors"])
    table = extract(job, output)
    table.write(args.output, job.name, args.format)
    output.write_note(job, {"format": args.format, "vectors": len(table)})
    logger.info("%s: %d vectors of %d numbers", job.path, *table.vectors.shape)
    return len(table)


def _window_vectors(args: argparse.Namespace, device: str) -> Extract:
    import numpy as np

    from avdet.inference.feature_table import FeatureTable
    from avdet.inference.window_features import FeatureExtractor

    extractor = FeatureExtractor.from_checkpoint(args.checkpoint, device=device, precision=args.precision)

    def extract(job: VideoJob, output: ResumeFolder) -> FeatureTable:
        windows = extractor.windows(job.path, every_s=args.every, batch_size=args.batch_size)
        times = StageTimes()
        with video_progress(job.name, times) as on_chunk:
            chunks = output.complete(
                job, windows.chunks, lambda done: extractor.chunks(windows, done=done, times=times), on_chunk
            )
        return FeatureTable.of_windows(windows, np.concatenate([chunk["vectors"] for chunk in chunks]))

    return extract


def _person_vectors(args: argparse.Namespace, jobs: Sequence[VideoJob], device: str) -> Extract:
    from avdet.inference.detector import ActionDetector
    from avdet.inference.feature_table import FeatureTable
    from avdet.inference.load_network import load_network
    from avdet.inference.resumable_output import predict_video

    network = load_network(args.checkpoint, device=device, precision=args.precision)
    if network.task != "detection":
        raise ValueError(f"{args.checkpoint} classifies whole clips and has no vectors of persons; leave --persons out")
    detector = ActionDetector.from_network(network)
    boxes = given_boxes(args, jobs)
    if boxes is None:
        detector.person_detector = person_detector(args, device)

    def extract(job: VideoJob, output: ResumeFolder) -> FeatureTable:
        times = StageTimes()
        with video_progress(job.name, times) as on_chunk:
            settings = inference_settings(args)
            predictions = predict_video(detector, job, boxes, settings, output, on_chunk, times, features=True)
        return FeatureTable.of_persons(predictions.linked(), job.name)

    return extract
