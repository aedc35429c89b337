"""See `python tools/test_net.py --help`."""

import sys

from avdet.cli.test_net import main

if __name__ == "__main__":
    sys.exit(main())
