"""Each file of models/ops/ states where its trick applies, its gain and its test."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.conftest import REPOSITORY

FILES = sorted(path for path in (REPOSITORY / "avdet/models/ops").glob("*.py") if path.name != "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_names_its_gain_and_its_test(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    test = f"tests/models/ops/test_{path.stem}.py"
    assert docstring.endswith(f"Test: {test}.") and (REPOSITORY / test).is_file()
    assert "Gain: " in docstring
