"""Compare runs: settings that differ, and all metrics with their difference (two runs) or mean and deviation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev

from rich.markup import escape
from rich.table import Table

from avdet.cli.arguments import ToolParser, user_errors
from avdet.engine.progress import CONSOLE
from avdet.engine.run_comparison import RunComparison, compare_runs


def main(argv: list[str] | None = None) -> int:
    parser = ToolParser("compare_runs.py", __doc__)
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="a run directory, such as runs/ava-sample")
    args = parser.parse(argv)
    resolved = [path.resolve() for path in args.runs]
    with user_errors():
        if len(args.runs) < 2:
            raise ValueError("one run cannot be compared; give two or more run directories")
        repeated = next((path for index, path in enumerate(args.runs) if path.resolve() in resolved[:index]), None)
        if repeated is not None:
            raise ValueError(f"{repeated} is given twice; give the directories of different runs")
        comparison = compare_runs(args.runs)
    names = [path.name for path in resolved]
    _print(comparison, names if len(set(names)) == len(names) else list(map(str, args.runs)))
    return 0


def _print(comparison: RunComparison, names: list[str]) -> None:
    for warning in comparison.warnings:
        CONSOLE.print(f"note: {warning}", highlight=False, markup=False)
    columns = list(map(escape, names))
    settings = Table("setting", *columns, title="settings that differ")
    for key, options in comparison.settings:
        settings.add_row(key, *(escape(str(option)) for option in options))
    numbers = Table("", *columns, "difference" if len(names) == 2 else "mean ± deviation", title="results")
    for name, values in comparison.metrics:
        numbers.add_row(escape(name), *map(_format, values), _summary(values))
    for table in (settings, numbers):
        if table.row_count:
            CONSOLE.print(table)


def _format(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _summary(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return "-"
    return f"{known[1] - known[0]:+.4f}" if len(known) == 2 else f"{mean(known):.4f} ± {stdev(known):.4f}"
