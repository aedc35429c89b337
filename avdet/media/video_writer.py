"""Writing one mp4 file: H.264 pictures, and sound as AAC where there is any."""

from __future__ import annotations

import math
import os
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_MIN_TICKS_PER_S = 90_000
_BT709 = 1  # the number that H.264 gives to BT.709 as matrix, primaries and transfer function
_STUDIO_RANGE = 1


class VideoWriter:
    """Writes RGB frames and mono sound to an mp4 file that every player plays: H.264 yuv420p + AAC, faststart.

    Use as a context manager; the file appears under its name only when the block ends well, and nothing is left
    behind when it fails. Frames and sound may come in any order of blocks: both start at time 0, and the file
    has them interleaved (what comes early waits in memory, compressed). The same input gives the same bytes.

    H.264 in yuv420p has even sides only: an odd width or height gets one more column or row, a copy of the last.

        with VideoWriter(path, fps=30, width=320, height=240, sample_rate=44100) as writer:
            for frame in frames:
                writer.write_frame(frame)
            writer.write_audio(samples)
    """

    def __init__(
        self,
        path: str | Path,
        *,
        fps: float | Fraction,
        width: int,
        height: int,
        sample_rate: int | None = None,
        preset: str = "veryfast",
        crf: int = 20,
        gop: int | None = None,
        tune: str | None = None,
        comment: str | None = None,
    ) -> None:
        """`sample_rate` None writes a file without sound; `preset`, `crf` and `tune` are x264's (speed, quality, use).

        comment: what the file says of itself.
        gop: frames from one key frame to the next, at most; a seek decodes half as many. None is x264's 250.
        """
        _check_numbers(fps, width, height, sample_rate)
        if gop is not None and gop < 1:
            raise ValueError(f"gop is {gop}; it must be at least 1 frame")
        self.path = Path(path)
        self.width, self.height = width, height
        self._rate = _frame_rate(fps)
        self._time_base = _fine_time_base(self._rate)
        self._num_frames = self._num_samples = 0
        self._last_tick = -1
        self._reformatter = VideoReformatter()
        self._partial = self.path.with_name(f".{self.path.name}.{os.getpid()}.partial")
        options = {
            "movflags": "faststart",
            "max_interleave_delta": "0",  # lets a stream wait for the other one as long as it takes
            "movie_timescale": str(
                self._time_base.denominator
            ),  # a first frame after 0 starts to the tick, not to 1 ms
        }
        self._container = av.open(str(self._partial.absolute()), "w", format="mp4", options=options)
        if comment is not None:
            self._container.metadata["comment"] = comment
        try:
            self._video = self._add_video({"preset": preset, "crf": str(crf), "tune": tune, "g": gop})
            self._audio = None if sample_rate is None else self._add_audio(sample_rate)
        except BaseException:
            self._discard()
            raise

    def write_frame(self, rgb: NDArray[np.uint8], *, time_s: float | None = None) -> None:
        """Adds a frame (height, width, 3), one frame period after the last, or shown from `time_s` on.

        Give every frame its time, ascending, to write a variable rate, or none at all.
        """
        if rgb.dtype != np.uint8 or rgb.shape != (self.height, self.width, 3):
            raise ValueError(
                f"a frame for {self.path.name} is {rgb.dtype} {rgb.shape}; it must be uint8 "
                f"({self.height}, {self.width}, 3), as the writer was opened with"
            )
        tick = self._tick(time_s)
        even = np.pad(rgb, ((0, self.height % 2), (0, self.width % 2), (0, 0)), mode="edge")
        frame = self._reformatter.reformat(
            av.VideoFrame.from_ndarray(even, format="rgb24"),
            format="yuv420p",
            src_color_range=ColorRange.JPEG,
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            threads=1,
        )
        frame.pts, frame.time_base = tick, self._time_base
        self._container.mux(self._video.encode(frame))
        self._num_frames, self._last_tick = self._num_frames + 1, tick

    def write_audio(self, samples: NDArray[np.float32]) -> None:
        """Adds mono samples (n,) of [-1, 1] behind those already written; louder ones are clipped."""
        if self._audio is None:
            raise ValueError(f"{self.path.name} was opened without sound; give its writer a sample_rate")
        if samples.ndim != 1 or not np.isfinite(samples).all():
            raise ValueError(
                f"sound for {self.path.name} has shape {samples.shape}; it must be (n,) and finite: "
                "average its channels and mend its NaNs first"
            )
        if samples.size == 0:
            return
        frame = av.AudioFrame.from_ndarray(
            np.clip(samples, -1.0, 1.0).astype(np.float32)[None], format="fltp", layout="mono"
        )
        frame.sample_rate = self._audio.rate
        frame.pts, frame.time_base = self._num_samples, Fraction(1, self._audio.rate)
        self._container.mux(self._audio.encode(frame))
        self._num_samples += samples.size

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._discard()
            return
        try:
            self._finish()
        except BaseException:
            self._discard()
            raise

    def _tick(self, time_s: float | None) -> int:
        seconds = self._num_frames / self._rate if time_s is None else Fraction(time_s)
        tick = round(seconds / self._time_base)
        if tick <= self._last_tick:
            last_s = float(self._last_tick * self._time_base)
            raise ValueError(
                f"frame {self._num_frames} of {self.path.name} is at {float(seconds):.6f} s, not after the one "
                f"before it ({last_s:.6f} s); write frames in the order in which they are shown, from 0 s on"
            )
        return tick

    def _add_video(self, wishes: dict[str, str | int | None]) -> VideoStream:
        # In pictures of few blocks mbtree reads memory that nobody has written, so the bytes would differ.
        options = {"x264-params": "mbtree=0", **{name: str(wish) for name, wish in wishes.items() if wish is not None}}
        stream = self._container.add_stream("libx264", rate=self._rate, options=options)
        stream.width, stream.height = self.width + self.width % 2, self.height + self.height % 2
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = self._time_base
        stream.thread_count = 1  # the bytes would change with the number of threads
        stream.codec_context.color_range = _STUDIO_RANGE
        stream.codec_context.colorspace = _BT709
        stream.codec_context.color_primaries = _BT709
        stream.codec_context.color_trc = _BT709
        return stream

    def _add_audio(self, sample_rate: int) -> AudioStream:
        stream = self._container.add_stream("aac", rate=sample_rate, layout="mono")
        stream.bit_rate = 96_000
        return stream

    def _finish(self) -> None:
        if self._num_frames == 0:
            raise ValueError(f"{self.path} got no frame; an mp4 file needs at least one")
        self._container.mux(self._video.encode(None))
        if self._audio is not None:
            self._container.mux(self._audio.encode(None))
        self._container.close()
        self._partial.replace(self.path)

    def _discard(self) -> None:
        try:
            self._container.close()
        finally:
            self._partial.unlink(missing_ok=True)


def _check_numbers(fps: float | Fraction, width: int, height: int, sample_rate: int | None) -> None:
    if not 0 < fps <= 1000:
        raise ValueError(f"fps is {fps}; it must be more than 0 and at most 1000")
    if width < 1 or height < 1:
        raise ValueError(f"the frame size is {width}x{height}; both sides must be at least 1 pixel")
    if sample_rate is not None and sample_rate not in AAC_RATES:
        allowed = ", ".join(map(str, AAC_RATES))
        raise ValueError(f"sample_rate is {sample_rate}; AAC allows {allowed}: resample the sound to one of them")


def _frame_rate(fps: float | Fraction) -> Fraction:
    """The rate as a fraction; the floats 29.97 and 23.976 become the broadcast rates k*1000/1001."""
    broadcast = Fraction(round(fps) * 1000, 1001)
    if isinstance(fps, float) and abs(fps - broadcast) < 1e-3:
        return broadcast
    return max(Fraction(fps).limit_denominator(1001), Fraction(1, 1001))


def _fine_time_base(rate: Fraction) -> Fraction:
    """A tick that divides the frame period exactly and is fine enough for any variable rate."""
    return Fraction(1, rate.numerator * math.ceil(_MIN_TICKS_PER_S / rate.numerator))
