"""Synthetic videos for the benchmarks: a short clip and a long video, both with audio, the same on every run."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from avdet.media.video_writer import VideoWriter

FPS, WIDTH, HEIGHT, AUDIO_RATE = 30, 480, 360, 44_100
_OBJECTS = 6


def write_clip(path: Path, *, seconds: int = 10) -> Path:
    """Writes 480x360 H.264 at 30 fps with AAC, encoded like web videos: about 600 kbit/s, few key frames."""
    rng = np.random.default_rng(0)
    background = _texture(rng, HEIGHT + 100, WIDTH + 200)
    objects = [_texture(rng, int(rng.integers(80, 200)), int(rng.integers(40, 90))) for _ in range(_OBJECTS)]
    positions, speeds = rng.uniform(0, 1, (_OBJECTS, 2)), rng.uniform(-60, 60, _OBJECTS)
    with VideoWriter(
        path, fps=FPS, width=WIDTH, height=HEIGHT, sample_rate=AUDIO_RATE, preset="medium", crf=23
    ) as writer:
        writer.write_audio(_noise(rng, seconds))
        for number in range(seconds * FPS):
            time_s = number / FPS
            pan = int(100 + 90 * np.sin(time_s / 2)), int(50 + 40 * np.sin(time_s / 3))
            frame = background[pan[1] :, pan[0] :][:HEIGHT, :WIDTH].copy()
            for texture, position, speed in zip(objects, positions, speeds, strict=True):
                height, width = texture.shape[:2]
                left = int(position[0] * WIDTH + speed * time_s) % (WIDTH - width)
                top = int(position[1] * (HEIGHT - height) + 5 * np.sin(8 * time_s + speed)) % (HEIGHT - height)
                frame[top : top + height, left : left + width] = texture
            grain = rng.integers(-6, 7, (HEIGHT, WIDTH, 1), np.int16)
            writer.write_frame(np.clip(frame + grain, 0, 255).astype(np.uint8))
    return path


def write_long_video(clip: Path, path: Path, *, minutes: int) -> Path:
    """Repeats the clip for some minutes without encoding it again.

    Audio and video streams differ slightly in length, so they drift apart by that much per repetition.
    """
    with av.open(str(clip)) as source, av.open(str(path), "w") as target:
        duration_s = (source.duration or 0) / av.time_base
        packets = [packet for packet in source.demux() if packet.dts is not None]
        streams = {s.index: target.add_stream_from_template(s) for s in (*source.streams.video, *source.streams.audio)}
        packets_of = {index: [packet for packet in packets if packet.stream_index == index] for index in streams}
        stream_ticks = {index: len(own) * (own[0].duration or 0) for index, own in packets_of.items()}
        timed_packets = [(packet, packet.pts, packet.dts) for packet in packets]
        for repeat in range(minutes * 60 // round(duration_s)):
            for packet, pts, dts in timed_packets:
                offset = repeat * stream_ticks[packet.stream_index]
                copy = av.Packet(bytes(packet))
                copy.pts, copy.dts, copy.duration = (pts or 0) + offset, (dts or 0) + offset, packet.duration
                copy.time_base, copy.is_keyframe = packet.time_base, packet.is_keyframe
                copy.stream = streams[packet.stream_index]
                target.mux(copy)
    return path


def _texture(rng: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    """Random colours at three scales."""
    layers = [
        np.asarray(cv2.resize(rng.normal(0, spread, (height // size + 2, width // size + 2, 3)), (width, height)))
        for size, spread in ((40, 60), (10, 25), (3, 12))
    ]
    return np.clip(128 + sum(layers), 0, 255).astype(np.uint8)


def _noise(rng: np.random.Generator, seconds: int) -> NDArray[np.float32]:
    """Noise whose spectrum varies over time."""
    count = seconds * AUDIO_RATE
    noise = rng.normal(0, 1, count)
    low_pass = np.convolve(noise, np.hanning(32) / 16, "same")
    mix = np.interp(np.arange(count), np.linspace(0, count, 40), rng.uniform(0, 1, 40))
    return (0.1 * (mix * noise + (1 - mix) * low_pass)).astype(np.float32)
