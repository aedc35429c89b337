"""How fast the parts are on this machine."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from avdet.cli import benchmark_evaluator, benchmark_loader, benchmark_model, benchmark_scale
from avdet.cli.errors import user_errors

# Name: what it measures, its options, and its run on the parsed options.
BENCHMARKS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None], Callable[[argparse.Namespace], None]]] = {
    "evaluator": (
        "rows a second by phase on synthetic AVA files",
        benchmark_evaluator.add_arguments,
        benchmark_evaluator.run_and_print,
    ),
    "loader": (
        "seconds from a video file to a clip, beside bare decoding and other ways; the share of each part",
        benchmark_loader.add_arguments,
        benchmark_loader.run_and_print,
    ),
    "model": (
        "parameters, multiply-adds, prediction, training and memory of a recipe's network",
        benchmark_model.add_arguments,
        benchmark_model.run_and_print,
    ),
    "scale": (
        "hours an epoch takes on more GPUs, simulated from measured times, and where readers are the limit",
        benchmark_scale.add_arguments,
        benchmark_scale.run_and_print,
    ),
}


def main(argv: list[str] | None = None) -> int:
    """Exit status 0, or 2 for wrong usage."""
    parser = argparse.ArgumentParser(prog="benchmark.py", description=__doc__)
    verbs = parser.add_subparsers(dest="part", required=True, metavar="|".join(BENCHMARKS))
    for name, (said, add_arguments, _) in BENCHMARKS.items():
        add_arguments(verbs.add_parser(name, help=said, description=said))
    args = parser.parse_args(argv)
    with user_errors():
        BENCHMARKS[args.part][2](args)
    return 0
