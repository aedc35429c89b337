"""Reads a plain or gzipped CSV file of AVA's format into one table, block by block."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from ava_eval.csv_format import MISSING_ID, FormatError, Layout
from ava_eval.csv_parser import Block, is_header, parse_fast, parse_strict, quoted, raw_fields, split_line
from ava_eval.input_file import open_plain_or_gzip, read_bytes, shown_name

_BLOCK_BYTES = 1 << 23
_GROWTH = 1.125
_CONTENT = re.compile(rb"\S")


def read_table(path: str | Path, layout: Layout) -> pd.DataFrame:
    """All rows in the file's order: `video` categorical, ids int32, the layout's other columns float64.

    Fields left out are NaN; ids left out are those of `csv_format.MISSING_ID`.
    """
    path = Path(path)
    name = shown_name(path)
    separator, line_above = "", b""
    table = _TableBuilder(layout)
    for first_line, block in _line_blocks(path):
        _check_utf8(block, name, first_line)
        line, rows = first_line, block
        if not separator:
            separator, line, rows = _skip_header(block, first_line, layout, name)
        _refuse_truncated_line(rows, line_above, separator, f"{name}, line {line}")
        line_above = _last_line(rows) or line_above
        table.append(parse_fast(rows, separator, layout) or parse_strict(rows, separator, layout, name, line))
    return table.finish()


class _TableBuilder:
    """Columns that grow in place: ids int32, all others float64.

    numpy resizes large arrays by remapping memory instead of copying, so the peak is little more than the table.
    """

    def __init__(self, layout: Layout) -> None:
        self._videos: dict[str, int] = {}
        self._rows = 0
        self._codes = np.zeros(0, dtype=np.int32)
        self._columns = {
            name: np.zeros(0, dtype=np.int32 if name in MISSING_ID else np.float64) for name in layout.columns[1:]
        }

    def append(self, block: Block) -> None:
        start, self._rows = self._rows, self._rows + len(block.codes)
        if self._rows > len(self._codes):
            self._resize(int(self._rows * _GROWTH))
        codes = [self._videos.setdefault(name, len(self._videos)) for name in block.videos]
        self._codes[start : self._rows] = np.array(codes, dtype=np.int32)[block.codes]
        for name, column in self._columns.items():
            values = block.columns[name]
            if name in MISSING_ID:
                values = np.where(np.isnan(values), MISSING_ID[name], values)
            column[start : self._rows] = values

    def finish(self) -> pd.DataFrame:
        """The table of all rows, which shares the builder's memory."""
        self._resize(self._rows)
        names = pd.Index(list(self._videos), dtype=object)
        video = pd.Categorical.from_codes(self._codes, names)
        return pd.DataFrame({"video": video, **self._columns}, copy=False)

    def _resize(self, capacity: int) -> None:
        for array in (self._codes, *self._columns.values()):
            array.resize(capacity, refcheck=False)  # safe: no other references exist before finish()


def _line_blocks(path: Path) -> Iterator[tuple[int, bytes]]:
    """(number of the first line, bytes) of blocks that end with a newline, without blank lines at their top.

    A last line without a newline is a block of its own.
    """
    line, rest = 1, b""
    with open_plain_or_gzip(path) as file:
        while chunk := read_bytes(file, path, _BLOCK_BYTES):
            if line == 1 and not rest:
                chunk = chunk.removeprefix(b"\xef\xbb\xbf")
            chunk = rest + chunk
            cut = chunk.rfind(b"\n") + 1
            if not cut and len(chunk) >= _BLOCK_BYTES:
                raise FormatError(
                    f"{shown_name(path)}, line {line} is longer than {_BLOCK_BYTES} bytes;"
                    " check that this is a text file."
                )
            data, rest = chunk[:cut], chunk[cut:]
            yield from _without_blank_top(line, data)
            line += data.count(b"\n")
    yield from _without_blank_top(line, rest)


def _without_blank_top(line: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the lines from the first that is not blank, if there is one, with CRLF as LF."""
    content = _CONTENT.search(data)
    if content:
        start = data.rfind(b"\n", 0, content.start()) + 1
        kept = data[start:] if start else data
        yield line + data.count(b"\n", 0, start), kept.replace(b"\r\n", b"\n") if b"\r" in kept else kept


def _check_utf8(data: bytes, name: str, first_line: int) -> None:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = first_line + data.count(b"\n", 0, error.start)
        raise FormatError(
            f"{name}, line {line}: byte 0x{data[error.start]:02x} is not UTF-8 text; save the file as UTF-8."
        ) from None


def _skip_header(block: bytes, first_line: int, layout: Layout, name: str) -> tuple[str, int, bytes]:
    """The file's separator, the line number of its first row and the bytes from there on."""
    end = block.find(b"\n") + 1 or len(block)
    head = block[:end].decode()
    separator = "\t" if "\t" in head and "," not in head else ","
    where = f"{name}, line {first_line}"
    if is_header(split_line(head, separator, where), layout, where):
        return separator, first_line + 1, block[end:]
    return separator, first_line, block


def _refuse_truncated_line(rows: bytes, line_above: bytes, separator: str, where: str) -> None:
    """Raise FormatError if a last line without a newline has fewer columns than the line above it.

    Two columns are complete: they list a keyframe without actions.
    """
    if b"\n" in rows:
        return
    width, width_above = (len(raw_fields(line.decode(), separator, where)) for line in (rows, line_above))
    if 2 < width < width_above:
        raise FormatError(
            f"{where}: {quoted(rows.decode())} has {width} columns and no line end, but the line above has"
            f" {width_above}. The file seems truncated; download it again, or end the line if it is complete."
        )


def _last_line(rows: bytes) -> bytes:
    """The last line that is not blank."""
    return rows.rstrip().rpartition(b"\n")[2]
