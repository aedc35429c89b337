"""FramesDir: a folder of extracted frames, one image file per frame, and an audio file beside it, read like a video.

    videos/9Y_l9NsnYE0/9Y_l9NsnYE0_000001.jpg, ..._000002.jpg, ...    30 per second, as AVA's tools extract them
    videos/9Y_l9NsnYE0.wav                                            or .mp3, .m4a, .flac, .ogg, .opus, .aac

    with FramesDir("videos/9Y_l9NsnYE0", short_side=256) as video:
        frames = video.frames([10.0, 10.5])

Frame k appears at (k - 1) / fps seconds and stays on screen until the next one, even if numbers are missing in between.
The audio starts with frame 1, at second 0.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from avdet.media.audio_track import AudioTrack, Waveform
from avdet.media.media_file import MAX_PIXELS, DecodeError, MediaFile
from avdet.media.read_watch import watched
from avdet.media.video_reader import TOLERANCE_S, FrameBatch, Frames, Times, VideoInfo, checked_times

__all__ = ["FramesDir", "is_frames_dir"]

_NUMBERED = re.compile(r"(.*?)(\d+)(\.(?:jpg|jpeg|png))", re.IGNORECASE)
_AUDIO_SUFFIXES = (".wav", ".flac", ".mp3", ".m4a", ".aac", ".ogg", ".opus")


@dataclass(frozen=True)
class _Listing:
    """The frame numbers of a folder, ascending, and the size (width, height) of the first image.

    Names are built from numbers: the names of AVA's eight million frames would take too much memory in each worker.
    """

    prefix: str
    digits: int
    suffix: str
    numbers: NDArray[np.int64]
    size: tuple[int, int]

    def name(self, number: int) -> str:
        return f"{self.prefix}{number:0{self.digits}d}{self.suffix}"


class FramesDir:
    """A folder of numbered image files with the methods of VideoReader; use as a context manager.

    Raises DecodeError if an image or the audio cannot be read.
    """

    def __init__(self, folder: str | Path, *, short_side: int | None = None, fps: float = 30.0) -> None:
        """The audio is the file of the folder's name beside the folder or in it, if there is one."""
        if (short_side is not None and short_side < 1) or not fps > 0:
            raise ValueError(f"short_side is {short_side} and fps {fps}; both must be more than 0")
        self.path = Path(folder)
        self._fps = fps
        self._listing = _list_frames(self.path)
        width, height = self._listing.size
        scale = 1.0 if short_side is None else short_side / min(width, height)
        self._size = max(round(width * scale), 1), max(round(height * scale), 1)
        audio_path = _audio_beside(self.path)
        self._audio_file = None if audio_path is None else MediaFile(audio_path)
        self._audio: AudioTrack | None = None

    @property
    def num_audio_tracks(self) -> int:
        """See VideoReader.num_audio_tracks."""
        return int(self._audio_file is not None)

    @functools.cached_property
    def info(self) -> VideoInfo:
        """`fps` is the rate at which the frames were extracted, not the video's."""
        numbers = self._listing.numbers
        audio = None if self._audio_file is None else self._track(self._audio_file)
        return VideoInfo(
            width=self._listing.size[0],
            height=self._listing.size[1],
            fps=self._fps,
            start_s=(int(numbers[0]) - 1) / self._fps,
            duration_s=max(
                int(numbers[-1]) / self._fps, self._audio_file.duration_s if self._audio_file is not None else 0.0
            ),
            audio_rate=None if audio is None else audio.stored_rate,
        )

    def frames(self, times_s: Times) -> Frames:
        """See VideoReader.frames."""
        return self.frame_batch(times_s).rgb

    def frame_batch(self, times_s: Times) -> FrameBatch:
        """See VideoReader.frame_batch."""
        times = checked_times(times_s, self.path.name)
        numbers = self._listing.numbers
        appear_s = (numbers - 1) / self._fps
        shown = np.maximum(np.searchsorted(appear_s, times + TOLERANCE_S, side="right") - 1, 0)
        read: dict[int, NDArray[np.uint8]] = {}
        for index in shown.tolist():
            if index not in read:
                read[index] = self._read(index)
        rgb = np.stack([read[index] for index in shown.tolist()])
        return FrameBatch(rgb, appear_s[shown], times + TOLERANCE_S >= numbers[-1] / self._fps)

    def play(self, start_s: float = 0.0) -> Iterator[tuple[float, NDArray[np.uint8]]]:
        """See VideoReader.play."""
        appear_s = (self._listing.numbers - 1) / self._fps
        first = max(int(np.searchsorted(appear_s, start_s + TOLERANCE_S, side="right")) - 1, 0)
        for index in range(first, len(appear_s)):
            yield float(appear_s[index]), self._read(index)

    def audio(self, start_s: float, duration_s: float, rate: int) -> Waveform:
        """See VideoReader.audio."""
        if self._audio_file is None:
            raise DecodeError(self.path, None, f"it has no audio file; put {self.path.name}.wav beside it")
        return self._track(self._audio_file).read(start_s, duration_s, rate)

    def close(self) -> None:
        if self._audio_file is not None:
            self._audio_file.close()

    def __enter__(self) -> FramesDir:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _track(self, file: MediaFile) -> AudioTrack:
        if self._audio is None:
            self._audio = AudioTrack(file)
        return self._audio

    def _read(self, index: int) -> NDArray[np.uint8]:
        number = int(self._listing.numbers[index])
        bgr = _read_bgr(self.path / self._listing.name(number), (number - 1) / self._fps)
        if bgr.shape[1::-1] != self._size:
            method = cv2.INTER_AREA if self._size[0] < bgr.shape[1] else cv2.INTER_LINEAR
            bgr = np.asarray(cv2.resize(bgr, self._size, interpolation=method), np.uint8)
        return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8)


def is_frames_dir(path: Path) -> bool:
    """Returns whether `path` is a folder with at least one numbered image file."""
    return path.is_dir() and any(_NUMBERED.fullmatch(entry.name) for entry in path.iterdir())


@functools.lru_cache(maxsize=1024)
def _list_frames(folder: Path) -> _Listing:
    """Cached, because AVA's folders hold 27,000 files. A folder must not change while it is read."""
    if not folder.is_dir():
        raise DecodeError(folder, None, "No such folder")
    found = {match[0]: match for path in folder.iterdir() if (match := _NUMBERED.fullmatch(path.name))}
    if not found:
        raise DecodeError(folder, None, f"it holds no numbered image, such as {folder.name}_000001.jpg")
    first = min(found.values(), key=lambda match: int(match[2]))
    numbers = np.array(sorted(int(match[2]) for match in found.values()), np.int64)
    height, width = _read_bgr(folder / first[0], 0.0).shape[:2]
    listing = _Listing(first[1], len(first[2]), first[3], numbers, (width, height))
    mismatched = found.keys() - {listing.name(number) for number in numbers.tolist()}
    if mismatched:
        raise DecodeError(folder, None, f"{min(mismatched)} is not named like {first[0]}; rename it or move it away")
    return listing


def _read_bgr(path: Path, time_s: float) -> NDArray[np.uint8]:
    """(H, W, 3)."""
    bgr = None
    if path.is_file():
        try:
            with watched(path):
                with Image.open(path) as image:  # reads the header alone
                    if image.width * image.height > MAX_PIXELS:
                        raise DecodeError(path, time_s, f"it has {image.width}x{image.height} pixels; scale it down")
                bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
        except DecodeError:
            raise
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, cv2.error):
            bgr = None
    if bgr is None:
        raise DecodeError(path, time_s, "it is not an image that OpenCV can read")
    return np.asarray(bgr, np.uint8)


def _audio_beside(folder: Path) -> Path | None:
    candidates = [parent / f"{folder.name}{suffix}" for parent in (folder.parent, folder) for suffix in _AUDIO_SUFFIXES]
    return next((path for path in candidates if path.is_file()), None)
