"""Say what the people of videos do, as a table and as annotated videos."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from avdet.cli.errors import user_errors
from avdet.cli.recipe import say_what_happens

logger = logging.getLogger(__name__)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="detect_actions.py", description=__doc__)
    parser.add_argument("videos", nargs="+", type=Path, metavar="VIDEO")
    parser.add_argument("--checkpoint", type=Path, required=True, help="last.pt or best.pt of a run")
    parser.add_argument("--output", type=Path, required=True, help="folder for detections.csv and VIDEO.mp4")
    parser.add_argument(
        "--boxes", type=Path, required=True, help="CSV: video,timestamp,x1,y1,x2,y2[,score[,person_id]]"
    )
    parser.add_argument("--min-box-score", type=float, default=0.8, help="people below it are left out (default 0.8)")
    parser.add_argument("--min-score", type=float, default=0.3, help="actions below it are not drawn (default 0.3)")
    args = parser.parse_args(argv)
    say_what_happens()
    with user_errors():
        _detect(args)
    return 0


def _detect(args: argparse.Namespace) -> None:
    import pandas as pd

    from ava_eval import read_boxes
    from avdet.detection_table import write_detections
    from avdet.predict.detector import ActionDetector
    from avdet.view.render import render

    boxes = read_boxes(args.boxes)
    detector = ActionDetector.from_checkpoint(args.checkpoint)
    tables: list[pd.DataFrame] = []
    for video in args.videos:
        table = detector.detect(video, boxes, min_box_score=args.min_box_score)
        tables.append(table)
        write_detections(pd.concat(tables), args.output / "detections.csv")
        annotated = args.output / f"{video.stem}.mp4"
        render(video, table, annotated, label_map=detector.classes.label_map, min_score=args.min_score)
        logger.info("%s: people at %d times -> %s", video, table["timestamp"].nunique(), annotated)
