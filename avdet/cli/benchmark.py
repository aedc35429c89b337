"""How fast the parts are on this machine."""

from __future__ import annotations

import argparse
import importlib
import sys

from avdet.cli.arguments import user_errors

# What each measures; avdet/cli/benchmark_NAME.py has its options and its run, and is loaded only when asked for.
BENCHMARKS = {
    "evaluator": "rows a second by phase on synthetic AVA files",
    "loader": "seconds from a video file to a clip, beside bare decoding and other ways; the share of each part",
    "model": "parameters, multiply-adds, prediction, training and memory of a recipe's network",
    "predict": "video seconds a second from a file to an annotated one, by part",
    "reference": "the authors' own code and ours in turns: prediction, a training step, memory",
    "scale": "how long an epoch takes on more GPUs, simulated from measured times, and where readers are the limit",
    "train": "what the engine adds to the bare model's forward, backward and update",
}


def main(argv: list[str] | None = None) -> int:
    """Exit status 0, or 2 for wrong usage."""
    argv = sys.argv[1:] if argv is None else argv
    listing = "\n".join(f"  {name:10} {said}" for name, said in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="benchmark.py", description=__doc__, epilog=listing, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("part", choices=BENCHMARKS, help="what to measure; PART --help says more")
    part = parser.parse_args(argv[:1]).part
    benchmark = importlib.import_module(f"avdet.cli.benchmark_{part}")
    options = argparse.ArgumentParser(prog=f"benchmark.py {part}", description=BENCHMARKS[part])
    benchmark.add_arguments(options)
    args = options.parse_args(argv[1:])
    with user_errors():
        benchmark.run_and_print(args)
    return 0
