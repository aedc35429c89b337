"""Misaligned audio for the AVS loss: of another video (easy) or of another time (hard) (paper, section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from torch import Tensor

from avdet.data.clip_extractor import ClipExtractor
from avdet.data.sampler import SampleSpec
from avdet.media.media_file import DecodeError
from avdet.media.video_source import StoredVideo, VideoSource

__all__ = ["HARD_GAP_S", "MisalignedAudio", "misaligned_start"]

HARD_GAP_S = 0.5  # smallest distance between the starts of a clip and its hard negative
MAX_ATTEMPTS = 5  # videos that are opened to find one with audio


class MisalignedAudio:
    """Extracts audio that does not belong to a clip, of the clip's length and through the same log-mel.

    videos: the files that the clips come from; an easy negative is at any time of another of them.
    """

    def __init__(self, videos: Sequence[Path], extractor: ClipExtractor) -> None:
        self.videos = sorted(videos)
        self.extractor = extractor

    def extract(self, video: StoredVideo, center_s: float, spec: SampleSpec) -> Tensor | None:
        """(T, F) for the clip of `video` around `center_s`; None if there is no such audio."""
        rng = np.random.default_rng([spec.seed, 1])  # a generator of its own: frames do not depend on negatives
        if spec.hard_negative:
            return self._from_same_video(video, center_s, rng)
        return self._from_other_video(video.path, rng)

    def _from_same_video(self, video: VideoSource, center_s: float, rng: np.random.Generator) -> Tensor | None:
        span_s = self.extractor.span_s
        start_s = misaligned_start(center_s - span_s / 2, span_s, video.info.duration_s, rng)
        return None if start_s is None else self.extractor.audio(video, start_s + span_s / 2)

    def _from_other_video(self, path: Path, rng: np.random.Generator) -> Tensor | None:
        drawn = rng.permutation(len(self.videos))[: MAX_ATTEMPTS + 1]
        others = [index for index in drawn if self.videos[index] != path]
        for index in others[:MAX_ATTEMPTS]:
            position = rng.random()
            with (
                suppress(DecodeError),
                self.extractor.open(self.videos[index]) as other,
            ):  # reported when its own clips are read
                last_s = max(other.info.duration_s - self.extractor.span_s, 0.0)
                audio = self.extractor.audio(other, position * last_s + self.extractor.span_s / 2)
                if audio is not None:
                    return audio
        return None


def misaligned_start(start_s: float, span_s: float, duration_s: float, rng: np.random.Generator) -> float | None:
    """Uniform over the starts in a video that are at least HARD_GAP_S from `start_s`; None if there is none."""
    last_s = duration_s - span_s
    before_s = max(0.0, min(start_s - HARD_GAP_S, last_s))
    after_s = max(0.0, start_s + HARD_GAP_S)
    room_s = before_s + max(0.0, last_s - after_s)
    if last_s < 0 or room_s <= 0:
        return None
    drawn_s = rng.uniform(0.0, room_s)
    return drawn_s if drawn_s < before_s else after_s + (drawn_s - before_s)
