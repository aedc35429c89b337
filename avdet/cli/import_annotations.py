"""Convert annotations of CVAT, Label Studio, VIA, COCO, MOT, YOLO, or a CSV to a data set for training."""

from __future__ import annotations

import argparse
import math
import sys
from pathlib import Path

from avdet.cli.arguments import ToolParser, user_errors
from avdet.output_lock import lock_folder


def main(argv: list[str] | None = None) -> int:
    parser = ToolParser("import_annotations.py", __doc__)
    parser.add_argument(
        "files",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="XML, JSON, CSV, zip or a folder; see docs/custom_data.md",
    )
    parser.add_argument("--videos", type=Path, required=True, help="folder of the annotated videos")
    parser.add_argument("--output", type=Path, required=True, help="folder for train.csv, val.csv and classes.txt")
    parser.add_argument("--label-map", type=Path, help="names of the action ids, for a CSV with ids")
    parser.add_argument("--actions", nargs="+", default=[], metavar="NAME", help="the attributes that are actions")
    parser.add_argument("--identity", default="", metavar="NAME", help="the attribute that is the person or animal")
    parser.add_argument(
        "--ignore",
        nargs="*",
        default=["other", "unknown"],
        metavar="VALUE",
        help="values that are no action, or attributes not to read (default: other unknown)",
    )
    parser.add_argument(
        "--box-unit",
        choices=["fractions", "pixels", "percents"],
        help="unit of a table's boxes (default: by the numbers)",
    )
    parser.add_argument(
        "--no-empty", action="store_true", help="leave out images without a box: they are unlabelled, not empty"
    )
    parser.add_argument(
        "--split", type=int, default=1, help="which of a data set's own splits, as of JHMDB (default 1)"
    )
    parser.add_argument(
        "--keyframe-interval",
        type=float,
        default=0.0,
        metavar="SECONDS",
        help="minimum distance of keyframes (default 0: keep all)",
    )
    parser.add_argument("--val-fraction", type=float, default=0.2, help="fraction of the videos in val (default 0.2)")
    parser.add_argument(
        "--group-by",
        metavar="PATTERN",
        help="regular expression in the videos' names; videos with the same match, such as 'cam[0-9]+', are all in "
        "train or all in val",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the random choice of val videos (default 0)")
    args = parser.parse(argv)
    with user_errors():
        _require_valid(args)
        with lock_folder(args.output):
            sys.stdout.write(_import(args))
    return 0


def _import(args: argparse.Namespace) -> str:
    from ava_eval import read_label_map
    from avdet.annotations.checks import listed
    from avdet.annotations.checks.check_labels import look_alikes
    from avdet.annotations.importers import read_all
    from avdet.annotations.importers.attributes import Choice
    from avdet.annotations.importers.rows import Context, require_known_names
    from avdet.annotations.importers.video_index import VideoIndex
    from avdet.annotations.importers.write_dataset import (
        merge_tables,
        split_videos,
        subsample_keyframes,
        videos_with_shared_ids,
        write_dataset,
    )
    from avdet.datasets.video_files import videos_by_name

    label_map = read_label_map(args.label_map) if args.label_map else {}
    choice = Choice(tuple(args.actions), args.identity, tuple(args.ignore))
    context = Context(
        VideoIndex(videos_by_name(args.videos)),
        label_map,
        choice,
        args.box_unit,
        args.split,
        keep_empty=not args.no_empty,
    )
    tables = read_all(args.files, context)
    require_known_names(context)
    table = merge_tables(tables, context.omitted)
    omitted = ", ".join(f"{count:,} {reason}" for reason, count in (+context.omitted).items())
    if not table["action"].any():
        raise ValueError(
            f"{', '.join(map(str, args.files))}: no box inside its frame has an action"
            f"{f' ({omitted})' * bool(omitted)}; see docs/custom_data.md for the formats"
        )
    if args.keyframe_interval:
        table = subsample_keyframes(table, args.keyframe_interval)
    names = sorted(set(table["video"]))
    val = {name for name in names if context.splits.get(name) == "val"}
    if args.val_fraction and not context.splits:
        val, one_sided = split_videos(table, args.val_fraction, args.seed, args.group_by)
        if one_sided:
            context.note(f"in train or val alone: {listed(one_sided, 'class')}; add videos to have them in both")
    classes = write_dataset(table, val, args.output)
    keyframes = len(table.drop_duplicates(["video", "timestamp"]))
    counts = table["action"].value_counts()
    pairs = look_alikes(classes)
    empty = int((table["action"] == "").sum())
    shared = videos_with_shared_ids(tables)
    return (
        f"{args.output}: {len(names)} videos ({len(val)} for val), {keyframes:,} keyframes"
        f"{f' ({empty:,} without a person)' * bool(empty)}, {len(table) - empty:,} rows, "
        f"{len(classes)} classes: {', '.join(f'{name} ({counts[name]})' for name in classes[:8])}"
        f"{', ...' * (len(classes) > 8)}\n"
        + "".join(f"{note}\n" for note in context.notes)
        + f"{listed(pairs, 'pair')} of classes look alike; check their spelling\n" * bool(pairs)
        + f"the same id in several files counts as one person ({listed(shared, 'video')})\n" * bool(shared)
        + (f"omitted: {omitted}\n" if omitted else "")
    )


def _require_valid(args: argparse.Namespace) -> None:
    from avdet.annotations.importers.write_dataset import require_no_overwrite

    if not 0 <= args.val_fraction < 1:
        raise ValueError(f"--val-fraction is {args.val_fraction:g}; give a number from 0 to below 1")
    if not 0 <= args.keyframe_interval < math.inf:
        raise ValueError(f"--keyframe-interval is {args.keyframe_interval:g}; give seconds, or 0 to keep all keyframes")
    if args.seed < 0:
        raise ValueError(f"--seed is {args.seed}; give 0 or more")
    if not args.videos.is_dir():
        raise ValueError(f"--videos {args.videos} is no folder; give the folder of the video files")
    require_no_overwrite(args.output, has_val=args.val_fraction > 0)
