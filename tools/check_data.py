"""See `python tools/check_data.py --help`."""

import sys

from avdet.cli.check_data import main

if __name__ == "__main__":
    sys.exit(main())
