"""See `python tools/train_people.py --help`."""

import sys

from avdet.cli.train_people import main

if __name__ == "__main__":
    sys.exit(main())
