"""Print the upper bounds of AP on the sample set's val split, for a video-only and for audiovisual observers."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from avdet.cli.arguments import ToolParser
from avdet.synthetic.upper_bound import upper_bounds


def main(argv: Sequence[str] | None = None) -> int:
    parser = ToolParser("sample_upper_bound.py", __doc__)
    parser.add_argument("--seed", type=int, default=0, help="the sample set's seed (default 0)")
    args = parser.parse(argv)
    bounds = upper_bounds(seed=args.seed)
    results, table = list(bounds.values()), Table("action", *bounds)
    for name in results[0].ap:
        table.add_row(name, *(_format(result.ap[name]) for result in results))
    table.add_row("mAP", *(_format(result.mean_ap) for result in results))
    Console().print(table)
    return 0


def _format(ap: float | None) -> str:
    return "-" if ap is None else f"{ap:.3f}"


if __name__ == "__main__":
    sys.exit(main())
