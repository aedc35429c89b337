"""python tools/compare_runs.py RUN RUN ...: runs side by side."""

import sys

from avdet.cli.compare_runs import main

if __name__ == "__main__":
    sys.exit(main())
