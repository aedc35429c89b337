"""Put two runs side by side: settings that differ, and every number with its difference."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.table import Table

from avdet.cli.errors import user_errors
from avdet.engine.progress import CONSOLE
from avdet.engine.run_comparison import RunComparison, compare_runs


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="compare_runs.py", description=__doc__)
    parser.add_argument("first", type=Path, metavar="A", help="a run's folder, such as runs/ava-avslowfast-sample")
    parser.add_argument("second", type=Path, metavar="B")
    args = parser.parse_args(argv)
    with user_errors():
        comparison = compare_runs(args.first, args.second)
    _show(comparison, args.first.name, args.second.name)
    return 0


def _show(comparison: RunComparison, first: str, second: str) -> None:
    for warning in comparison.warnings:
        CONSOLE.print(f"note: {warning}", highlight=False, markup=False)
    settings = Table("setting", first, second, title="settings that differ")
    for key, one, other in comparison.settings:
        settings.add_row(key, str(one), str(other))
    numbers = Table("", first, second, "B - A", title="results")
    for name, a, b in comparison.numbers:
        difference = "-" if a is None or b is None else f"{b - a:+.4f}"
        numbers.add_row(name, _shown(a), _shown(b), difference)
    for table in (settings, numbers):
        if table.row_count:
            CONSOLE.print(table)


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
