"""Copies of videos from which clips decode fast: small frames, close key frames, a cheap decoding profile.

Frames keep their times and the audio keeps its offset, so a clip of the copy equals the clip of the source.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avdet.atomic_write import atomic_write
from avdet.media.audio_track import AudioTrack, Waveform
from avdet.media.logmel import SAMPLE_RATE
from avdet.media.media_file import DecodeError, MediaFile, default_stream, file_version
from avdet.media.video_reader import VideoInfo, VideoReader
from avdet.media.video_source import early_end_s
from avdet.media.video_writer import VideoWriter

__all__ = ["CachedVideo", "cache_key", "cache_video", "read_cache_key"]

_GOP, _PRESET, _TUNE = 12, "veryfast", "fastdecode"
_BLOCK_S = 10.0
_SAME_TIME_S = 5e-5  # half of the writer's longest tick is 6 microseconds
_PROBES, _PROBE_S = 8, 2.0
_MAX_LAG_S, _AUDIBLE = 0.0005, 1e-3


@dataclass(frozen=True)
class CachedVideo:
    """A finished copy: its number of frames, its duration and the sizes of both files in bytes.

    early_end_s: when the frames end if the source is truncated, else None.
    """

    path: Path
    frames: int
    duration_s: float
    source_bytes: int
    bytes: int
    early_end_s: float | None = None


def cache_key(source: Path, *, short_side: int, crf: int, audio_track: int | None = None) -> dict[str, object]:
    """Returns what determines a copy: the source's version and the encoding. Raises OSError."""
    key: dict[str, object] = {"avdet_copy_of": file_version(source), "short_side": short_side, "crf": crf}
    return key if audio_track is None else key | {"audio_track": audio_track}


def read_cache_key(copy: Path) -> dict[str, object] | None:
    """Returns the `cache_key` stored in a file that `cache_video` wrote; None for any other file."""
    with suppress(DecodeError, ValueError, RecursionError), MediaFile(copy) as file:
        key = json.loads(file.container.metadata.get("comment", ""))
        if isinstance(key, dict) and "avdet_copy_of" in key:
            return key
    return None


def cache_video(
    source: Path, target: Path, *, short_side: int = 256, crf: int = 20, audio_track: int | None = None
) -> CachedVideo:
    """Writes `target`, an mp4 of at most `short_side` with mono audio at 16 kHz, and verifies it against `source`.

    audio_track: the one that is copied, from 0; None: the one that players select.

    The file appears only after verification: every frame at its time to 0.05 ms, the audio to 0.5 ms. Raises
    DecodeError if the source cannot be read and ValueError if the copy differs.
    """
    with atomic_write(target) as unverified:
        key = json.dumps(cache_key(source, short_side=short_side, crf=crf, audio_track=audio_track))
        times_s, info, end_s = _write(source, unverified, short_side, crf, key, audio_track)
        _verify_frame_times(times_s, unverified, source)
        if info.has_audio:
            _verify_audio(source, unverified, info.duration_s, audio_track)
    return CachedVideo(target, len(times_s), info.duration_s, source.stat().st_size, target.stat().st_size, end_s)


def _write(
    source: Path, target: Path, short_side: int, crf: int, comment: str, audio_track: int | None
) -> tuple[NDArray[np.float64], VideoInfo, float | None]:
    """The times of all frames, the source's info and its `early_end_s`."""
    with VideoReader(source, audio_track=audio_track) as video:
        info, end_s = video.info, early_end_s(video)
    times_s: list[float] = []
    short_side = min(short_side, info.width, info.height)
    with VideoReader(source, short_side=short_side, even=True, audio_track=audio_track) as video:
        height, width = video.frames([info.start_s]).shape[1:3]
        rate = SAMPLE_RATE if info.has_audio else None
        with VideoWriter(
            target, fps=info.fps, width=width, height=height, sample_rate=rate,
            preset=_PRESET, crf=crf, gop=_GOP, tune=_TUNE, comment=comment,
        ) as writer:  # fmt: skip
            audio_s = 0.0
            for time_s, frame in video.play(info.start_s):
                while info.has_audio and audio_s <= time_s:  # interleaves blocks of audio with the frames
                    audio_s = _write_audio(video, writer, audio_s, info.duration_s)
                writer.write_frame(frame, time_s=time_s)
                times_s.append(time_s)
            while info.has_audio and audio_s < info.duration_s:
                audio_s = _write_audio(video, writer, audio_s, info.duration_s)
    return np.array(times_s), info, end_s


def _write_audio(video: VideoReader, writer: VideoWriter, start_s: float, end_s: float) -> float:
    """Writes one block up to `end_s` at most and returns where the next one starts."""
    duration_s = min(_BLOCK_S, end_s - start_s)
    if duration_s > 0:
        writer.write_audio(video.audio(start_s, duration_s, SAMPLE_RATE))
    return start_s + _BLOCK_S


def _verify_frame_times(times_s: NDArray[np.float64], copy: Path, source: Path) -> None:
    with MediaFile(copy) as file:
        stream = default_stream(file.container.streams.video)
        assert stream is not None
        copy_times_s = [
            float(packet.pts * packet.time_base - file.zero_s)
            for packet in file.packets(stream)
            if packet.size and packet.pts is not None and packet.time_base is not None and not packet.is_discard
        ]
    if len(copy_times_s) != len(times_s):
        raise ValueError(
            f"the copy of {source} has {len(copy_times_s)} frames instead of {len(times_s)}; use the video uncached"
        )
    error_s = np.abs(np.sort(copy_times_s) - times_s)
    for index in np.flatnonzero(error_s > _SAME_TIME_S)[:1]:
        raise ValueError(
            f"frame {index} of {source} is at {times_s[index]:.4f} s, but {error_s[index]:.4f} s off in its copy; "
            "use the video uncached"
        )


def _verify_audio(source: Path, copy: Path, duration_s: float, audio_track: int | None) -> None:
    """Compares the audio at positions across the whole video by the lag of the largest correlation."""
    with MediaFile(source) as source_file, MediaFile(copy) as copy_file:
        source_track, copy_track = AudioTrack(source_file, audio_track), AudioTrack(copy_file)
        for start_s in np.linspace(0.0, max(duration_s - _PROBE_S, 0.0), _PROBES).tolist():
            expected = source_track.read(start_s, _PROBE_S, SAMPLE_RATE)
            actual = copy_track.read(start_s, _PROBE_S, SAMPLE_RATE)
            if _rms(expected) < _AUDIBLE:
                continue
            if _rms(actual) < _AUDIBLE / 10:
                raise ValueError(
                    f"{source} has audio at {start_s:.1f} s but its copy is silent; use the video uncached"
                )
            lag_s = _lag(expected, actual) / SAMPLE_RATE
            if abs(lag_s) > _MAX_LAG_S + source_track.tick_s:
                raise ValueError(
                    f"the audio of {source} at {start_s:.1f} s is {1000 * lag_s:.1f} ms late in its copy; use the "
                    "video uncached"
                )


def _rms(waveform: Waveform) -> float:
    return float(np.sqrt((waveform**2).mean()))


def _lag(expected: Waveform, actual: Waveform) -> int:
    """Samples by which `actual` is later, from the peak of the cross-correlation."""
    size = 2 * len(expected)
    correlation = np.fft.irfft(np.fft.rfft(actual, size) * np.fft.rfft(expected, size).conj(), size)
    peak = int(correlation.argmax())
    return peak if peak < size // 2 else peak - size
