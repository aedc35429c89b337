"""python tools/list_configs.py: list the shipped configs."""

import sys

from avdet.cli.list_configs import main

if __name__ == "__main__":
    sys.exit(main())
