"""The command behind tools/make_sample.py: make the built-in sample set in a folder."""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from avdet.cli.arguments import user_errors
from avdet.synthetic.make_sample import make_sample
from avdet.synthetic.synthetic_settings import SampleSettings


def main(argv: Sequence[str] | None = None, settings: SampleSettings | None = None) -> int:
    """Exit status 0; what is wrong with the folder ends the process with 2 and one sentence."""
    parser = argparse.ArgumentParser(prog="make_sample.py", description="Make the built-in sample set, in AVA's form.")
    parser.add_argument("folder", metavar="DIR", help="a new or empty folder, or one with an older sample set")
    parser.add_argument("--seed", type=int, default=0, help="another seed makes another world (default 0)")
    parser.add_argument("--workers", type=int, default=2, help="processes that draw and encode (default 2)")
    arguments = parser.parse_args(argv)
    console = Console()
    start = time.perf_counter()
    with user_errors(), _bar(console) as bar:
        if arguments.seed < 0:
            raise ValueError(f"--seed is {arguments.seed}; give 0 or a larger whole number")
        task = bar.add_task("sample videos", total=None)
        folder = make_sample(
            arguments.folder,
            seed=arguments.seed,
            workers=arguments.workers,
            settings=settings,
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    size_mb = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    console.print(f"{folder}: {size_mb:.1f} MB in {time.perf_counter() - start:.0f} s")
    return 0


def _bar(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TimeRemainingColumn(), console=console,
    )  # fmt: skip
