"""`python -m ava_eval`: AVA files in, mAP and its explanation out."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ava_eval.analysis import Analysis, analyse, analysis_text
from ava_eval.comparison import compare, comparison_table
from ava_eval.csv_format import FormatError
from ava_eval.evaluate import check_iou, evaluate
from ava_eval.label_map import read_label_groups, read_label_map
from ava_eval.map_by_group import mean_ap_by_group
from ava_eval.outputs import require_writable
from ava_eval.protocols import PROTOCOLS
from ava_eval.report.page import Series, is_report, report_page, write_report
from ava_eval.result import Result, percent, table
from ava_eval.summary import summary
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
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # class names may hold what the console cannot show
    try:
        _run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # nobody reads on, as `| head` does not
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ValueError, OSError) as error:
        sys.stderr.write(f"{_sentence(error)}\n")
        return BAD_INPUT
    return 0


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror or error}; check this path."
    return " ".join(str(error).split())


@dataclass
class _Scored:
    """One detection file, scored; what was not asked for is None."""

    name: str
    result: Result
    by_group: dict[str, float | None]
    tubes: TubeResult | None
    analysis: Analysis | None


def _run(options: argparse.Namespace) -> None:
    """Read, score, write, print: files are whole even where nobody reads what is printed to its end."""
    _check_options(options)
    scored = list(_score(options))
    comparison = None
    if options.compare:
        first, second = scored
        comparison = compare(first.result, second.result, first.name, second.name)
    if options.json:
        options.json.write_text(json.dumps(_numbers(scored), indent=2) + "\n", encoding="utf-8")
    if options.report:
        series = [Series(one.name, one.result, one.analysis, one.tubes) for one in scored if one.analysis]
        write_report(options.report, series, comparison)
    for one in scored:
        _print_scored(one, options)
    if comparison:
        _print(comparison_table(comparison))
    if options.report:
        _print(f"report: {report_page(options.report)}")


def _check_options(options: argparse.Namespace) -> None:
    """Say at once what would fail after the first file is scored."""
    check_iou(options.iou)
    if options.compare:
        first, second = options.compare
        if first.resolve(strict=True) == second.resolve(strict=True):
            raise ValueError(f"--compare names {first} twice; give two detection files.")
    inputs = [options.ground_truth, options.label_map, *(options.compare or [options.detections])]
    if options.excluded:
        inputs.append(options.excluded)
    if options.json:
        require_writable("--json", options.json, inputs)
    if options.report:
        page = report_page(options.report)
        require_writable("--report", page, inputs)
        if page.exists() and not is_report(page):
            raise ValueError(
                f"--report {page} is there, and does not say that it is such a report; give another folder."
            )


def _score(options: argparse.Namespace) -> Iterator[_Scored]:
    label_map, ground_truth = read_label_map(options.label_map), read_ground_truth(options.ground_truth)
    if ground_truth.empty:
        raise FormatError(f"{options.ground_truth} holds no row, so there is nothing to score against; give AVA's CSV.")
    excluded = read_excluded(options.excluded) if options.excluded else None
    groups = read_label_groups(options.label_map)
    for name, path in _named(options.compare or [options.detections]).items():
        detections = read_detections(path)
        result = evaluate(
            ground_truth, detections, label_map, excluded=excluded, protocol=options.protocol, iou=options.iou
        )
        tubes = evaluate_tubes(ground_truth, detections, label_map, excluded=excluded) if options.tubes else None
        analysis = analyse(result, groups) if options.breakdown or options.report else None
        yield _Scored(name, result, mean_ap_by_group(result, groups), tubes, analysis)


def _print_scored(one: _Scored, options: argparse.Namespace) -> None:
    if options.compare:
        _print(f"== {one.name}")
    _print(table(one.result), "")
    if one.by_group:
        said = ", ".join(f"{group} {percent(value).strip()}" for group, value in one.by_group.items())
        _print(f"mAP by group: {said}")
    _print(*summary(one.result), *(f"note: {note}" for note in one.result.notes))
    if one.analysis and options.breakdown:
        _print("", analysis_text(one.result, one.analysis))
    if one.tubes:
        _print("", tube_table(one.tubes))
    if options.compare:
        _print("")


def _named(paths: list[Path]) -> dict[str, Path]:
    """Short names that tell the files apart: a and b of runs/a/detections.csv and runs/b/detections.csv."""
    names = [path.name.removesuffix(".gz").removesuffix(".csv") for path in paths]
    if len(set(names)) < len(names):
        parts = [list(path.parts) for path in paths]
        for place in (-1, 0):
            while all(parts) and len({part[place] for part in parts}) == 1:
                parts = [part[1:] if place == 0 else part[:-1] for part in parts]
        names = ["/".join(part) for part in parts] if all(parts) else list(map(str, paths))
    return dict(zip(names, paths, strict=True))


def _numbers(scored: list[_Scored]) -> Mapping[str, object]:
    """One result's numbers, or those of two by name."""
    numbers: dict[str, dict[str, object]] = {}
    for one in scored:
        numbers[one.name] = one.result.to_json()
        if one.tubes:
            video = {f"{iou:g}": {"mAP": one.tubes.mean_ap[iou], "AP": ap} for iou, ap in one.tubes.ap.items()}
            numbers[one.name]["tubes"] = video
    return numbers if len(scored) > 1 else numbers[scored[0].name]


def _print(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
