"""What `import avdet` gives: the public names, without importing torch."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

import avdet
from avdet.inference.detector import ActionDetector


def test_importing_the_package_does_not_import_torch() -> None:
    code = "import sys, avdet, avdet.cli.detect_actions; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_package_has_exactly_its_public_names() -> None:
    assert dir(avdet) == ["ActionDetector", "__version__"]
    assert avdet.ActionDetector is ActionDetector
    assert avdet.__version__ == version("avdet")
    with pytest.raises(AttributeError, match="no attribute 'Detector'"):
        getattr(avdet, "Detector")  # noqa: B009
