"""Fixtures of the evaluator's tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    """Writes text to a file and returns its path."""

    def to_file(text: str) -> Path:
        path = tmp_path / "file.csv"
        path.write_bytes(text.encode())
        return path

    return to_file
