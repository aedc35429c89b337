"""Checkpoint files of other code bases, read without trusting them."""

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

TORCH_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle of files that torch wrote before version 1.6


@dataclass(frozen=True)
class ThirdPartyCheckpoint:
    """Weights under our names; `settings`: the text of PySlowFast's config where the file holds one."""

    model_state: dict[str, Tensor]
    settings: str | None


def read_third_party(path: Path) -> ThirdPartyCheckpoint:
    """A .pyth of PySlowFast or of the AVSlowFast reference, or a Caffe2 .pkl; the content decides, not the suffix.

    Raises CheckpointError for a file that is neither, is cut short, or wants to run code.
    """
    content = _read_any(path)
    if isinstance(content, dict) and content.get("format") == FORMAT:
        raise CheckpointError(f"{path} is a checkpoint of avdet already; use it as it is")
    if isinstance(content, dict) and isinstance(content.get("model_state"), dict):
        _refuse_other_than(Tensor, content["model_state"], path)
        settings = content.get("cfg")
        return ThirdPartyCheckpoint(
            from_reference(content["model_state"]), settings if isinstance(settings, str) else None
        )
    if isinstance(content, dict) and isinstance(content.get("blobs"), dict):
        arrays = {name: blob for name, blob in content["blobs"].items() if not isinstance(blob, str | bytes)}
        _refuse_other_than(np.ndarray | np.generic | int | float, arrays, path)
        blobs = {name: torch.from_numpy(np.asarray(blob)) for name, blob in arrays.items()}
        return ThirdPartyCheckpoint(from_caffe2(blobs), None)
    raise CheckpointError(
        f"{path} has neither model_state (PySlowFast, AVSlowFast) nor blobs (Caffe2); give a checkpoint of one of these"
    )


def _refuse_other_than(kind: type | UnionType, named: dict[Any, Any], path: Path) -> None:
    odd = next((name for name, x in named.items() if not (isinstance(name, str) and isinstance(x, kind))), None)
    if odd is not None:
        raise CheckpointError(
            f"{path} holds {odd!r}, which is no weight with a name; give the checkpoint as it was saved"
        )


def _read_any(path: Path) -> Any:  # noqa: ANN401  (whatever the file holds)
    if not path.is_file() or _is_archive(path):  # torch writes zip archives, and says what is missing
        return read_tensors(path)
    try:
        content = restricted_load(path)
    except ValueError as error:
        raise CheckpointError(str(error)) from None
    return read_tensors(path) if content == TORCH_LEGACY_MAGIC else content


def _is_archive(path: Path) -> bool:
    """By its beginning: where it is cut short, only that tells."""
    with path.open("rb") as file:
        return file.read(4) == b"PK\x03\x04"
