"""See `python tools/cache_videos.py --help`."""

import sys

from avdet.cli.cache_videos import main

if __name__ == "__main__":
    sys.exit(main())
