"""Films to measure the loader on: a clip of ten seconds and a long movie, both with sound, made anew from a seed."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from avdet.media.video_writer import VideoWriter

FPS, WIDTH, HEIGHT, SOUND_RATE = 30, 480, 360, 44_100
_WALKERS = 6


def write_clip(path: Path, *, seconds: int = 10) -> Path:
    """480x360 H.264 at 30 fps with AAC, as web videos are encoded: about 600 kbit/s, key frames far apart."""
    rng = np.random.default_rng(0)
    wall = _texture(rng, HEIGHT + 100, WIDTH + 200)
    walkers = [_texture(rng, int(rng.integers(80, 200)), int(rng.integers(40, 90))) for _ in range(_WALKERS)]
    places, speeds = rng.uniform(0, 1, (_WALKERS, 2)), rng.uniform(-60, 60, _WALKERS)
    with VideoWriter(
        path, fps=FPS, width=WIDTH, height=HEIGHT, sample_rate=SOUND_RATE, preset="medium", crf=23
    ) as writer:
        writer.write_audio(_murmur(rng, seconds))
        for number in range(seconds * FPS):
            time_s = number / FPS
            pan = int(100 + 90 * np.sin(time_s / 2)), int(50 + 40 * np.sin(time_s / 3))
            frame = wall[pan[1] :, pan[0] :][:HEIGHT, :WIDTH].copy()
            for walker, place, speed in zip(walkers, places, speeds, strict=True):
                tall, wide = walker.shape[:2]
                left = int(place[0] * WIDTH + speed * time_s) % (WIDTH - wide)
                top = int(place[1] * (HEIGHT - tall) + 5 * np.sin(8 * time_s + speed)) % (HEIGHT - tall)
                frame[top : top + tall, left : left + wide] = walker
            grain = rng.integers(-6, 7, (HEIGHT, WIDTH, 1), np.int16)
            writer.write_frame(np.clip(frame + grain, 0, 255).astype(np.uint8))
    return path


def write_video(clip: Path, path: Path, *, minutes: int) -> Path:
    """The clip over and over in one file, packet by packet; each stream as long as it is, so they drift apart a bit."""
    with av.open(str(clip)) as source, av.open(str(path), "w") as target:
        duration_s = (source.duration or 0) / av.time_base
        packets = [packet for packet in source.demux() if packet.dts is not None]
        streams = {s.index: target.add_stream_from_template(s) for s in (*source.streams.video, *source.streams.audio)}
        of_stream = {index: [packet for packet in packets if packet.stream_index == index] for index in streams}
        ticks = {i: len(own) * (own[0].duration or 0) for i, own in of_stream.items()}
        first = [(packet, packet.pts, packet.dts) for packet in packets]
        for repeat in range(minutes * 60 // round(duration_s)):
            for packet, pts, dts in first:
                later = repeat * ticks[packet.stream_index]
                copy = av.Packet(bytes(packet))
                copy.pts, copy.dts, copy.duration = (pts or 0) + later, (dts or 0) + later, packet.duration
                copy.time_base, copy.is_keyframe = packet.time_base, packet.is_keyframe
                copy.stream = streams[packet.stream_index]
                target.mux(copy)
    return path


def _texture(rng: np.random.Generator, height: int, width: int) -> NDArray[np.uint8]:
    """Coarse colours with finer ones upon them."""
    layers = [
        np.asarray(cv2.resize(rng.normal(0, spread, (height // size + 2, width // size + 2, 3)), (width, height)))
        for size, spread in ((40, 60), (10, 25), (3, 12))
    ]
    return np.clip(128 + sum(layers), 0, 255).astype(np.uint8)


def _murmur(rng: np.random.Generator, seconds: int) -> NDArray[np.float32]:
    """Noise whose loudness and colour wander."""
    count = seconds * SOUND_RATE
    noise = rng.normal(0, 1, count)
    dull = np.convolve(noise, np.hanning(32) / 16, "same")
    swell = np.interp(np.arange(count), np.linspace(0, count, 40), rng.uniform(0, 1, 40))
    return (0.1 * (swell * noise + (1 - swell) * dull)).astype(np.float32)
