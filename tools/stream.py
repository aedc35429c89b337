"""See `python tools/stream.py --help`."""

import sys

from avdet.cli.stream import main

if __name__ == "__main__":
    sys.exit(main())
