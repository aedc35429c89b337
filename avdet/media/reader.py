"""VideoReader: frames and sound of any video file at times in seconds.

    with VideoReader(path, short_side=256) as video:
        frames = video.frames([10.0, 10.5, 11.0])  # (3, H, W, 3) uint8 RGB
        sound = video.audio(10.0, 1.0, 16000)  # (16000,) float32, exactly the same second

Time is the file's own clock: 0 is the container's start time, which players show as 0:00 and which AVA's seconds
count from. Pictures and sound share it, so a stream that starts later than the other does so here too: before its
first frame that frame stands, before its first sample there is silence. Edit lists are followed. Frames of variable
rate stay on screen until the next one; AVI files, which store no display times, show theirs one after another.

Pictures are as players show them: turned by the rotation that phones write, with square pixels (unless they are
within 2 % of square), and as RGB by the colour matrix and range that the file names. HDR is not tone-mapped.
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

from avdet.media.audio_track import AudioTrack, Waveform
from avdet.media.display_size import DisplaySize, RgbConverter, shape_of
from avdet.media.frame_decoder import FrameDecoder, Picture, frame_rate
from avdet.media.media_file import DecodeError, MediaFile, default_stream
from avdet.media.packets import PacketSource

__all__ = ["TOLERANCE_S", "DecodeError", "FrameBatch", "Frames", "Times", "VideoInfo", "VideoReader", "checked_times"]

Frames = NDArray[np.uint8]
"""(T, H, W, 3) RGB."""

Times: TypeAlias = Sequence[float] | NDArray[np.float64]
"""(T,) seconds on the video's own clock."""

# A frame counts as on screen this much before its time, because Matroska and FLV round times to a millisecond.
TOLERANCE_S = 0.001


@dataclass(frozen=True)
class VideoInfo:
    """What the file says about itself. Sizes are as shown, before `short_side`.

    fps: the mean rate. start_s: when the first frame appears. duration_s: the end of the longest stream.
    audio_rate: as stored; None without sound.
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
    """rgb: (T, H, W, 3) uint8. times_s: (T,) when each appeared. past_end: (T,) whether the video was over by then."""

    rgb: Frames
    times_s: NDArray[np.float64]
    past_end: NDArray[np.bool_]

    def __post_init__(self) -> None:
        assert len(self.rgb) == len(self.times_s) == len(self.past_end)


class VideoReader:
    """One open video file, its default streams; use as a context manager.

    Decodes in one thread, holds a clip at a time, and closes its file on errors too. Anything that cannot be read
    raises DecodeError; broken packets between good ones are passed over.
    """

    def __init__(self, path: str | Path, *, short_side: int | None = None, even: bool = False) -> None:
        """`short_side` scales while decoding, up or down, to exactly that many pixels; None keeps the size.

        even: both sides are rounded to even numbers, as H.264 stores pictures.
        """
        if short_side is not None and short_side < 1:
            raise ValueError(f"short_side is {short_side}; it must be at least 1 pixel")
        self.path = Path(path)
        self._short_side, self._even = short_side, even
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
        self._shape: DisplaySize | None = None
        self._shown_size = (0, 0)
        self._is_playing = False
        self._sound: AudioTrack | None = None
        self._sound_file: MediaFile | None = None

    @functools.cached_property
    def info(self) -> VideoInfo:
        """Decodes the first frame, unless some frame was decoded before: only frames know their rotation."""
        if self._shape is None:
            self._learn_shape(next(self._decoder.shown_at([self._source.first_tick])))
        stream = self._source.stream
        sound = default_stream(self._file.container.streams.audio)
        return VideoInfo(
            width=self._shown_size[0],
            height=self._shown_size[1],
            fps=frame_rate(stream),
            start_s=self._source.time_of(self._source.first_tick),
            duration_s=self._file.duration_s,
            audio_rate=None if sound is None else sound.rate,
        )

    @property
    def announced_s(self) -> float:
        """Until when the file says that it has pictures, which sound may outlast; its end where it does not say."""
        stream = self._source.stream
        if stream.duration is None:
            return self._file.duration_s
        return self._source.time_of(self._source.first_tick + stream.duration)

    def frames(self, times_s: Times) -> Frames:
        """(T, H, W, 3): the frame on screen at each time, in the order of the times, which may repeat.

        Before the first frame it is the first, past the end the last; `frame_batch` tells.
        """
        return self.frame_batch(times_s).rgb

    def frame_batch(self, times_s: Times) -> FrameBatch:
        """Like `frames`, with the time at which each appeared and whether the video was over.

        Costs a seek and the decoding from the key frame before, wherever in the file it is.
        """
        assert not self._is_playing, "a reader that plays cannot seek; open a second one"
        times = checked_times(times_s, self.path.name)
        order = np.argsort(times, kind="stable")
        rgb: Frames | None = None
        appeared, past_end = np.empty(times.shape), np.empty(times.shape, np.bool_)
        last: Picture | None = None
        pictures = self._decoder.shown_at([self._tick_at(time_s) for time_s in times[order]])
        for index, picture in zip(order, pictures, strict=True):
            if last is None or picture.frame is not last.frame:
                image = self._rgb(picture)
            if rgb is None:
                rgb = np.empty((len(times), *image.shape), np.uint8)
            rgb[index] = image
            appeared[index], past_end[index] = self._source.time_of(picture.tick), picture.past_end
            last = picture
        assert rgb is not None
        return FrameBatch(rgb, appeared, past_end)

    def play(self, start_s: float = 0.0) -> Iterator[tuple[float, NDArray[np.uint8]]]:
        """Every frame once, (time it appears, (H, W, 3) RGB), from the one on screen at `start_s` to the end.

        Sound can be read meanwhile, other frames cannot.
        """
        self._is_playing = True
        try:
            for picture in self._decoder.from_tick(self._tick_at(start_s)):
                yield self._source.time_of(picture.tick), self._rgb(picture)
        finally:
            self._is_playing = False

    def audio(self, start_s: float, duration_s: float, rate: int) -> Waveform:
        """(round(duration_s * rate),) mono float32 of [-1, 1]; see AudioTrack.read. DecodeError without sound."""
        if self._is_playing and self._sound_file is None:
            # The pictures have to stay where they are in the file.
            self._sound_file = MediaFile(self.path)
            self._sound = AudioTrack(self._sound_file)
        if self._sound is None:
            self._sound = AudioTrack(self._file)
        return self._sound.read(start_s, duration_s, rate)

    def close(self) -> None:
        self._file.close()
        if self._sound_file is not None:
            self._sound_file.close()

    def __enter__(self) -> VideoReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _tick_at(self, time_s: float) -> int:
        return self._source.tick_at(time_s + TOLERANCE_S)

    def _rgb(self, picture: Picture) -> NDArray[np.uint8]:
        shape = self._shape or self._learn_shape(picture)
        return self._converter.convert(picture.frame, shape)

    def _learn_shape(self, picture: Picture) -> DisplaySize:
        """The first decoded frame settles the size: a stream that changes its size is scaled to the first one."""
        pixel_aspect = self._source.stream.sample_aspect_ratio
        self._shown_size = shape_of(picture.frame, pixel_aspect, None).shown_size
        self._shape = shape_of(picture.frame, pixel_aspect, self._short_side, even=self._even)
        return self._shape


def checked_times(times_s: Times, name: str) -> NDArray[np.float64]:
    """(T,), one or more and finite; ValueError otherwise."""
    times = np.asarray(times_s, np.float64)
    if times.ndim != 1 or times.size == 0 or not np.isfinite(times).all():
        raise ValueError(f"frame times of {name} are {times_s}; give one or more finite seconds")
    return times
