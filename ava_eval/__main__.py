"""Runs `python -m ava_eval`."""

import sys

from ava_eval.cli import main

if __name__ == "__main__":
    sys.exit(main())
