"""Say what the people of videos do, as tables and as annotated videos.

Writes detections.csv (AVA's form, with person ids), tubes.csv (who does what from when to when), boxes.csv (the people)
and VIDEO.mp4.
"""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from avdet.cli.errors import user_errors
from avdet.cli.recipe import say_what_happens

if TYPE_CHECKING:
    import pandas as pd

    from avdet.people.detector import PersonDetector

logger = logging.getLogger(__name__)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="detect_actions.py", description=__doc__)
    parser.add_argument("videos", nargs="+", type=Path, metavar="VIDEO")
    parser.add_argument("--checkpoint", type=Path, required=True, help="last.pt or best.pt of a run")
    parser.add_argument("--output", type=Path, required=True, help="folder for the tables and VIDEO.mp4")
    people = parser.add_mutually_exclusive_group()
    people.add_argument(
        "--boxes", type=Path, help="the people, if found already: CSV video,timestamp,x1,y1,x2,y2[,score[,person_id]]"
    )
    people.add_argument(
        "--detector", choices=("detectron2", "torchvision"),
        help="what finds them (default: what trained --people, else Detectron2 if it is installed, else torchvision)",
    )  # fmt: skip
    parser.add_argument("--people", type=Path, metavar="WEIGHTS", help="its weights, for example a people.pt")
    parser.add_argument("--people-model", help="its model: see detect_people.py --model")
    parser.add_argument("--rate", type=float, default=1.0, help="keyframes a second at which it looks (default 1)")
    parser.add_argument("--min-box-score", type=float, default=0.8, help="people below it are left out (default 0.8)")
    parser.add_argument("--min-score", type=float, default=0.3, help="actions below it are not drawn (default 0.3)")
    parser.add_argument(
        "--smooth", type=float, default=0.0, metavar="SECONDS",
        help="mean of a person's scores over so long, so that labels do not flicker (default 0: none)",
    )  # fmt: skip
    args = parser.parse_args(argv)
    say_what_happens()
    with user_errors():
        if args.boxes is not None and (args.people is not None or args.people_model is not None):
            raise ValueError(
                "--boxes says who is there, so --people and --people-model have nothing to do; leave one out"
            )
        _detect(args)
    return 0


def _detect(args: argparse.Namespace) -> None:
    from avdet.people.smooth import smooth_scores
    from avdet.predict.detector import ActionDetector
    from avdet.view.render import render

    detector = ActionDetector.from_checkpoint(args.checkpoint)
    people = _People(args)
    names = detector.classes.label_map
    boxes: list[pd.DataFrame] = []
    tables: list[pd.DataFrame] = []
    for video in args.videos:
        here = people.of(video)
        if args.boxes is None and not (here["score"] >= args.min_box_score).any():
            logger.warning("%s: nobody is found with a score of %g or more", video, args.min_box_score)
            continue
        table = smooth_scores(detector.detect(video, here, min_box_score=args.min_box_score), args.smooth)
        boxes.append(here)
        tables.append(table)
        _write(args, boxes, tables)
        annotated = args.output / f"{video.stem}.mp4"
        render(video, table, annotated, label_map=names, min_score=args.min_score)
        seen, times = table["person_id"].nunique(), table["timestamp"].nunique()
        logger.info("%s: %d people at %d times -> %s", video, seen, times, annotated)
    if not tables:
        raise ValueError(
            f"none of the videos has a person with a score of {args.min_box_score:g} or more; lower --min-box-score"
        )


def _write(args: argparse.Namespace, boxes: list[pd.DataFrame], tables: list[pd.DataFrame]) -> None:
    """All videos so far: a run that stops leaves what it has."""
    import pandas as pd

    from avdet.detection_table import write_detections
    from avdet.people.table import write_boxes
    from avdet.people.tubes import tube_table, write_tubes

    table = pd.concat(tables, ignore_index=True)
    write_boxes(pd.concat(boxes, ignore_index=True), args.output / "boxes.csv")
    write_detections(table, args.output / "detections.csv")
    names = dict(zip(table["action_id"], table["action"], strict=True))
    write_tubes(tube_table(table, min_score=args.min_score), args.output / "tubes.csv", names)


class _People:
    """Who is in a video: by the table of --boxes, or by looking."""

    def __init__(self, args: argparse.Namespace) -> None:
        from ava_eval import read_boxes
        from avdet.people.build import build_person_detector

        self._rate = args.rate
        self._boxes: pd.DataFrame | None = None
        self._detector: PersonDetector | None = None
        if args.boxes is not None:
            self._boxes = read_boxes(args.boxes)
        else:
            self._detector = build_person_detector(args.detector, model=args.people_model, weights=args.people)

    def of(self, video: Path) -> pd.DataFrame:
        """With ids: those of the table, or where it has none, links."""
        from avdet.people.find import find_people
        from avdet.people.table import linked_table

        if self._detector is not None:
            return find_people(video, self._detector, rate=self._rate)
        assert self._boxes is not None
        here = self._boxes[self._boxes["video"] == video.stem]
        return here if (here["person_id"] >= 0).any() else linked_table(here)
