"""Create the built-in sample set in a folder, in AVA's format."""

from __future__ import annotations

import time
from collections.abc import Sequence

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from avdet.cli.arguments import ToolParser, user_errors
from avdet.synthetic.make_sample import make_sample
from avdet.synthetic.synthetic_settings import SampleSettings


def main(argv: Sequence[str] | None = None, settings: SampleSettings | None = None) -> int:
    """settings: other sizes than the default, for tests."""
    parser = ToolParser("make_sample.py", __doc__)
    parser.add_argument("folder", metavar="DIR", help="a new or empty folder, or an older sample set to replace")
    parser.add_argument("--seed", type=int, default=0, help="seed of the random scenes (default 0)")
    parser.add_argument("--workers", type=int, default=2, help="processes that render and encode (default 2)")
    args = parser.parse(argv)
    console = Console()
    start = time.perf_counter()
    with user_errors(), _progress(console) as progress:
        if args.seed < 0:
            raise ValueError(f"--seed is {args.seed}; give 0 or more")
        bar = progress.add_task("sample videos", total=None)
        folder = make_sample(
            args.folder,
            seed=args.seed,
            workers=args.workers,
            settings=settings,
            progress=lambda done, total: progress.update(bar, completed=done, total=total),
        )
    size_mb = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    console.print(f"{folder}: {size_mb:.1f} MB in {time.perf_counter() - start:.0f} s")
    return 0


def _progress(console: Console) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        TimeRemainingColumn(), console=console,
    )  # fmt: skip
