"""The folder of real clips and annotation files beside a checkout; tests that need it skip where it is missing."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="no folder of real clips beside the checkout")
