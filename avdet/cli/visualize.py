"""Draw detections on a video: boxes with ids, names and scores, in an mp4 file with the video's own sound."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from avdet.cli.errors import user_errors


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="visualize.py", description=__doc__)
    parser.add_argument("video", type=Path, metavar="VIDEO")
    parser.add_argument(
        "--detections", type=Path, required=True, help="CSV: video,timestamp,x1,y1,x2,y2,action_id,score[,person_id]"
    )
    parser.add_argument("--output", type=Path, required=True, help="the mp4 file to write")
    parser.add_argument("--ground-truth", type=Path, help="CSV of annotated boxes, drawn in white")
    parser.add_argument("--label-map", type=Path, help="names of action ids (pbtxt or one name a line)")
    parser.add_argument("--min-score", type=float, default=0.3, help="actions below it are not drawn (default 0.3)")
    parser.add_argument("--top", type=int, default=3, help="at most so many actions a person (default 3)")
    parser.add_argument("--name", help="what the tables call this video (default: the file's name without suffix)")
    parser.add_argument(
        "--time-origin",
        type=float,
        default=0.0,
        metavar="SECOND",
        help="the tables' second at which the video begins, if it was cut out of a longer one (default 0)",
    )
    args = parser.parse_args(argv)
    with user_errors():
        _visualize(args)
    return 0


def _visualize(args: argparse.Namespace) -> None:
    from rich.progress import Progress

    from ava_eval import read_detections, read_ground_truth, read_label_map
    from avdet.view.render import render

    if args.output.suffix.lower() != ".mp4":
        raise ValueError(f"--output is {args.output}; it is written as mp4, so give it a name that ends in .mp4")
    if args.top < 1:
        raise ValueError(f"--top is {args.top}; give at least 1 action a person")
    with Progress(transient=True) as progress:
        bar = progress.add_task(args.video.name)
        rendering = render(
            args.video,
            read_detections(args.detections),
            args.output,
            label_map=read_label_map(args.label_map) if args.label_map else None,
            ground_truth=read_ground_truth(args.ground_truth) if args.ground_truth else None,
            min_score=args.min_score,
            top=args.top,
            name=args.name,
            time_origin_s=args.time_origin,
            on_frame=lambda time_s, duration_s: progress.update(bar, completed=time_s, total=duration_s),
        )
    drawn = rendering.nothing_drawn or f"{rendering.boxes} boxes in {rendering.frames} frames"
    sys.stdout.write(f"{args.output}: {drawn}\n")
