"""See `python tools/extract_features.py --help`."""

import sys

from avdet.cli.extract_features import main

if __name__ == "__main__":
    sys.exit(main())
