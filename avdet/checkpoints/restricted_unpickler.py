"""Pickles of strangers, which may hold plain data and numpy arrays and nothing else."""

from __future__ import annotations

import codecs
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from avdet.checkpoints.restricted_arrays import PlainArray, PlainType, from_buffer, reconstruct, scalar

__all__ = ["restricted_load"]

REFUSED = "might run code when read"


def restricted_load(path: Path) -> Any:  # noqa: ANN401  (whatever the file holds)
    """The content, without running any code. Raises ValueError for a file that wants to, or that is no pickle."""
    try:
        with path.open("rb") as file:
            return _PlainOnly(file, encoding="latin1").load()
    except pickle.UnpicklingError as error:
        if REFUSED in str(error):
            raise ValueError(f"{path} is refused: {error}; get it from somebody whom you trust, as tensors") from None
        raise ValueError(
            f"{path} is no pickle of plain data, or is cut short ({error}); give the right file, or fetch it again"
        ) from None
    except OSError:
        raise
    except Exception:  # what broken pickles raise has no end, their documentation says
        raise ValueError(f"{path} is no pickle of plain data, or is cut short; fetch it again") from None


class _PlainOnly(pickle.Unpickler):
    """Anything else that a pickle names might run code."""

    ALLOWED: Mapping[tuple[str, str], object] = {
        ("__builtin__", "bytes"): bytes,  # how old protocols write those that are empty
        ("_codecs", "encode"): codecs.encode,
        ("collections", "OrderedDict"): OrderedDict,
        ("numpy", "dtype"): PlainType,
        ("numpy", "ndarray"): PlainArray,
        ("numpy.core.multiarray", "_reconstruct"): reconstruct,
        ("numpy.core.multiarray", "scalar"): scalar,
        ("numpy.core.numeric", "_frombuffer"): from_buffer,
    }

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401  (what pickle's own returns)
        known = self.ALLOWED.get((module.replace("numpy._core", "numpy.core"), name))
        if known is None:
            raise pickle.UnpicklingError(f"it names {module}.{name} and {REFUSED}")
        return known
