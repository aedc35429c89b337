"""Visualise detections: an annotated copy of the video (--output), or an HTML page that plays it (--player)."""

from __future__ import annotations

import argparse
import contextlib
import math
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from avdet.cli.arguments import ToolParser, add_audio_track_argument, require_output, require_video_output, user_errors

if TYPE_CHECKING:
    import pandas as pd

    from avdet.inference.detector import ActionDetector
    from avdet.inference.explain import Explainer
    from avdet.visualization.person_timeline import Overlay


def main(argv: list[str] | None = None) -> int:
    args = _parser().parse(argv)
    with user_errors():
        _visualize(args)
    return 0


def _parser() -> ToolParser:
    parser = ToolParser("visualize.py", __doc__)
    parser.add_argument("video", type=Path, metavar="VIDEO")
    parser.add_argument(
        "--detections",
        type=Path,
        required=True,
        help="CSV: video,timestamp,x1,y1,x2,y2,action_id,score[,person_id[,action]]",
    )
    parser.add_argument("--output", type=Path, help="the mp4 file to write")
    parser.add_argument(
        "--player", type=Path, metavar="PAGE", help="the HTML page to write; it plays the video from its present path"
    )
    parser.add_argument(
        "--edit",
        action="store_true",
        help="let the page correct the detections of each keyframe; it gives them as a CSV for import_annotations.py",
    )
    parser.add_argument("--ground-truth", type=Path, help="CSV of annotated boxes, drawn in white")
    parser.add_argument(
        "--label-map",
        type=Path,
        help="names of the action ids, if the detections have none: a pbtxt, or one name per line",
    )
    parser.add_argument("--min-score", type=float, default=0.3, help="draw no actions with a lower score (default 0.3)")
    parser.add_argument("--top", type=int, default=3, help="maximum number of actions per person (default 3)")
    parser.add_argument("--name", help="name of the video in the tables (default: the file's name without suffix)")
    parser.add_argument(
        "--timestamp-offset",
        type=float,
        default=0.0,
        metavar="SECOND",
        help="timestamp of the video's start in the tables, if it was cut from a longer video (default 0)",
    )
    _add_video_arguments(parser)
    parser.add_argument(
        "--without-audio",
        type=Path,
        metavar="CSV",
        help="detections of the same boxes by a video-only model; the video and the page compare both scores",
    )
    parser.add_argument(
        "--explain",
        action="store_true",
        help="draw the model's attention for each person's top action, on the frames and on the spectrogram",
    )
    parser.add_argument("--checkpoint", type=Path, help="for --explain: the model of the detections")
    return parser


def _add_video_arguments(parser: ToolParser) -> None:
    """Adds the options of the annotated video."""
    parser.add_argument(
        "--spectrogram",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="add a bar with the log-mel and a time cursor, if the video has audio (default: yes)",
    )
    add_audio_track_argument(parser)
    parser.add_argument("--start", type=float, default=0.0, metavar="SECOND", help="first second to write (default 0)")
    parser.add_argument("--end", type=float, metavar="SECOND", help="last second to write (default: the end)")
    parser.add_argument(
        "--color-by", choices=("person", "class"), default="person", help="what a colour stands for (default person)"
    )
    parser.add_argument(
        "--blur-faces",
        action="store_true",
        help="blur the top of each person box in --output, as high as the box is wide; others stay sharp",
    )


def _visualize(args: argparse.Namespace) -> None:
    _check_arguments(args)
    rows = _rows_of_video(args, _read_detections(args.detections), "detections")
    _check_timestamps(args, rows)
    detector = _detector(args)
    names = _names(args, detector)
    _report_unnamed_actions(args, rows, names)
    overlay = _overlay(args, rows, names)
    if args.output is not None:
        _render(args, overlay, None if detector is None else _explainer(args, rows, detector))
    if args.player is not None:
        from avdet.visualization.player.page import EditSettings, write_player

        edit = EditSettings(args.name or args.video.stem, names or {}) if args.edit else None
        write_player(args.video, args.player, overlay, edit)
        sys.stdout.write(f"{args.player}: open it in a browser; it plays {args.video} from its present path\n")


def _check_arguments(args: argparse.Namespace) -> None:
    if not args.video.is_file():
        raise ValueError(f"There is no video file at {args.video}; correct the path")
    if args.output is None and args.player is None:
        raise ValueError("neither --output nor --player is given; give one of them or both")
    inputs = (args.video, args.detections, args.ground_truth, args.label_map, args.without_audio, args.checkpoint)
    if args.output is not None:
        require_video_output(args.output, inputs)
    if args.player is not None:
        if args.player.suffix.lower() not in {".html", ".htm"}:
            raise ValueError(f"--player is {args.player}; the page is HTML, so give a name that ends in .html")
        require_output(args.player, inputs, option="--player")
    if args.explain != (args.checkpoint is not None) or (args.explain and args.output is None):
        raise ValueError(
            "--explain needs --checkpoint FILE and --output FILE.mp4; --checkpoint is used by --explain alone"
        )
    if not 0 <= args.start < (math.inf if args.end is None else args.end):
        raise ValueError(
            f"--start {args.start:g} --end {args.end} is no part of a video; give seconds, the start first"
        )
    if args.edit and args.player is None:
        raise ValueError("--edit is a mode of the page; give --player PAGE.html")
    _check_numbers(args)


def _check_numbers(args: argparse.Namespace) -> None:
    if not 0 <= args.start < (math.inf if args.end is None else args.end):
        raise ValueError(f"--start {args.start:g} is not between 0 and --end {args.end}; give the part in seconds")
    if not (math.isfinite(args.min_score) and math.isfinite(args.timestamp_offset)):
        raise ValueError(f"--min-score {args.min_score} and --timestamp-offset {args.timestamp_offset} must be finite")
    if args.top < 1:
        raise ValueError(f"--top is {args.top}; give 1 or more")


def _detector(args: argparse.Namespace) -> ActionDetector | None:
    if args.checkpoint is None:
        return None
    from avdet.inference.detector import ActionDetector

    detector = ActionDetector.from_checkpoint(args.checkpoint, precision="float32")
    if args.audio_track is not None:
        options = replace(detector.extractor.options, audio_track=args.audio_track)
        detector.extractor = replace(detector.extractor, options=options)
    return detector


def _names(args: argparse.Namespace, detector: ActionDetector | None) -> Mapping[int, str] | None:
    from ava_eval import read_action_names, read_label_map

    if args.label_map is not None:
        return read_label_map(args.label_map)
    return read_action_names(args.detections) or (None if detector is None else detector.classes.label_map)


def _read_detections(path: Path) -> pd.DataFrame:
    """The detections of a file, without inverted boxes, which cannot be drawn."""
    from ava_eval import read_detections

    table = _require_normalised(read_detections(path), path)
    is_inverted = (table["x1"] > table["x2"]) | (table["y1"] > table["y2"])
    if is_inverted.any():
        sys.stderr.write(f"{path}: {int(is_inverted.sum())} boxes with x1 > x2 or y1 > y2 are not drawn\n")
    return table[~is_inverted]


def _require_normalised(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    from avdet.people.box_table import require_normalized

    require_normalized(table, path)
    return table


def _overlay(args: argparse.Namespace, rows: pd.DataFrame, names: Mapping[int, str] | None) -> Overlay:
    from ava_eval import read_ground_truth
    from avdet.visualization.audio_gain import add_scores_without_audio
    from avdet.visualization.person_timeline import Overlay, annotated_persons, detected_persons
    from avdet.visualization.player.tracks import MIN_SCORE

    ground_truth = None
    if args.ground_truth is not None:
        table = _require_normalised(read_ground_truth(args.ground_truth), args.ground_truth)
        ground_truth = annotated_persons(_rows_of_video(args, table, "ground truth"), names)
    if args.without_audio is not None:
        table = _read_detections(args.without_audio)
        rows = add_scores_without_audio(rows, _rows_of_video(args, table, "detections without audio"))
    return Overlay(
        detected_persons(rows, names, min(args.min_score, MIN_SCORE) if args.player else args.min_score),
        ground_truth,
        min_score=args.min_score,
        top_k=args.top,
        timestamp_offset_s=args.timestamp_offset,
    )


def _check_timestamps(args: argparse.Namespace, rows: pd.DataFrame) -> None:
    """Reports rows outside the video. Raises ValueError if all rows are outside."""
    from avdet.media.video_source import duration_of
    from avdet.visualization.person_timeline import count_outside, explain_all_outside

    duration_s, times_s = duration_of(args.video), rows["timestamp"].to_numpy()
    outside = explain_all_outside(times_s, duration_s)
    if outside is not None:
        raise ValueError(f"{args.detections} has no row within {args.video}: {outside} (--timestamp-offset)")
    count = count_outside(times_s, duration_s)
    if count:
        sys.stdout.write(
            f"not shown: {count:,} of {len(rows):,} rows, which are outside {args.video} ({duration_s:.1f} s)\n"
        )


def _report_unnamed_actions(args: argparse.Namespace, rows: pd.DataFrame, names: Mapping[int, str] | None) -> None:
    from avdet.annotations.checks import listed

    unnamed = sorted(set(rows["action_id"][rows["score"] >= args.min_score]) - set(names or ()))
    if names is not None and unnamed:
        ids = listed([str(action_id) for action_id in unnamed], "action id")
        sys.stdout.write(f"shown as numbers, because the label map has no name: {ids}\n")


def _rows_of_video(args: argparse.Namespace, table: pd.DataFrame, table_name: str) -> pd.DataFrame:
    from avdet.visualization.person_timeline import rows_of_video

    return rows_of_video(table, args.name or args.video.stem, args.timestamp_offset, table_name)


def _render(args: argparse.Namespace, overlay: Overlay, explainer: Explainer | None) -> None:
    from rich.progress import Progress

    from avdet.media.audio_choice import describe_audio_track
    from avdet.media.video_source import OpenOptions
    from avdet.visualization.render import DrawSettings, render

    if (sentence := describe_audio_track(args.video, OpenOptions(audio_track=args.audio_track))) is not None:
        sys.stdout.write(f"{sentence}\n")
    with contextlib.ExitStack() as stack, Progress(transient=True) as progress:
        bar = progress.add_task(args.video.name)
        result = render(
            args.video,
            args.output,
            overlay,
            DrawSettings(args.start, args.end, args.spectrogram, args.color_by, args.blur_faces, args.audio_track),
            explain=None if explainer is None else stack.enter_context(explainer).at,
            on_frame=lambda time_s, duration_s: progress.update(bar, completed=time_s, total=duration_s),
        )
    drawn = result.nothing_drawn or f"{result.boxes} boxes in {result.frames} frames"
    sys.stdout.write(f"{args.output}: {drawn}\n")


def _explainer(args: argparse.Namespace, rows: pd.DataFrame, detector: ActionDetector) -> Explainer:
    from avdet.inference.explain import Explainer

    return Explainer(detector, args.video, rows[rows["score"] >= args.min_score])
