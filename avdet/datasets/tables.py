"""Text files and csv tables as benchmarks publish them and people edit them: read whole, or one sentence."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["line_of", "numbers", "read_csv", "read_lines", "read_table", "read_text", "whole_numbers"]


def read_text(path: Path) -> str:
    """With or without a byte order mark. Raises ValueError for what is no UTF-8."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is no UTF-8 text (byte {error.object[error.start]:#04x} at {error.start:,}); save it as UTF-8"
        ) from None


def read_lines(path: Path) -> list[str]:
    """The lines that are not blank."""
    return [line.strip() for line in read_text(path).splitlines() if line.strip()]


def read_csv(path: Path, **options: Any) -> pd.DataFrame:  # noqa: ANN401  (pandas')
    """pandas', empty where empty. Raises ValueError for a file that is none."""
    packed: Literal["gzip"] | None = "gzip" if path.suffix == ".gz" else None  # else pandas tries what the suffix says
    try:
        table = pd.read_csv(path, compression=packed, keep_default_na=False, encoding="utf-8-sig", **options)
    except pd.errors.EmptyDataError:
        raise ValueError(f"{path} is empty; give the file whole") from None
    except (pd.errors.ParserError, UnicodeDecodeError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is no readable csv in UTF-8: {' '.join(str(error).split())}") from None
    if not isinstance(table.index, pd.RangeIndex):  # pandas then takes the first cells as names of rows
        raise ValueError(f"{path} has rows of more cells than its first line names columns; give the file whole")
    return table


def read_table(path: Path, columns: Iterable[str]) -> pd.DataFrame:
    """A csv with a header as strings, empty where empty. Raises ValueError where a column is missing."""
    table = read_csv(path, dtype=str, skipinitialspace=True).fillna("")  # a row may be cut short
    table.columns = table.columns.str.strip()
    table = table[(table != "").any(axis=1)]  # spreadsheets write empty rows; `line_of` counts them
    missing = [name for name in columns if name not in table]
    if missing:
        raise ValueError(
            f"{path} has no column {missing[0]} (it has {', '.join(table.columns[:12])}); give the benchmark's own file"
        )
    return table


def line_of(table: pd.DataFrame, row: int) -> int:
    """Where the file of `read_table` has a row."""
    return int(table.index[row]) + 2


def numbers(table: pd.DataFrame, column: str, path: Path) -> NDArray[np.float64]:
    """A column as numbers, nan where it is empty. Raises ValueError that names the first line that is none."""
    values = pd.to_numeric(table[column].replace("", "nan"), errors="coerce").to_numpy(np.float64)
    wrong = np.flatnonzero(np.isnan(values) & ~table[column].isin(["", "nan"]).to_numpy())
    if len(wrong):
        raise ValueError(
            f"{path}, line {line_of(table, wrong[0])}: {column} is {table[column].iloc[wrong[0]]!r}, not a number"
        )
    return values


def whole_numbers(table: pd.DataFrame, column: str, path: Path) -> list[int]:
    """A column of ids. Raises ValueError that names the first line that is none."""
    values = numbers(table, column, path)
    wrong = np.flatnonzero(~np.isfinite(values) | (values != np.round(values)))
    if len(wrong):
        raise ValueError(
            f"{path}, line {line_of(table, wrong[0])}: {column} is {table[column].iloc[wrong[0]]!r}, not an id"
        )
    return [int(value) for value in values]
