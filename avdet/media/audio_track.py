"""AudioTrack: the mono waveform of a file at any time and sample rate."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Iterator
from fractions import Fraction
from typing import TypeAlias

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from avdet.media.media_file import DecodeError, MediaFile, default_stream, real_streams
from avdet.media.packets import PacketSource

__all__ = ["AudioTrack", "Waveform", "mix_to_mono", "select_audio"]

Waveform: TypeAlias = NDArray[np.float32]
"""(n,) mono samples in [-1, 1]."""

# Codecs need earlier packets: MP3 up to half a second of bits, Opus 80 ms to converge.
_PREROLL_S = 0.5
# Minimum audio on either side for the resampler's filter.
_FILTER_S = 0.01
_REACH_S = _PREROLL_S + _FILTER_S
# A timestamp error below this is rounding, not a gap: audio frames are longer.
_JITTER_S = 0.008
# PyAV reads past the end of its list of planes if the channels fill it, as those of 7.1 do.
_MAX_PLANES = 7
_MIN_RATE, _MAX_RATE = 1_000, 768_000  # Hz


class AudioTrack:
    """One audio track of an open file, on the same clock as its frames.

    Channels are averaged and integers scaled to [-1, 1]; samples outside the track are 0.

        with MediaFile("talk.wav") as file:
            waveform = AudioTrack(file).read(1.5, 2.0, 16000)
    """

    def __init__(self, file: MediaFile, number: int | None = None) -> None:
        """number: the track, counted from 0; None: the one that players select. Raises DecodeError if there is none."""
        stream = select_audio(file, number)
        if stream is None:
            raise DecodeError(file.path, None, "it has no audio track")
        if not _MIN_RATE <= stream.rate <= _MAX_RATE:
            raise DecodeError(file.path, None, f"its audio has {stream.rate:,} Hz; give {_MIN_RATE:,} to {_MAX_RATE:,}")
        self._path = file.path
        self.stored_rate: int = stream.rate
        self._source: PacketSource[AudioStream] = PacketSource(file, stream)
        self.tick_s = float(self._source.tick_s)  # 1 ms in Matroska: the precision of the samples' times
        self._was_read = False

    def read(self, start_s: float, duration_s: float, rate: int) -> Waveform:
        """Returns (round(duration_s * rate),) float32; the first sample is at `start_s` to half a stored sample."""
        if not (math.isfinite(start_s) and duration_s >= 0 and math.isfinite(duration_s) and rate > 0):
            raise ValueError(
                f"cannot read {duration_s} s of audio from {start_s} s at {rate} Hz; the times must be finite, the "
                "duration not negative and the rate positive"
            )
        num_samples = round(duration_s * rate)
        self._reopen_if_needed(start_s)
        stored, stored_rate, margin = self._stored(start_s, num_samples / rate, rate)
        resampled = _resampled(stored, stored_rate, rate)
        first = margin * rate // stored_rate
        return resampled[first : first + num_samples].clip(-1.0, 1.0)  # filters ring

    def _reopen_if_needed(self, start_s: float) -> None:
        """Reopens the file where earlier reads would change the samples.

        A decoder that seeks to the start does not skip what a new one skips. With ticks longer than a sample, as in
        Matroska, the samples' times depend on the packet that a seek finds, and an index that grows with reading.
        """
        is_coarse = self._source.tick_s * self.stored_rate > 1
        if self._was_read and (is_coarse or self._source.tick_at(start_s - _REACH_S) <= self._source.first_tick):
            self._source.file.reopen()
        self._was_read = True

    def _stored(self, start_s: float, duration_s: float, rate: int) -> tuple[Waveform, int, int]:
        """(mono samples at the stored rate with a margin on both sides of the span, stored rate, margin in samples).

        The margin is a whole number of samples at both rates, so that resampling keeps `start_s` on a sample.
        Damaged packets can decode to values outside [-1, 1], which are clipped.
        """
        frames = self._frames_around(start_s)
        first = next(frames, None)
        if first is None:
            return np.zeros(math.ceil(duration_s * rate), np.float32), rate, 0
        stored_rate = first.sample_rate
        unit = stored_rate // math.gcd(stored_rate, rate)
        margin = math.ceil(_FILTER_S * stored_rate / unit) * unit
        samples = np.zeros(math.ceil(duration_s * stored_rate) + 2 * margin, np.float32)
        zero_s = start_s - margin / stored_rate
        end: int | None = None
        for frame in itertools.chain([first], frames):
            if frame.sample_rate != stored_rate:
                reason = f"its sample rate changes from {stored_rate} to {frame.sample_rate} Hz; resample it to one"
                raise DecodeError(self._path, start_s, reason)
            begin = self._index_of(frame, zero_s, expected=end)
            end = begin + frame.samples
            _copy_into(samples, mix_to_mono(frame), begin)
            if end >= len(samples):
                break
        return np.nan_to_num(samples, posinf=0.0, neginf=0.0).clip(-1.0, 1.0), stored_rate, margin

    def _frames_around(self, start_s: float) -> Iterator[AudioFrame]:
        """Decoded frames from well before `start_s` to the end of the track, without broken packets."""
        _, packets = next(self._source.attempts(self._source.tick_at(start_s - _REACH_S)))
        decoded = broken = 0
        for packet in packets:
            try:
                frames = packet.decode()
            except av.FFmpegError:
                broken += 1
                continue
            decoded += len(frames)
            yield from frames
        if broken and not decoded:
            raise DecodeError(self._path, start_s, f"none of {broken} audio packets can be decoded")
        with contextlib.suppress(av.FFmpegError):
            yield from self._source.stream.codec_context.decode(None)

    def _index_of(self, frame: AudioFrame, zero_s: float, *, expected: int | None) -> int:
        """Samples from `zero_s` to the frame: `expected`, the end of the previous frame, unless there is a gap."""
        if frame.pts is None:
            return expected or 0
        index = round((self._source.time_of(frame.pts) - zero_s) * frame.sample_rate)
        if expected is not None and abs(index - expected) < _JITTER_S * frame.sample_rate:
            return expected
        return index


def select_audio(file: MediaFile, number: int | None) -> AudioStream | None:
    """Returns an audio stream by its number, or the one that players select; None if the file has no audio.

    Raises DecodeError if the file has audio, but not so many tracks.
    """
    tracks = real_streams(file.container.streams.audio)
    if number is None or not tracks:
        return default_stream(tracks)
    if number >= len(tracks):
        reason = f"it has {len(tracks)} audio track{'s' * (len(tracks) > 1)}, but audio_track is {number}, from 0"
        raise DecodeError(file.path, None, reason)
    return tracks[number]


def mix_to_mono(frame: AudioFrame) -> Waveform:
    """Returns the mean of the channels (n,); integers are scaled to [-1, 1]."""
    if frame.format.is_planar and len(frame.layout.channels) > _MAX_PLANES:
        layout, rate = frame.layout, frame.sample_rate
        (frame,) = av.AudioResampler(format=frame.format.packed, layout=layout, rate=rate).resample(frame)
    samples = frame.to_ndarray()
    if not frame.format.is_planar:
        samples = samples.reshape(frame.samples, -1).T
    if len(samples) == 1 and samples.dtype == np.float32:
        return samples[0]
    mean = samples.mean(axis=0, dtype=np.float64)
    if samples.dtype == np.uint8:
        mean = mean / 128 - 1
    elif samples.dtype.kind == "i":
        mean /= 2.0 ** (8 * samples.dtype.itemsize - 1)
    return mean.astype(np.float32)


def _copy_into(samples: Waveform, piece: Waveform, begin: int) -> None:
    """Copies `piece` to `samples` from index `begin` on, cropped to its bounds."""
    start, end = max(begin, 0), min(begin + len(piece), len(samples))
    if start < end:
        samples[start:end] = piece[start - begin : end - begin]


def _resampled(samples: Waveform, rate: int, new_rate: int) -> Waveform:
    """Resampled by libswresample, whose filter adds no delay: sample 0 stays at its time."""
    if rate == new_rate or len(samples) == 0:
        return samples
    frame = AudioFrame.from_ndarray(samples[None], format="fltp", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=new_rate)
    pieces = [*resampler.resample(frame), *resampler.resample(None)]
    return np.concatenate([piece.to_ndarray()[0] for piece in pieces])
