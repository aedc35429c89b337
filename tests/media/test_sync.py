"""A simultaneous flash and beep are simultaneous in the network's input frames and log-mel."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from avdet.media.clip_times import clip_span, clip_times
from avdet.media.logmel import HOP, SAMPLE_RATE, LogMel
from avdet.media.video_reader import VideoReader
from avdet.media.video_writer import VideoWriter
from tests.media.make_videos import write_video

DURATION_S = 4.0
EVENT_S = 2.2
NTSC = Fraction(30000, 1001)
CINEMA = Fraction(24000, 1001)


def _frame_times(fps: Fraction | str) -> list[float]:
    if fps == "variable":
        steps = np.random.default_rng(3).choice([1, 1, 2, 3], 200) / 30
        times = np.concatenate([[0.0], np.cumsum(steps)])
        return [float(t) for t in times if t < DURATION_S]
    return [float(k / Fraction(fps)) for k in range(int(DURATION_S * Fraction(fps)))]


def _flashes(times_s: list[float]) -> list[NDArray[np.uint8]]:
    """Black until the first frame at or after EVENT_S, white from there."""
    return [np.full((32, 32, 3), 255 if t >= EVENT_S else 0, np.uint8) for t in times_s]


def _beep(start_s: float, event_s: float, rate: int) -> NDArray[np.float32]:
    """A track that begins at `start_s`: zeros until the event, then a tone."""
    t = start_s + np.arange(round((DURATION_S - start_s) * rate)) / rate
    return np.where(t >= event_s, 0.5 * np.sin(2 * np.pi * 1000 * t), 0.0).astype(np.float32)


def _event_times(path: Path, center_s: float) -> tuple[float, float]:
    """When the flash and the beep begin in the network's input, in seconds from the clip's start."""
    fps, num_frames = 30.0, 64
    with VideoReader(path, short_side=16) as video:
        times = clip_times(center_s, num_frames=num_frames, stride=1, fps=fps)
        frames = video.frames(times)
        start_s, duration_s = clip_span(center_s, num_frames=num_frames, fps=fps)
        waveform = video.audio(start_s, duration_s, SAMPLE_RATE)
    bright = frames.reshape(num_frames, -1).mean(axis=1) > 128
    assert not bright[0] and bright[-1]
    energy = LogMel().log_mel(torch.from_numpy(waveform)).logsumexp(dim=1).numpy()
    loud = energy > energy.max() - 5
    assert not loud[0] and loud[-1]
    # A hop is loud once its window of two hops contains some of the tone: its end marks the event.
    beep_s = (int(loud.argmax()) + 2) * HOP / SAMPLE_RATE - HOP / SAMPLE_RATE / 2
    return int(bright.argmax()) / fps, beep_s


def _check(path: Path, shown_s: float, frame_s: float) -> None:
    for center_s in (shown_s, shown_s + 0.517):
        flash_s, beep_s = _event_times(path, center_s)
        assert abs(flash_s - beep_s) <= frame_s + HOP / SAMPLE_RATE
        assert abs(flash_s - (shown_s - center_s + 32 / 30)) <= 1 / 30 + 1e-6


@pytest.mark.parametrize("rate", [8000, 16000, 44100, 48000])
@pytest.mark.parametrize("fps", [Fraction(30), Fraction(25), CINEMA, NTSC, Fraction(15), "variable"], ids=str)
def test_any_frame_rate_and_sample_rate(tmp_path: Path, fps: Fraction | str, rate: int) -> None:
    times = _frame_times(fps)
    event_s = min(t for t in times if t >= EVENT_S)
    path = write_video(
        tmp_path / "a.mp4",
        fps=30 if fps == "variable" else Fraction(fps),
        times_s=times,
        frames=_flashes(times),
        waveform=_beep(0.0, event_s, rate),
        sample_rate=rate,
    )
    _check(path, event_s, 1 / 30)


@pytest.mark.parametrize("offset_s", [-0.5, -0.21, 0.037, 0.5])
@pytest.mark.parametrize("container", ["mp4", "mov", "mkv", "ts", "flv"])
def test_streams_with_different_start_times(tmp_path: Path, container: str, offset_s: float) -> None:
    """With a positive offset the audio starts later than the frames."""
    frames_start_s, audio_start_s = max(-offset_s, 0.0), max(offset_s, 0.0)
    times = [frames_start_s + t for t in _frame_times(Fraction(25))]
    event_s = min(t for t in times if t >= EVENT_S)
    path = write_video(
        tmp_path / f"a.{container}",
        times_s=times,
        frames=_flashes(times),
        waveform=_beep(audio_start_s, event_s, 44100),
        sample_rate=44100,
        audio_start_s=audio_start_s,
    )
    with VideoReader(path, short_side=16) as video:
        assert video.info.start_s == pytest.approx(frames_start_s, abs=0.03)
        assert not video.audio(0, audio_start_s, 8000)[:-100].any()
    _check(path, event_s, 1 / 25)


@pytest.mark.parametrize("container", ["mp4", "mkv", "ts"])
def test_container_clock_that_starts_late(tmp_path: Path, container: str) -> None:
    """Time zero is the container's start for both streams, as in players."""
    times = [10 + t for t in _frame_times(Fraction(25))]
    path = write_video(
        tmp_path / f"a.{container}",
        times_s=times,
        frames=[np.full((32, 32, 3), 255 if t >= 10 + EVENT_S else 0, np.uint8) for t in times],
        waveform=_beep(0.0, EVENT_S, 16000),
        audio_start_s=10.0,
    )
    with VideoReader(path) as video:
        start_s = video.info.start_s  # the clock of a file that keeps AAC's 64 ms of priming begins with them
    assert start_s <= 0.07
    _check(path, start_s + EVENT_S, 1 / 25)


@pytest.mark.parametrize(("codec", "audio_codec"), [("mpeg4", "libmp3lame"), ("libx264", "pcm_s16le")])
def test_avi_without_display_times(tmp_path: Path, codec: str, audio_codec: str) -> None:
    times = _frame_times(Fraction(25))
    path = write_video(
        tmp_path / "a.avi",
        codec=codec,
        frames=_flashes(times),
        num_frames=len(times),
        waveform=_beep(0.0, EVENT_S, 44100),
        sample_rate=44100,
        audio_codec=audio_codec,
    )
    _check(path, EVENT_S, 1 / 25)


def test_video_writer(tmp_path: Path) -> None:
    times = _frame_times(NTSC)
    event_s = min(t for t in times if t >= EVENT_S)
    with VideoWriter(tmp_path / "a.mp4", fps=NTSC, width=32, height=32, sample_rate=22050) as writer:
        writer.write_audio(_beep(0.0, event_s, 22050))
        for frame in _flashes(times):
            writer.write_frame(frame)
    _check(tmp_path / "a.mp4", event_s, 1 / 30)
