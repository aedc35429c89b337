"""`python -m ava_eval`: AVA files in, mAP and its explanation out."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from ava_eval.analysis import analyse, analysis_text
from ava_eval.comparison import compare, comparison_table
from ava_eval.evaluate import evaluate
from ava_eval.explain import summary
from ava_eval.label_map import read_label_groups, read_label_map
from ava_eval.protocols import PROTOCOLS
from ava_eval.report.page import Series, write_report
from ava_eval.result import Result, table
from ava_eval.tables import read_detections, read_excluded, read_ground_truth
from ava_eval.tubes import TubeResult, evaluate_tubes, tube_table

BAD_INPUT = 2


def parser() -> argparse.ArgumentParser:
    """The options, with their help."""
    options = argparse.ArgumentParser("python -m ava_eval", description="Score detections in AVA's format.")
    add = options.add_argument
    add("--ground-truth", type=Path, required=True, metavar="CSV")
    detections = options.add_mutually_exclusive_group(required=True)
    detections.add_argument("--detections", type=Path, metavar="CSV")
    detections.add_argument("--compare", type=Path, nargs=2, metavar=("A", "B"), help="two detection files")
    add("--label-map", type=Path, required=True, metavar="FILE", help="AVA's pbtxt, or class names one a line")
    add("--excluded", type=Path, metavar="CSV", help="keyframes that do not count (video,timestamp)")
    add("--protocol", choices=list(PROTOCOLS), default="official", help="whose rules to follow (default: official)")
    add("--iou", type=float, default=0.5, help="overlap that makes a hit (default: 0.5)")
    add("--tubes", action="store_true", help="also video mAP of tubes, one for each person_id and action")
    add("--breakdown", action="store_true", help="also mAP by group, IoU and height; its interval; the mistakes")
    add("--json", type=Path, metavar="FILE", help="write the numbers here")
    add("--report", type=Path, metavar="DIR", help="write index.html here: curves, bars, mistakes, comparison")
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
    label_map, ground_truth = read_label_map(options.label_map), read_ground_truth(options.ground_truth)
    excluded = read_excluded(options.excluded) if options.excluded else None
    results: dict[str, Result] = {}
    tubes: dict[str, TubeResult] = {}
    for name, path in _named(options.compare or [options.detections]).items():
        detections = read_detections(path)
        results[name] = evaluate(
            ground_truth, detections, label_map, excluded=excluded, protocol=options.protocol, iou=options.iou
        )
        if options.tubes:
            tubes[name] = evaluate_tubes(ground_truth, detections, label_map, excluded=excluded)
    names = list(results)
    comparison = compare(results[names[0]], results[names[1]], *names) if options.compare else None
    analyses = {}
    if options.breakdown or options.report:
        groups = read_label_groups(options.label_map)
        analyses = {name: analyse(result, groups) for name, result in results.items()}

    for name, result in results.items():
        _print(*([f"== {name}"] if comparison else []), table(result), "", *summary(result))
        _print(*(f"note: {note}" for note in result.notes))
        if options.breakdown:
            _print("", analysis_text(result, analyses[name]))
        if options.tubes:
            _print("", tube_table(tubes[name]))
        _print("")
    if comparison:
        _print(comparison_table(comparison))
    if options.json:
        numbers = {name: _numbers(result, tubes.get(name)) for name, result in results.items()}
        text = json.dumps(numbers if comparison else numbers[names[0]], indent=2)
        options.json.write_text(text + "\n", encoding="utf-8")
    if options.report:
        series = [Series(name, results[name], analyses[name], tubes.get(name)) for name in names]
        _print(f"report: {write_report(options.report, series, comparison)}")


def _named(paths: list[Path]) -> dict[str, Path]:
    """Short names that tell the files apart."""
    names = [path.name.removesuffix(".gz").removesuffix(".csv") for path in paths]
    return dict(zip(names if len(set(names)) == len(names) else map(str, paths), paths, strict=True))


def _numbers(result: Result, tubes: TubeResult | None) -> dict[str, object]:
    numbers = result.to_json()
    if tubes:
        numbers["tubes"] = {f"{iou:g}": {"mAP": tubes.mean_ap[iou], "AP": tubes.ap[iou]} for iou in tubes.ap}
    return numbers


def _print(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
