"""python -m avdet.cli.sample_limits: the AP that perfect senses could reach on the sample set's val."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from avdet.synthetic.upper_bound import OBSERVERS, oracle_scores


def main(argv: Sequence[str] | None = None) -> int:
    """Prints one column of AP an observer."""
    parser = argparse.ArgumentParser(prog="sample_limits", description="AP of perfect observers on the sample set.")
    parser.add_argument("--seed", type=int, default=0, help="the sample set's seed (default 0)")
    arguments = parser.parse_args(argv)
    results = [oracle_scores(facts, seed=arguments.seed) for facts in OBSERVERS.values()]
    table = Table("action", *OBSERVERS)
    for name in results[0].ap:
        table.add_row(name, *(_shown(result.ap[name]) for result in results))
    table.add_row("mAP", *(_shown(result.mean_ap) for result in results))
    Console().print(table)
    return 0


def _shown(ap: float | None) -> str:
    return "-" if ap is None else f"{ap:.3f}"


if __name__ == "__main__":
    sys.exit(main())
