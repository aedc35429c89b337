"""Measure how fast the parts of avdet run on this machine."""

from __future__ import annotations

import importlib
import sys

from avdet.cli.arguments import ToolParser, user_errors

# benchmarks/PART.py holds the options and the measurement of a part; it is imported only when chosen.
PARTS = {
    "evaluator": "rows per second of each phase of ava_eval, on synthetic files of AVA's shape",
    "loader": "seconds from a video file to a clip, with bare decoding and other loaders for comparison",
    "model": "parameters, multiply-adds, memory, and the time of prediction and of a training step",
    "predict": "time from a video file to an annotated video, by stage",
    "reference": "prediction, training step and memory of the authors' code and of avdet, measured in turns",
    "scale": "simulated time of an epoch on several GPUs, from measured times of reading and of a step",
    "train": "overhead of the training loop over the bare model's forward, backward and update",
}


def main(argv: list[str] | None = None) -> int:
    argv = sys.argv[1:] if argv is None else argv
    listing = "\n".join(f"  {part:10} {measured}" for part, measured in PARTS.items())
    parser = ToolParser("benchmark.py", __doc__, epilog=listing)
    parser.add_argument("part", choices=PARTS, help="what to measure; PART --help lists its options")
    part = parser.parse(argv[:1]).part
    benchmark = importlib.import_module(f"benchmarks.{part}")
    options = ToolParser(f"benchmark.py {part}", f"Measures {PARTS[part]}.")
    benchmark.add_arguments(options)
    args = options.parse(argv[1:])
    with user_errors():
        benchmark.run_and_print(args)
    return 0


if __name__ == "__main__":
    sys.exit(main())
