"""Reads a video from front to back: clips for the model and, of keyframes, images for the person detector."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from avdet.data.clip_extractor import ClipExtractor, channels_first
from avdet.media.array_video import ArrayVideo, ScaledVideo
from avdet.media.video_reader import VideoReader
from avdet.media.video_source import OpenOptions, VideoSource, open_video
from avdet.people.find_persons import video_name
from avdet.people.person_detector import KeyframeImage
from avdet.structures import Clip

__all__ = ["AnySource", "Source", "keyframe_images", "open_source", "read_clips", "read_keyframes", "source_name"]

Source: TypeAlias = "str | Path | ArrayVideo"
AnySource: TypeAlias = "Source | VideoSource"


def source_name(source: AnySource) -> str:
    """Name of the video in tables: an array's name, else the file's without suffix, or the folder's.

    "video" for an opened source without a path.
    """
    if isinstance(source, ArrayVideo):
        return source.name
    return video_name(source if isinstance(source, str | Path) else getattr(source, "path", "video"))


def open_source(source: AnySource, *, short_side: int | None = None, options: OpenOptions | None = None) -> VideoSource:
    """Opens a file, a folder of frames or an array; an opened source stays open. Frames have that short side."""
    if isinstance(source, ArrayVideo):
        return replace(source, short_side=short_side)
    if isinstance(source, str | Path):
        return open_video(source, short_side=short_side, options=options)
    return ScaledVideo(source, short_side)


def keyframe_images(source: Source, times_s: Sequence[float], *, needs_frames: bool = True) -> list[KeyframeImage]:
    """One image per keyframe, at the video's own size; nothing is decoded if the detector needs no frames."""
    name = source_name(source)
    if not needs_frames:
        return [KeyframeImage.without_frame(name, time_s) for time_s in times_s]
    with open_source(source) as video:
        return [KeyframeImage(name, t, rgb) for t, rgb in zip(times_s, video.frames(times_s), strict=True)]


def read_clips(
    source: AnySource, centers_s: Sequence[float], extractor: ClipExtractor, *, short_side: int
) -> Generator[Clip, None, None]:
    """Yields the clip, without persons, around each of the ascending times, as `read_keyframes` does."""
    if isinstance(source, str | Path | ArrayVideo):
        read = read_keyframes(source, centers_s, extractor, short_side=short_side, needs_frames=False)
        yield from (clip for _, clip in read)
        return
    with open_source(source, short_side=short_side) as video:
        for center_s in centers_s:
            frames = channels_first(extractor.frames(video, center_s))
            yield Clip(source_name(source), center_s, frames, extractor.audio(video, center_s))


def read_keyframes(
    source: Source, times_s: Sequence[float], extractor: ClipExtractor, *, short_side: int, needs_frames: bool
) -> Generator[tuple[KeyframeImage, Clip], None, None]:
    """Yields the image and the clip, without persons, of each of the ascending keyframe times.

    The video is opened once, and a frame that several clips share is decoded once.
    needs_frames: False leaves the images without frame.
    """
    name = source_name(source)
    clip_times_s = np.stack([extractor.times_s(time_s) for time_s in times_s])  # (K, T)
    count = clip_times_s.shape[1]
    wanted_s = np.column_stack([clip_times_s, times_s]) if needs_frames else clip_times_s
    order = np.argsort(wanted_s, axis=None, kind="stable")
    columns = order % wanted_s.shape[1]
    missing = np.full(len(times_s), wanted_s.shape[1])
    clips: dict[int, list[NDArray[np.uint8]]] = {}
    images: dict[int, NDArray[np.uint8]] = {}
    with ExitStack() as opened:
        full, scaled = (
            opened.enter_context(open_source(source, short_side=side, options=extractor.options))
            for side in (None, short_side)
        )
        frames = _frames(full, scaled, wanted_s.flat[order], columns < count, short_side)
        for keyframe, column, rgb in zip((order // wanted_s.shape[1]).tolist(), columns.tolist(), frames, strict=True):
            if column < count:
                clips.setdefault(keyframe, []).append(rgb)
            else:
                images[keyframe] = rgb
            missing[keyframe] -= 1
            if missing[keyframe] == 0:
                time_s = times_s[keyframe]
                audio = extractor.audio(scaled, time_s)
                clip = Clip(name, time_s, channels_first(np.stack(clips.pop(keyframe))), audio)
                image = images.pop(keyframe, None)
                yield (
                    KeyframeImage.without_frame(name, time_s) if image is None else KeyframeImage(name, time_s, image),
                    clip,
                )


def _frames(
    full: VideoSource, scaled: VideoSource, times_s: NDArray[np.float64], is_scaled: NDArray[np.bool_], short_side: int
) -> Iterator[NDArray[np.uint8]]:
    """The frame at each of the ascending times, (H, W, 3), of a file in one pass."""
    if isinstance(full, VideoReader):
        return full.sweep(times_s, [short_side if small else None for small in is_scaled.tolist()])
    return ((scaled if small else full).frames([t])[0] for t, small in zip(times_s, is_scaled.tolist(), strict=True))
