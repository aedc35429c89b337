"""Opens input files: plain or gzipped, regular files, pipes and standard input."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path
from typing import BinaryIO

from ava_eval.csv_format import FormatError

STANDARD_INPUT = Path("-")
_GZIP_MAGIC = b"\x1f\x8b"
_MAX_EXPANSION = 200  # of a gzip file beyond _FREE_BYTES; tables expand 5 to 30 times
_FREE_BYTES = 1 << 28
_CHUNK_BYTES = 1 << 20


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
