"""Reads checkpoints of other code bases (PySlowFast, AVSlowFast, Caffe2) without running code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import UnionType
from typing import Any

import numpy as np
import torch
from torch import Tensor

from avdet.checkpoints.checkpoint_io import FORMAT, CheckpointError, read_tensors
from avdet.checkpoints.convert import from_caffe2, from_reference
from avdet.checkpoints.restricted_unpickler import restricted_load

__all__ = ["ThirdPartyCheckpoint", "read_third_party"]

TORCH_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle in files of torch before 1.6


@dataclass(frozen=True)
class ThirdPartyCheckpoint:
    """Weights under avdet's names; `config_text`: PySlowFast's config as YAML if the file holds one."""

    model_state: dict[str, Tensor]
    config_text: str | None


def read_third_party(path: Path) -> ThirdPartyCheckpoint:
    """Reads a .pyth of PySlowFast or the AVSlowFast reference or a Caffe2 .pkl, by content instead of suffix.

    Raises CheckpointError if the file is neither, is truncated, or would run code.
    """
    content = _read_any(path)
    if isinstance(content, dict) and content.get("format") == FORMAT:
        raise CheckpointError(f"{path} is already a checkpoint of avdet; use it directly")
    if isinstance(content, dict) and isinstance(content.get("model_state"), dict):
        _check_entries(Tensor, content["model_state"], path)
        text = content.get("cfg")
        return ThirdPartyCheckpoint(from_reference(content["model_state"]), text if isinstance(text, str) else None)
    if isinstance(content, dict) and isinstance(content.get("blobs"), dict):
        arrays = {name: blob for name, blob in content["blobs"].items() if not isinstance(blob, str | bytes)}
        _check_entries(np.ndarray | np.generic | int | float, arrays, path)
        blobs = {name: torch.from_numpy(np.asarray(blob)) for name, blob in arrays.items()}
        return ThirdPartyCheckpoint(from_caffe2(blobs), None)
    raise CheckpointError(
        f"{path} has neither model_state (PySlowFast, AVSlowFast) nor blobs (Caffe2); give a checkpoint of one of them"
    )


def _check_entries(kind: type | UnionType, entries: dict[Any, Any], path: Path) -> None:
    invalid = next((name for name, x in entries.items() if not (isinstance(name, str) and isinstance(x, kind))), None)
    if invalid is not None:
        raise CheckpointError(f"{path} holds {invalid!r}, which is not a named weight; give the original checkpoint")


def _read_any(path: Path) -> Any:  # noqa: ANN401  (any content)
    if not path.is_file() or _is_archive(path):  # torch writes zip archives
        return read_tensors(path)
    try:
        content = restricted_load(path)
    except ValueError as error:
        raise CheckpointError(str(error)) from None
    return read_tensors(path) if content == TORCH_LEGACY_MAGIC else content


def _is_archive(path: Path) -> bool:
    """Checks the first bytes only, because zipfile does not recognise a truncated archive."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"
