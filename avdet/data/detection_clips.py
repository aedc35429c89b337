"""Clips around keyframes with their person boxes and labels (paper, section 4.3).

Videos are read by time: no frame lists, no extracted frames, any frame rate.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from torch.utils.data import Dataset

from avdet.boxes import scale_xyxy
from avdet.data.audio_negatives import MisalignedAudio
from avdet.data.augmentation import Augmentation
from avdet.data.clip_extractor import ClipExtractor, channels_first
from avdet.data.keyframes import KeyframeTable
from avdet.data.sampler import SampleSpec
from avdet.data.transforms import clip_and_keep
from avdet.structures import Clip

__all__ = ["DetectionTrainClips", "KeyframeClips"]


class KeyframeClips(Dataset[Clip]):
    """One clip per keyframe; a subclass says which."""

    def __init__(self, keyframes: KeyframeTable, videos: Mapping[str, Path], extractor: ClipExtractor) -> None:
        self.keyframes, self.videos, self.extractor = keyframes, videos, extractor

    def __len__(self) -> int:
        return len(self.keyframes)

    def location(self, spec: SampleSpec | int) -> tuple[Path, float]:
        """The video file and the second in it."""
        keyframe = self.keyframes[spec if isinstance(spec, int) else spec.index]
        return self.videos[keyframe.video], keyframe.video_s


class DetectionTrainClips(KeyframeClips):
    """Labelled persons in augmented clips, with misaligned audio if the model has an AVS loss."""

    def __init__(
        self,
        keyframes: KeyframeTable,
        videos: Mapping[str, Path],
        extractor: ClipExtractor,
        augmentation: Augmentation,
        misaligned: MisalignedAudio | None = None,
    ) -> None:
        super().__init__(keyframes, videos, extractor)
        self.augmentation, self.misaligned = augmentation, misaligned

    def __getitem__(self, spec: SampleSpec) -> Clip:
        rng = np.random.default_rng(spec.seed)
        keyframe = self.keyframes[spec.index]
        short_side = self.augmentation.draw_short_side(rng)
        with self.extractor.open(self.videos[keyframe.video], short_side=short_side) as video:
            frames = self.extractor.frames(video, keyframe.video_s)
            audio = self.extractor.audio(video, keyframe.video_s)
            negative_audio = None
            if self.misaligned is not None and audio is not None:
                negative_audio = self.misaligned.extract(video, keyframe.video_s, spec)
        height, width = frames.shape[1:3]
        boxes_px = scale_xyxy(keyframe.people.boxes, width, height)
        frames, boxes_px = self.augmentation.apply(frames, boxes_px, rng)
        boxes_px, keep = clip_and_keep(boxes_px, self.augmentation.crop, self.augmentation.crop)
        return Clip(
            keyframe.video,
            keyframe.time_s,
            channels_first(frames),  # (3, T, crop, crop)
            audio,
            negative_audio,
            boxes_px=boxes_px[keep],
            people=keyframe.people.select(keep),
            labels={"action": keyframe.labels[keep]},
        )
