"""Text files and CSV tables as benchmarks publish them: read whole, or refused in one sentence."""

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
    """A UTF-8 file, with or without a byte order mark. Raises ValueError for any other encoding."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not UTF-8 text (byte {error.object[error.start]:#04x} at {error.start:,}); save it as UTF-8"
        ) from None


def read_lines(path: Path) -> list[str]:
    """The stripped lines that are not blank."""
    return [line.strip() for line in read_text(path).splitlines() if line.strip()]


def read_csv(path: Path, **options: Any) -> pd.DataFrame:  # noqa: ANN401  (pandas')
    """`pandas.read_csv` with empty cells as empty strings. Raises ValueError for an unreadable file."""
    packed: Literal["gzip"] | None = (
        "gzip" if path.suffix == ".gz" else None
    )  # pandas would infer other compressions from the suffix
    try:
        table = pd.read_csv(path, compression=packed, keep_default_na=False, encoding="utf-8-sig", **options)
    except pd.errors.EmptyDataError:
        raise ValueError(f"{path} is empty; give the whole file") from None
    except (pd.errors.ParserError, UnicodeDecodeError, gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is not a readable UTF-8 CSV: {' '.join(str(error).split())}") from None
    if not isinstance(table.index, pd.RangeIndex):  # pandas took the first cells as row names
        raise ValueError(f"{path} has rows with more cells than its header has columns; give the whole file")
    return table


def read_table(path: Path, columns: Iterable[str]) -> pd.DataFrame:
    """A CSV with a header as strings, empty cells as "". Raises ValueError if one of `columns` is missing."""
    table = read_csv(path, dtype=str, skipinitialspace=True).fillna("")  # rows may be truncated
    table.columns = table.columns.str.strip()
    table = table[(table != "").any(axis=1)]  # spreadsheets write empty rows; `line_of` still counts them
    missing = [name for name in columns if name not in table]
    if missing:
        raise ValueError(
            f"{path} has no column {missing[0]} (it has {', '.join(table.columns[:12])}); give the benchmark's own file"
        )
    return table


def line_of(table: pd.DataFrame, row: int) -> int:
    """The line in the file of a row of `read_table`."""
    return int(table.index[row]) + 2


def numbers(table: pd.DataFrame, column: str, path: Path) -> NDArray[np.float64]:
    """A column as numbers, NaN for empty cells. Raises ValueError that names the first line without a number."""
    values = pd.to_numeric(table[column].replace("", "nan"), errors="coerce").to_numpy(np.float64)
    wrong = np.flatnonzero(np.isnan(values) & ~table[column].isin(["", "nan"]).to_numpy())
    if len(wrong):
        raise ValueError(
            f"{path}, line {line_of(table, wrong[0])}: {column} is {table[column].iloc[wrong[0]]!r}, not a number"
        )
    return values


def whole_numbers(table: pd.DataFrame, column: str, path: Path) -> list[int]:
    """A column of integer ids. Raises ValueError that names the first line without one."""
    values = numbers(table, column, path)
    wrong = np.flatnonzero(~np.isfinite(values) | (values != np.round(values)))
    if len(wrong):
        raise ValueError(
            f"{path}, line {line_of(table, wrong[0])}: {column} is {table[column].iloc[wrong[0]]!r}, not an id"
        )
    return [int(value) for value in values]
