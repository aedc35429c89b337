"""An AVA file, plain or gzipped, in blocks of whole lines: fast where lines are uniform, strict elsewhere."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from ava_eval.csv_block import Block, GrowingTable
from ava_eval.csv_fast import parse_uniform
from ava_eval.csv_layout import Layout
from ava_eval.csv_rows import is_header, parse_fields, split_line
from ava_eval.errors import FormatError

_BLOCK_BYTES = 1 << 23
_GZIP_MAGIC = b"\x1f\x8b"


def read_table(path: str | Path, layout: Layout) -> pd.DataFrame:
    """All rows in the file's order: `video` categorical, ids int32, the layout's other columns float64.

    A field left out is nan, or the id of `csv_layout.ABSENT_ID`.
    """
    path = Path(path)
    separator = ""
    rows = GrowingTable(layout)
    for first_line, data in _line_blocks(path):
        if not separator:
            head, rest = _first_line(data)
            separator = "\t" if b"\t" in head and b"," not in head else ","
            where = f"{path}, line {first_line}"
            if is_header(split_line(_decode(head, path, first_line), separator, where), layout, where):
                data, first_line = rest, first_line + 1  # noqa: PLW2901
        _decode(data, path, first_line)
        block = parse_uniform(data, separator, layout) or _parse_strictly(data, separator, layout, path, first_line)
        rows.append(block)
    return rows.finish()


def _line_blocks(path: Path) -> Iterator[tuple[int, bytes]]:
    """(number of its first line, bytes) of blocks cut after a newline; blank lines at the top are passed over."""
    line, rest = 1, b""
    with _open(path) as file:
        while chunk := _read(file, path):
            if line == 1 and not rest:
                chunk = chunk.removeprefix(b"\xef\xbb\xbf")
            chunk = rest + chunk
            cut = chunk.rfind(b"\n") + 1
            if not cut and len(chunk) >= _BLOCK_BYTES:
                raise FormatError(f"{path}, line {line}: longer than {_BLOCK_BYTES} bytes; is this a text file?")
            data, rest = chunk[:cut], chunk[cut:]
            if data.strip():
                blank = data[: len(data) - len(data.lstrip())].count(b"\n")
                start = data.rfind(b"\n", 0, len(data) - len(data.lstrip())) + 1
                yield line + blank, data[start:]
            line += data.count(b"\n")
    if rest.strip():
        yield line, rest


def _open(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        packed = file.read(2) == _GZIP_MAGIC
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def _read(file: BinaryIO, path: Path) -> bytes:
    try:
        return file.read(_BLOCK_BYTES)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise FormatError(f"{path} is a damaged gzip file ({error}); fetch or compress it again.") from None


def _first_line(data: bytes) -> tuple[bytes, bytes]:
    end = data.find(b"\n") + 1 or len(data)
    return data[:end], data[end:]


def _decode(data: bytes, path: Path, first_line: int) -> str:
    try:
        return data.decode()
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
