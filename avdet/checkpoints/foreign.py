"""Checkpoint files of other code bases, read without trusting them."""

from __future__ import annotations

import importlib
import pickle
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from avdet.checkpoints.convert import from_caffe2, from_reference
from avdet.checkpoints.io import CheckpointError, read_tensors

__all__ = ["Foreign", "read_foreign"]

TORCH_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle of files that torch wrote before version 1.6


@dataclass(frozen=True)
class Foreign:
    """Weights under our names; `settings`: the text of PySlowFast's config where the file holds one."""

    model_state: dict[str, Tensor]
    settings: str | None


def read_foreign(path: Path) -> Foreign:
    """A .pyth of PySlowFast or of the AVSlowFast reference, or a Caffe2 .pkl; the content decides, not the suffix.

    Raises CheckpointError for a file that is neither, is cut short, or wants to run code.
    """
    content = _read_any(path)
    if isinstance(content, dict) and isinstance(content.get("model_state"), dict):
        settings = content.get("cfg")
        return Foreign(from_reference(content["model_state"]), settings if isinstance(settings, str) else None)
    if isinstance(content, dict) and isinstance(content.get("blobs"), dict):
        blobs = {name: torch.from_numpy(np.asarray(blob)) for name, blob in content["blobs"].items()}
        return Foreign(from_caffe2(blobs), None)
    raise CheckpointError(
        f"{path} has neither model_state (PySlowFast, AVSlowFast) nor blobs (Caffe2); give a checkpoint of one of these"
    )


def _read_any(path: Path) -> Any:  # noqa: ANN401  (whatever the file holds)
    if not path.is_file() or zipfile.is_zipfile(path):  # torch writes zip archives, and says what is missing
        return read_tensors(path)
    content = _read_pickle(path)
    return read_tensors(path) if content == TORCH_LEGACY_MAGIC else content


def _read_pickle(path: Path) -> Any:  # noqa: ANN401
    try:
        with path.open("rb") as file:
            return _ArraysOnly(file, encoding="latin1").load()
    except pickle.UnpicklingError as error:
        raise CheckpointError(f"{path} is refused: {error}") from None
    except (EOFError, ValueError, IndexError, KeyError, AttributeError, TypeError):
        raise CheckpointError(f"{path} is no checkpoint, or is cut short; fetch it again") from None


class _ArraysOnly(pickle.Unpickler):
    """Plain data and numpy arrays; anything else that a pickle names might run code."""

    ALLOWED = frozenset(
        {
            ("_codecs", "encode"),
            ("collections", "OrderedDict"),
            ("numpy", "dtype"),
            ("numpy", "ndarray"),
            ("numpy.core.multiarray", "_reconstruct"),
            ("numpy.core.multiarray", "scalar"),
        }
    )

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401  (what pickle's own returns)
        if (module.replace("numpy._core", "numpy.core"), name) not in self.ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name} and might run code when read")
        if module == "numpy.core.multiarray":
            module = "numpy._core.multiarray" if np.lib.NumpyVersion(np.__version__) >= "2.0.0" else module
        return getattr(importlib.import_module(module), name)
