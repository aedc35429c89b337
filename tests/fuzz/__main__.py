"""Reads damaged files for a while: `python -m tests.fuzz --minutes 60`. Exits with 1 if there is a finding."""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from pathlib import Path

from tests.fuzz.harness import fuzz


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--inputs", type=int, default=10**9, help="stop after this number of files")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="default: the time")
    parser.add_argument("--only", nargs="+", default=[], metavar="KIND", help="kinds of files, such as yaml")
    parser.add_argument("--output", type=Path, default=Path("fuzz"), help="folder for the files of findings")
    args = parser.parse_args()
    multiprocessing.set_forkserver_preload(["tests.fuzz.readers"])
    args.output.mkdir(parents=True, exist_ok=True)
    report = fuzz(args.output, seed=args.seed, inputs=args.inputs, seconds=60 * args.minutes, only=args.only)
    sys.stdout.write(f"seed {args.seed}: {report}\n")
    return int(bool(report.findings))


if __name__ == "__main__":
    sys.exit(main())
