"""An AVA file, plain or gzipped, in blocks of whole lines: fast where lines are uniform, strict elsewhere."""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from ava_eval.csv_block import Block, GrowingTable
from ava_eval.csv_fast import parse_uniform
from ava_eval.csv_layout import Layout
from ava_eval.csv_rows import is_header, parse_fields, raw_fields, shown, split_line
from ava_eval.format_error import FormatError

_BLOCK_BYTES = 1 << 23
_GZIP_MAGIC = b"\x1f\x8b"
_CONTENT = re.compile(rb"\S")


def read_table(path: str | Path, layout: Layout) -> pd.DataFrame:
    """All rows in the file's order: `video` categorical, ids int32, the layout's other columns float64.

    A field left out is nan, or the id of `csv_layout.ABSENT_ID`.
    """
    path = Path(path)
    separator, above = "", b""
    table = GrowingTable(layout)
    for first_line, block in _line_blocks(path):
        _decode(block, path, first_line)
        line, rows = first_line, block
        if not separator:
            separator, line, rows = _after_header(block, first_line, layout, path)
        _refuse_cut_line(rows, above, separator, f"{path}, line {line}")
        above = _last_line(rows) or above
        table.append(parse_uniform(rows, separator, layout) or _parse_strictly(rows, separator, layout, path, line))
    return table.finish()


def _after_header(block: bytes, first_line: int, layout: Layout, path: Path) -> tuple[str, int, bytes]:
    """The file's separator, and the number and bytes of the lines from the first row on."""
    end = block.find(b"\n") + 1 or len(block)
    head = block[:end].decode()
    separator = "\t" if "\t" in head and "," not in head else ","
    where = f"{path}, line {first_line}"
    if is_header(split_line(head, separator, where), layout, where):
        return separator, first_line + 1, block[end:]
    return separator, first_line, block


def _refuse_cut_line(rows: bytes, above: bytes, separator: str, where: str) -> None:
    """FormatError where a last line without its end, a block of its own, has fewer columns than the line above it.

    A keyframe alone, as in lists of those at which nobody acts, is whole.
    """
    if b"\n" in rows:
        return
    width, width_above = (len(raw_fields(line.decode(), separator, where)) for line in (rows, above))
    if 2 < width < width_above:
        raise FormatError(
            f"{where}: {shown(rows.decode())} has {width} columns and no line end, where the line above has"
            f" {width_above}; the file breaks off there: fetch it again, or end the line if it is whole."
        )


def _last_line(rows: bytes) -> bytes:
    """The last that is not blank."""
    return rows.rstrip().rpartition(b"\n")[2]


def _line_blocks(path: Path) -> Iterator[tuple[int, bytes]]:
    """(number of its first line, bytes) of blocks cut after a newline; blank lines at the top are passed over."""
    line, rest = 1, b""
    with open_packed(path) as file:
        while chunk := _read(file, path):
            if line == 1 and not rest:
                chunk = chunk.removeprefix(b"\xef\xbb\xbf")
            chunk = rest + chunk
            cut = chunk.rfind(b"\n") + 1
            if not cut and len(chunk) >= _BLOCK_BYTES:
                raise FormatError(f"{path}, line {line}: longer than {_BLOCK_BYTES} bytes; is this a text file?")
            data, rest = chunk[:cut], chunk[cut:]
            yield from _without_blank_top(line, data)
            line += data.count(b"\n")
    yield from _without_blank_top(line, rest)


def _without_blank_top(line: int, data: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines from the first with content on, if there is one, with plain newlines."""
    content = _CONTENT.search(data)
    if content:
        start = data.rfind(b"\n", 0, content.start()) + 1
        kept = data[start:] if start else data
        yield line + data.count(b"\n", 0, start), kept.replace(b"\r\n", b"\n") if b"\r" in kept else kept


def open_packed(path: Path) -> BinaryIO:
    """For reading; gzip is known by its first bytes, whatever the file's name."""
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP_MAGIC
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def _read(file: BinaryIO, path: Path) -> bytes:
    try:
        return file.read(_BLOCK_BYTES)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FormatError(f"{path} is a damaged gzip file ({error}); fetch or compress it again.") from None


def _decode(data: bytes, path: Path, first_line: int) -> None:
    """FormatError unless all of it is UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = first_line + data.count(b"\n", 0, error.start)
        raise FormatError(
            f"{path}, line {line}: byte 0x{data[error.start]:02x} is not UTF-8 text; save the file as UTF-8."
        ) from None


def _parse_strictly(data: bytes, separator: str, layout: Layout, path: Path, first_line: int) -> Block:
    videos: dict[str, int] = {}
    codes: list[int] = []
    rows: list[list[float]] = []
    for number, line in enumerate(data.decode().split("\n"), start=first_line):
        where = f"{path}, line {number}"
        if fields := split_line(line, separator, where):
            video, numbers = parse_fields(fields, layout, where)
            codes.append(videos.setdefault(video, len(videos)))
            rows.append(numbers)
    table = np.array(rows, dtype=np.float64).reshape(len(rows), len(layout.columns) - 1)
    columns = {name: table[:, place] for place, name in enumerate(layout.columns[1:])}
    return Block(list(videos), np.array(codes, dtype=np.int32), columns)
