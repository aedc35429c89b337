"""VideoWriter: writes frames (H.264) and optional audio (AAC) to an mp4 file."""

from __future__ import annotations

import math
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.audio.stream import AudioStream
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter
from av.video.stream import VideoStream
from numpy.typing import NDArray

from avdet.atomic_write import partial_path, replace_durably

__all__ = ["AAC_RATES", "VideoWriter"]

AAC_RATES = (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
_MIN_TICKS_PER_S = 90_000
_BT709 = 1  # H.264's code of BT.709 as matrix, primaries and transfer function
_STUDIO_RANGE = 1


class VideoWriter:
    """Writes RGB frames and mono audio to an mp4 file that every player supports: H.264 yuv420p + AAC, faststart.

    Use as a context manager: the file appears when the block ends without an exception; otherwise nothing is left.
    Blocks of frames and audio may be written in any order: both streams start at time 0 and are interleaved in the file
    (packets that come early wait in memory). The same input gives the same bytes.

    With `growing` the file is written in place, can be played while it grows, and keeps what was written whatever ends
    the block or the process.

    H.264 in yuv420p requires even sides: an odd width or height is padded by a copy of the last column or row.

        with VideoWriter(path, fps=30, width=320, height=240, sample_rate=44100) as writer:
            for frame in frames:
                writer.write_frame(frame)
            writer.write_audio(waveform)
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
        growing: bool = False,
    ) -> None:
        """Opens the file for writing.

        sample_rate: of the audio in Hz; None writes no audio track.
        preset, crf, tune: x264's speed, quality and use case.
        gop: maximum frames from one key frame to the next; a seek decodes half as many. None is x264's 250.
        comment: text for the container's comment field.
        growing: for recordings: keeps what was written before an error.
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
        self._growing = growing
        self._partial = self.path if growing else partial_path(self.path)
        options = {
            "movflags": "hybrid_fragmented+frag_keyframe+delay_moov" if growing else "faststart",
            "flush_packets": "1" if growing else "-1",
            "max_interleave_delta": "0",  # a stream waits for the other one without limit
            "movie_timescale": str(self._time_base.denominator),  # a first frame after 0 starts exact to the tick
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
        """Appends a frame (height, width, 3) RGB, one frame period after the last or at `time_s`.

        For a variable rate pass ascending times for all frames; else pass none.
        """
        if rgb.dtype != np.uint8 or rgb.shape != (self.height, self.width, 3):
            raise ValueError(
                f"a frame for {self.path.name} is {rgb.dtype} {rgb.shape}; it must be uint8 "
                f"({self.height}, {self.width}, 3), the size with which the writer was opened"
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

    def write_audio(self, waveform: NDArray[np.float32]) -> None:
        """Appends mono samples (n,) in [-1, 1]; values outside are clipped."""
        if self._audio is None:
            raise ValueError(f"{self.path.name} was opened without audio; pass sample_rate to VideoWriter")
        if waveform.ndim != 1 or not np.isfinite(waveform).all():
            raise ValueError(
                f"the waveform for {self.path.name} has shape {waveform.shape}; it must be (n,) and finite: average "
                "its channels and replace NaN and Inf first"
            )
        if waveform.size == 0:
            return
        frame = av.AudioFrame.from_ndarray(
            np.clip(waveform, -1.0, 1.0).astype(np.float32)[None], format="fltp", layout="mono"
        )
        frame.sample_rate = self._audio.rate
        frame.pts, frame.time_base = self._num_samples, Fraction(1, self._audio.rate)
        self._container.mux(self._audio.encode(frame))
        self._num_samples += waveform.size

    def __enter__(self) -> VideoWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and not self._growing:
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
                f"frame {self._num_frames} of {self.path.name} is at {float(seconds):.6f} s, not after the "
                f"previous one ({last_s:.6f} s); write frames in display order from 0 s on"
            )
        return tick

    def _add_video(self, x264_options: dict[str, str | int | None]) -> VideoStream:
        # In frames of few blocks mbtree reads uninitialised memory, so the bytes would differ.
        set_options = {name: str(value) for name, value in x264_options.items() if value is not None}
        options = {"x264-params": "mbtree=0", **set_options}
        stream = self._container.add_stream("libx264", rate=self._rate, options=options)
        stream.width, stream.height = self.width + self.width % 2, self.height + self.height % 2
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = self._time_base
        stream.thread_count = 1  # the bytes depend on the number of threads
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
            raise ValueError(f"{self.path} has no frame; an mp4 file needs at least one")
        self._container.mux(self._video.encode(None))
        if self._audio is not None:
            self._container.mux(self._audio.encode(None))
        self._container.close()
        if not self._growing:
            replace_durably(self._partial, self.path)

    def _discard(self) -> None:
        try:
            self._container.close()
        finally:
            if not self._growing:
                self._partial.unlink(missing_ok=True)


def _check_numbers(fps: float | Fraction, width: int, height: int, sample_rate: int | None) -> None:
    if not 0 < fps <= 1000:
        raise ValueError(f"fps is {fps}; it must be more than 0 and at most 1000")
    if width < 1 or height < 1:
        raise ValueError(f"the frame size is {width}x{height}; both sides must be at least 1 pixel")
    if sample_rate is not None and sample_rate not in AAC_RATES:
        allowed = ", ".join(map(str, AAC_RATES))
        raise ValueError(f"sample_rate is {sample_rate}; AAC allows {allowed}: resample the audio to one of them")


def _frame_rate(fps: float | Fraction) -> Fraction:
    """The rate as a fraction; the floats 29.97 and 23.976 become the NTSC rates k*1000/1001."""
    ntsc = Fraction(round(fps) * 1000, 1001)
    if isinstance(fps, float) and abs(fps - ntsc) < 1e-3:
        return ntsc
    return max(Fraction(fps).limit_denominator(1001), Fraction(1, 1001))


def _fine_time_base(rate: Fraction) -> Fraction:
    """A tick that divides the frame period exactly and is short enough for any variable rate."""
    return Fraction(1, rate.numerator * math.ceil(_MIN_TICKS_PER_S / rate.numerator))
