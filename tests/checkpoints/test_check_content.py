"""Checkpoints from anywhere: what is refused before a model is built."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from avdet.checkpoints.check_content import weights_fault
from avdet.checkpoints.checkpoint_io import CheckpointError, load_checkpoint, save_checkpoint

GOOD: dict[str, Any] = {"model_state": {"a": torch.zeros(2, 2)}, "config": {}, "class_names": {1: "walk"}}
DEEP: dict[str, Any] = {}
for _ in range(100):
    DEEP = {"x": DEEP}
BAD: dict[str, tuple[dict[str, Any], str]] = {
    "NaN": ({"model_state": {"a.weight": torch.tensor([1.0, float("nan")])}}, "has NaN or Inf in a.weight"),
    "expanded": ({"model_state": {"a": torch.zeros(1).expand(2**40)}}, "whose shape .* exceeds its data"),
    "complex": ({"model_state": {"a": torch.zeros(2, dtype=torch.complex64)}}, "no dense tensor of real numbers"),
    "no tensor": ({"model_state": {"a": 1.0}}, "not a named weight"),
    "number": ({"model_state": {1: torch.zeros(1)}}, "not a named weight"),
    "line end": ({"class_names": {1: "walk\nrun"}}, "not printable on a line"),
    "escape": ({"class_names": {1: "\x1b[2J"}}, "not printable on a line"),
    "name": ({"class_names": {1: 5}}, "not printable on a line"),
    "id": ({"class_names": {-1: "walk"}}, "ids are whole numbers from 0"),
    "text id": ({"class_names": {"1": "walk"}}, "ids are whole numbers from 0"),
    "deep": ({"config": DEEP}, "nested over 20 deep"),
}


@pytest.mark.parametrize("name", BAD)
def test_unusable_content_is_named(tmp_path: Path, name: str) -> None:
    change, fault = BAD[name]
    content = {"format": "avdet", "version": 2, "training_state": None, **GOOD, **change}
    torch.save(content, tmp_path / "x.pt")
    with pytest.raises(CheckpointError, match=fault) as caught:
        load_checkpoint(tmp_path / "x.pt")
    assert "\n" not in str(caught.value)


def test_a_sparse_tensor_is_no_weight() -> None:
    fault = weights_fault({"a": torch.zeros(2, 2).to_sparse()})
    assert fault == "holds a, which is no dense tensor of real numbers; use the original checkpoint"


def test_an_archive_that_expands_is_refused(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "good.pt", **GOOD)
    load_checkpoint(tmp_path / "good.pt")
    with zipfile.ZipFile(tmp_path / "x.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data/0", bytes(10_000_000))
    with pytest.raises(CheckpointError, match="expands to 10 MB, so it is refused"):
        load_checkpoint(tmp_path / "x.pt")
