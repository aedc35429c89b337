"""Detect the actions of the persons in videos, and write tables and annotated videos.

Writes detections.csv (a row per person, keyframe and action), events.csv and tubes.csv (each person's actions from
start to end; tubes.csv with boxes), boxes.csv (the persons), errors.csv (the videos that could not be read) and
VIDEO.mp4. The same command resumes an interrupted run. torchrun distributes the videos over processes, --ray over
machines.
"""

from __future__ import annotations

import argparse
import math
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

from avdet.cli.arguments import (
    MIN_SCORE_HELP,
    ToolParser,
    add_audio_track_argument,
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
from avdet.cli.many_videos import detect_on_ray, detect_videos, inference_settings
from avdet.output_lock import lock_folder


def main(argv: list[str] | None = None) -> int:
    """Exits with status 2 only if no video could be processed; errors.csv lists single videos that failed."""
    args = _parser().parse(argv)
    with user_errors(), ExitStack() as stack:
        _check_arguments(args)
        stack.enter_context(lock_folder(args.output))
        from avdet.distributed import distributed_context

        if args.ray is not None:
            configure_logging()
            return detect_on_ray(args)
        # The processes exchange lists alone, and the first to finish waits for the last.
        with distributed_context(backend="gloo", timeout=timedelta(days=365)) as process:
            configure_logging(quiet=not process.is_main)
            return detect_videos(args, process)


def _parser() -> ToolParser:
    parser = ToolParser("detect_actions.py", __doc__)
    add_video_arguments(parser)
    parser.add_argument("--checkpoint", type=Path, required=True, help="best.pt of a run, or a public checkpoint")
    parser.add_argument("--output", type=Path, required=True, help="folder for the tables and VIDEO.mp4")
    parser.add_argument(
        "--boxes",
        type=Path,
        help="person boxes instead of a person detector: a CSV of video,timestamp,x1,y1,x2,y2[,score[,person_id]], or "
        "a folder of YOLO's label files VIDEO_FRAME.txt",
    )
    add_person_arguments(parser)
    add_precision_argument(parser)
    parser.add_argument(
        "--short-side",
        type=int,
        metavar="PIXELS",
        help="short side of the model's frames; fewer pixels take less time (default: as in the checkpoint's settings)",
    )
    _add_reading_arguments(parser)
    parser.add_argument("--keyframe-rate", type=float, default=1.0, help="keyframes per second (default 1)")
    parser.add_argument("--start", type=float, default=0.0, metavar="SECOND", help="first second (default 0)")
    parser.add_argument("--end", type=float, metavar="SECOND", help="last second (default: the end of the video)")
    parser.add_argument(
        "--min-box-score", type=float, help=f"ignore persons with a lower score (default: {MIN_SCORE_HELP})"
    )
    parser.add_argument(
        "--min-score",
        type=float,
        default=0.3,
        help="minimum score of actions in videos, tubes and events (default 0.3)",
    )
    parser.add_argument(
        "--smooth-window",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="average each person's scores over this window against flickering labels (default 0: off)",
    )
    parser.add_argument("--batch-size", type=int, default=8, help="keyframes per batch (default 8)")
    _add_output_arguments(parser)
    parser.add_argument(
        "--ray",
        metavar="ADDRESS",
        help="use the Ray cluster at this address (host:port, auto), or start one (local); writes parquet tables",
    )
    parser.add_argument(
        "--ray-workers",
        type=int,
        nargs=3,
        default=(2, 1, 1),
        metavar=("DECODE", "PERSONS", "ACTIONS"),
        help="number of Ray workers that decode, detect persons and detect actions (default 2 1 1)",
    )
    parser.add_argument(
        "--object-store-memory", type=int, metavar="MB", help="of a local Ray cluster (default: a third of all memory)"
    )
    return parser


def _add_output_arguments(parser: ToolParser) -> None:
    parser.add_argument(
        "--player", action="store_true", help="also write VIDEO.html, which plays the video, and index.html over all"
    )
    parser.add_argument(
        "--json", action="store_true", help="also write VIDEO.json: persons, their boxes and actions, and events"
    )
    parser.add_argument(
        "--subtitles", choices=("vtt", "srt"), help="also write the events as subtitles, VIDEO.vtt or VIDEO.srt"
    )
    parser.add_argument(
        "--no-header",
        action="store_true",
        help="write detections.csv and boxes.csv as AVA does: without header, names and person ids of the detections",
    )
    parser.add_argument("--no-video", action="store_true", help="write the tables alone, without VIDEO.mp4")


def _add_reading_arguments(parser: ToolParser) -> None:
    """Adds the options that say how videos are read."""
    add_audio_track_argument(parser)
    parser.add_argument(
        "--frames-fps",
        type=float,
        metavar="RATE",
        help="rate at which folders of frames were extracted (default: as in the checkpoint's settings)",
    )


def _check_arguments(args: argparse.Namespace) -> None:
    require_output_folder(args.output)
    require_boxes_alone(args)
    if args.boxes is not None and args.boxes.resolve() == (args.output / "boxes.csv").resolve():
        raise ValueError(f"--boxes {args.boxes} would be overwritten; copy it, or give another --output")
    if not args.smooth_window >= 0:
        raise ValueError(f"--smooth-window is {args.smooth_window:g}; give 0 or more seconds")
    require_not_nan(args, "min_box_score", "min_score")
    if args.short_side is not None and args.short_side < 32:
        raise ValueError(f"--short-side is {args.short_side}; give 32 pixels or more")
    given = {"--player": args.player, "--json": args.json, "--subtitles": args.subtitles, "--no-header": args.no_header}
    if args.ray is not None and any(given.values()):
        raise ValueError(f"--ray writes parquet tables alone; use {next(filter(given.get, given))} without it")
    if args.ray is not None and (args.audio_track is not None or args.frames_fps is not None):
        raise ValueError(
            "--ray reads videos as the checkpoint's settings say; leave out --audio-track and --frames-fps"
        )
    if args.frames_fps is not None and not 0 < args.frames_fps < math.inf:
        raise ValueError(f"--frames-fps is {args.frames_fps:g}; give the frames per second, above 0")
    if min(args.ray_workers) < 1:
        raise ValueError(f"--ray-workers is {args.ray_workers}; give 1 or more of each kind")
    args.min_box_score = min_box_score(args, given_boxes=args.boxes is not None)
    inference_settings(args)
