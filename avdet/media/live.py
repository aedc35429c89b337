"""Frames and audio chunks of a live source (camera, stream address, file in real time) in the order of arrival."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import av
import cv2
import numpy as np
from av.audio.frame import AudioFrame
from av.container import InputContainer
from av.error import FFmpegError
from numpy.typing import NDArray

from avdet.media.audio_track import Waveform, mix_to_mono
from avdet.media.display_size import quarter_turns
from avdet.media.logmel import SAMPLE_RATE
from avdet.media.media_file import DecodeError
from avdet.media.video_reader import VideoReader

__all__ = ["AudioChunk", "Event", "VideoFrame", "live_events"]

_CHUNK_S = 0.1
_GAP_S = 0.1  # resampler delay and timestamp errors are smaller
# By platform: FFmpeg's input format for cameras and the device name of a camera number.
_CAMERAS = {"linux": ("v4l2", "/dev/video{}"), "darwin": ("avfoundation", "{}:0"), "win32": ("dshow", "video={}")}


@dataclass(frozen=True)
class VideoFrame:
    """rgb: (H, W, 3) uint8, on screen from `time_s` seconds on."""

    time_s: float
    rgb: NDArray[np.uint8]


@dataclass(frozen=True)
class AudioChunk:
    """samples: (n,) mono float32 in [-1, 1] at 16 kHz, the first one at `time_s` seconds."""

    time_s: float
    samples: Waveform


Event: TypeAlias = VideoFrame | AudioChunk


def live_events(source: str, *, short_side: int) -> Iterator[Event]:
    """Yields the frames and audio of a camera (its number), an address (rtsp://, http://) or a file.

    A file plays in real time; its audio arrives shortly after its frames, as from a sound card. Times are seconds since
    the source began. Frames are scaled down to `short_side`. Raises DecodeError if the source cannot be read.
    """
    if source.isdigit() or "://" in source:
        return _device_events(source, short_side)
    return _file_events(Path(source), short_side)


def _file_events(path: Path, short_side: int) -> Iterator[Event]:
    with VideoReader(path) as probe:
        info = probe.info
    started = time.monotonic()
    audio_s = 0.0
    with VideoReader(path, short_side=min(short_side, info.width, info.height)) as reader:
        for time_s, rgb in reader.play():
            time.sleep(max(started + time_s - time.monotonic(), 0.0))
            yield VideoFrame(time_s, rgb)
            while info.has_audio and audio_s + _CHUNK_S <= time_s:
                yield AudioChunk(audio_s, reader.audio(audio_s, _CHUNK_S, SAMPLE_RATE))
                audio_s += _CHUNK_S


def _device_events(source: str, short_side: int) -> Iterator[Event]:
    """Times count from the first frame of either stream; frames stamped earlier are dropped."""
    form, name = _CAMERAS.get(sys.platform, _CAMERAS["linux"]) if source.isdigit() else (None, "{}")
    options = {"rtsp_transport": "tcp"} if source.startswith("rtsp") else {}
    address = name.format(source)
    try:
        container = av.open(address, format=form, options=options, timeout=10.0)
    except (FFmpegError, OSError) as error:
        raise DecodeError(Path(address), None, f"it cannot be opened: {error}") from error
    with container:
        if not container.streams.video:
            raise DecodeError(Path(address), None, "it has no video stream")
        resampler = _LiveResampler()
        first_s: float | None = None
        for frame in _decoded(container, address):
            if not isinstance(frame, av.VideoFrame | av.AudioFrame) or frame.time is None:
                continue
            first_s = frame.time if first_s is None else first_s
            if frame.time < first_s:
                continue
            if isinstance(frame, av.VideoFrame):
                rgb = np.asarray(frame.to_ndarray(format="rgb24"), np.uint8)
                rotated = np.rot90(_scaled_down(rgb, short_side), quarter_turns(frame))
                yield VideoFrame(frame.time - first_s, np.ascontiguousarray(rotated))
            else:
                yield from resampler.chunks(frame, frame.time - first_s)


def _decoded(container: InputContainer, address: str) -> Iterator[object]:
    """Frames of both streams. Raises DecodeError if the source times out or disconnects."""
    try:
        yield from container.decode(*container.streams.video[:1], *container.streams.audio[:1])
    except (FFmpegError, OSError) as error:
        raise DecodeError(Path(address), None, f"the connection was lost: {error.strerror or error}") from error


class _LiveResampler:
    """Mixes and resamples a live stream's audio like a file's and makes its chunks contiguous."""

    def __init__(self) -> None:
        self._resampler = av.AudioResampler("flt", "mono", SAMPLE_RATE)
        self._end_s: float | None = None

    def chunks(self, frame: AudioFrame, time_s: float) -> Iterator[AudioChunk]:
        """Timestamps are rounded, so a chunk starts where the previous one ended unless there is a real gap."""
        mono = AudioFrame.from_ndarray(mix_to_mono(frame)[None], format="flt", layout="mono")
        mono.sample_rate, mono.pts, mono.time_base = frame.sample_rate, frame.pts, frame.time_base
        if self._end_s is None or abs(time_s - self._end_s) > _GAP_S:
            self._end_s = time_s
        for part in self._resampler.resample(mono):
            samples = part.to_ndarray()[0].astype(np.float32).clip(-1.0, 1.0)
            yield AudioChunk(self._end_s, samples)
            self._end_s += len(samples) / SAMPLE_RATE


def _scaled_down(rgb: NDArray[np.uint8], short_side: int) -> NDArray[np.uint8]:
    height, width = rgb.shape[:2]
    scale = short_side / min(height, width)
    if scale >= 1:
        return rgb
    return np.asarray(cv2.resize(rgb, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA))
