"""Loads untrusted pickles that may hold only plain data and numeric numpy arrays.

numpy's own reconstruction functions trust the file, and a damaged one can crash the interpreter, so checked substitutes
take their place. A file needs at most 0.4 GB of memory and three times its size (`pickle_scan`).
"""

from __future__ import annotations

import mmap
import pickle
from collections import OrderedDict
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from ava_eval.pickle_scan import scan_pickle

__all__ = ["REFUSED", "restricted_load"]

REFUSED = "might run code when read"
_NUMERIC_KINDS = "biuf"


def restricted_load(path: Path) -> Any:  # noqa: ANN401  (any content)
    """Returns the content without running code. Raises ValueError if the file would run code or is not a pickle."""
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            scan_pickle(cast("BinaryIO", mapped), len(mapped))
            return _RestrictedUnpickler(file, len(mapped)).load()
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


class _Budget:
    """Number of bytes that arrays and conversions may still take."""

    def __init__(self, num_bytes: int) -> None:
        self._left = num_bytes

    def take(self, num_bytes: int) -> None:
        self._left -= num_bytes
        if self._left < 0:
            raise pickle.UnpicklingError("its arrays are larger than the file")


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

    budget: _Budget

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, is_fortran, content = state
        self.budget.take(len(content))
        raw = content.encode("latin1") if isinstance(content, str) else bytes(content)
        if min(shape, default=0) < 0 or prod(shape) * kind.dtype.itemsize != len(raw):
            raise ValueError(f"{len(raw)} bytes do not fit an array of shape {shape}")
        state = (1, tuple(map(int, shape)), kind.dtype, bool(is_fortran), raw)
        super().__setstate__(state)  # type: ignore[arg-type]  # the stub asks for numpy's bool, the code for Python's


def _empty_bytes() -> bytes:
    """Old protocols write empty bytes as a call without arguments; with one, it could reserve any amount."""
    return b""


class _RestrictedUnpickler(pickle.Unpickler):
    """Resolves only the names below: any other name in a pickle might run code.

    Old protocols store bytes as text, which the unpickler decodes as latin1. The memo can repeat one text, so the bytes
    of all conversions together are limited to twice the file's size.
    """

    def __init__(self, file: BinaryIO, size: int) -> None:
        super().__init__(file, encoding="latin1")
        self._budget = _Budget(2 * size)
        self._allowed: Mapping[tuple[str, str], object] = {
            ("__builtin__", "bytes"): _empty_bytes,
            ("_codecs", "encode"): self._encode,
            ("collections", "OrderedDict"): OrderedDict,
            ("numpy", "dtype"): _Dtype,
            ("numpy", "ndarray"): _Array,
            ("numpy.core.multiarray", "_reconstruct"): self._reconstruct,
            ("numpy.core.multiarray", "scalar"): self._scalar,
            ("numpy.core.numeric", "_frombuffer"): self._from_buffer,
        }

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401  (the base class returns Any)
        known = self._allowed.get((module.replace("numpy._core", "numpy.core"), name))
        if known is None:
            raise pickle.UnpicklingError(f"it names {module}.{name} and {REFUSED}")
        return known

    def _encode(self, text: str, encoding: str) -> bytes:
        """How Python 3 writes bytes in old protocols."""
        if encoding != "latin1":
            raise pickle.UnpicklingError(f"it holds bytes as {encoding!r} text")
        self._budget.take(len(text))
        return text.encode("latin1")

    def _reconstruct(self, *_: object) -> _Array:
        """An empty array, whose state the pickle sets next."""
        array = np.ndarray.__new__(_Array, (0,))
        array.budget = self._budget
        return array

    def _scalar(self, kind: _Dtype, content: bytes | str) -> Any:  # noqa: ANN401  (any numpy scalar)
        self._budget.take(len(content))
        raw = content.encode("latin1") if isinstance(content, str) else content
        return np.frombuffer(raw, kind.dtype, 1)[0]

    def _from_buffer(
        self, content: bytes | bytearray, kind: _Dtype, shape: tuple[int, ...], order: str
    ) -> NDArray[Any]:
        """Used by pickle protocol 5."""
        self._budget.take(len(content))
        return np.frombuffer(content, kind.dtype).reshape(shape, order="F" if order == "F" else "C").copy(order="K")
