"""Small videos whose frames show their own index, written with plain PyAV so that any container can be tested."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import cv2
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from avdet.media.video_writer import VideoWriter

WIDTH, HEIGHT = 64, 48
_BITS = 8


def numbered(number: int, width: int = WIDTH, height: int = HEIGHT) -> NDArray[np.uint8]:
    """A frame whose upper half encodes `number` in black and white columns, lowest bit left; grey below."""
    frame = np.full((height, width, 3), 128, np.uint8)
    for bit in range(_BITS):
        left, right = bit * width // _BITS, (bit + 1) * width // _BITS
        frame[: height // 2, left:right] = 255 if number >> bit & 1 else 0
    return frame


def number_of(frame: NDArray[np.uint8]) -> int:
    """The number that `numbered` encoded in a frame of any size."""
    height, width = frame.shape[:2]
    row = frame[height // 4].mean(axis=-1)
    return sum(1 << bit for bit in range(_BITS) if row[(2 * bit + 1) * width // (2 * _BITS)] > 128)


def numbers_of(frames: NDArray[np.uint8]) -> list[int]:
    return [number_of(frame) for frame in frames]


def write_video(
    path: Path,
    *,
    num_frames: int = 50,
    fps: float | Fraction = 25,
    times_s: Sequence[float] | None = None,
    codec: str = "libx264",
    gop: int = 12,
    b_frames: int = 2,
    options: Mapping[str, str] | None = None,
    pix_fmt: str = "yuv420p",
    frames: Sequence[NDArray[np.uint8]] | None = None,
    waveform: NDArray[np.float32] | None = None,
    sample_rate: int = 16000,
    audio_codec: str = "aac",
    audio_start_s: float = 0.0,
) -> Path:
    """Writes frames 0, 1, 2, .. at `fps` or at `times_s`; waveform (channels, n) or (n,) from `audio_start_s` on."""
    rate = Fraction(fps).limit_denominator(1001)
    times = [k / rate for k in range(num_frames)] if times_s is None else [Fraction(t) for t in times_s]
    images = frames or [numbered(k) for k in range(len(times))]
    with av.open(str(path), "w") as container:
        video = cast(VideoStream, container.add_stream(codec, rate=rate, options=dict(options or {})))
        video.height, video.width = images[0].shape[:2]
        video.pix_fmt = pix_fmt
        video.codec_context.gop_size, video.codec_context.max_b_frames = gop, b_frames
        if times_s is not None:
            video.codec_context.time_base = Fraction(1, 90_000)
        audio = None
        if waveform is not None:
            layout = {1: "mono", 2: "stereo", 6: "5.1"}[np.atleast_2d(waveform).shape[0]]
            audio = cast(AudioStream, container.add_stream(audio_codec, rate=sample_rate, layout=layout))
        _write_frames(container, video, images, times)
        if audio is not None and waveform is not None:
            _write_audio(container, audio, np.atleast_2d(waveform), audio_start_s)
    return path


def write_frames(
    folder: Path,
    numbers: Sequence[int],
    *,
    suffix: str = ".jpg",
    width: int = WIDTH,
    height: int = HEIGHT,
    first_number: int | None = None,
) -> Path:
    """A folder of files FOLDER_000001.jpg, ..: each file shows its own number, or counts from `first_number`."""
    folder.mkdir()
    for index, number in enumerate(numbers):
        shown = number if first_number is None else first_number + index
        cv2.imwrite(str(folder / f"{folder.name}_{number:06d}{suffix}"), numbered(shown, width, height))
    return folder


def truncated(source: Path, target: Path, share: float) -> Path:
    """Keeps the first `share` of the bytes, as an interrupted download does."""
    data = source.read_bytes()
    target.write_bytes(data[: int(len(data) * share)])
    return target


def faststart(path: Path, fps: int = 25) -> Path:
    """Writes 100 frames with the index at the front, so that a truncated file still opens."""
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        stream = container.add_stream("libx264", rate=fps, width=64, height=48, options={"qp": "0"})
        stream.codec_context.gop_size = 12
        for number in range(100):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(numbered(number), format="rgb24")))
        container.mux(stream.encode(None))
    return path


def _write_frames(
    container: OutputContainer, video: VideoStream, images: Sequence[NDArray[np.uint8]], times: Sequence[Fraction]
) -> None:
    base = video.codec_context.time_base or 1 / video.codec_context.framerate
    for image, time_s in zip(images, times, strict=True):
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts, frame.time_base = round(time_s / base), base
        container.mux(video.encode(frame))
    container.mux(video.encode(None))


def _write_audio(container: OutputContainer, audio: AudioStream, waveform: NDArray[np.float32], start_s: float) -> None:
    start = round(start_s * audio.rate)
    for k in range(0, waveform.shape[1], 1024):
        block = np.ascontiguousarray(waveform[:, k : k + 1024], np.float32)
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=audio.layout.name)
        frame.sample_rate, frame.pts, frame.time_base = audio.rate, start + k, Fraction(1, audio.rate)
        container.mux(audio.encode(frame))
    container.mux(audio.encode(None))


def write_broken_download(path: Path) -> Path:
    """Writes half of 60 frames at 10 fps: the index at the front of the mp4 still announces 6 s."""
    with VideoWriter(path, fps=10, width=WIDTH, height=HEIGHT) as writer:
        for noise in np.random.default_rng(0).integers(0, 255, (60, HEIGHT, WIDTH, 3), np.uint8):
            writer.write_frame(noise)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path
