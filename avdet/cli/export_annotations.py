"""Write detections or ground truth as a project of CVAT, Label Studio, VIA 3 or as COCO, to correct them there.

import_annotations.py reads the corrected project.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from avdet.cli.arguments import ToolParser, require_output_folder, user_errors
from avdet.output_lock import lock_folder

if TYPE_CHECKING:
    import pandas as pd

FORMS = ("cvat", "label_studio", "coco", "via")


def main(argv: list[str] | None = None) -> int:
    parser = ToolParser("export_annotations.py", __doc__)
    tables = parser.add_mutually_exclusive_group(required=True)
    tables.add_argument(
        "--detections",
        type=Path,
        metavar="CSV",
        help="video,timestamp,x1,y1,x2,y2,action_id,score[,person_id[,action]]",
    )
    tables.add_argument(
        "--ground-truth", type=Path, metavar="CSV", help="video,timestamp,x1,y1,x2,y2,action_id[,person_id]"
    )
    parser.add_argument("--videos", type=Path, required=True, help="folder of the videos")
    parser.add_argument("--to", choices=FORMS, required=True, help="the tool or format")
    parser.add_argument("--output", type=Path, required=True, help="folder for the files")
    parser.add_argument(
        "--label-map",
        type=Path,
        help="names of the action ids (default: label_map.txt beside the detections)",
    )
    parser.add_argument(
        "--min-score",
        type=float,
        default=0.3,
        help="leave out actions with a lower score; their boxes stay (default 0.3)",
    )
    parser.add_argument(
        "--timestamp-offset",
        type=float,
        default=0.0,
        metavar="SECOND",
        help="timestamp of each video's start in the table (default 0)",
    )
    args = parser.parse(argv)
    with user_errors():
        require_output_folder(args.output)
        if args.output.is_dir() and any(args.output.iterdir()):
            raise ValueError(f"--output {args.output} has files, which are not overwritten; give a new folder")
        with lock_folder(args.output):
            sys.stdout.write(_export(args))
    return 0


def _export(args: argparse.Namespace) -> str:
    from avdet.annotations.exporters.labelled_videos import NO_PERSON, labelled_videos
    from avdet.annotations.exporters.write_coco import write_coco
    from avdet.annotations.exporters.write_cvat import write_cvat
    from avdet.annotations.exporters.write_label_studio import write_label_studio
    from avdet.annotations.exporters.write_via import write_via
    from avdet.annotations.importers.video_index import VideoIndex
    from avdet.datasets.video_files import videos_by_name

    if not (math.isfinite(args.min_score) and math.isfinite(args.timestamp_offset)):
        raise ValueError(f"--min-score {args.min_score} and --timestamp-offset {args.timestamp_offset} must be finite")
    if not args.videos.is_dir():
        raise ValueError(f"--videos {args.videos} is no folder; give the folder of the video files")
    source = args.detections or args.ground_truth
    names = _names(args)
    omitted: Counter[str] = Counter()
    table = _table(args, names)
    videos = labelled_videos(table, VideoIndex(videos_by_name(args.videos)), args.timestamp_offset, source, omitted)
    boxes = [box for video in videos for box in video.boxes]
    reasons = ", ".join(f"{count:,} {reason}" for reason, count in (+omitted).items())
    if not boxes:
        raise ValueError(
            f"{source} has no box to write{f' ({reasons})' * bool(reasons)}; times are seconds from the video's "
            "start, or from --timestamp-offset"
        )
    write = {"cvat": write_cvat, "label_studio": write_label_studio, "coco": write_coco, "via": write_via}[args.to]
    paths = write(videos, list(names.values()), args.output)
    files = ", ".join(path.name for path in paths[:3]) + ", ..." * (len(paths) > 3)
    idle, unknown = sum(not box.actions for box in boxes), sum(box.person_id == NO_PERSON for box in boxes)
    return (
        f"{args.output}: {len(videos)} videos, {len(boxes):,} boxes ({idle:,} without an action, {unknown:,} without a "
        f"person id), {sum(len(box.actions) for box in boxes):,} actions; {files}\n"
        + f"omitted: {reasons}\n"
        * bool(reasons)
    )


def _names(args: argparse.Namespace) -> Mapping[int, str]:
    from ava_eval import read_action_names, read_label_map

    source = args.detections or args.ground_truth
    beside = source.with_name("label_map.txt")
    if args.label_map is None and not beside.is_file():
        if args.detections and (names := read_action_names(source)):
            return names
        raise ValueError(f"{beside} does not exist; give the names of the action ids with --label-map")
    return read_label_map(args.label_map or beside)


def _table(args: argparse.Namespace, names: Mapping[int, str]) -> pd.DataFrame:
    """The rows with column `action`: a name, or NaN where the score is below --min-score."""
    from ava_eval import read_detections, read_ground_truth
    from avdet.annotations.checks import listed
    from avdet.people.box_table import require_normalized

    source = args.detections or args.ground_truth
    table = read_detections(source) if args.detections else read_ground_truth(source)
    require_normalized(table, source)
    has_action = table["action_id"] > 0
    if args.detections:
        has_action &= table["score"] >= args.min_score
    unnamed = sorted(set(table["action_id"][has_action]) - set(names))
    if unnamed:
        ids = listed([str(action_id) for action_id in unnamed], "action id")
        raise ValueError(f"{source} has {ids} without a name; give their label map with --label-map")
    return table.assign(action=table["action_id"].map(names).where(has_action))
