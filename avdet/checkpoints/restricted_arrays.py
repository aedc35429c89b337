"""Stand-ins for what numpy's pickles name: its own trust the file, and a damaged one can crash the interpreter."""

from __future__ import annotations

from math import prod
from pickle import UnpicklingError
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["PlainArray", "PlainType", "from_buffer", "reconstruct", "scalar"]

KINDS = "biuf"


class PlainType:
    """numpy.dtype, of one kind of number: all else holds addresses, further types, or text that need not be any."""

    def __init__(self, code: str, *_: object) -> None:
        if not isinstance(code, str) or np.dtype(code).kind not in KINDS:
            raise UnpicklingError(f"it holds an array of {code!r}, which are no numbers")
        self.dtype: np.dtype[Any] = np.dtype(code)

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.dtype = self.dtype.newbyteorder(state[1])


class PlainArray(np.ndarray[Any, Any]):
    """numpy.ndarray, whose size must fit its bytes."""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _, shape, kind, is_fortran, content = state
        raw = _bytes(content)
        if min(shape, default=0) < 0 or prod(shape) * kind.dtype.itemsize != len(raw):
            raise ValueError(f"{len(raw)} bytes are no array of shape {shape}")
        state = (1, tuple(map(int, shape)), kind.dtype, bool(is_fortran), raw)
        super().__setstate__(state)  # type: ignore[arg-type]  # the stub asks for numpy's bool, the code for Python's


def reconstruct(*_: object) -> PlainArray:
    """An empty array, which the pickle then fills."""
    return np.ndarray.__new__(PlainArray, (0,))


def scalar(kind: PlainType, content: bytes | str) -> Any:  # noqa: ANN401  (any of numpy's)
    return np.frombuffer(_bytes(content), kind.dtype, 1)[0]


def from_buffer(content: bytes | bytearray, kind: PlainType, shape: tuple[int, ...], order: str) -> NDArray[Any]:
    """As in pickles of protocol 5."""
    return np.frombuffer(content, kind.dtype).reshape(shape, order="F" if order == "F" else "C").copy(order="K")


def _bytes(content: bytes | str) -> bytes:
    """Old protocols hold text, which was decoded so."""
    return content.encode("latin1") if isinstance(content, str) else bytes(content)
