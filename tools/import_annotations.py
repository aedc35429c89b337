"""python tools/import_annotations.py FILE... --videos DIR --output DIR: other tools' annotations as a data set."""

import sys

from avdet.cli.import_annotations import main

if __name__ == "__main__":
    sys.exit(main())
