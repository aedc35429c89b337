"""Parsed blocks of a file, gathered into one table without holding them twice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ava_eval.csv_layout import ABSENT_ID, Layout

FloatArray = npt.NDArray[np.float64]
_GROWTH = 1.125


@dataclass
class Block:
    """Parsed lines: `codes` (rows,) index `videos`; `columns` hold the other columns, nan where left out."""

    videos: list[str]
    codes: npt.NDArray[np.int32]
    columns: dict[str, FloatArray]


class GrowingTable:
    """Columns that grow in place: ids int32, everything else float64.

    Large arrays are moved by remapping memory, not by copying, so a file needs little more than its table.
    """

    def __init__(self, layout: Layout) -> None:
        self._videos: dict[str, int] = {}
        self._rows = 0
        self._codes = np.zeros(0, dtype=np.int32)
        self._columns = {
            name: np.zeros(0, dtype=np.int32 if name in ABSENT_ID else np.float64) for name in layout.columns[1:]
        }

    def append(self, block: Block) -> None:
        """Copy the block's rows behind the others."""
        start, self._rows = self._rows, self._rows + len(block.codes)
        if self._rows > len(self._codes):
            self._resize(int(self._rows * _GROWTH))
        numbers = [self._videos.setdefault(name, len(self._videos)) for name in block.videos]
        self._codes[start : self._rows] = np.array(numbers, dtype=np.int32)[block.codes]
        for name, column in self._columns.items():
            values = block.columns[name]
            if name in ABSENT_ID:
                values = np.where(np.isnan(values), ABSENT_ID[name], values)
            column[start : self._rows] = values

    def finish(self) -> pd.DataFrame:
        """The table of all rows; nothing can be appended after it."""
        self._resize(self._rows)
        names = pd.Index(list(self._videos), dtype=object)
        video = pd.Categorical.from_codes(self._codes, names)
        return pd.DataFrame({"video": video, **self._columns}, copy=False)

    def _resize(self, capacity: int) -> None:
        for array in (self._codes, *self._columns.values()):
            array.resize(capacity, refcheck=False)  # nobody else sees the arrays before finish()
