"""See `python tools/benchmark.py --help`."""

import sys

from avdet.cli.benchmark import main

if __name__ == "__main__":
    sys.exit(main())
