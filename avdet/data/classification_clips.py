"""Clips of labelled segments: random ones in training, evenly spaced and cropped ones in testing.

A test clip is decoded once; its crops share the frames' memory and the audio.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from avdet.data.audio_negatives import MisalignedAudio
from avdet.data.augmentation import Augmentation
from avdet.data.clip_extractor import ClipExtractor, channels_first
from avdet.data.collate import collate
from avdet.data.sampler import SampleSpec
from avdet.data.transforms import Crop
from avdet.datasets.segments import Segments
from avdet.media.video_reader import DecodeError, FrameBatch, Frames
from avdet.media.video_source import StoredVideo
from avdet.structures import Clip, ClipBatch

__all__ = [
    "ClassificationTestClips", "ClassificationTrainClips", "ClipViews", "ViewBatch", "clip_centers", "clip_crops",
    "collate_views", "even_crops",
]  # fmt: skip

NO_BOXES = torch.zeros(0, 4)
NUM_ROTATIONS = 4
TOLERANCE_S = 0.5  # a video may end this long before its label: streams and lists are rounded
ClipTask = Literal["classification", "rotation", "none"]


class ClassificationTrainClips(Dataset[Clip]):
    """A random clip of a segment, augmented, with the audio of the same span.

    task: the label is the segment's class, the clip's rotation in quarter turns, or absent.
    misaligned: yields misaligned audio if the model has an AVS loss.
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

    def location(self, spec: SampleSpec) -> tuple[Path, float]:
        """The video file and the second at which the segment starts."""
        return self.files[self.segments.videos[spec.index]], float(self.segments.start_s[spec.index])

    def __getitem__(self, spec: SampleSpec) -> Clip:
        rng = np.random.default_rng(spec.seed)
        short_side = self.augmentation.draw_short_side(rng)
        with self.extractor.open(self.files[self.segments.videos[spec.index]], short_side=short_side) as video:
            low_s, high_s = center_range(*_span_in_video(self.segments, spec.index, video), self.extractor.span_s)
            center_s = float(rng.uniform(low_s, high_s))
            frames = self.extractor.frames(video, center_s)
            audio = self.extractor.audio(video, center_s)
            negative_audio = None
            if self.misaligned is not None and audio is not None:
                negative_audio = self.misaligned.extract(video, center_s, spec)
        frames, _ = self.augmentation.apply(frames, NO_BOXES, rng)
        labels, frames = self._label(spec.index, center_s, frames, rng)
        video_id = str(self.segments.ids[spec.index])
        return Clip(video_id, center_s, channels_first(frames), audio, negative_audio, labels=labels)

    def _label(
        self, index: int, center_s: float, frames: Frames, rng: np.random.Generator
    ) -> tuple[dict[str, Tensor], Frames]:
        if self.task == "none":
            return {}, frames
        if self.task == "rotation":
            turns = int(rng.integers(NUM_ROTATIONS))
            return {"rotation": torch.tensor(turns)}, np.rot90(frames, turns, axes=(1, 2))
        half_s = self.extractor.span_s / 2
        labels = self.segments.labels_at(index, center_s - half_s, center_s + half_s)
        return {name: torch.as_tensor(label) for name, label in labels.items()}, frames


@dataclass(frozen=True)
class ClipViews:
    """The crops of one test clip of segment `segment`.

    missing_s: seconds by which the video ends before its label, or before the duration that its file states; 0 if it
    does not.
    """

    segment: int
    crops: tuple[Clip, ...]
    missing_s: float


class ClassificationTestClips(Dataset[ClipViews]):
    """Item `segment * num_clips + i` is the i-th clip of a segment in `num_crops` crops; no randomness."""

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

    def location(self, index: int) -> tuple[Path, float]:
        """The video file and the second at which the segment starts."""
        segment = index // self.num_clips
        return self.files[self.segments.videos[segment]], float(self.segments.start_s[segment])

    def __getitem__(self, index: int) -> ClipViews:
        segment, number = divmod(index, self.num_clips)
        video_id = str(self.segments.ids[segment])
        with self.extractor.open(self.files[self.segments.videos[segment]], short_side=self.short_side) as video:
            start_s, end_s = _span_in_video(self.segments, segment, video)
            center_s = float(clip_centers(start_s, end_s, self.extractor.span_s, self.num_clips)[number])
            frames = self.extractor.frame_batch(video, center_s)
            view = torch.from_numpy(frames.rgb.transpose(3, 0, 1, 2))
            clip = Clip(video_id, center_s, view, self.extractor.audio(video, center_s))
            missing_s = _missing_s(float(self.segments.end_s[segment]), video.info.duration_s, frames)
        return ClipViews(segment, clip_crops(clip, self.num_crops), missing_s)


def clip_crops(clip: Clip, count: Literal[1, 3]) -> tuple[Clip, ...]:
    """The clip's crops; see `even_crops`. Each has frames in its own memory and shares the audio."""
    height, width = clip.frames.shape[2:]
    squares = even_crops(height, width, count)
    return tuple(replace(clip, frames=_cropped(clip.frames, square)) for square in squares)


def _cropped(frames: Tensor, square: Crop) -> Tensor:
    rows, columns = slice(square.top, square.top + square.size), slice(square.left, square.left + square.size)
    return frames[..., rows, columns].contiguous()


@dataclass(frozen=True)
class ViewBatch:
    """Test views as a batch for the model.

    segments: (B,) the segment of each view. missing_s: by segment, for videos that end early; see `ClipViews`.
    """

    batch: ClipBatch
    segments: tuple[int, ...]
    missing_s: Mapping[int, float]


def collate_views(items: list[ClipViews]) -> ViewBatch:
    """The crops of all items as one batch."""
    return ViewBatch(
        collate([clip for views in items for clip in views.crops]),
        tuple(views.segment for views in items for _ in views.crops),
        {views.segment: views.missing_s for views in items if views.missing_s},
    )


def center_range(start_s: float, end_s: float, span_s: float) -> tuple[float, float]:
    """The clip centres at which a clip lies within the segment; the middle alone if the segment is shorter."""
    low_s, high_s = start_s + span_s / 2, end_s - span_s / 2
    return (low_s, high_s) if low_s <= high_s else ((start_s + end_s) / 2,) * 2


def clip_centers(start_s: float, end_s: float, span_s: float, count: int) -> NDArray[np.float64]:
    """(count,) evenly from the segment's first clip to its last; the middle if count is 1."""
    low_s, high_s = center_range(start_s, end_s, span_s)
    return np.linspace(low_s, high_s, count) if count > 1 else np.array([(low_s + high_s) / 2])


def even_crops(height: int, width: int, count: Literal[1, 3]) -> list[Crop]:
    """The centre square, or three along the longer side: start, centre, end."""
    size = min(height, width)
    positions = (0.5,) if count == 1 else (0.0, 0.5, 1.0)
    return [Crop(round(at * (width - size)), round(at * (height - size)), size) for at in positions]


def _span_in_video(segments: Segments, index: int, video: StoredVideo) -> tuple[float, float]:
    """Start and end of a segment, cut at the video's end. Raises DecodeError if it starts after that."""
    start_s, end_s, duration_s = float(segments.start_s[index]), float(segments.end_s[index]), video.info.duration_s
    if start_s >= duration_s:
        raise DecodeError(
            video.path,
            start_s,
            f"{segments.ids[index]} starts there, but the video lasts {duration_s:.1f} s; times are seconds from the "
            "video's start: use the untrimmed video, or name a trimmed one ID_START_END",
        )
    return start_s, min(end_s, duration_s)


def _missing_s(labelled_end_s: float, duration_s: float, frames: FrameBatch) -> float:
    """See ClipViews. An interrupted download still states the whole duration, but its frames end earlier."""
    last_frame_s = float(frames.times_s.max())
    end_s = last_frame_s if frames.past_end.any() and last_frame_s < duration_s - TOLERANCE_S else duration_s
    missing_s = (duration_s if np.isinf(labelled_end_s) else labelled_end_s) - end_s
    return missing_s if missing_s > TOLERANCE_S else 0.0
