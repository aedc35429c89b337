"""Windows of a video: the clips that are classified, or whose features are extracted."""

from __future__ import annotations

from collections.abc import Container, Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avdet.data.classification_clips import clip_centers
from avdet.data.clip_extractor import ClipExtractor
from avdet.inference.keyframe_reader import AnySource, read_clips, source_name
from avdet.media.array_video import ArrayVideo
from avdet.media.video_source import OpenOptions
from avdet.overlap import StageTimes, prefetch_chunks
from avdet.people.find_persons import frames_and_video_end_s
from avdet.structures import Clip

__all__ = ["Windows", "read_windows", "sliding_windows", "spread_windows"]


@dataclass(frozen=True)
class Windows:
    """Clips of `span_s` seconds around `centers_s`, in chunks of `chunk_size`; two chunks are in memory at a time.

    limits_s: start and end of the video's frames.
    """

    source: AnySource
    centers_s: tuple[float, ...]
    span_s: float
    limits_s: tuple[float, float]
    chunk_size: int

    def __post_init__(self) -> None:
        if self.chunk_size < 1:
            raise ValueError(f"a chunk has {self.chunk_size} clips; it must have 1 or more")
        assert self.centers_s

    def __len__(self) -> int:
        return len(self.centers_s)

    @property
    def name(self) -> str:
        """The video's name in tables; see `source_name`."""
        return source_name(self.source)

    @property
    def start_s(self) -> NDArray[np.float64]:
        """(N,) where each window starts, within the video."""
        return (np.array(self.centers_s) - self.span_s / 2).clip(*self.limits_s)

    @property
    def end_s(self) -> NDArray[np.float64]:
        """(N,) where each window ends, within the video."""
        return (np.array(self.centers_s) + self.span_s / 2).clip(*self.limits_s)

    @property
    def chunks(self) -> list[tuple[float, ...]]:
        """The centres, chunk by chunk."""
        starts = range(0, len(self), self.chunk_size)
        return [self.centers_s[first : first + self.chunk_size] for first in starts]


def spread_windows(
    source: AnySource, span_s: float, count: int, chunk_size: int, options: OpenOptions | None = None
) -> Windows:
    """`count` clips evenly from the start of the video to its end, as a benchmark's test protocol places them."""
    limits_s = _limits_s(source, options)
    return Windows(source, tuple(clip_centers(*limits_s, span_s, count).tolist()), span_s, limits_s, chunk_size)


def sliding_windows(
    source: AnySource, span_s: float, every_s: float, chunk_size: int, options: OpenOptions | None = None
) -> Windows:
    """A clip every `every_s` seconds from the start on; the middle one of a video that is shorter than a clip.

    The last one may pass the end by less than half its span: there it repeats the last frame.
    """
    if not 0 < every_s < float("inf"):
        raise ValueError(f"windows are {every_s:g} s apart; the distance must be a finite number above 0")
    start_s, end_s = limits_s = _limits_s(source, options)
    if end_s - start_s <= span_s:
        return Windows(source, ((start_s + end_s) / 2,), span_s, limits_s, chunk_size)
    count = int(np.ceil((end_s - start_s - span_s / 2) / every_s - 1e-9))
    centers_s = tuple(start_s + span_s / 2 + number * every_s for number in range(max(count, 1)))
    return Windows(source, centers_s, span_s, limits_s, chunk_size)


def read_windows(
    windows: Windows, extractor: ClipExtractor, *, short_side: int, done: Container[int] = (), times: StageTimes
) -> Generator[tuple[int, list[Clip]], None, None]:
    """Yields (number, clips) of each chunk that is not `done`. A thread decodes the next chunk meanwhile.

    times: how long the stage "decode" is busy.
    """
    todo = [(number, centers_s) for number, centers_s in enumerate(windows.chunks) if number not in done]
    if not todo:
        return
    centers_s = [center_s for _, chunk in todo for center_s in chunk]
    clips = times.each("decode", read_clips(windows.source, centers_s, extractor, short_side=short_side))
    with closing(prefetch_chunks(clips, [len(chunk) for _, chunk in todo])) as read:
        yield from zip((number for number, _ in todo), read, strict=True)


def _limits_s(source: AnySource, options: OpenOptions | None) -> tuple[float, float]:
    """Start and end of the frames; a file's truncated end is logged. Raises DecodeError for an unreadable file."""
    if isinstance(source, str | Path):
        return 0.0, frames_and_video_end_s(Path(source), options)[0]
    info = source.info
    return (0.0 if isinstance(source, ArrayVideo) else info.start_s), info.duration_s
