"""Simple ways to load a clip, with which the loader is compared."""

from __future__ import annotations

import math
import wave
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from av.container import InputContainer
from av.video.frame import VideoFrame
from numpy.typing import NDArray
from torch.nn.functional import interpolate

from avdet.media.logmel import SAMPLE_RATE
from avdet.media.video_reader import VideoReader

Times = NDArray[np.float64]
JPEG_RATE = 30
_MEAN, _STD = 0.45, 0.225


def bare_decode(path: Path, times_s: Times) -> None:
    """Decodes every frame from the key frame before the first time to the last time, and discards them."""
    with av.open(str(path)) as container:
        for _ in _frames_to(container, times_s):
            pass


def plain_pyav(path: Path, times_s: Times, start_s: float, duration_s: float, short_side: int) -> torch.Tensor:
    """Decodes and scales the frames at `times_s` with PyAV alone, and returns the audio of the span, 16 kHz mono."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        scale = short_side / min(stream.width, stream.height)
        size = {"width": round(stream.width * scale), "height": round(stream.height * scale)}
        frames = _displayed(container, times_s)
        np.stack([frame.reformat(**size, format="rgb24").to_ndarray() for frame in frames])
        if not container.streams.audio:
            return torch.zeros(math.ceil(duration_s * SAMPLE_RATE))
        container.seek(int(start_s / (stream.time_base or 1)), stream=stream)
        return _audio(container, start_s, duration_s)


def naive(path: Path, times_s: Times, start_s: float, duration_s: float, short_side: int) -> torch.Tensor:
    """Converts all frames of the span to RGB at full size, normalises the ones at `times_s` and scales them last.

    Decodes the whole audio track and returns the span, 16 kHz mono. Training code is often written like this.
    """
    with av.open(str(path)) as container:
        decoded = [(frame.time or 0.0, frame.to_ndarray(format="rgb24")) for frame in _frames_to(container, times_s)]
        indices = np.searchsorted([time_s for time_s, _ in decoded], times_s + _origin_s(container), side="right") - 1
        frames = torch.from_numpy(np.stack([decoded[max(int(index), 0)][1] for index in indices]))
        normalised = ((frames.float() / 255 - _MEAN) / _STD).permute(0, 3, 1, 2)
        scale = short_side / min(normalised.shape[2:])
        interpolate(normalised, scale_factor=scale, mode="bilinear", align_corners=False)
    with av.open(str(path)) as container:
        if not container.streams.audio:
            return torch.zeros(math.ceil(duration_s * SAMPLE_RATE))
        track = _audio(container, 0.0, math.inf)
        start = round(start_s * SAMPLE_RATE)
        return track[start : start + round(duration_s * SAMPLE_RATE)].clone()


def write_jpegs(path: Path, windows: list[Times], folder: Path, short_side: int) -> float:
    """Extracts the frames of the windows as VIDEO/VIDEO_000001.jpg at 30 fps, and the audio as VIDEO.wav.

    VIDEO is `folder`. Returns the bytes per second of the frames.
    """
    folder.mkdir()
    with VideoReader(path, short_side=short_side) as video:
        for window in windows:
            numbers = sorted({math.floor(time_s * JPEG_RATE) + 1 for time_s in window})
            frames = video.frames([(number - 0.5) / JPEG_RATE for number in numbers])
            for number, frame in zip(numbers, frames, strict=True):
                cv2.imwrite(str(folder / f"{folder.name}_{number:06d}.jpg"), frame[..., ::-1])
        if video.info.has_audio:
            audio = video.audio(0.0, video.info.duration_s, SAMPLE_RATE)
            with wave.open(str(folder.with_suffix(".wav")), "wb") as file:
                file.setparams((1, 2, SAMPLE_RATE, len(audio), "NONE", "not compressed"))
                file.writeframes((audio * 32767).astype("<i2").tobytes())
    sizes = [file.stat().st_size for file in folder.iterdir()]
    return JPEG_RATE * sum(sizes) / len(sizes)


def _frames_to(container: InputContainer, times_s: Times) -> Iterator[VideoFrame]:
    """Decodes from the key frame before the first time to the first frame after the last time."""
    stream = container.streams.video[0]
    stream.codec_context.thread_count = 1
    origin_s = _origin_s(container)
    container.seek(int((times_s[0] + origin_s) / (stream.time_base or 1)), stream=stream)
    for frame in container.decode(stream):
        yield frame
        if (frame.time or 0.0) > times_s[-1] + origin_s:
            return


def _displayed(container: InputContainer, times_s: Times) -> Iterator[VideoFrame]:
    remaining = list(times_s + _origin_s(container))
    displayed: VideoFrame | None = None
    for frame in _frames_to(container, times_s):
        while remaining and displayed is not None and (frame.time or 0.0) > remaining[0]:
            yield displayed
            remaining.pop(0)
        displayed = frame
    if displayed is not None:
        yield from [displayed] * len(remaining)


def _audio(container: InputContainer, start_s: float, duration_s: float) -> torch.Tensor:
    """Decodes from the container's position to the end of the span, and cuts the span out."""
    resampler = av.AudioResampler(format="fltp", layout="mono", rate=SAMPLE_RATE)
    chunks, first_s = [], None
    for frame in container.decode(container.streams.audio[0]):
        first_s = frame.time if first_s is None else first_s
        chunks += [chunk.to_ndarray()[0] for chunk in resampler.resample(frame)]
        if (frame.time or 0.0) > start_s + duration_s:
            break
    samples = torch.from_numpy(np.concatenate(chunks))
    start = max(round((start_s - (first_s or 0.0)) * SAMPLE_RATE), 0)
    end = None if duration_s == math.inf else start + round(duration_s * SAMPLE_RATE)
    return samples[start:end].clone()


def _origin_s(container: InputContainer) -> float:
    return (container.start_time or 0) / av.time_base
