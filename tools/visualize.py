"""See `python tools/visualize.py --help`."""

import sys

from avdet.cli.visualize import main

if __name__ == "__main__":
    sys.exit(main())
