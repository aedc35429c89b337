"""Append-only files from which an interrupted run resumes.

A ResumeJournal begins with a header, one line of JSON. Each record is a number, a length and a CRC-32, then its
content. A record that was being written when the process stopped does not match its checksum and is cut off.
"""

from __future__ import annotations

import io
import json
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avdet.atomic_write import atomic_write

__all__ = [
    "ResumeJournal",
    "append_durably",
    "arrays_from_bytes",
    "arrays_to_bytes",
    "plain_settings",
    "require_same_settings",
]

_RECORD_HEAD = struct.Struct("<QQI")


class ResumeJournal:
    """Numbered records of one task, on disk as soon as they are added. `header` identifies the task."""

    def __init__(self, path: Path, header: Mapping[str, object]) -> None:
        """Continues the file, or starts it again if it has another header, as after the video changed."""
        self.path = path
        self._header = (json.dumps(header, sort_keys=True) + "\n").encode()
        self._locations: dict[int, tuple[int, int]] = {}  # number: offset and length of the content
        if not self._find_records():
            with atomic_write(path) as partial:
                partial.write_bytes(self._header)

    @property
    def done(self) -> frozenset[int]:
        """Numbers of the records in the file."""
        return frozenset(self._locations)

    def add(self, number: int, content: bytes) -> None:
        """Appends a record; does nothing if the number is in the file already."""
        if number in self._locations:
            return
        head = _RECORD_HEAD.pack(number, len(content), zlib.crc32(content))
        size = append_durably(self.path, head + content)
        self._locations[number] = (size - len(content), len(content))

    def contents(self) -> Iterator[bytes]:
        """Yields the content of every record, in the order of their numbers."""
        with self.path.open("rb") as file:
            for number in sorted(self._locations):
                offset, length = self._locations[number]
                file.seek(offset)
                yield file.read(length)

    def _find_records(self) -> bool:
        """Locates the whole records and cuts off the rest; False if the file is missing or has another header."""
        if not self.path.exists():
            return False
        with self.path.open("r+b") as file:
            if file.readline() != self._header:
                return False
            end, size = file.tell(), self.path.stat().st_size
            while len(head := file.read(_RECORD_HEAD.size)) == _RECORD_HEAD.size:
                number, length, checksum = _RECORD_HEAD.unpack(head)
                content = file.read(min(length, size))
                if len(content) < length or zlib.crc32(content) != checksum:
                    break
                self._locations[number] = (file.tell() - length, length)
                end = file.tell()
            file.truncate(end)
        return True


def append_durably(path: Path, content: bytes) -> int:
    """Appends to the file, flushes it to disk and returns its new size."""
    with path.open("ab") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        return file.tell()


def arrays_to_bytes(arrays: Mapping[str, NDArray[Any]]) -> bytes:
    """The arrays as an npz file, for the content of a record."""
    file = io.BytesIO()
    named: dict[str, Any] = dict(arrays)
    np.savez(file, **named)
    return file.getvalue()


def arrays_from_bytes(content: bytes) -> dict[str, NDArray[Any]]:
    """Reads what `arrays_to_bytes` wrote."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def plain_settings(settings: Mapping[str, object]) -> dict[str, object]:
    """The settings as they are after a round trip through JSON; other types become strings."""
    return dict(json.loads(json.dumps(settings, default=str)))


def require_same_settings(
    path: Path, begun: Mapping[str, object], settings: Mapping[str, object], *, remove: str
) -> None:
    """Raises ValueError if `path` was begun with other settings; `remove` names what a new start has to remove."""
    changed = sorted(key for key in {*begun, *settings} if begun.get(key) != settings.get(key))
    if changed:
        raise ValueError(
            f"{path} was begun with other settings ({', '.join(changed)}); use the same settings to resume it, give "
            f"another --output, or remove {remove} to start again"
        )
