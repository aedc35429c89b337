"""python tools/export_annotations.py --detections CSV --videos DIR --to FORM --output DIR: boxes for a label tool."""

import sys

from avdet.cli.export_annotations import main

if __name__ == "__main__":
    sys.exit(main())
