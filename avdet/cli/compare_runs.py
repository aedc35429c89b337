"""Put runs side by side: settings that differ, and every number; of two the difference, of more mean and deviation."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, stdev

from rich.markup import escape
from rich.table import Table

from avdet.cli.arguments import user_errors
from avdet.engine.progress import CONSOLE
from avdet.engine.run_comparison import RunComparison, compare_runs


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="compare_runs.py", description=__doc__)
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN", help="folders, such as runs/ava-avslowfast-sample")
    args = parser.parse_args(argv)
    real = [path.resolve() for path in args.runs]
    with user_errors():
        if len(args.runs) < 2:
            raise ValueError("one run cannot be compared; give the folders of two or more")
        again = next((path for place, path in enumerate(args.runs) if path.resolve() in real[:place]), None)
        if again is not None:
            raise ValueError(f"{again} is given twice, and equals itself; give the folders of different runs")
        comparison = compare_runs(args.runs)
    names = [path.resolve().name for path in args.runs]
    _show(comparison, names if len(set(names)) == len(names) else list(map(str, args.runs)))
    return 0


def _show(comparison: RunComparison, names: list[str]) -> None:
    for warning in comparison.warnings:
        CONSOLE.print(f"note: {warning}", highlight=False, markup=False)
    heads = list(map(escape, names))
    settings = Table("setting", *heads, title="settings that differ")
    for key, values in comparison.settings:
        settings.add_row(key, *(escape(str(value)) for value in values))
    numbers = Table("", *heads, "difference" if len(names) == 2 else "mean ± deviation", title="results")
    for name, found in comparison.metrics:
        numbers.add_row(escape(name), *map(_shown, found), _summary(found))
    for table in (settings, numbers):
        if table.row_count:
            CONSOLE.print(table)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _summary(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return "-"
    return f"{known[1] - known[0]:+.4f}" if len(known) == 2 else f"{mean(known):.4f} ± {stdev(known):.4f}"
