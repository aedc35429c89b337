"""See `python tools/classify.py --help`."""

import sys

from avdet.cli.classify import main

if __name__ == "__main__":
    sys.exit(main())
