"""See `python tools/train_net.py --help`."""

import sys

from avdet.cli.train_net import main

if __name__ == "__main__":
    sys.exit(main())
