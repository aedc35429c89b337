"""What is judged of one video so far: a file that grows chunk by chunk and survives whatever stops its process.

A line of JSON says of what the chunks are; each is then a head (number, length, checksum) and its arrays. What was
being written when the process stopped lies at the end, does not fit its checksum and is cut off.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import BinaryIO

from avdet.inference.predictions import PersonPredictions

__all__ = ["ResumeJournal"]

_HEAD = struct.Struct("<QQI")


class ResumeJournal:
    """`done`: the numbers of the chunks that are in it."""

    def __init__(self, path: Path, about: Mapping[str, object]) -> None:
        """Goes on with the file, or begins it anew where it is about something else, as after the video changed."""
        self.path = path
        self._line = (json.dumps(about, sort_keys=True) + "\n").encode()
        self._places: dict[int, tuple[int, int]] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        if not self._find_chunks():
            partial = path.with_suffix(f".{os.getpid()}.partial")
            partial.write_bytes(self._line)
            partial.replace(path)

    @property
    def done(self) -> frozenset[int]:
        return frozenset(self._places)

    def add(self, number: int, chunk: PersonPredictions) -> None:
        """On the disk when it returns. A chunk that is there already stays as it is."""
        if number in self._places:
            return
        content = chunk.to_bytes()
        with self.path.open("ab") as file:
            file.write(_HEAD.pack(number, len(content), zlib.crc32(content)) + content)
            file.flush()
            os.fsync(file.fileno())
            self._places[number] = (file.tell() - len(content), len(content))

    def read(self) -> PersonPredictions:
        """All chunks, which are one or more, in the order of their numbers."""
        with self.path.open("rb") as file:
            return PersonPredictions.concatenate(
                [_read(file, *self._places[number]) for number in sorted(self._places)]
            )

    def _find_chunks(self) -> bool:
        """Whether the file is about the same thing; its chunks are known then, and a broken end is gone."""
        if not self.path.exists():
            return False
        with self.path.open("r+b") as file:
            if file.readline() != self._line:
                return False
            end, size = file.tell(), self.path.stat().st_size
            while len(head := file.read(_HEAD.size)) == _HEAD.size:
                number, length, checksum = _HEAD.unpack(head)
                content = file.read(min(length, size))
                if len(content) < length or zlib.crc32(content) != checksum:
                    break
                self._places[number] = (file.tell() - length, length)
                end = file.tell()
            file.truncate(end)
        return True


def _read(file: BinaryIO, place: int, length: int) -> PersonPredictions:
    file.seek(place)
    return PersonPredictions.from_bytes(file.read(length))
