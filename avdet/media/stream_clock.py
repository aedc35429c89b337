"""Whether the clock of an MPEG transport or program stream goes back in mid-file, as where recordings were joined.

Such files have no index: a second would name two places, and a seek finds one of them by chance.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path

__all__ = ["CLOCK_HZ", "STREAM_FORMATS", "setback_s"]

STREAM_FORMATS = {"mpegts", "mpeg"}  # FFmpeg's names
CLOCK_HZ = 90_000
_WRAP = 2**33  # of the clock, after 26.5 hours
_PLACES, _CHUNK_BYTES = 64, 2**17
_PACKET_BYTES = (188, 192)  # of a transport stream; with the arrival time of camcorders
_PACK = b"\x00\x00\x01\xba"


@functools.lru_cache(maxsize=4096)
def setback_s(path: Path, size: int, changed_ns: int) -> float:  # the cache depends on them
    """By how many seconds the clock goes back at most, from one of 64 places in the file to the next; 0: nowhere."""
    with path.open("rb") as file:
        clocks: dict[int, list[int]] = {}
        for place in range(_PLACES):
            file.seek(size * place // _PLACES)
            chunk = file.read(_CHUNK_BYTES)
            for program, ticks in _first_of_each(_transport_clocks(chunk) or _pack_clocks(chunk)):
                clocks.setdefault(program, []).append(ticks)
    return max((largest_setback(ticks) for ticks in clocks.values()), default=0) / CLOCK_HZ


def largest_setback(ticks: Iterable[int]) -> int:
    """The largest step back of a clock that starts again at 2**33."""
    return max([0, *((before - after) % _WRAP for before, after in pairwise(ticks) if _goes_back(before, after))])


def _goes_back(before: int, after: int) -> bool:
    return 0 < (before - after) % _WRAP < _WRAP // 2


def _first_of_each(clocks: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    seen: set[int] = set()
    for program, ticks in clocks:
        if program not in seen:
            seen.add(program)
            yield program, ticks


def _transport_clocks(chunk: bytes) -> list[tuple[int, int]]:
    """(stream's number, program clock reference) of each packet that has one (ISO 13818-1, section 2.4.3)."""
    found: list[tuple[int, int]] = []
    for length in _PACKET_BYTES:
        start = next((k for k in range(length) if chunk[k : k + 4 * length : length] == b"\x47" * 4), None)
        if start is None:
            continue
        for at in range(start, len(chunk) - 12, length):
            has_field, field_bytes, flags = chunk[at + 3] & 0x20, chunk[at + 4], chunk[at + 5]
            if chunk[at] == 0x47 and has_field and field_bytes >= 7 and flags & 0x10:
                stream = int.from_bytes(chunk[at + 1 : at + 3], "big") & 0x1FFF
                found.append((stream, int.from_bytes(chunk[at + 6 : at + 11], "big") >> 7))
        break
    return found


def _pack_clocks(chunk: bytes) -> list[tuple[int, int]]:
    """(0, system clock reference) of the first pack of a program stream: MPEG-2's, or MPEG-1's."""
    at = chunk.find(_PACK)
    bits = int.from_bytes(chunk[at + 4 : at + 9], "big")
    if at < 0 or len(chunk) < at + 9:
        return []
    if chunk[at + 4] >> 6 == 0b01:  # 01, 3 bits, 1, 15 bits, 1, 15 bits, 1, ..
        high, middle, low = bits >> 35 & 0x7, bits >> 19 & 0x7FFF, bits >> 3 & 0x7FFF
    elif chunk[at + 4] >> 4 == 0b0010:  # 0010, 3 bits, 1, 15 bits, 1, 15 bits, 1
        high, middle, low = bits >> 33 & 0x7, bits >> 17 & 0x7FFF, bits >> 1 & 0x7FFF
    else:
        return []
    return [(0, high << 30 | middle << 15 | low)]
