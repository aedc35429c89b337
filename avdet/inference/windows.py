"""Windows of a video: the clips that are classified, or whose features are extracted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from avdet.data.classification_clips import clip_centers
from avdet.inference.stages import Source, open_source, source_name
from avdet.media.array_video import ArrayVideo, ScaledVideo
from avdet.media.video_source import VideoSource
from avdet.people.find_persons import frames_and_video_end_s

__all__ = ["AnySource", "Windows", "open_any", "sliding_windows", "spread_windows"]

AnySource: TypeAlias = "Source | VideoSource"


@dataclass(frozen=True)
class Windows:
    """Clips of `span_s` seconds around `centers_s`, in chunks of `chunk_size`; one chunk is in memory at a time.

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
        """The video's name in tables; "video" for an opened source without a path."""
        if isinstance(self.source, str | Path | ArrayVideo):
            return source_name(self.source)
        return source_name(getattr(self.source, "path", "video"))

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

    def remaining(self, done: frozenset[int]) -> Iterator[tuple[int, tuple[float, ...]]]:
        """Number and centres of each chunk that is not `done`."""
        return ((number, chunk) for number, chunk in enumerate(self.chunks) if number not in done)


def spread_windows(source: AnySource, span_s: float, count: int, chunk_size: int) -> Windows:
    """`count` clips evenly from the start of the video to its end, as a benchmark's test protocol places them."""
    limits_s = _limits_s(source)
    return Windows(source, tuple(clip_centers(*limits_s, span_s, count).tolist()), span_s, limits_s, chunk_size)


def sliding_windows(source: AnySource, span_s: float, every_s: float, chunk_size: int) -> Windows:
    """A clip every `every_s` seconds from the start on; the middle one of a video that is shorter than a clip.

    The last one may pass the end by less than half its span: there it repeats the last frame.
    """
    if not 0 < every_s < float("inf"):
        raise ValueError(f"windows are {every_s:g} s apart; the distance must be a finite number above 0")
    start_s, end_s = limits_s = _limits_s(source)
    if end_s - start_s <= span_s:
        return Windows(source, ((start_s + end_s) / 2,), span_s, limits_s, chunk_size)
    count = int(np.ceil((end_s - start_s - span_s / 2) / every_s - 1e-9))
    centers_s = tuple(start_s + span_s / 2 + number * every_s for number in range(max(count, 1)))
    return Windows(source, centers_s, span_s, limits_s, chunk_size)


def open_any(source: AnySource, *, short_side: int) -> VideoSource:
    """Opens a file, a folder of frames or an array; an opened source stays open. Frames have that short side."""
    if isinstance(source, str | Path | ArrayVideo):
        return open_source(source, short_side=short_side)
    return ScaledVideo(source, short_side)


def _limits_s(source: AnySource) -> tuple[float, float]:
    """Start and end of the frames; a file's truncated end is logged. Raises DecodeError for an unreadable file."""
    if isinstance(source, str | Path):
        return 0.0, frames_and_video_end_s(Path(source))[0]
    info = source.info
    return (0.0 if isinstance(source, ArrayVideo) else info.start_s), info.duration_s
