"""Show detections: drawn on a copy of the video with its sound (--output), or on a page that plays it (--player)."""

from __future__ import annotations

import argparse
import contextlib
import math
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from avdet.cli.arguments import require_output, require_video_output, user_errors

if TYPE_CHECKING:
    import pandas as pd

    from avdet.inference.detector import ActionDetector
    from avdet.inference.explain import Explainer
    from avdet.visualization.person_timeline import Overlay


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="visualize.py", description=__doc__)
    parser.add_argument("video", type=Path, metavar="VIDEO")
    parser.add_argument(
        "--detections", type=Path, required=True, help="CSV: video,timestamp,x1,y1,x2,y2,action_id,score[,person_id]"
    )
    parser.add_argument("--output", type=Path, help="the mp4 file to write")
    parser.add_argument(
        "--player", type=Path, metavar="PAGE", help="the HTML page to write, which plays the video from where it is"
    )
    parser.add_argument("--ground-truth", type=Path, help="CSV of annotated boxes, drawn in white")
    parser.add_argument(
        "--label-map",
        type=Path,
        help="names of action ids: pbtxt, one name a line, or detect_actions.py's label_map.txt",
    )
    parser.add_argument("--min-score", type=float, default=0.3, help="actions below it are not drawn (default 0.3)")
    parser.add_argument("--top", type=int, default=3, help="at most so many actions a person (default 3)")
    parser.add_argument("--name", help="what the tables call this video (default: the file's name without suffix)")
    parser.add_argument(
        "--timestamp-offset",
        type=float,
        default=0.0,
        metavar="SECOND",
        help="the tables' second at which the video begins, if it was cut out of a longer one (default 0)",
    )
    parser.add_argument(
        "--spectrogram",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="a strip with the log-mel and a time cursor under the film, where there is sound (default: yes)",
    )
    parser.add_argument(
        "--without-sound",
        type=Path,
        metavar="OTHER",
        help="CSV of the same boxes by a model that does not hear: bars in the film compare both scores",
    )
    parser.add_argument(
        "--explain",
        action="store_true",
        help="colour in the film where the network looked for a person's best action, and light up what it heard",
    )
    parser.add_argument("--checkpoint", type=Path, help="with --explain: the model that made the detections")
    args = parser.parse_args(argv)
    with user_errors():
        _visualize(args)
    return 0


def _visualize(args: argparse.Namespace) -> None:
    from ava_eval import read_detections

    _refuse(args)
    rows = _rows_of_video(args, _shares(read_detections(args.detections), args.detections), "detections")
    _refuse_other_times(args, rows)
    detector = _detector(args)
    names = _names(args, detector)
    _say_what_has_no_name(args, rows, names)
    overlay = _overlay(args, rows, names)
    if args.output is not None:
        _render(args, overlay, None if detector is None else _explainer(args, rows, detector))
    if args.player is not None:
        from avdet.visualization.player.page import write_player

        write_player(args.video, args.player, overlay)
        sys.stdout.write(f"{args.player}: open it in a browser; it plays {args.video} from where that is\n")


def _refuse(args: argparse.Namespace) -> None:
    if not args.video.is_file():
        raise ValueError(f"There is no video file at {args.video}; correct the path")
    if args.output is None and args.player is None:
        raise ValueError("neither --output nor --player is given; name the mp4 file or the HTML page to write, or both")
    inputs = (args.video, args.detections, args.ground_truth, args.label_map, args.without_sound, args.checkpoint)
    if args.output is not None:
        require_video_output(args.output, inputs)
    if args.player is not None:
        if args.player.suffix.lower() not in {".html", ".htm"}:
            raise ValueError(f"--player is {args.player}; it is a page, so give it a name that ends in .html")
        require_output(args.player, inputs, option="--player")
    if args.explain != (args.checkpoint is not None) or (args.explain and args.output is None):
        raise ValueError(
            "--explain needs --checkpoint FILE and --output FILE.mp4, and --checkpoint is for nothing else"
        )
    if args.without_sound is not None and args.output is None:
        raise ValueError("--without-sound draws bars into the film; name the film with --output FILE.mp4")
    if not (math.isfinite(args.min_score) and math.isfinite(args.timestamp_offset)):
        raise ValueError(f"--min-score {args.min_score} and --timestamp-offset {args.timestamp_offset} must be finite")
    if args.top < 1:
        raise ValueError(f"--top is {args.top}; give at least 1 action a person")


def _detector(args: argparse.Namespace) -> ActionDetector | None:
    if args.checkpoint is None:
        return None
    from avdet.inference.detector import ActionDetector

    return ActionDetector.from_checkpoint(args.checkpoint)


def _names(args: argparse.Namespace, detector: ActionDetector | None) -> Mapping[int, str] | None:
    from ava_eval import read_label_map

    if args.label_map is not None:
        return read_label_map(args.label_map)
    return None if detector is None else detector.classes.label_map


def _shares(table: pd.DataFrame, path: Path) -> pd.DataFrame:
    from avdet.people.box_table import require_normalized

    require_normalized(table, path)
    return table


def _overlay(args: argparse.Namespace, rows: pd.DataFrame, names: Mapping[int, str] | None) -> Overlay:
    from ava_eval import read_detections, read_ground_truth
    from avdet.visualization.audio_gain import add_scores_without_audio
    from avdet.visualization.person_timeline import Overlay, annotated_persons, detected_persons

    ground_truth = None
    if args.ground_truth is not None:
        table = _shares(read_ground_truth(args.ground_truth), args.ground_truth)
        ground_truth = annotated_persons(_rows_of_video(args, table, "ground truth"), names)
    if args.without_sound is not None:
        table = _shares(read_detections(args.without_sound), args.without_sound)
        rows = add_scores_without_audio(rows, _rows_of_video(args, table, "detections without sound"))
    return Overlay(
        detected_persons(rows, names),
        ground_truth,
        min_score=args.min_score,
        top_k=args.top,
        timestamp_offset_s=args.timestamp_offset,
    )


def _refuse_other_times(args: argparse.Namespace, rows: pd.DataFrame) -> None:
    from avdet.media.video_source import duration_of
    from avdet.visualization.person_timeline import count_outside, explain_all_outside

    duration_s, times_s = duration_of(args.video), rows["timestamp"].to_numpy()
    outside = explain_all_outside(times_s, duration_s)
    if outside is not None:
        raise ValueError(f"{args.detections} fits no time of {args.video}: {outside} (--timestamp-offset)")
    count = count_outside(times_s, duration_s)
    if count:
        sys.stdout.write(
            f"not shown: {count:,} of {len(rows):,} rows, which lie outside {args.video} and its {duration_s:.1f} s\n"
        )


def _say_what_has_no_name(args: argparse.Namespace, rows: pd.DataFrame, names: Mapping[int, str] | None) -> None:
    from avdet.annotations.checks.finding import named

    unnamed = sorted(set(rows["action_id"][rows["score"] >= args.min_score]) - set(names or ()))
    if names is not None and unnamed:
        listed = named([str(action_id) for action_id in unnamed], "action id")
        sys.stdout.write(f"without a name in the label map, so shown as numbers: {listed}\n")


def _rows_of_video(args: argparse.Namespace, table: pd.DataFrame, table_name: str) -> pd.DataFrame:
    from avdet.visualization.person_timeline import rows_of_video

    return rows_of_video(table, args.name or args.video.stem, args.timestamp_offset, table_name)


def _render(args: argparse.Namespace, overlay: Overlay, explainer: Explainer | None) -> None:
    from rich.progress import Progress

    from avdet.visualization.render import render

    with contextlib.ExitStack() as stack, Progress(transient=True) as progress:
        bar = progress.add_task(args.video.name)
        result = render(
            args.video,
            args.output,
            overlay,
            spectrogram=args.spectrogram,
            explain=None if explainer is None else stack.enter_context(explainer).at,
            on_frame=lambda time_s, duration_s: progress.update(bar, completed=time_s, total=duration_s),
        )
    drawn = result.nothing_drawn or f"{result.boxes} boxes in {result.frames} frames"
    sys.stdout.write(f"{args.output}: {drawn}\n")


def _explainer(args: argparse.Namespace, rows: pd.DataFrame, detector: ActionDetector) -> Explainer:
    from avdet.inference.explain import Explainer

    return Explainer(detector, args.video, rows[rows["score"] >= args.min_score])
