"""Score predictions of whole clips again: see avdet/cli/score_clips.py."""

import sys

from avdet.cli.score_clips import main

if __name__ == "__main__":
    sys.exit(main())
