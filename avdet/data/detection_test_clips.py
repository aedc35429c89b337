"""The clips around a keyframe that its persons' scores are averaged over in testing: scales, mirrored frames, times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from avdet.boxes import flip_xyxy, scale_xyxy
from avdet.data.clip_extractor import ClipExtractor, channels_first
from avdet.data.detection_clips import KeyframeClips
from avdet.data.keyframes import Keyframe, KeyframeTable
from avdet.data.sampler import SampleSpec
from avdet.media.video_source import VideoSource
from avdet.structures import Clip

__all__ = ["DetectionTestClips", "KeyframeView", "extract_whole_frame", "keyframe_views"]


@dataclass(frozen=True)
class KeyframeView:
    """One of the clips that a keyframe's scores are averaged over.

    short_side: of the frames, in pixels. mirrored: left to right. shift_s: from the keyframe to the clip's centre.
    """

    short_side: int
    mirrored: bool = False
    shift_s: float = 0.0


def keyframe_views(short_sides: Sequence[int], *, flip: bool, num_clips: int, span_s: float) -> list[KeyframeView]:
    """Every short side, as it is and mirrored, with each of `num_clips` clips.

    The clips' centres are spread evenly over half a clip's span, so that the keyframe is in the middle half of each.
    """
    shifts_s = np.linspace(-span_s / 4, span_s / 4, num_clips) if num_clips > 1 else [0.0]
    return [
        KeyframeView(side, mirrored, float(shift_s))
        for side in short_sides
        for mirrored in (False, True)[: 1 + flip]
        for shift_s in shifts_s
    ]


class DetectionTestClips(KeyframeClips):
    """Whole frames around each keyframe; item `keyframe * len(views) + i` is its i-th view.

    There is no randomness, and no clip is replaced.
    """

    def __init__(
        self,
        keyframes: KeyframeTable,
        videos: Mapping[str, Path],
        extractor: ClipExtractor,
        *,
        views: Sequence[KeyframeView],
    ) -> None:
        super().__init__(keyframes, videos, extractor)
        self.views = views

    def __len__(self) -> int:
        return len(self.keyframes) * len(self.views)

    def location(self, spec: SampleSpec | int) -> tuple[Path, float]:
        assert isinstance(spec, int)
        return super().location(spec // len(self.views))

    def __getitem__(self, index: int) -> Clip:
        number, i = divmod(index, len(self.views))
        keyframe, view = self.keyframes[number], self.views[i]
        with self.extractor.open(self.videos[keyframe.video], short_side=view.short_side) as video:
            clip = extract_whole_frame(video, keyframe, self.extractor, shift_s=view.shift_s)
        if not view.mirrored:
            return clip
        return replace(clip, frames=clip.frames.flip(-1), boxes_px=flip_xyxy(clip.boxes_px, clip.frames.shape[-1]))


def extract_whole_frame(
    video: VideoSource, keyframe: Keyframe, extractor: ClipExtractor, *, shift_s: float = 0.0
) -> Clip:
    """The clip around a keyframe in the reader's frame size, with the persons' boxes in its pixels.

    shift_s: from the keyframe to the clip's centre.
    """
    center_s = keyframe.video_s + shift_s
    frames = extractor.frames(video, center_s)
    height, width = frames.shape[1:3]
    return Clip(
        keyframe.video,
        keyframe.time_s,
        channels_first(frames),
        extractor.audio(video, center_s),
        boxes_px=scale_xyxy(keyframe.people.boxes, width, height),
        people=keyframe.people,
        labels={"action": keyframe.labels},
    )
