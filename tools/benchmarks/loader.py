"""Times loading a clip from a video file on one core: random windows of scaled frames with their log-mel."""

from __future__ import annotations

import argparse
import platform
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from avdet.config import Config, load_config
from avdet.data.augmentation import Augmentation
from avdet.data.build import build_clip_extractor
from avdet.data.clip_extractor import ClipExtractor
from avdet.data.transforms import colour_transform, crop, flip, random_crop, transform_colours
from avdet.media.audio_track import AudioTrack
from avdet.media.cache import cache_video
from avdet.media.clip_times import clip_span, clip_times
from avdet.media.frame_decoder import FrameDecoder
from avdet.media.logmel import SAMPLE_RATE
from avdet.media.media_file import MediaFile, default_stream
from avdet.media.packets import PacketSource
from avdet.media.video_reader import Frames, VideoReader
from avdet.media.video_source import open_video
from benchmarks import baseline_loaders as baselines
from benchmarks.benchmark_videos import write_clip, write_long_video

AVDET, JPEGS, CACHE = "avdet", "JPEG frames", "from the cache"
_MARGIN_S = 0.1
_MAX_CACHED_S = 60.0  # longer videos are cached with --cache only


@dataclass(frozen=True)
class Measurement:
    """Seconds per clip of each loader and of each step of avdet's; disk: MB per minute of video."""

    seconds: Mapping[str, float]
    steps: Mapping[str, float]
    disk: Mapping[str, float]


@dataclass(frozen=True)
class ClipSettings:
    """How clips are cut, their short side in testing, and the augmentation in training."""

    extractor: ClipExtractor
    short_side: int
    augmentation: Augmentation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "videos", nargs="*", type=Path, metavar="VIDEO", help="default: a synthetic clip and a synthetic long video"
    )
    parser.add_argument("--config", type=Path, help="default: 64 frames at stride 2 and short side 256")
    parser.add_argument("--cache", action="store_true", help="measure the cache also for videos of more than 1 minute")
    parser.add_argument("--windows", type=int, default=8, help="clips per video")
    parser.add_argument("--repeats", type=int, default=2, help="runs per clip; the fastest counts")
    parser.add_argument("--minutes", type=int, default=15, help="length of the synthetic long video")
    parser.add_argument("--seed", type=int, default=0)


def run_and_print(args: argparse.Namespace) -> None:
    if min(args.windows, args.repeats, args.minutes) < 1:
        raise ValueError(f"--windows {args.windows} --repeats {args.repeats} --minutes {args.minutes}: give 1 or more")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    console = Console(width=max(110, Console().width))
    console.print(f"1 core of {platform.machine()}, PyAV {av.__version__}, torch {torch.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        videos = args.videos
        if not videos:
            clip = write_clip(Path(folder) / "clip_10_s.mp4")
            videos = [
                clip,
                write_long_video(clip, Path(folder) / f"video_{args.minutes}_min.mp4", minutes=args.minutes),
            ]
        for number, video in enumerate(videos):
            workdir = Path(folder) / str(number)
            workdir.mkdir()
            settings = _clip_settings(args.config)
            cached = workdir / "cached.mp4"
            if args.cache or _duration_s(video) <= _MAX_CACHED_S:
                cache_video(video, cached, short_side=settings.short_side)
            measured = measure(video, settings, workdir, windows=args.windows, repeats=args.repeats, seed=args.seed)
            console.print(_table(video.name, measured), _steps_table(measured))


def _clip_settings(path: Path | None) -> ClipSettings:
    config = Config() if path is None else load_config(path)
    data = config.data
    augmentation = Augmentation(
        data.train_short_side, data.train_scale, data.train_crop, data.flip, data.colour_jitter, data.pca_lighting
    )
    return ClipSettings(build_clip_extractor(config), data.test_short_side, augmentation)


def measure(
    video: Path, settings: ClipSettings, workdir: Path, *, windows: int, repeats: int, seed: int
) -> Measurement:
    """Runs all loaders in turns at every window, so that other load on the machine affects them alike.

    workdir: receives the extracted frames; its cached.mp4, if it exists, is measured too.
    """
    duration_s = _duration_s(video)
    half_s = settings.extractor.span_s / 2 + _MARGIN_S
    if duration_s < 2 * half_s:
        raise ValueError(
            f"{video} lasts {duration_s:.1f} s, less than one clip ({2 * half_s:.1f} s); give a longer video"
        )
    centers_s = np.random.default_rng(seed).uniform(half_s, duration_s - half_s, windows).tolist()
    jpegs = workdir / "frames"
    windows_s = [_times(settings.extractor, center_s) for center_s in centers_s]
    jpeg_rate = baselines.write_jpegs(video, windows_s, jpegs, settings.short_side)
    loaders = _loaders(video, jpegs, workdir / "cached.mp4", settings)
    for load in loaders.values():  # warm-up
        load(centers_s[0])
    seconds = dict.fromkeys(loaders, 0.0)
    steps: dict[str, float] = {}
    for center_s in centers_s:
        for name, load in loaders.items():
            seconds[name] += min(_timed(load, center_s) for _ in range(repeats)) / windows
        for name, step_s in _steps(video, settings, center_s).items():
            steps[name] = steps.get(name, 0.0) + step_s / windows
    disk = {AVDET: _mb_per_minute(video), JPEGS: 60 * jpeg_rate / 1e6}
    if CACHE in loaders:
        disk[CACHE] = _mb_per_minute(workdir / "cached.mp4")
    return Measurement(seconds, steps, disk)


def _loaders(video: Path, jpegs: Path, cached: Path, settings: ClipSettings) -> dict[str, Callable[[float], object]]:
    """Functions from a clip's centre in seconds to the clip, by the name of the loader."""
    extractor, short_side = settings.extractor, settings.short_side

    def avdet_loader(path: Path) -> Callable[[float], object]:
        def load(center_s: float) -> object:
            with open_video(path, short_side=short_side) as opened:
                return extractor.frames(opened, center_s), extractor.audio(opened, center_s)

        return load

    def baseline(read: Callable[[Path, baselines.Times, float, float, int], torch.Tensor]) -> Callable[[float], object]:
        def load(center_s: float) -> object:
            span = clip_span(center_s, num_frames=extractor.span_frames, fps=extractor.nominal_fps)
            audio = read(video, _times(extractor, center_s), *span, short_side)
            return None if extractor.logmel is None else extractor.logmel(audio)

        return load

    loaders = {
        "naive": baseline(baselines.naive),
        "plain PyAV": baseline(baselines.plain_pyav),
        "bare decoding": lambda center_s: baselines.bare_decode(video, _times(extractor, center_s)),
        AVDET: avdet_loader(video),
        JPEGS: avdet_loader(jpegs),
    }
    return {**loaders, CACHE: avdet_loader(cached)} if cached.exists() else loaders


def _steps(video: Path, settings: ClipSettings, center_s: float) -> dict[str, float]:
    """Seconds of each step of avdet's loader, and of the training transforms."""
    extractor = settings.extractor
    times_s = _times(extractor, center_s)
    seconds: dict[str, float] = {}
    started = time.perf_counter()

    def finish(step: str) -> None:
        nonlocal started
        now = time.perf_counter()
        seconds[step], started = now - started, now

    with MediaFile(video) as file:
        finish("open")
        stream = default_stream(file.container.streams.video)
        assert stream is not None
        source = PacketSource(file, stream)
        for _ in FrameDecoder(source).shown_at([source.tick_at(time_s) for time_s in times_s]):
            pass
        finish("decode")
        if extractor.logmel is not None and file.container.streams.audio:
            span = clip_span(center_s, num_frames=extractor.span_frames, fps=extractor.nominal_fps)
            audio = torch.from_numpy(AudioTrack(file).read(*span, SAMPLE_RATE))
            finish("audio")
            extractor.logmel(audio)
            finish("log-mel")
    with VideoReader(video, short_side=settings.short_side) as opened:
        opened.frames(times_s[:1])
        started = time.perf_counter()
        frames = opened.frames(times_s)
    finish("scale")
    seconds["scale"] = max(seconds["scale"] - seconds["decode"], 0.0)  # it decodes too
    _train_transforms(frames, settings.augmentation)
    finish("training transforms")
    return seconds


def _train_transforms(frames: Frames, augmentation: Augmentation) -> torch.Tensor:
    rng, no_boxes = np.random.default_rng(0), torch.zeros(0, 4)
    height, width = frames.shape[1:3]
    frames, _ = crop(frames, no_boxes, random_crop(height, width, min(augmentation.crop, height, width), rng))
    frames, _ = flip(frames, no_boxes)
    frames = transform_colours(frames, colour_transform(augmentation.colour_jitter, augmentation.pca_lighting, rng))
    return torch.from_numpy(np.ascontiguousarray(frames.transpose(3, 0, 1, 2)))


def _times(extractor: ClipExtractor, center_s: float) -> baselines.Times:
    return clip_times(center_s, num_frames=extractor.span_frames, stride=extractor.stride, fps=extractor.nominal_fps)


def _duration_s(video: Path) -> float:
    with MediaFile(video) as file:
        return file.duration_s


def _mb_per_minute(video: Path) -> float:
    return video.stat().st_size / 1e6 / (_duration_s(video) / 60)


def _timed(load: Callable[[float], object], center_s: float) -> float:
    started = time.perf_counter()
    load(center_s)
    return time.perf_counter() - started


def _table(name: str, measured: Measurement) -> Table:
    table = Table("", "s/clip", "clips/s", "time vs avdet", "MB/minute", title=name)
    avdet_s = measured.seconds[AVDET]
    for loader, seconds in measured.seconds.items():
        disk = f"{measured.disk[loader]:.1f}" if loader in measured.disk else ""
        table.add_row(loader, f"{seconds:.4f}", f"{1 / seconds:.1f}", f"{seconds / avdet_s:.2f} x", disk)
    return table


def _steps_table(measured: Measurement) -> Table:
    total_s = sum(measured.steps.values())
    table = Table(
        *measured.steps, title="avdet's loader and the training transforms: s/clip of each step, and its share"
    )
    table.add_row(*(f"{seconds:.4f} ({seconds / total_s:.0%})" for seconds in measured.steps.values()))
    return table
