"""Command line of `python -m ava_eval`: scores detection files and prints, writes or reports the result."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ava_eval.benchmark_cli import benchmark_text, is_benchmark, score_benchmark
from ava_eval.breakdown import Breakdown, break_down, breakdown_text
from ava_eval.comparison import compare, comparison_table
from ava_eval.csv_format import FormatError
from ava_eval.csv_reader import STANDARD_INPUT
from ava_eval.evaluate import check_iou, evaluate
from ava_eval.label_map import read_label_map_and_groups
from ava_eval.map_by_group import mean_ap_by_group
from ava_eval.one_line import one_line
from ava_eval.protocols import PROTOCOLS
from ava_eval.report import Series, is_report, report_path, write_report
from ava_eval.result import Result, percent, summary, table
from ava_eval.tables import join_tables, read_detections, read_excluded, read_ground_truth
from ava_eval.ties import TIES
from ava_eval.tube_protocols import TUBE_PROTOCOLS
from ava_eval.tubes import TubeResult, evaluate_tubes, tube_table

BAD_INPUT = 2


def parser() -> argparse.ArgumentParser:
    """The options and their help."""
    options = argparse.ArgumentParser("python -m ava_eval", description="Score action detections in AVA's format.")
    add = options.add_argument
    add(
        "--ground-truth",
        type=Path,
        nargs="+",
        required=True,
        metavar="FILE",
        help="annotations: CSV, one file or its parts, or a gttubes pickle",
    )
    detections = options.add_mutually_exclusive_group(required=True)
    detections.add_argument(
        "--detections",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="detections, one file or its parts (-: standard input), or pickles of frames and tubes",
    )
    detections.add_argument("--compare", type=Path, nargs=2, metavar=("A", "B"), help="compare two detection files")
    add("--label-map", type=Path, metavar="FILE", help="AVA's pbtxt, or class names one per line")
    add("--excluded", type=Path, metavar="CSV", help="keyframes to exclude (video,timestamp)")
    add("--protocol", choices=[*PROTOCOLS, *TUBE_PROTOCOLS], help="evaluation protocol (default: official, act)")
    add("--split", type=int, metavar="N", help="split of a gttubes pickle, from 1")
    add("--fps", type=float, help="frame rate of the videos, for CSV detections with a gttubes pickle")
    add("--iou", type=float, default=0.5, help="IoU threshold of a true positive (default: 0.5)")
    add("--ties", choices=TIES, default="expected", help="order of equal scores (default: expected value)")
    add("--tubes", action="store_true", help="also video mAP of tubes, one per person_id and action")
    add("--breakdown", action="store_true", help="also mAP by group, IoU and height, its interval, errors by type")
    add("--json", type=Path, metavar="FILE", help="write the numbers to this file")
    add("--report", type=Path, metavar="DIR", help="write an HTML page with curves, bars and errors to DIR/index.html")
    add("--pages", type=Path, metavar="DIR", help="pages VIDEO.html of the player, to which the report's errors link")
    return options


def main(argv: list[str] | None = None) -> int:
    """Return exit status 0, or 2 with one sentence on stderr for input that cannot be scored."""
    options = parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # the console may lack characters of class names
    try:
        _run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, such as `| head`, closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (ValueError, OSError) as error:
        sys.stderr.write(f"{_sentence(error)}\n")
        return BAD_INPUT
    return 0


def _sentence(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return one_line(f"{error.filename}: {error.strerror or error}; check this path.")
    return one_line(str(error))


@dataclass
class _Scored:
    """The result of one detection file; None for what was not requested."""

    name: str
    result: Result
    by_group: dict[str, float | None]
    tubes: TubeResult | None
    breakdown: Breakdown | None


def _run(options: argparse.Namespace) -> None:
    """Read, score, write, print. Files are written first, so that a closed pipe does not prevent them."""
    _check_options(options)
    if is_benchmark(options):
        benchmark = score_benchmark(options)
        if options.json:
            _write_json(options.json, benchmark.to_json())
        _print(benchmark_text(benchmark))
        return
    scored = list(_score(options))
    comparison = None
    if options.compare:
        first, second = scored
        comparison = compare(first.result, second.result, first.name, second.name)
    if options.json:
        _write_json(options.json, _json(scored))
    if options.report:
        series = [Series(one.name, one.result, one.breakdown, one.tubes) for one in scored if one.breakdown]
        write_report(options.report, series, comparison, options.pages)
    for one in scored:
        _print_scored(one, options)
    if comparison:
        _print(comparison_table(comparison))
    if options.report:
        _print(f"report: {report_path(options.report)}")


def _check_options(options: argparse.Namespace) -> None:
    """Raise before any file is scored if an option is wrong or an output cannot be written."""
    check_iou(options.iou)
    optional = [path for path in (options.label_map, options.excluded) if path]
    inputs = [*options.ground_truth, *optional, *(options.compare or options.detections)]
    if inputs.count(STANDARD_INPUT) > 1:
        raise ValueError("- (standard input) can be only one of the input files; give a path for the others.")
    inputs = [path for path in inputs if path != STANDARD_INPUT]
    if options.compare and STANDARD_INPUT not in options.compare:
        first, second = options.compare
        if first.resolve(strict=True) == second.resolve(strict=True):
            raise ValueError(f"--compare names {first} twice; give two detection files.")
    pipes = [path.resolve() for path in inputs if path.exists() and not (path.is_file() or path.is_dir())]
    if repeated := [path for path in pipes if pipes.count(path) > 1]:
        raise ValueError(f"{repeated[0]} is a pipe, which can be read only once; give another file for one option.")
    if options.pages and not (options.report and options.pages.is_dir()):
        raise ValueError(f"--pages {options.pages} needs --report DIR, and must be a folder of pages VIDEO.html.")
    if options.json:
        _require_writable("--json", options.json, inputs)
    if options.report:
        page = report_path(options.report)
        _require_writable("--report", page, inputs)
        if page.exists() and not is_report(page):
            raise ValueError(f"--report {page} exists and is not a report of ava_eval; give another folder.")


def _require_writable(option: str, path: Path, inputs: Iterable[Path]) -> None:
    """Make the folder of `path`. Raise ValueError if `path` is an input, OSError if it cannot be written."""
    if any(path.exists() and source.exists() and path.samefile(source) for source in inputs):
        raise ValueError(f"{option} {path} is an input file and would be overwritten; give another name.")
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and not (path.is_file() or path.is_dir()):
        return  # a pipe or a device: its reader would end if it were opened twice
    is_new = not path.exists()
    path.open("ab").close()
    if is_new:
        path.unlink()


def _score(options: argparse.Namespace) -> Iterator[_Scored]:
    label_map, groups = read_label_map_and_groups(options.label_map)
    ground_truth = join_tables([read_ground_truth(path) for path in options.ground_truth])
    if ground_truth.empty:
        raise FormatError(f"{options.ground_truth[0]} has no rows; give the ground-truth CSV.")
    excluded = read_excluded(options.excluded) if options.excluded else None
    parts = [[path] for path in options.compare] if options.compare else [options.detections]
    for name, paths in zip(_short_names([paths[0] for paths in parts]), parts, strict=True):
        detections = join_tables([read_detections(path) for path in paths])
        result = evaluate(
            ground_truth,
            detections,
            label_map,
            excluded=excluded,
            protocol=options.protocol or "official",
            iou=options.iou,
            ties=options.ties,
        )
        tubes = None
        if options.tubes:
            tubes = evaluate_tubes(ground_truth, detections, label_map, excluded=excluded, ties=options.ties)
        breakdown = break_down(result, groups) if options.breakdown or options.report else None
        yield _Scored(name, result, mean_ap_by_group(result, groups), tubes, breakdown)


def _short_names(paths: list[Path]) -> list[str]:
    """Short unique names of the files: a and b for runs/a/detections.csv and runs/b/detections.csv."""
    names = [path.name.removesuffix(".gz").removesuffix(".csv") for path in paths]
    if len(set(names)) < len(names):
        parts = [list(path.parts) for path in paths]
        for end in (-1, 0):
            while all(parts) and len({part[end] for part in parts}) == 1:
                parts = [part[1:] if end == 0 else part[:-1] for part in parts]
        names = ["/".join(part) for part in parts] if all(parts) else list(map(str, paths))
    return names


def _write_json(path: Path, numbers: Mapping[str, object]) -> None:
    path.write_text(json.dumps(numbers, indent=2) + "\n", encoding="utf-8")


def _json(scored: list[_Scored]) -> Mapping[str, object]:
    """The numbers of one result, or of two by name."""
    by_name: dict[str, dict[str, object]] = {}
    for one in scored:
        by_name[one.name] = one.result.to_json()
        if one.tubes:
            by_name[one.name]["tubes"] = {
                f"{iou:g}": {"mAP": one.tubes.mean_ap[iou], "AP": ap} for iou, ap in one.tubes.ap.items()
            }
    return by_name if len(scored) > 1 else by_name[scored[0].name]


def _print_scored(one: _Scored, options: argparse.Namespace) -> None:
    if options.compare:
        _print(f"== {one.name}")
    _print(table(one.result), "")
    if one.by_group:
        groups = ", ".join(f"{group} {percent(value).strip()}" for group, value in one.by_group.items())
        _print(f"mAP by group: {groups}")
    _print(*summary(one.result), *(f"note: {note}" for note in one.result.notes))
    if one.breakdown and options.breakdown:
        _print("", breakdown_text(one.result, one.breakdown))
    if one.tubes:
        _print("", tube_table(one.tubes))
    if options.compare:
        _print("")


def _print(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
