"""`python -m ava_eval`: AVA files in, mAP and its explanation out."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ava_eval.evaluate import evaluate
from ava_eval.label_map import read_label_map
from ava_eval.protocols import PROTOCOLS
from ava_eval.result import table
from ava_eval.tables import read_detections, read_excluded, read_ground_truth

BAD_INPUT = 2


def parser() -> argparse.ArgumentParser:
    """The options, with their help."""
    options = argparse.ArgumentParser("python -m ava_eval", description="Score detections in AVA's format.")
    options.add_argument("--ground-truth", type=Path, required=True, metavar="CSV")
    options.add_argument("--detections", type=Path, required=True, metavar="CSV")
    options.add_argument("--label-map", type=Path, required=True, metavar="FILE", help="pbtxt or a list of names")
    options.add_argument("--excluded", type=Path, metavar="CSV", help="keyframes that do not count")
    options.add_argument("--protocol", choices=list(PROTOCOLS), default="official")
    options.add_argument("--iou", type=float, default=0.5, help="overlap that makes a hit (default 0.5)")
    options.add_argument("--json", type=Path, metavar="FILE", help="write the numbers here")
    return options


def main(argv: list[str] | None = None) -> int:
    """Exit status: 0, or 2 with one sentence on stderr for input that cannot be scored."""
    options = parser().parse_args(argv)
    try:
        run(options)
    except (ValueError, OSError) as error:
        sys.stderr.write(f"{' '.join(str(error).split())}\n")
        return BAD_INPUT
    return 0


def run(options: argparse.Namespace) -> None:
    """Read, score, print, write."""
    result = evaluate(
        read_ground_truth(options.ground_truth),
        read_detections(options.detections),
        read_label_map(options.label_map),
        excluded=read_excluded(options.excluded) if options.excluded else None,
        protocol=options.protocol,
        iou=options.iou,
    )
    sys.stdout.write(table(result) + "\n")
    if options.json:
        options.json.write_text(json.dumps(result.to_json(), indent=2) + "\n", encoding="utf-8")
