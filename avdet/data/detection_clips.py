"""AVA, or any data set in its files: a keyframe and its people in, a clip with labels out (paper section 4.3).

Movies are read as they are, by time: no frame lists, no extracted pictures, any frame rate.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch.utils.data import Dataset

from avdet.boxes import scale_xyxy
from avdet.data.audio_negatives import MisalignedAudio
from avdet.data.clip_extractor import ClipExtractor
from avdet.data.transforms import crop, draw_colours, draw_crop, draw_short_side, flip, recolour, visible
from avdet.datasets.keyframes import Keyframe, KeyframeTable
from avdet.media.reader import Frames
from avdet.media.video_source import VideoSource, open_video
from avdet.structures import Clip

__all__ = ["Augmentation", "AvaTest", "AvaTrain", "Draw", "channels_first"]


@dataclass(frozen=True)
class Draw:
    """Which keyframe, and the seed of everything random about it: the same clip in whichever worker it is made.

    hard: its misaligned sound, where one is wanted, is of the same video.
    """

    keyframe: int
    seed: int
    hard: bool = False


@dataclass(frozen=True)
class Augmentation:
    """Short side by `draw_short_side`, a random square of `crop` pixels, mirrored with chance `flip`; then the colours,
    by `draw_colours`.
    """

    short_side: tuple[int, int]
    scale: Literal["uniform", "inverse_uniform"]
    crop: int
    flip: float
    colour_jitter: float
    pca_lighting: float


class AvaTrain(Dataset[Clip]):
    """Labelled people, jittered, cropped and flipped; misaligned sound where the model learns synchrony."""

    def __init__(
        self,
        keyframes: KeyframeTable,
        movies: dict[str, Path],
        extractor: ClipExtractor,
        augmentation: Augmentation,
        misaligned: MisalignedAudio | None = None,
    ) -> None:
        self.keyframes = keyframes
        self.movies = movies
        self.extractor = extractor
        self.augmentation = augmentation
        self.misaligned = misaligned

    def __len__(self) -> int:
        return len(self.keyframes)

    def place(self, draw: Draw) -> tuple[Path, float]:
        """The movie and the second in it."""
        keyframe = self.keyframes[draw.keyframe]
        return self.movies[keyframe.video], keyframe.video_s

    def __getitem__(self, draw: Draw) -> Clip:
        rng = np.random.default_rng(draw.seed)
        keyframe = self.keyframes[draw.keyframe]
        short_side = draw_short_side(self.augmentation.short_side, self.augmentation.scale, rng)
        with open_video(self.movies[keyframe.video], short_side=short_side) as video:
            frames = self.extractor.frames(video, keyframe.video_s)
            audio = self.extractor.audio(video, keyframe.video_s)
            negative_audio = None
            if self.misaligned is not None and audio is not None:
                pair_rng = np.random.default_rng([draw.seed, 1])  # of its own: the pictures are the same without pairs
                negative_audio = self.misaligned.cut(video, keyframe.video_s, hard=draw.hard, rng=pair_rng)
        height, width = frames.shape[1:3]
        boxes_px = scale_xyxy(keyframe.people.boxes, width, height)
        size = self.augmentation.crop
        frames, boxes_px = crop(frames, boxes_px, draw_crop(height, width, size, rng))
        if rng.random() < self.augmentation.flip:
            frames, boxes_px = flip(frames, boxes_px)
        frames = recolour(frames, draw_colours(self.augmentation.colour_jitter, self.augmentation.pca_lighting, rng))
        boxes_px, keep = visible(boxes_px, size, size)
        return Clip(
            keyframe.video,
            keyframe.time_s,
            channels_first(frames),
            audio,
            negative_audio,
            boxes_px=boxes_px[keep],
            people=keyframe.people.select(keep),
            labels={"action": keyframe.labels[keep]},
        )


class AvaTest(Dataset[Clip]):
    """People whose actions are asked for: the whole frame at one scale, nothing random, no clip replaced."""

    def __init__(
        self, keyframes: KeyframeTable, movies: dict[str, Path], extractor: ClipExtractor, *, short_side: int
    ) -> None:
        self.keyframes = keyframes
        self.movies = movies
        self.extractor = extractor
        self.short_side = short_side

    def __len__(self) -> int:
        return len(self.keyframes)

    def place(self, index: int) -> tuple[Path, float]:
        """The movie and the second in it."""
        keyframe = self.keyframes[index]
        return self.movies[keyframe.video], keyframe.video_s

    def __getitem__(self, index: int) -> Clip:
        keyframe = self.keyframes[index]
        with open_video(self.movies[keyframe.video], short_side=self.short_side) as video:
            return extract_whole_frame(video, keyframe, self.extractor)


def extract_whole_frame(video: VideoSource, keyframe: Keyframe, extractor: ClipExtractor) -> Clip:
    """The clip around a keyframe as the reader scales it, with its people's boxes in its pixels."""
    frames = extractor.frames(video, keyframe.video_s)
    height, width = frames.shape[1:3]
    return Clip(
        keyframe.video,
        keyframe.time_s,
        channels_first(frames),
        extractor.audio(video, keyframe.video_s),
        boxes_px=scale_xyxy(keyframe.people.boxes, width, height),
        people=keyframe.people,
        labels={"action": keyframe.labels},
    )


def channels_first(frames: Frames) -> torch.Tensor:
    """(T, H, W, 3) to (3, T, H, W), in memory of its own: a crop is a view of the whole clip."""
    return torch.from_numpy(np.ascontiguousarray(frames.transpose(3, 0, 1, 2)))
