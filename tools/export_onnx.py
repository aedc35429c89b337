"""See `python tools/export_onnx.py --help`."""

import sys

from avdet.cli.export_onnx import main

if __name__ == "__main__":
    sys.exit(main())
