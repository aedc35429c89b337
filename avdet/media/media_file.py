"""MediaFile, an open container with its clock, and facts about a file: frame rate, frame times, fingerprint."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from avdet.media.read_watch import watched
from avdet.media.stream_clock import STREAM_FORMATS, setback_s

__all__ = [
    "FORMATS",
    "MAX_PIXELS",
    "MAX_SETBACK_S",
    "DecodeError",
    "MediaFile",
    "default_stream",
    "file_fingerprint",
    "file_version",
    "frame_rate",
    "frame_times",
    "real_streams",
]

S = TypeVar("S", bound=VideoStream | AudioStream)

_DEFAULT, _STILL_IMAGE = 0x1, 0x400 | 0x100000  # stream dispositions; the second marks cover art and still images
_GENERATE_PTS = 0x1  # container flag
_MAX_RATE = 480
MAX_SETBACK_S = 1.0  # by which decode times may go back
MAX_PIXELS = 2**26  # of a frame; 8K video has 2**25
_NO_PROGRESS_S = 60.0  # as data.clip_timeout_s, which limits whole clips of training
# FFmpeg's demuxers of files that hold their own data. Others (concat, hls, dash, sdp, image2, ..) open further files.
FORMATS = (
    "mov,matroska,avi,mpegts,mpeg,mpegvideo,flv,asf,ogg,rm,gif,nut,mxf,gxf,ivf,dv,wtv,nsv,yuv4mpegpipe,h261,h263,h264,"
    "hevc,vvc,obu,m4v,mjpeg,wav,w64,aiff,au,caf,flac,mp3,aac,ac3,eac3,dts,amr,ape,tta,wv,"
    "apng,png_pipe,jpeg_pipe,bmp_pipe,webp_pipe,tiff_pipe"
)
_CONTAINER_OPTIONS = {"format_whitelist": FORMATS, "protocol_whitelist": "file"}


class DecodeError(ValueError):
    """A file cannot be decoded at `time_s` seconds, or cannot be opened if `time_s` is None."""

    def __init__(self, path: Path, time_s: float | None, reason: str) -> None:
        super().__init__(path, time_s, reason)
        self.path, self.time_s, self.reason = path, time_s, reason

    def __str__(self) -> str:
        failure = "cannot be opened" if self.time_s is None else f"cannot be read at {self.time_s:.2f} s"
        return f"{self.path} {failure}: {self.reason}"


class MediaFile:
    """A container open for reading; use as a context manager.

    zero_s: the container's start time, exact. Players show it as 0:00 and AVA's seconds count from it. It is the zero
    of every stream's times, so the streams stay synchronised.
    has_display_times: False for AVI, which stores none; FFmpeg's estimates are wrong if frames are reordered.
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
        """From zero to the end of the longest stream. Reads every packet if the header has no duration."""
        if self.container.duration is not None:
            return self.container.duration / av.time_base
        end_s = Fraction(0)
        with MediaFile(self.path) as counted, contextlib.suppress(av.FFmpegError, IndexError):
            for packet in counted.packets():
                if packet.pts is not None and packet.time_base is not None:
                    end_s = max(end_s, (packet.pts + (packet.duration or 0)) * packet.time_base - self.zero_s)
        return float(end_s)

    def reopen(self) -> None:
        """Returns to the start, which seeking does not reach in every file. Closes the streams in use."""
        self.container.close()
        self.container = self._opened()

    def packets(self, *streams: VideoStream | AudioStream) -> Iterator[Packet[Any]]:
        """The packets of some streams, by default of all, in the file's order, from its position on."""
        packets = self.container.demux(*streams)
        while True:
            with watched(self.path):
                packet = next(packets, None)
            if packet is None:
                return
            yield packet

    def no_progress(self) -> DecodeError:
        """The error for av.error.ExitError, by which FFmpeg reports a read that took too long."""
        return DecodeError(self.path, None, f"no data arrived for {_NO_PROGRESS_S:g} s; check the file and its disk")

    def goes_back(self, seconds: float) -> DecodeError:
        """The error for a clock that goes back in mid-file: a second then names two places."""
        return DecodeError(
            self.path,
            None,
            f"its clock goes back by {seconds:.1f} s in mid-file, as where recordings were joined; give it one "
            f"timeline: ffmpeg -i {self.path.name} -c copy {self.path.stem}.mp4",
        )

    def close(self) -> None:
        self.container.close()

    def __enter__(self) -> MediaFile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _opened(self) -> InputContainer:
        if self.path.exists() and not (self.path.is_file() or self.path.is_dir()):
            raise DecodeError(self.path, None, "it is no regular file; give a video file")
        try:
            # Absolute, because FFmpeg takes the start of 12:30.mp4 for a protocol. Titles come in all encodings.
            with watched(self.path):
                container = av.open(
                    str(self.path.absolute()),
                    metadata_errors="replace",
                    container_options=_CONTAINER_OPTIONS,
                    timeout=_NO_PROGRESS_S,
                )
        except av.error.ArgumentError:
            raise DecodeError(self.path, None, "it is no video or audio file; playlists are not followed") from None
        except av.error.ExitError:
            raise self.no_progress() from None
        except (av.FFmpegError, OSError) as error:
            raise DecodeError(self.path, None, error.strerror or str(error)) from error
        if container.format.name in STREAM_FORMATS:
            stat = self.path.stat()
            if (seconds := setback_s(self.path.resolve(), stat.st_size, stat.st_mtime_ns)) > MAX_SETBACK_S:
                container.close()
                raise self.goes_back(seconds)
        for stream in (*container.streams.video, *container.streams.audio):
            if stream.codec_context is not None:
                stream.codec_context.thread_count = 1  # FFmpeg's own threads do not survive a fork
                stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}  # of every frame, whatever the header
        if container.format.name == "avi":
            container.flags &= ~_GENERATE_PTS
        return container


def default_stream(streams: Sequence[S]) -> S | None:
    """Returns the stream that players select: the first one marked as default, else the first; never cover art."""
    real = real_streams(streams)
    return next((s for s in real if int(s.disposition) & _DEFAULT), real[0] if real else None)


def real_streams(streams: Sequence[S]) -> list[S]:
    """Returns the streams that can be decoded and are no cover art or other still image."""
    return [s for s in streams if s.codec_context is not None and not int(s.disposition) & _STILL_IMAGE]


def frame_rate(stream: VideoStream) -> float:
    """Returns frames per second: the mean if it is plausible (1000 Hz is a clock), else FFmpeg's guess, else 25."""
    rates = (stream.average_rate, stream.guessed_rate, stream.base_rate)
    return next((float(rate) for rate in rates if rate and 0 < rate <= _MAX_RATE), 25.0)


def frame_times(path: str | Path) -> NDArray[np.float64]:
    """Returns the seconds at which frames 0, 1, 2, .. appear, from the packets alone: for tools that count frames.

    AVI stores no display times, so its frames are assumed to be evenly spaced. Raises DecodeError without a video
    stream.
    """
    with MediaFile(path) as file:
        stream = default_stream(file.container.streams.video)
        if stream is None:
            raise DecodeError(file.path, None, "it has no video stream")
        try:
            packets = [packet for packet in file.packets(stream) if packet.size and not packet.is_discard]
        except av.error.ExitError:
            raise file.no_progress() from None
        if not file.has_display_times or any(packet.pts is None for packet in packets):
            return np.arange(len(packets)) / frame_rate(stream)
        assert stream.time_base is not None
        decoded = [packet.dts for packet in packets if packet.dts is not None]
        setback = max([before - after for before, after in pairwise(decoded)], default=0) * float(stream.time_base)
        if setback > MAX_SETBACK_S:
            raise file.goes_back(setback)
        ticks = np.sort([packet.pts for packet in packets if packet.pts is not None])
        return ticks * float(stream.time_base) - float(file.zero_s)


def file_fingerprint(path: Path) -> dict[str, object]:
    """Returns plain data that changes when the file is moved, replaced or edited. Raises OSError."""
    real = path.resolve()
    return {"path": str(real), **file_version(real)}


def file_version(path: Path) -> dict[str, object]:
    """Returns plain data that changes when the file is replaced or edited, but not when it is moved. Raises OSError."""
    stat = path.stat()
    return {"bytes": stat.st_size, "changed_ns": stat.st_mtime_ns}


def _start_of(container: InputContainer) -> Fraction:
    """The container's start time, exactly: FFmpeg rounds it to a microsecond, so take the nearest stream's start."""
    if container.start_time is None:
        return Fraction(0)
    start_s = Fraction(container.start_time, av.time_base)
    exact = [s.start_time * s.time_base for s in container.streams if s.start_time is not None and s.time_base]
    return min(exact, key=lambda stream_start_s: abs(stream_start_s - start_s), default=start_s)
