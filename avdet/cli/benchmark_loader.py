"""Times the way from a video file to a clip: random windows of frames, scaled, with their log-mel, on one core."""

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

from avdet.cli import benchmark_rivals as rivals
from avdet.cli.benchmark_films import write_clip, write_video
from avdet.config import load_config
from avdet.data.build import build_clip_extractor
from avdet.data.clip_extractor import ClipExtractor
from avdet.data.detection_clips import Augmentation
from avdet.data.transforms import crop, draw_colours, draw_crop, flip, recolour
from avdet.media.audio_track import AudioTrack
from avdet.media.cache import cache_video
from avdet.media.clip_times import clip_span, clip_times
from avdet.media.frame_decoder import FrameDecoder
from avdet.media.logmel import SAMPLE_RATE
from avdet.media.media_file import MediaFile, default_stream
from avdet.media.packets import PacketSource
from avdet.media.reader import Frames, VideoReader
from avdet.media.video_source import open_video
from avdet.settings import Config

OURS, JPEGS, CACHE = "ours", "JPEG frames", "from the cache"
_MARGIN_S = 0.1
_LONG_S = 60.0


@dataclass(frozen=True)
class Measurement:
    """Seconds a clip of each way and of each part of ours; megabytes a minute on disk, where a way has its files."""

    seconds: Mapping[str, float]
    parts: Mapping[str, float]
    disk: Mapping[str, float]


@dataclass(frozen=True)
class Recipe:
    """What a clip is: its frames and sound, its size when tested, and what training does to it."""

    extractor: ClipExtractor
    short_side: int
    augmentation: Augmentation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "videos", nargs="*", type=Path, metavar="VIDEO", help="a made clip and movie where none is given"
    )
    parser.add_argument(
        "--config", type=Path, help="a recipe; 64 frames at stride 2 and short side 256 where there is none"
    )
    parser.add_argument("--cache", action="store_true", help="re-encode videos of over a minute for the cache too")
    parser.add_argument("--windows", type=int, default=8, help="clips a video")
    parser.add_argument("--repeats", type=int, default=2, help="runs of each, of which the fastest counts")
    parser.add_argument("--minutes", type=int, default=15, help="length of the made movie")
    parser.add_argument("--seed", type=int, default=0)


def run_and_print(args: argparse.Namespace) -> None:
    if min(args.windows, args.repeats, args.minutes) < 1:
        raise ValueError(f"--windows {args.windows} --repeats {args.repeats} --minutes {args.minutes}: give 1 or more")
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    console = Console(width=max(110, Console().width))
    console.print(f"one core of {platform.machine()}, PyAV {av.__version__}, torch {torch.__version__}")
    with tempfile.TemporaryDirectory() as folder:
        videos = args.videos
        if not videos:
            clip = write_clip(Path(folder) / "clip_10_s.mp4")
            videos = [clip, write_video(clip, Path(folder) / f"movie_{args.minutes}_min.mp4", minutes=args.minutes)]
        for number, video in enumerate(videos):
            room = Path(folder) / str(number)
            room.mkdir()
            recipe = _recipe(args.config)
            cached = room / "cached.mp4"
            if args.cache or _duration_s(video) <= _LONG_S:
                cache_video(video, cached, short_side=recipe.short_side)
            measured = measure(video, recipe, room, windows=args.windows, repeats=args.repeats, seed=args.seed)
            console.print(_table(video.name, measured), _parts_table(measured))


def _recipe(path: Path | None) -> Recipe:
    config = Config() if path is None else load_config(path)
    data = config.data
    augmentation = Augmentation(
        data.train_short_side, data.train_scale, data.train_crop, data.flip, data.colour_jitter, data.pca_lighting
    )
    return Recipe(build_clip_extractor(config), data.test_short_side, augmentation)


def measure(video: Path, recipe: Recipe, room: Path, *, windows: int, repeats: int, seed: int) -> Measurement:
    """Every way in turn at every window, so that what else the machine does falls on all of them.

    room: a folder for the frames that are extracted; a video that is cached in it as cached.mp4 is measured too.
    """
    duration_s = _duration_s(video)
    half_s = recipe.extractor.span_s / 2 + _MARGIN_S
    if duration_s < 2 * half_s:
        raise ValueError(
            f"{video} lasts {duration_s:.1f} s, less than one clip ({2 * half_s:.1f} s); take a longer one"
        )
    centers_s = np.random.default_rng(seed).uniform(half_s, duration_s - half_s, windows).tolist()
    jpegs = room / "frames"
    jpeg_rate = rivals.write_jpegs(video, [_times(recipe.extractor, c) for c in centers_s], jpegs, recipe.short_side)
    ways = _ways(video, jpegs, room / "cached.mp4", recipe)
    for way in ways.values():
        way(centers_s[0])
    seconds = dict.fromkeys(ways, 0.0)
    parts: dict[str, float] = {}
    for center_s in centers_s:
        for name, way in ways.items():
            seconds[name] += min(_timed(way, center_s) for _ in range(repeats)) / windows
        for name, part_s in _parts(video, recipe, center_s).items():
            parts[name] = parts.get(name, 0.0) + part_s / windows
    disk = {OURS: _mb_a_minute(video), JPEGS: 60 * jpeg_rate / 1e6}
    if CACHE in ways:
        disk[CACHE] = _mb_a_minute(room / "cached.mp4")
    return Measurement(seconds, parts, disk)


def _ways(video: Path, jpegs: Path, cached: Path, recipe: Recipe) -> dict[str, Callable[[float], object]]:
    """From a clip's centre in seconds to the clip."""
    extractor, short_side = recipe.extractor, recipe.short_side

    def whole(path: Path) -> Callable[[float], object]:
        def cut(center_s: float) -> object:
            with open_video(path, short_side=short_side) as opened:
                return extractor.frames(opened, center_s), extractor.audio(opened, center_s)

        return cut

    def rival(way: Callable[[Path, rivals.Times, float, float, int], torch.Tensor]) -> Callable[[float], object]:
        def cut(center_s: float) -> object:
            span = clip_span(center_s, num_frames=extractor.span_frames, fps=extractor.nominal_fps)
            sound = way(video, _times(extractor, center_s), *span, short_side)
            return None if extractor.logmel is None else extractor.logmel(sound)

        return cut

    ways = {
        "naive": rival(rivals.naive),
        "plain PyAV": rival(rivals.plain_pyav),
        "bare decoding": lambda center_s: rivals.bare_decode(video, _times(extractor, center_s)),
        OURS: whole(video),
        JPEGS: whole(jpegs),
    }
    return {**ways, CACHE: whole(cached)} if cached.exists() else ways


def _parts(video: Path, recipe: Recipe, center_s: float) -> dict[str, float]:
    """Seconds of what our way does, one after another, and of training's transforms behind it."""
    extractor = recipe.extractor
    times_s = _times(extractor, center_s)
    spent: dict[str, float] = {}
    started = time.perf_counter()

    def done(part: str) -> None:
        nonlocal started
        now = time.perf_counter()
        spent[part], started = now - started, now

    with MediaFile(video) as file:
        done("open")
        stream = default_stream(file.container.streams.video)
        assert stream is not None
        source = PacketSource(file, stream)
        for _ in FrameDecoder(source).shown_at([source.tick_at(time_s) for time_s in times_s]):
            pass
        done("decode")
        if extractor.logmel is not None and file.container.streams.audio:
            span = clip_span(center_s, num_frames=extractor.span_frames, fps=extractor.nominal_fps)
            sound = torch.from_numpy(AudioTrack(file).read(*span, SAMPLE_RATE))
            done("sound")
            extractor.logmel(sound)
            done("log-mel")
    with VideoReader(video, short_side=recipe.short_side) as opened:
        opened.frames(times_s[:1])
        started = time.perf_counter()
        frames = opened.frames(times_s)
    done("scale")
    spent["scale"] = max(spent["scale"] - spent["decode"], 0.0)
    _train_transforms(frames, recipe.augmentation)
    done("transforms of training")
    return spent


def _train_transforms(frames: Frames, augmentation: Augmentation) -> torch.Tensor:
    rng, nobody = np.random.default_rng(0), torch.zeros(0, 4)
    height, width = frames.shape[1:3]
    frames, _ = crop(frames, nobody, draw_crop(height, width, min(augmentation.crop, height, width), rng))
    frames, _ = flip(frames, nobody)
    frames = recolour(frames, draw_colours(augmentation.colour_jitter, augmentation.pca_lighting, rng))
    return torch.from_numpy(np.ascontiguousarray(frames.transpose(3, 0, 1, 2)))


def _times(extractor: ClipExtractor, center_s: float) -> rivals.Times:
    return clip_times(center_s, num_frames=extractor.span_frames, stride=extractor.stride, fps=extractor.nominal_fps)


def _duration_s(video: Path) -> float:
    with MediaFile(video) as file:
        return file.duration_s


def _mb_a_minute(video: Path) -> float:
    return video.stat().st_size / 1e6 / (_duration_s(video) / 60)


def _timed(way: Callable[[float], object], center_s: float) -> float:
    started = time.perf_counter()
    way(center_s)
    return time.perf_counter() - started


def _table(name: str, measured: Measurement) -> Table:
    table = Table("", "s a clip", "clips/s", "time of ours", "MB a minute", title=name)
    ours_s = measured.seconds[OURS]
    for way, seconds in measured.seconds.items():
        disk = f"{measured.disk[way]:.1f}" if way in measured.disk else ""
        table.add_row(way, f"{seconds:.4f}", f"{1 / seconds:.1f}", f"{seconds / ours_s:.2f} x", disk)
    return table


def _parts_table(measured: Measurement) -> Table:
    total_s = sum(measured.parts.values())
    table = Table(*measured.parts, title="s a clip of ours and training's transforms, and the share of each")
    table.add_row(*(f"{seconds:.4f} ({seconds / total_s:.0%})" for seconds in measured.parts.values()))
    return table
