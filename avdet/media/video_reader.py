"""VideoReader: frames and audio of any video file at times in seconds.

    with VideoReader(path, short_side=256) as video:
        frames = video.frames([10.0, 10.5, 11.0])  # (3, H, W, 3) uint8 RGB
        waveform = video.audio(10.0, 1.0, 16000)   # (16000,) float32, exactly the same second

Times are on the file's own clock: 0 is the container's start time, which players show as 0:00 and which AVA's seconds
count from. Frames and audio share this clock, so a stream that starts later than the other keeps its offset: before its
first frame the first frame is returned, before its first sample zeros. Edit lists are applied. Variable-rate frames
stay on screen until the next one; AVI stores no display times, so its frames are spaced evenly.

Frames look as in a player: rotated by the metadata that phones write, with square pixels (unless stored within 2 % of
square), converted to RGB with the colour matrix and range that the file names. HDR is not tone-mapped.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from avdet.media.audio_track import AudioTrack, Waveform, select_audio
from avdet.media.display_size import DisplaySize, RgbConverter, display_size_of
from avdet.media.frame_decoder import DecodedFrame, FrameDecoder
from avdet.media.media_file import DecodeError, MediaFile, default_stream, frame_rate, real_streams
from avdet.media.packets import PacketSource

__all__ = [
    "TOLERANCE_S",
    "DecodeError",
    "FrameBatch",
    "Frames",
    "Times",
    "VideoInfo",
    "VideoReader",
    "checked_times",
]

Frames: TypeAlias = NDArray[np.uint8]
"""(T, H, W, 3) RGB."""

Times: TypeAlias = Sequence[float] | NDArray[np.float64]
"""(T,) seconds on the video's own clock."""

# A frame counts as on screen this long before its time, because Matroska and FLV round times to a millisecond.
TOLERANCE_S = 0.001


@dataclass(frozen=True)
class VideoInfo:
    """What the container reports. Width and height are as shown, in pixels, before scaling to `short_side`.

    fps: the mean frame rate. start_s: when the first frame appears. duration_s: the end of the longest stream.
    audio_rate: the stored sample rate; None without an audio track.
    """

    width: int
    height: int
    fps: float
    start_s: float
    duration_s: float
    audio_rate: int | None

    @property
    def has_audio(self) -> bool:
        return self.audio_rate is not None


@dataclass(frozen=True)
class FrameBatch:
    """Frames on screen at requested times.

    rgb: (T, H, W, 3) uint8. times_s: (T,) when each frame appeared. past_end: (T,) whether the video had ended by then.
    """

    rgb: Frames
    times_s: NDArray[np.float64]
    past_end: NDArray[np.bool_]

    def __post_init__(self) -> None:
        assert len(self.rgb) == len(self.times_s) == len(self.past_end)


class VideoReader:
    """Reads the default video stream and one audio track of a file; use as a context manager.

    Decodes in one thread, holds one clip in memory, and closes its file on errors. Raises DecodeError if something
    cannot be read; skips broken packets between valid ones.
    """

    def __init__(
        self, path: str | Path, *, short_side: int | None = None, even: bool = False, audio_track: int | None = None
    ) -> None:
        """Opens `path`.

        short_side: scales frames up or down to exactly this many pixels while decoding; None keeps the stored size.
        even: rounds both sides to even numbers, as H.264 requires.
        audio_track: the number of the track that `audio` reads, from 0; None: the one that players select.
        """
        if short_side is not None and short_side < 1:
            raise ValueError(f"short_side is {short_side}; it must be at least 1 pixel")
        self.path = Path(path)
        self._short_side, self._even, self._audio_number = short_side, even, audio_track
        self._file = MediaFile(self.path)
        try:
            stream = default_stream(self._file.container.streams.video)
            if stream is None:
                raise DecodeError(self.path, None, "it has no video stream")
            self._source: PacketSource[VideoStream] = PacketSource(self._file, stream)
            self._decoder = FrameDecoder(self._source)
        except BaseException:
            self._file.close()
            raise
        self._converter = RgbConverter()
        self._size: DisplaySize | None = None
        self._unscaled_size = (0, 0)
        self._is_playing = False
        self._audio: AudioTrack | None = None
        self._audio_file: MediaFile | None = None

    @functools.cached_property
    def info(self) -> VideoInfo:
        """Decodes the first frame unless one was decoded before: only frames carry their rotation."""
        if self._size is None:
            self._set_size(next(self._decoder.shown_at([self._source.first_tick])))
        stream = self._source.stream
        audio = select_audio(self._file, self._audio_number)
        return VideoInfo(
            width=self._unscaled_size[0],
            height=self._unscaled_size[1],
            fps=frame_rate(stream),
            start_s=self._source.time_of(self._source.first_tick),
            duration_s=self._file.duration_s,
            audio_rate=None if audio is None else audio.rate,
        )

    @property
    def num_audio_tracks(self) -> int:
        """Of which `audio` reads one."""
        return len(real_streams(self._file.container.streams.audio))

    @property
    def announced_s(self) -> float:
        """When the frames end by the video stream's header; `info.duration_s` if the header has no duration."""
        stream = self._source.stream
        if stream.duration is None:
            return self._file.duration_s
        return self._source.time_of(self._source.first_tick + stream.duration)

    def frames(self, times_s: Times) -> Frames:
        """Returns (T, H, W, 3): the frame on screen at each time, in the order of the times, which may repeat.

        Before the first frame that is the first one, past the end the last one; `frame_batch` reports it.
        """
        return self.frame_batch(times_s).rgb

    def frame_batch(self, times_s: Times) -> FrameBatch:
        """Like `frames`, with the time at which each frame appeared and whether the request was past the end.

        Costs a seek and decoding from the preceding key frame, wherever in the file it is.
        """
        assert not self._is_playing, "a reader cannot seek while it plays; open a second one"
        times = checked_times(times_s, self.path.name)
        order = np.argsort(times, kind="stable")
        rgb: Frames | None = None
        appeared, past_end = np.empty(times.shape), np.empty(times.shape, np.bool_)
        last: DecodedFrame | None = None
        frames = self._decoder.shown_at([self._tick_at(time_s) for time_s in times[order]])
        for index, decoded in zip(order, frames, strict=True):
            if last is None or decoded.frame is not last.frame:
                image = self._rgb(decoded)
            if rgb is None:
                rgb = np.empty((len(times), *image.shape), np.uint8)
            rgb[index] = image
            appeared[index], past_end[index] = self._source.time_of(decoded.tick), decoded.past_end
            last = decoded
        assert rgb is not None
        return FrameBatch(rgb, appeared, past_end)

    def sweep(self, times_s: Times, short_sides: Sequence[int | None]) -> Iterator[NDArray[np.uint8]]:
        """Yields the frame on screen at each of the ascending times, (H, W, 3), scaled to a short side of its own.

        Decodes from front to back and each frame once, which `frames` does within one call. Meanwhile `audio` can be
        called, `frames` cannot.
        """
        self._is_playing = True
        try:
            sizes: dict[int | None, tuple[RgbConverter, DisplaySize]] = {}
            scaled: dict[int | None, NDArray[np.uint8]] = {}
            last: DecodedFrame | None = None
            shown = self._decoder.shown_at([self._tick_at(time_s) for time_s in times_s])
            for decoded, short_side in zip(shown, short_sides, strict=True):
                if last is None or decoded.frame is not last.frame:
                    scaled, last = {}, decoded
                if short_side not in sizes:
                    aspect = self._source.stream.sample_aspect_ratio
                    sizes[short_side] = RgbConverter(), display_size_of(decoded.frame, aspect, short_side)
                if short_side not in scaled:
                    converter, size = sizes[short_side]
                    scaled[short_side] = converter.convert(decoded.frame, size)
                yield scaled[short_side]
        finally:
            self._is_playing = False

    def play(self, start_s: float = 0.0) -> Iterator[tuple[float, NDArray[np.uint8]]]:
        """Yields every frame once, (time it appears, (H, W, 3) RGB), from the one on screen at `start_s` to the end.

        Meanwhile `audio` can be called, `frames` cannot.
        """
        self._is_playing = True
        try:
            for decoded in self._decoder.from_tick(self._tick_at(start_s)):
                yield self._source.time_of(decoded.tick), self._rgb(decoded)
        finally:
            self._is_playing = False

    def audio(self, start_s: float, duration_s: float, rate: int) -> Waveform:
        """Returns (round(duration_s * rate),) mono float32 in [-1, 1]; see AudioTrack.read.

        Raises DecodeError without an audio track.
        """
        if self._is_playing and self._audio_file is None:
            # A second container keeps the position of the frames.
            self._audio_file = MediaFile(self.path)
            self._audio = AudioTrack(self._audio_file, self._audio_number)
        if self._audio is None:
            self._audio = AudioTrack(self._file, self._audio_number)
        return self._audio.read(start_s, duration_s, rate)

    def close(self) -> None:
        self._file.close()
        if self._audio_file is not None:
            self._audio_file.close()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _tick_at(self, time_s: float) -> int:
        return self._source.tick_at(time_s + TOLERANCE_S)

    def _rgb(self, decoded: DecodedFrame) -> NDArray[np.uint8]:
        size = self._size or self._set_size(decoded)
        return self._converter.convert(decoded.frame, size)

    def _set_size(self, decoded: DecodedFrame) -> DisplaySize:
        """The first decoded frame sets the size: later frames of another size are scaled to it."""
        pixel_aspect = self._source.stream.sample_aspect_ratio
        self._unscaled_size = display_size_of(decoded.frame, pixel_aspect, None).rotated
        self._size = display_size_of(decoded.frame, pixel_aspect, self._short_side, even=self._even)
        return self._size


def checked_times(times_s: Times, name: str) -> NDArray[np.float64]:
    """Returns (T,) times of the video `name`. Raises ValueError if there is none or one is NaN or Inf."""
    times = np.asarray(times_s, np.float64)
    if times.ndim != 1 or times.size == 0 or not np.isfinite(times).all():
        raise ValueError(f"frame times of {name} are {times_s}; give one or more finite seconds")
    return times
