"""The data structures shared by all packages: dataclasses that check their shapes.

Axes: B clips, T frames, H and W pixels, N boxes, C classes; audio has T time steps and F mel bins.
Boxes are xyxy: normalised to the video's frame in `PersonBoxes`, pixels of the network's input in names with `_px`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

import torch
from torch import Tensor

__all__ = ["BadClip", "Clip", "ClipBatch", "Detections", "PersonBoxes"]


@dataclass(frozen=True)
class PersonBoxes:
    """The persons of one frame: boxes (N, 4) normalised, scores (N,), person ids (N,), -1 if unknown."""

    boxes: Tensor
    scores: Tensor
    person_ids: Tensor

    def __post_init__(self) -> None:
        count = len(self.boxes)
        assert self.boxes.shape == (count, 4), f"boxes are {tuple(self.boxes.shape)}, not (N, 4)"
        assert self.scores.shape == (count,), f"{count} boxes but scores are {tuple(self.scores.shape)}"
        assert self.person_ids.shape == (count,), f"{count} boxes but ids are {tuple(self.person_ids.shape)}"

    def __len__(self) -> int:
        return len(self.boxes)

    @classmethod
    def from_boxes(cls, boxes: Tensor, scores: Tensor | None = None, person_ids: Tensor | None = None) -> PersonBoxes:
        """Builds PersonBoxes; scores default to 1 and ids to -1."""
        boxes = boxes.reshape(-1, 4).to(torch.float32)
        if scores is None:
            scores = torch.ones(len(boxes))
        if person_ids is None:
            person_ids = torch.full((len(boxes),), -1)
        return cls(boxes, scores.to(torch.float32), person_ids.to(torch.int64))

    def select(self, keep: Tensor) -> PersonBoxes:
        """Returns the persons at a boolean mask or indices."""
        return PersonBoxes(self.boxes[keep], self.scores[keep], self.person_ids[keep])


@dataclass(frozen=True)
class BadClip:
    """A clip that could not be read, with the reason; another clip replaced it."""

    video: str
    time_s: float
    reason: str


@dataclass(frozen=True)
class Clip:
    """One clip extracted from a video.

    frames: (3, T, H, W) uint8, the frames of the Fast pathway.
    audio: (T, F) normalised log-mel of the same span; None if the video has no audio.
    negative_audio: (T, F) log-mel of another span or video, for the AVS loss (paper, section 3.3).
    boxes_px: (N, 4) in pixels of `frames`; `people` holds the same N persons, normalised to the video's frame.
    labels: one tensor per class set: (N, C) multi-hot for boxes, (C,) multi-hot or () class index for whole clips.
    bad: the unreadable clips that this one replaces.
    """

    video: str
    time_s: float
    frames: Tensor
    audio: Tensor | None = None
    negative_audio: Tensor | None = None
    boxes_px: Tensor = field(default_factory=lambda: torch.zeros(0, 4))
    people: PersonBoxes = field(default_factory=lambda: PersonBoxes.from_boxes(torch.zeros(0, 4)))
    labels: dict[str, Tensor] = field(default_factory=dict)
    bad: tuple[BadClip, ...] = ()

    def __post_init__(self) -> None:
        assert self.frames.ndim == 4 and self.frames.shape[0] == 3, f"frames are {tuple(self.frames.shape)}"
        assert self.frames.dtype == torch.uint8, f"frames are {self.frames.dtype}, not uint8"
        assert len(self.boxes_px) == len(self.people), f"{len(self.boxes_px)} boxes, {len(self.people)} people"


@dataclass(frozen=True)
class ClipBatch:
    """Clips of one size: the model's input.

    frames: (B, 3, T, H, W) uint8; the model normalises them and subsamples the Slow pathway's frames.
    audio: (B, 1, T, F), zeros for a clip without audio; None if no clip has audio.
    has_audio: (B,) bool.
    boxes_px: (N, 4) of all clips; `box_clip` (N,) is the index of each box's clip.
    labels: one tensor per class set, one row per box or per clip.
    clips: (video, time in seconds) of each clip.
    bad: the unreadable clips that were replaced.
    """

    frames: Tensor
    audio: Tensor | None
    has_audio: Tensor
    boxes_px: Tensor
    box_clip: Tensor
    labels: dict[str, Tensor]
    clips: tuple[tuple[str, float], ...]
    people: tuple[PersonBoxes, ...]
    negative_audio: Tensor | None = None
    bad: tuple[BadClip, ...] = ()

    def __post_init__(self) -> None:
        size = len(self.frames)
        assert self.frames.ndim == 5 and self.has_audio.shape == (size,)
        assert len(self.clips) == len(self.people) == size
        assert self.boxes_px.shape == (len(self.box_clip), 4)

    def __len__(self) -> int:
        return len(self.frames)

    def to(self, device: torch.device) -> ClipBatch:
        """Returns a copy on `device`, without waiting for pinned tensors."""

        def move(tensor: Tensor | None) -> Tensor | None:
            return None if tensor is None else tensor.to(device, non_blocking=True)

        return replace(
            self,
            frames=self.frames.to(device, non_blocking=True),
            audio=move(self.audio),
            negative_audio=move(self.negative_audio),
            has_audio=self.has_audio.to(device, non_blocking=True),
            boxes_px=self.boxes_px.to(device, non_blocking=True),
            box_clip=self.box_clip.to(device, non_blocking=True),
            labels={name: label.to(device, non_blocking=True) for name, label in self.labels.items()},
        )

    def split(self, count: int) -> list[ClipBatch]:
        """Splits the clips into at most `count` batches of nearly equal size, none of them empty."""
        size = len(self)
        if count == 1:
            return [self]
        edges = sorted({round(index * size / count) for index in range(count + 1)})
        return [self._slice(first, last) for first, last in pairwise(edges)]

    def _slice(self, first: int, last: int) -> ClipBatch:
        in_slice = (self.box_clip >= first) & (self.box_clip < last)
        rows = {
            name: in_slice if len(self.box_clip) or not len(label) else slice(first, last)  # rows are boxes or clips
            for name, label in self.labels.items()
        }
        return replace(
            self,
            frames=self.frames[first:last],
            audio=None if self.audio is None else self.audio[first:last],
            negative_audio=None if self.negative_audio is None else self.negative_audio[first:last],
            has_audio=self.has_audio[first:last],
            boxes_px=self.boxes_px[in_slice],
            box_clip=self.box_clip[in_slice] - first,
            labels={name: label[rows[name]] for name, label in self.labels.items()},
            clips=self.clips[first:last],
            people=self.people[first:last],
        )

    def pin_memory(self) -> ClipBatch:
        """Called by the data loader before the copy to the GPU."""
        return replace(
            self,
            frames=self.frames.pin_memory(),
            audio=None if self.audio is None else self.audio.pin_memory(),
            negative_audio=None if self.negative_audio is None else self.negative_audio.pin_memory(),
        )


@dataclass(frozen=True)
class Detections:
    """The predictions for one keyframe: N persons and their scores (N, C), in the order of the class names."""

    video: str
    time_s: float
    people: PersonBoxes
    scores: Tensor

    def __post_init__(self) -> None:
        assert self.scores.ndim == 2 and len(self.scores) == len(self.people)
