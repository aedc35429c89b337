"""See `python tools/detect_people.py --help`."""

import sys

from avdet.cli.detect_people import main

if __name__ == "__main__":
    sys.exit(main())
