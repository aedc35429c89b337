"""python tools/make_sample.py DIR [--seed N]: make the built-in sample set."""

import sys

from avdet.cli.make_sample import main

if __name__ == "__main__":
    sys.exit(main())
