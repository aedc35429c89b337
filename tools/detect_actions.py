"""See `python tools/detect_actions.py --help`."""

import sys

from avdet.cli.detect_actions import main

if __name__ == "__main__":
    sys.exit(main())
