"""A copy of a video that is quick to cut clips from: small pictures, key frames close together, easy to decode.

Frames keep their times and the sound stays where it was, so that a clip of the copy is the same clip.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avdet.media.audio_track import AudioTrack, Waveform
from avdet.media.file_fingerprint import file_version
from avdet.media.logmel import SAMPLE_RATE
from avdet.media.media_file import DecodeError, MediaFile, default_stream
from avdet.media.reader import VideoInfo, VideoReader
from avdet.media.video_source import early_end_s
from avdet.media.video_writer import VideoWriter

__all__ = ["CachedVideo", "cache_video", "made_from", "recipe_of"]

_GOP, _PRESET, _TUNE = 12, "veryfast", "fastdecode"
_BLOCK_S = 10.0
_SAME_TIME_S = 5e-5  # half of the writer's coarsest tick is 6 microseconds
_PROBES, _PROBE_S = 8, 2.0
_LARGEST_LAG_S, _AUDIBLE = 0.0005, 1e-3


@dataclass(frozen=True)
class CachedVideo:
    """What was made: how many frames, how long, and how large both files are.

    early_end_s: when the pictures end, where the source breaks off before its own end.
    """

    path: Path
    frames: int
    duration_s: float
    source_bytes: int
    bytes: int
    early_end_s: float | None = None


def recipe_of(source: Path, *, short_side: int, crf: int) -> dict[str, object]:
    """From what a copy is made, and how; the copy says it of itself. Raises OSError."""
    return {"avdet_copy_of": file_version(source), "short_side": short_side, "crf": crf}


def made_from(copy: Path) -> dict[str, object] | None:
    """The `recipe_of` a file that `cache_video` made; None of any other."""
    with suppress(DecodeError, ValueError), MediaFile(copy) as file:
        said = json.loads(file.container.metadata.get("comment", ""))
        if isinstance(said, dict) and "avdet_copy_of" in said:
            return said
    return None


def cache_video(source: Path, target: Path, *, short_side: int = 256, crf: int = 20) -> CachedVideo:
    """Writes `target`, an mp4 of at most `short_side` with mono sound at 16 kHz, and checks it against `source`.

    The file appears when it is complete and found equal in time: every frame at its time to 0.05 ms, the sound to
    0.5 ms. Raises DecodeError where the source cannot be read and ValueError where the copy is not equal.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    unchecked = target.with_name(f".{target.stem}.{os.getpid()}.unchecked.mp4")
    try:
        comment = json.dumps(recipe_of(source, short_side=short_side, crf=crf))
        times_s, info, end_s = _write(source, unchecked, short_side, crf, comment)
        _refuse_other_frame_times(times_s, unchecked, source)
        if info.has_audio:
            _refuse_other_sound(source, unchecked, info.duration_s)
        unchecked.replace(target)
    finally:
        unchecked.unlink(missing_ok=True)
    return CachedVideo(target, len(times_s), info.duration_s, source.stat().st_size, target.stat().st_size, end_s)


def _write(
    source: Path, target: Path, short_side: int, crf: int, comment: str
) -> tuple[NDArray[np.float64], VideoInfo, float | None]:
    """The times of all frames, what the source says about itself, and its `early_end_s`."""
    with VideoReader(source) as video:
        info, end_s = video.info, early_end_s(video)
    times_s: list[float] = []
    with VideoReader(source, short_side=min(short_side, info.width, info.height), even=True) as video:
        height, width = video.frames([info.start_s]).shape[1:3]
        rate = SAMPLE_RATE if info.has_audio else None
        with VideoWriter(
            target, fps=info.fps, width=width, height=height, sample_rate=rate,
            preset=_PRESET, crf=crf, gop=_GOP, tune=_TUNE, comment=comment,
        ) as writer:  # fmt: skip
            heard_s = 0.0
            for time_s, frame in video.play(info.start_s):
                while info.has_audio and heard_s <= time_s:  # sound and pictures are interleaved block by block
                    heard_s = _write_sound(video, writer, heard_s, info.duration_s)
                writer.write_frame(frame, time_s=time_s)
                times_s.append(time_s)
            while info.has_audio and heard_s < info.duration_s:
                heard_s = _write_sound(video, writer, heard_s, info.duration_s)
    return np.array(times_s), info, end_s


def _write_sound(video: VideoReader, writer: VideoWriter, start_s: float, end_s: float) -> float:
    """One block, cut at the end; where the next one starts."""
    duration_s = min(_BLOCK_S, end_s - start_s)
    if duration_s > 0:
        writer.write_audio(video.audio(start_s, duration_s, SAMPLE_RATE))
    return start_s + _BLOCK_S


def _refuse_other_frame_times(times_s: NDArray[np.float64], copy: Path, source: Path) -> None:
    with MediaFile(copy) as file:
        stream = default_stream(file.container.streams.video)
        assert stream is not None
        packets = file.container.demux(stream)
        shown = [
            float(packet.pts * packet.time_base - file.zero_s)
            for packet in packets
            if packet.size and packet.pts is not None and packet.time_base is not None and not packet.is_discard
        ]
    if len(shown) != len(times_s):
        raise ValueError(f"the copy of {source} has {len(shown)} frames instead of {len(times_s)}; leave it uncached")
    apart_s = np.abs(np.sort(shown) - times_s)
    for where in np.flatnonzero(apart_s > _SAME_TIME_S)[:1]:
        raise ValueError(
            f"frame {where} of {source} is at {times_s[where]:.4f} s, in its copy {apart_s[where]:.4f} s from there; "
            "leave the video uncached"
        )


def _refuse_other_sound(source: Path, copy: Path, duration_s: float) -> None:
    """By the lag at which the two correlate best, at places all over the video."""
    with MediaFile(source) as one, MediaFile(copy) as other:
        tracks = AudioTrack(one), AudioTrack(other)
        for start_s in np.linspace(0.0, max(duration_s - _PROBE_S, 0.0), _PROBES):
            here, there = (track.read(float(start_s), _PROBE_S, SAMPLE_RATE) for track in tracks)
            if np.sqrt((here**2).mean()) < _AUDIBLE:
                continue
            if np.sqrt((there**2).mean()) < _AUDIBLE / 10:
                raise ValueError(f"{source} sounds at {start_s:.1f} s and its copy does not; leave the video uncached")
            lag_s = _lag(here, there) / SAMPLE_RATE
            if abs(lag_s) > _LARGEST_LAG_S:
                raise ValueError(
                    f"the sound of {source} at {start_s:.1f} s is {1000 * lag_s:.1f} ms late in its copy; leave the "
                    "video uncached"
                )


def _lag(here: Waveform, there: Waveform) -> int:
    """Samples by which `there` is later."""
    size = 2 * len(here)
    correlation = np.fft.irfft(np.fft.rfft(there, size) * np.fft.rfft(here, size).conj(), size)
    peak = int(correlation.argmax())
    return peak if peak < size // 2 else peak - size
