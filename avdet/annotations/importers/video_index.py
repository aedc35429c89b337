"""The videos that annotations refer to: their files, sizes, and the times of their frames."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from avdet.datasets.video_files import VIDEO_SUFFIXES
from avdet.media.file_names import nfc
from avdet.media.media_file import frame_times
from avdet.media.video_reader import DecodeError, VideoReader
from avdet.media.video_source import duration_of

__all__ = ["VideoIndex", "finite_numbers", "first_frame"]

IMAGE_SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".txt"}
ROBOFLOW_NAME = re.compile(r"_(jpe?g|png)\.rf\.[0-9a-zA-Z]+$")
CLIP_NAME = re.compile(r"(.+)_(\d{6})_(\d{6})")  # as Kinetics' clips are named
FRAME_WORD = re.compile(r"[\s._-]*(frame|frames|img|image|f)?[\s._-]*$", re.IGNORECASE)


class VideoIndex:
    """The video files that annotations refer to, by file name with or without suffix, in Unicode's form NFC."""

    def __init__(self, paths: Mapping[str, Path]) -> None:
        self.paths = paths = {nfc(name): path for name, path in paths.items()}
        self.clips: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
        for match in filter(None, map(CLIP_NAME.fullmatch, paths)):
            self.clips[match[1]].append((match[0], int(match[2]), int(match[3])))
        self._references: dict[str, set[PurePosixPath]] = defaultdict(set)

    @cache  # noqa: B019  (lives as long as the import)
    def find(self, reference: str, source: Path) -> str:
        """Returns the video's name (its file name without suffix) for a name or path in an annotation file.

        Raises ValueError if there is no such file, or if two references (a/3.mp4, b/3.mp4) lead to the same file.
        """
        path = PurePosixPath(nfc(reference).replace("\\", "/"))
        video = path.name if path.name in self.paths else path.stem
        if video not in self.paths:
            known = ", ".join(sorted(self.paths)[:3]) or "none"
            raise ValueError(
                f"{source} refers to the video {reference!r}, which is not in --videos (found: {known}, ...)"
            )
        other = next((known for known in self._references[video] if not _may_be_same_file(known, path)), None)
        if other is not None:
            raise ValueError(
                f"{source} refers to the videos {reference!r} and {str(other)!r}, which would both be {video} of "
                "--videos; rename one of them, the file and its annotations, or write both alike if they are the same"
            )
        self._references[video].add(path)
        return video

    def find_at(self, reference: str, time_s: float, source: str | Path) -> tuple[str, float]:
        """Returns the video and the time in it. AVA-Kinetics' times become those of the clips ID_START_END.

        Raises ValueError for a time outside all clips of its video.
        """
        reference = nfc(reference)
        if not self.clips.get(reference) or reference in self.paths:
            return self.find(reference, Path(source)), time_s
        found = [(name, start) for name, start, end in self.clips[reference] if start <= time_s <= end]
        if not found:
            names = ", ".join(name for name, _, _ in self.clips[reference][:3])
            raise ValueError(
                f"{source}: {reference} at {time_s:g} s is in none of its clips ({names}); correct the time, or add "
                "the clip"
            )
        return found[0][0], time_s - found[0][1]

    def find_image(self, reference: str, source: Path) -> tuple[str, int]:
        """Returns the video and the frame number in the name of an image: VIDEO_FRAME.jpg or VIDEO/FRAME.jpg.

        Raises ValueError if the name holds no number, or no video of --videos.
        """
        path = PurePosixPath(nfc(reference).replace("\\", "/"))
        stem = ROBOFLOW_NAME.sub("", path.stem if path.suffix.lower() in IMAGE_SUFFIXES else path.name)
        match = re.fullmatch(r"(.*?)(\d+)", stem)
        if match is None:
            raise ValueError(
                f"{source} refers to the image {reference!r}, whose name has no frame number at its end; name images "
                "VIDEO_FRAME.jpg"
            )
        prefix = FRAME_WORD.sub("", match[1])
        names = [prefix, re.sub(r"_(mp4|avi|mov|mkv|webm)$", "", prefix), *reversed(path.parts[:-1])]
        video = next((name for name in map(_without_suffix, names) if name in self.paths), None)
        video = video or ("" if prefix else self.video_of_file(source))
        if not video:
            known = ", ".join(sorted(self.paths)[:3]) or "none"
            raise ValueError(
                f"{source} refers to the image {reference!r}, which names no video of --videos (found: {known}, ...); "
                "name images VIDEO_FRAME.jpg, or VIDEO/FRAME.jpg"
            )
        return video, int(match[2])

    def video_of_file(self, source: Path) -> str:
        """The video after which an annotation file or one of its folders is named, or the only one, or ""."""
        names = map(nfc, (source.stem, *(parent.name for parent in source.parents)))
        only = next(iter(self.paths), "") if len(self.paths) == 1 else ""
        return next((name for name in map(_without_suffix, names) if name in self.paths), only)

    @cache  # noqa: B019  (lives as long as the import)
    def frame_size(self, video: str) -> tuple[int, int]:
        """(width, height) in pixels, as displayed."""
        with VideoReader(self.paths[video]) as reader:
            return reader.info.width, reader.info.height

    def duration_s(self, video: str) -> float:
        """By the file's header; infinity for a file that cannot be read, which `check_data` reports."""
        try:
            return duration_of(self.paths[video])
        except DecodeError:
            return math.inf

    def frame_time(self, video: str, frame: object, source: str | Path) -> float:
        """Returns the time in seconds of a frame, counted from 0. Raises ValueError if the video has no such frame."""
        times_s = self._frame_times(video)
        (number,) = finite_numbers([frame], 1, f"{source}: a box's frame")
        if not (number.is_integer() and 0 <= number < len(times_s)):
            raise ValueError(
                f"{source} has a box on frame {frame} of {video}, which has {len(times_s)} frames, counted from 0; "
                "check that the annotations belong to this version of the video"
            )
        return float(times_s[int(number)])

    def nearest_frame(self, video: str, time_s: float) -> int | None:
        """Returns the frame, counted from 0, whose time is nearest; None over one frame outside the video."""
        times_s = self._frame_times(video)
        margin_s = (times_s[-1] - times_s[0]) / max(1, len(times_s) - 1)
        if not times_s[0] - margin_s <= time_s <= times_s[-1] + margin_s:
            return None
        return int(np.abs(times_s - time_s).argmin())

    def num_frames(self, video: str) -> int:
        return len(self._frame_times(video))

    @cache  # noqa: B019
    def _frame_times(self, video: str) -> NDArray[np.float64]:
        return frame_times(self.paths[video])


def _may_be_same_file(path: PurePosixPath, other: PurePosixPath) -> bool:
    """Compares the path components that both have: 3, 3.mp4 and a/3.mp4 may be the same file."""
    ends = [one.with_suffix("") if one.suffix.lower() in VIDEO_SUFFIXES else one for one in (path, other)]
    shared = min(len(end.parts) for end in ends)
    return ends[0].parts[-shared:] == ends[1].parts[-shared:]


def _without_suffix(name: str) -> str:
    path = PurePosixPath(name)
    return path.stem if path.suffix.lower() in VIDEO_SUFFIXES else name


def first_frame(frames: Iterable[tuple[str, int]], videos: VideoIndex) -> int:
    """The number of the first frame, 0 or 1, in a file that numbers frames of videos.

    It is 1 if the smallest number is 1, as tools that extract images count, or if a number is that of the frames.
    """
    numbers = set(frames)
    if not numbers or min(number for _, number in numbers) == 0:
        return 0
    from_one = min(number for _, number in numbers) == 1
    return int(from_one or any(number == videos.num_frames(video) for video, number in numbers))


def finite_numbers(values: object, count: int, description: str) -> list[float]:
    """Converts the values to floats. Raises ValueError unless there are `count` of them, all finite."""
    try:
        numbers = [float(value) for value in values]  # type: ignore[attr-defined]
    except (TypeError, ValueError, OverflowError):
        numbers = []
    if len(numbers) != count or not np.isfinite(numbers).all():
        plural = "s" * (count > 1)
        raise ValueError(
            f"{description} is {str(values)[:60]}, not {count} finite number{plural}; correct or remove it"
        )
    return numbers
