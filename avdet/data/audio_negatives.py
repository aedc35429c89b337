"""Misaligned sound for the synchronisation loss: of another video or of another moment (paper, section 3.3)."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from torch import Tensor

from avdet.data.clip_extractor import ClipExtractor
from avdet.media.media_file import DecodeError
from avdet.media.video_source import StoredVideo, VideoSource, open_video

__all__ = ["HARD_GAP_S", "HardNegativeSchedule", "MisalignedAudio", "other_start"]

HARD_GAP_S = 0.5  # a hard negative starts at least so much before or after the clip
ATTEMPTS = 5  # videos that are opened to find one with sound


class HardNegativeSchedule:
    """The curriculum: no hard negatives in the first half of training, then `share` of all."""

    def __init__(self, share: float, epochs: int) -> None:
        self.share, self.epochs = share, epochs

    def at(self, epoch: int) -> float:
        return self.share if 2 * epoch >= self.epochs else 0.0


class MisalignedAudio:
    """Cuts sound that does not belong to a clip, as long as the clip and through the same log-mel.

    movies: those that a data set's clips are cut from; an "easy" negative is any moment of another of them.
    """

    def __init__(self, movies: Sequence[Path], extractor: ClipExtractor) -> None:
        self.movies = sorted(movies)
        self.extractor = extractor

    def cut(self, video: StoredVideo, center_s: float, *, hard: bool, rng: np.random.Generator) -> Tensor | None:
        """(T, F) for the clip of `video` around `center_s`; None where there is no such sound.

        hard: from the same video, its start HARD_GAP_S or more away.
        """
        return self._same_video(video, center_s, rng) if hard else self._other_video(video.path, rng)

    def _same_video(self, video: VideoSource, center_s: float, rng: np.random.Generator) -> Tensor | None:
        span_s = self.extractor.span_s
        start_s = other_start(center_s - span_s / 2, span_s, video.info.duration_s, rng)
        return None if start_s is None else self.extractor.audio(video, start_s + span_s / 2)

    def _other_video(self, path: Path, rng: np.random.Generator) -> Tensor | None:
        others = [movie for movie in rng.permutation(len(self.movies))[: ATTEMPTS + 1] if self.movies[movie] != path]
        for index in others[:ATTEMPTS]:
            share = rng.random()
            with suppress(DecodeError), open_video(self.movies[index]) as other:  # its own clips will tell of it
                last_s = max(other.info.duration_s - self.extractor.span_s, 0.0)
                sound = self.extractor.audio(other, share * last_s + self.extractor.span_s / 2)
                if sound is not None:
                    return sound
        return None


def other_start(start_s: float, span_s: float, duration_s: float, rng: np.random.Generator) -> float | None:
    """Uniform over the starts in a video that are HARD_GAP_S or more from `start_s`; None where there is none."""
    last_s = duration_s - span_s
    before_s = max(0.0, min(start_s - HARD_GAP_S, last_s))
    after_s = max(0.0, start_s + HARD_GAP_S)
    room_s = before_s + max(0.0, last_s - after_s)
    if last_s < 0 or room_s <= 0:
        return None
    drawn_s = rng.uniform(0.0, room_s)
    return drawn_s if drawn_s < before_s else after_s + (drawn_s - before_s)
