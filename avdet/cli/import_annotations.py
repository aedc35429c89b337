"""Turn the annotations of CVAT, VIA 3, COCO for videos, or a plain CSV into a data set that trains."""

from __future__ import annotations

import argparse
import math
import sys
from collections import Counter
from pathlib import Path

from avdet.cli.arguments import user_errors


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="import_annotations.py", description=__doc__)
    parser.add_argument(
        "files", type=Path, nargs="+", metavar="FILE", help="XML, JSON or CSV, as docs/custom_data.md says"
    )
    parser.add_argument("--videos", type=Path, required=True, help="the folder of the videos they speak of")
    parser.add_argument("--output", type=Path, required=True, help="the folder for train.csv, val.csv and classes.txt")
    parser.add_argument("--label-map", type=Path, help="names of the action ids, where a CSV has ids")
    parser.add_argument(
        "--every", type=float, default=0.0, metavar="SECONDS", help="keep keyframes that far apart (0: all)"
    )
    parser.add_argument("--val-share", type=float, default=0.2, help="share of the videos that test (default 0.2)")
    parser.add_argument("--seed", type=int, default=0, help="another seed draws other videos to test on")
    args = parser.parse_args(argv)
    with user_errors():
        sys.stdout.write(_import(args))
    return 0


def _import(args: argparse.Namespace) -> str:
    from ava_eval import read_label_map
    from avdet.annotations.checks.finding import named
    from avdet.annotations.importers import read_annotations
    from avdet.annotations.importers.rows import VideoIndex
    from avdet.annotations.importers.write_dataset import (
        merge_tables,
        require_no_overwrite,
        split_videos,
        subsample_keyframes,
        videos_with_shared_ids,
        write_dataset,
    )
    from avdet.datasets.videos import find_videos_by_name

    if not 0 <= args.val_share < 1:
        raise ValueError(f"--val-share is {args.val_share:g}; it must be from 0 to below 1")
    if not 0 <= args.every < math.inf:
        raise ValueError(f"--every is {args.every:g}; it must be seconds, or 0 for all keyframes")
    if args.seed < 0:
        raise ValueError(f"--seed is {args.seed}; it must be 0 or more")
    if not args.videos.is_dir():
        raise ValueError(f"--videos {args.videos} is no folder; give the one with the video files")
    require_no_overwrite(args.output, has_val=args.val_share > 0)
    label_map = read_label_map(args.label_map) if args.label_map else {}
    videos = VideoIndex(find_videos_by_name(args.videos))
    left_out: Counter[str] = Counter()
    tables = [read_annotations(path, videos, label_map, left_out) for path in args.files]
    table = merge_tables(tables, left_out)
    omitted = ", ".join(f"{count:,} {what}" for what, count in (+left_out).items())
    if table.empty:
        raise ValueError(
            f"{', '.join(map(str, args.files))}: no box that lies in its frame and has an action"
            f"{f' ({omitted})' * bool(omitted)}; docs/custom_data.md says what is read"
        )
    if args.every:
        table = subsample_keyframes(table, args.every)
    names = sorted(set(table["video"]))
    val = split_videos(names, args.val_share, args.seed) if args.val_share else set()
    classes = write_dataset(table, val, args.output)
    keyframes = len(table.drop_duplicates(["video", "timestamp"]))
    counts = table["action"].value_counts()
    shared = videos_with_shared_ids(tables)
    return (
        f"{args.output}: {len(names)} videos ({len(val)} for val), {keyframes:,} keyframes, {len(table):,} rows, "
        f"{len(classes)} classes: {', '.join(f'{name} ({counts[name]})' for name in classes[:8])}"
        f"{', ...' * (len(classes) > 8)}\n"
        + f"taken for one person: who has the same id in several files ({named(shared, 'video')})\n" * bool(shared)
        + (f"left out: {omitted}\n" if omitted else "")
    )
