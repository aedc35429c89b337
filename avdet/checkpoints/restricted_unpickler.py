"""Loads untrusted pickles that may hold only plain data and numeric numpy arrays.

numpy's own reconstruction functions trust the file, and a damaged one can crash the interpreter, so checked substitutes
take their place.
"""

from __future__ import annotations

import codecs
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["REFUSED", "restricted_load"]

REFUSED = "might run code when read"
_NUMERIC_KINDS = "biuf"


def restricted_load(path: Path) -> Any:  # noqa: ANN401  (any content)
    """Returns the content without running code. Raises ValueError if the file would run code or is not a pickle."""
    try:
        with path.open("rb") as file:
            return _RestrictedUnpickler(file, encoding="latin1").load()
    except pickle.UnpicklingError as error:
        if REFUSED in str(error):
            raise ValueError(f"{path} is refused: {error}; get it as tensors from a source you trust") from None
        raise ValueError(
            f"{path} is no pickle of plain data, or is cut short ({error}); check the path or download it again"
        ) from None
    except OSError:
        raise
    except Exception:  # a damaged pickle can raise any exception
        raise ValueError(f"{path} is no pickle of plain data, or is cut short; download it again") from None


class _Dtype:
    """Substitute for numpy.dtype that accepts numbers only: other kinds hold pointers, nested types or text."""

    def __init__(self, code: str, *_: object) -> None:
        if not isinstance(code, str) or np.dtype(code).kind not in _NUMERIC_KINDS:
            raise pickle.UnpicklingError(f"it holds an array of type {code!r}, which is not numeric")
        self.dtype: np.dtype[Any] = np.dtype(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array(np.ndarray[Any, Any]):
    """Substitute for numpy.ndarray that checks its size against its bytes."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, is_fortran, content = state
        raw = _bytes(content)
        if min(shape, default=0) < 0 or prod(shape) * kind.dtype.itemsize != len(raw):
            raise ValueError(f"{len(raw)} bytes do not fit an array of shape {shape}")
        state = (1, tuple(map(int, shape)), kind.dtype, bool(is_fortran), raw)
        super().__setstate__(state)  # type: ignore[arg-type]  # the stub asks for numpy's bool, the code for Python's


def _reconstruct(*_: object) -> _Array:
    """An empty array, whose state the pickle sets next."""
    return np.ndarray.__new__(_Array, (0,))


def _scalar(kind: _Dtype, content: bytes | str) -> Any:  # noqa: ANN401  (any numpy scalar)
    return np.frombuffer(_bytes(content), kind.dtype, 1)[0]


def _from_buffer(content: bytes | bytearray, kind: _Dtype, shape: tuple[int, ...], order: str) -> NDArray[Any]:
    """Used by pickle protocol 5."""
    return np.frombuffer(content, kind.dtype).reshape(shape, order="F" if order == "F" else "C").copy(order="K")


def _bytes(content: bytes | str) -> bytes:
    """Old protocols store bytes as text, which the unpickler decodes as latin1."""
    return content.encode("latin1") if isinstance(content, str) else bytes(content)


class _RestrictedUnpickler(pickle.Unpickler):
    """Resolves only the names below: any other name in a pickle might run code."""

    ALLOWED: Mapping[tuple[str, str], object] = {
        ("__builtin__", "bytes"): bytes,  # how old protocols write empty bytes
        ("_codecs", "encode"): codecs.encode,
        ("collections", "OrderedDict"): OrderedDict,
        ("numpy", "dtype"): _Dtype,
        ("numpy", "ndarray"): _Array,
        ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy.core.multiarray", "scalar"): _scalar,
        ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    }

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401  (the base class returns Any)
        known = self.ALLOWED.get((module.replace("numpy._core", "numpy.core"), name))
        if known is None:
            raise pickle.UnpicklingError(f"it names {module}.{name} and {REFUSED}")
        return known
