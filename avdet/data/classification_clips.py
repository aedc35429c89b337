"""Whole clips for classification: random ones to learn from, evenly spaced and cropped ones to be tested by.

A video is decoded once a clip; its crops share the frames' memory and the sound.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from avdet.data.audio_negatives import MisalignedAudio
from avdet.data.clip_extractor import ClipExtractor
from avdet.data.collate import collate
from avdet.data.detection_clips import Augmentation, Draw, channels_first
from avdet.data.transforms import Crop, crop, draw_colours, draw_crop, draw_short_side, flip, recolour
from avdet.datasets.segments import Segments
from avdet.media.reader import DecodeError, FrameBatch, Frames
from avdet.media.video_source import StoredVideo, open_video
from avdet.structures import Clip, ClipBatch

__all__ = ["ClipTest", "ClipTrain", "ViewBatch", "Views", "clip_centers", "collate_views", "even_crops"]

NOBODY = torch.zeros(0, 4)
QUARTER_TURNS = 4
TOLERANCE_S = 0.5  # videos end up to so much before their label without a word: streams and lists are rounded
ClipTask = Literal["classification", "rotation", "none"]


class ClipTrain(Dataset[Clip]):
    """A clip anywhere in a segment, cropped, mirrored and recoloured by chance, and the sound of the same span.

    task: a clip's label is its segment's, or how many quarter turns it was given ("rotation"), or it has none.
    misaligned: gives sound of elsewhere, where the model learns synchrony.
    """

    def __init__(
        self,
        segments: Segments,
        files: Mapping[str, Path],
        extractor: ClipExtractor,
        augmentation: Augmentation,
        *,
        task: ClipTask = "classification",
        misaligned: MisalignedAudio | None = None,
    ) -> None:
        self.segments = segments
        self.files = files
        self.extractor = extractor
        self.augmentation = augmentation
        self.task = task
        self.misaligned = misaligned

    def __len__(self) -> int:
        return len(self.segments)

    def place(self, draw: Draw) -> tuple[Path, float]:
        """The file and the second at which the drawn segment begins."""
        return self.files[self.segments.videos[draw.keyframe]], float(self.segments.start_s[draw.keyframe])

    def __getitem__(self, draw: Draw) -> Clip:
        rng = np.random.default_rng(draw.seed)
        augmentation, index = self.augmentation, draw.keyframe
        short_side = draw_short_side(augmentation.short_side, augmentation.scale, rng)
        with open_video(self.files[self.segments.videos[index]], short_side=short_side) as video:
            low_s, high_s = center_range(*_stretch(self.segments, index, video), self.extractor.span_s)
            center_s = float(rng.uniform(low_s, high_s))
            frames = self.extractor.frames(video, center_s)
            audio = self.extractor.audio(video, center_s)
            negative_audio = None
            if self.misaligned is not None and audio is not None:
                pair_rng = np.random.default_rng([draw.seed, 1])  # of its own: the pictures are the same without pairs
                negative_audio = self.misaligned.cut(video, center_s, hard=draw.hard, rng=pair_rng)
        height, width = frames.shape[1:3]
        frames, _ = crop(frames, NOBODY, draw_crop(height, width, augmentation.crop, rng))
        if rng.random() < augmentation.flip:
            frames, _ = flip(frames, NOBODY)
        frames = recolour(frames, draw_colours(augmentation.colour_jitter, augmentation.pca_lighting, rng))
        labels, frames = self._label(index, center_s, frames, rng)
        video_id = str(self.segments.ids[index])
        return Clip(video_id, center_s, channels_first(frames), audio, negative_audio, labels=labels)

    def _label(
        self, index: int, center_s: float, frames: Frames, rng: np.random.Generator
    ) -> tuple[dict[str, Tensor], Frames]:
        if self.task == "none":
            return {}, frames
        if self.task == "rotation":
            turns = int(rng.integers(QUARTER_TURNS))
            return {"rotation": torch.tensor(turns)}, np.rot90(frames, turns, axes=(1, 2))
        half_s = self.extractor.span_s / 2
        labels = self.segments.labels_at(index, center_s - half_s, center_s + half_s)
        return {name: torch.as_tensor(label) for name, label in labels.items()}, frames


@dataclass(frozen=True)
class Views:
    """The crops of one test clip of segment `segment`.

    missing_s: how long before its label its video ends, or before the end that its file announces; 0 for a moment.
    """

    segment: int
    crops: tuple[Clip, ...]
    missing_s: float


class ClipTest(Dataset[Views]):
    """Item `segment * num_clips + i`: the i-th clip of a segment in `num_crops` crops, nothing random."""

    def __init__(
        self,
        segments: Segments,
        files: Mapping[str, Path],
        extractor: ClipExtractor,
        *,
        short_side: int,
        num_clips: int,
        num_crops: Literal[1, 3],
    ) -> None:
        self.segments = segments
        self.files = files
        self.extractor = extractor
        self.short_side = short_side
        self.num_clips = num_clips
        self.num_crops: Literal[1, 3] = num_crops

    def __len__(self) -> int:
        return len(self.segments) * self.num_clips

    def place(self, index: int) -> tuple[Path, float]:
        """The file and the second at which the segment begins."""
        segment = index // self.num_clips
        return self.files[self.segments.videos[segment]], float(self.segments.start_s[segment])

    def __getitem__(self, index: int) -> Views:
        segment, number = divmod(index, self.num_clips)
        video_id = str(self.segments.ids[segment])
        with open_video(self.files[self.segments.videos[segment]], short_side=self.short_side) as video:
            start_s, end_s = _stretch(self.segments, segment, video)
            center_s = float(clip_centers(start_s, end_s, self.extractor.span_s, self.num_clips)[number])
            frames = self.extractor.frame_batch(video, center_s)
            audio = self.extractor.audio(video, center_s)
            missing_s = _missing_s(float(self.segments.end_s[segment]), video.info.duration_s, frames)
        height, width = frames.rgb.shape[1:3]
        crops = [crop(frames.rgb, NOBODY, where)[0] for where in even_crops(height, width, self.num_crops)]
        return Views(
            segment,
            tuple(Clip(video_id, center_s, channels_first(square), audio) for square in crops),
            missing_s,
        )


@dataclass(frozen=True)
class ViewBatch:
    """Views as the model takes them; `segments` (B,) says whose each is, `short` which segments' videos end early."""

    batch: ClipBatch
    segments: tuple[int, ...]
    short: Mapping[int, float]


def collate_views(views: list[Views]) -> ViewBatch:
    return ViewBatch(
        collate([clip for item in views for clip in item.crops]),
        tuple(item.segment for item in views for _ in item.crops),
        {item.segment: item.missing_s for item in views if item.missing_s},
    )


def center_range(start_s: float, end_s: float, span_s: float) -> tuple[float, float]:
    """Where a clip's centre may be so that it stays in the segment: its middle alone, where the segment is shorter."""
    low_s, high_s = start_s + span_s / 2, end_s - span_s / 2
    return (low_s, high_s) if low_s <= high_s else ((start_s + end_s) / 2,) * 2


def clip_centers(start_s: float, end_s: float, span_s: float, count: int) -> NDArray[np.float64]:
    """(count,) evenly from the segment's first clip to its last; the middle, where there is only one."""
    low_s, high_s = center_range(start_s, end_s, span_s)
    return np.linspace(low_s, high_s, count) if count > 1 else np.array([(low_s + high_s) / 2])


def even_crops(height: int, width: int, count: Literal[1, 3]) -> list[Crop]:
    """The centre square, or three along the longer side: the first, the middle, the last."""
    size = min(height, width)
    shares = (0.5,) if count == 1 else (0.0, 0.5, 1.0)
    return [Crop(round(share * (width - size)), round(share * (height - size)), size) for share in shares]


def _stretch(segments: Segments, index: int, video: StoredVideo) -> tuple[float, float]:
    """Start and end of a segment as far as its video goes. Raises DecodeError where it begins after the video's end."""
    start_s, end_s, duration_s = float(segments.start_s[index]), float(segments.end_s[index]), video.info.duration_s
    if start_s >= duration_s:
        raise DecodeError(
            video.path,
            start_s,
            f"{segments.ids[index]} begins there, and the video lasts {duration_s:.1f} s; times are seconds from the "
            "video's start: put the untrimmed one there, or name a trimmed one ID_START_END",
        )
    return start_s, min(end_s, duration_s)


def _missing_s(labelled_end_s: float, duration_s: float, frames: FrameBatch) -> float:
    """See Views. A file whose download broke off still announces its whole duration; its pictures stop before."""
    shown_s = float(frames.times_s.max())
    end_s = shown_s if frames.past_end.any() and shown_s < duration_s - TOLERANCE_S else duration_s
    missing_s = (duration_s if np.isinf(labelled_end_s) else labelled_end_s) - end_s
    return missing_s if missing_s > TOLERANCE_S else 0.0
