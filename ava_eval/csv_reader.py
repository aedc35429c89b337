"""Reads CSV files of AVA's format into one table, block by block: plain or gzipped files, pipes, standard input."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from ava_eval.csv_format import DETECTIONS, MISSING_ID, FormatError, Layout
from ava_eval.csv_parser import (
    Block,
    has_names_column,
    is_header,
    parse_fast,
    parse_strict,
    quoted,
    raw_fields,
    split_line,
)

STANDARD_INPUT = Path("-")
_GZIP_MAGIC = b"\x1f\x8b"
_MAX_EXPANSION = 200  # of a gzip file beyond _FREE_BYTES; tables expand 5 to 30 times
_FREE_BYTES = 1 << 28
_CHUNK_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 23
_GROWTH = 1.125
_DECIMAL_COMMA = re.compile(rb"(;[+-]?\d*),(\d+)(?=[;\n]|$)")
_CONTENT = re.compile(rb"\S")


def read_table(path: str | Path, layout: Layout) -> pd.DataFrame:
    """All rows in the file's order: `video` categorical, ids int32, the layout's other columns float64.

    Fields left out are NaN; ids left out are those of `csv_format.MISSING_ID`. A last column with the actions' names
    beside their ids is left out (see `read_action_names`).
    """
    path = Path(path)
    name = shown_name(path)
    separator, line_above, names_column = "", b"", None
    table = _TableBuilder(layout)
    for first_line, block in _line_blocks(path):
        _check_utf8(block, name, first_line)
        line, rows = first_line, block
        if not separator:
            separator, names_column, line, rows = _skip_header(block, first_line, layout, name)
        _refuse_truncated_line(rows, line_above, separator, f"{name}, line {line}")
        line_above = _last_line(rows) or line_above
        if names_column is not None:
            rows = names_column.sub(rb"\1", rows)
        if separator == ";":
            rows = _DECIMAL_COMMA.sub(rb"\1.\2", rows)
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


def read_action_names(path: str | Path) -> dict[int, str]:
    """The actions' names by id in a detections file whose last column has them; {} if it has none."""
    path = Path(path)
    with open_plain_or_gzip(path) as file, io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
        head = text.readline()
        separator = separator_of(head)
        fields = split_line(head, separator, shown_name(path))
        if not has_names_column(fields, DETECTIONS):
            return {}
        column = DETECTIONS.columns.index("action_id")
        try:
            names = {row[column]: row[-1] for row in csv.reader(text, delimiter=separator) if len(row) == len(fields)}
        except csv.Error as error:
            raise FormatError(f"{shown_name(path)} is not a CSV file ({error}); write it again.") from None
    return {int(action_id): name for action_id, name in sorted(names.items()) if action_id.isdecimal() and name}


def _skip_header(
    block: bytes, first_line: int, layout: Layout, name: str
) -> tuple[str, re.Pattern[bytes] | None, int, bytes]:
    """The file's separator, what finds the names that end a row, the first row's line number, the bytes from there."""
    end = block.find(b"\n") + 1 or len(block)
    head = block[:end].decode()
    separator = separator_of(head)
    where = f"{name}, line {first_line}"
    fields = split_line(head, separator, where)
    names_column = None
    if has_names_column(fields, layout):
        fields.pop()
        field = rb'(?:"(?:[^"\n]|"")*"|[^"\n%s]*)' % re.escape(separator).encode()
        rest = rb"(?:%s%s){%d}" % (re.escape(separator).encode(), field, len(fields) - 1)
        names_column = re.compile(rb"^(%s%s)%s%s$" % (field, rest, re.escape(separator).encode(), field), re.MULTILINE)
    if is_header(fields, layout, where):
        return separator, names_column, first_line + 1, block[end:]
    return separator, None, first_line, block


def separator_of(line: str) -> str:
    """A comma, a tab, or the semicolon that spreadsheets write where commas are decimal."""
    if "\t" in line and "," not in line:
        return "\t"
    return ";" if line.count(";") > line.count(",") else ","


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


def shown_name(path: Path) -> str:
    """The path as shown in messages."""
    return "standard input" if path == STANDARD_INPUT else str(path)


def open_plain_or_gzip(path: Path) -> BinaryIO:
    """Open for reading, only once, so that pipes are read whole; `-` is standard input.

    A gzip file is recognised by its first bytes, whatever its name. Its reader raises FormatError for a file that
    expands to far more than a table would.
    """
    file = open(0, "rb", closefd=False) if path == STANDARD_INPUT else path.open("rb")  # noqa: SIM115
    head = file.read(len(_GZIP_MAGIC))
    if head == _GZIP_MAGIC:
        return _BoundedGzip(_Rejoined(head, file), shown_name(path))  # type: ignore[return-value]
    if file.seekable():
        file.seek(-len(head), io.SEEK_CUR)
        return file
    return io.BufferedReader(_Rejoined(head, file))


def read_bytes(file: BinaryIO, path: Path, size: int) -> bytes:
    """Up to `size` bytes; FormatError for a damaged gzip file."""
    try:
        return file.read(size)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        name = shown_name(path)
        raise FormatError(f"{name} is a damaged gzip file ({error}); download or compress it again.") from None


class _Rejoined(io.RawIOBase):
    """A file together with the bytes that were read from its beginning. Counts the bytes it gives."""

    def __init__(self, head: bytes, file: io.BufferedReader) -> None:
        self._head, self._file, self.num_bytes = head, file, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._head:
            size = min(len(self._head), len(buffer))
            buffer[:size], self._head = self._head[:size], self._head[size:]
        else:
            size = self._file.readinto(buffer)
        self.num_bytes += size
        return size

    def close(self) -> None:
        self._file.close()
        super().close()


class _BoundedGzip(gzip.GzipFile):
    """Raises FormatError if the data is far larger than the file."""

    def __init__(self, source: _Rejoined, name: str) -> None:
        self._source, self._shown_name, self._num_bytes = source, name, 0
        super().__init__(fileobj=source, mode="rb")

    def read(self, size: int | None = -1) -> bytes:
        if size is None or size < 0:
            return b"".join(iter(lambda: self.read(_CHUNK_BYTES), b""))
        data = super().read(size)
        self._num_bytes += len(data)
        if self._num_bytes > max(_FREE_BYTES, _MAX_EXPANSION * self._source.num_bytes):
            raise FormatError(
                f"{self._shown_name} is a gzip file that expands to over {_MAX_EXPANSION} times its size"
                f" ({self._num_bytes:,} bytes so far), far more than a table; unpack it first if it is one."
            )
        return data

    def close(self) -> None:
        super().close()
        self._source.close()
