"""An open media file: its streams, its clock, its length."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import av
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.video.stream import VideoStream

__all__ = ["DecodeError", "MediaFile", "default_stream"]

S = TypeVar("S", bound=VideoStream | AudioStream)

_DEFAULT, _ATTACHED_PICTURE = 0x1, 0x400  # dispositions of a stream; the second is cover art
_GENERATE_PTS = 0x1  # a flag of the container


class DecodeError(ValueError):
    """A file that cannot be read, with the second at which it failed: None where it does not even open."""

    def __init__(self, path: Path, time_s: float | None, reason: str) -> None:
        super().__init__(path, time_s, reason)
        self.path, self.time_s, self.reason = path, time_s, reason

    def __str__(self) -> str:
        where = "cannot be opened" if self.time_s is None else f"cannot be read at {self.time_s:.2f} s"
        return f"{self.path} {where}: {self.reason}"


class MediaFile:
    """A container that is open for reading; use as a context manager.

    zero_s: the container's start time, exactly. Players show it as 0:00 and AVA's seconds count from it; all streams
    share it as the zero of their times, so that they stay in sync.
    has_display_times: AVI has none, and FFmpeg's guesses at them are wrong where frames are reordered.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.container = self._opened()
        self.zero_s = _start_of(self.container)

    @property
    def has_display_times(self) -> bool:
        return self.container.format.name != "avi"

    @property
    def duration_s(self) -> float:
        """From zero to the end of the longest stream; where no header says it every packet is read."""
        if self.container.duration is not None:
            return self.container.duration / av.time_base
        end_s = Fraction(0)
        with MediaFile(self.path) as counted, contextlib.suppress(av.FFmpegError, IndexError):
            for packet in counted.container.demux():
                if packet.pts is not None and packet.time_base is not None:
                    end_s = max(end_s, (packet.pts + (packet.duration or 0)) * packet.time_base - self.zero_s)
        return float(end_s)

    def reopen(self) -> None:
        """Back to the start, which seeking does not reach in every file. Streams of before are closed."""
        self.container.close()
        self.container = self._opened()

    def close(self) -> None:
        self.container.close()

    def __enter__(self) -> MediaFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self) -> InputContainer:
        try:
            # Whole paths: FFmpeg takes the start of 12:30.mp4 for a protocol.
            container = av.open(str(self.path.absolute()), metadata_errors="replace")  # titles come in all encodings
        except (av.FFmpegError, OSError) as error:
            raise DecodeError(self.path, None, error.strerror or str(error)) from error
        for stream in (*container.streams.video, *container.streams.audio):
            if stream.codec_context is not None:
                stream.codec_context.thread_count = 1  # FFmpeg's own threads do not survive a fork
        if container.format.name == "avi":
            container.flags &= ~_GENERATE_PTS
        return container


def default_stream(streams: Sequence[S]) -> S | None:
    """The stream that players take: the first one marked as default, else the first; never cover art."""
    real = [s for s in streams if s.codec_context is not None and not int(s.disposition) & _ATTACHED_PICTURE]
    return next((s for s in real if int(s.disposition) & _DEFAULT), real[0] if real else None)


def _start_of(container: InputContainer) -> Fraction:
    """The container's start time, which FFmpeg rounds to a microsecond, from the stream that starts there."""
    if container.start_time is None:
        return Fraction(0)
    start_s = Fraction(container.start_time, av.time_base)
    exact = [s.start_time * s.time_base for s in container.streams if s.start_time is not None and s.time_base]
    return min(exact, key=lambda stream_start_s: abs(stream_start_s - start_s), default=start_s)
