"""Eight videos of one frame each, and a loader of them: small enough for tests of workers, which pickle all this."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import torch
from torch.utils.data import BatchSampler, Sampler

from avdet.data.collate import collate
from avdet.data.loader import ClipLoader, StartMethod
from avdet.data.safe_dataset import BadClipLog
from avdet.data.sampler import SampleSpec
from avdet.media.video_reader import VideoReader
from avdet.structures import Clip, ClipBatch
from tests.media.make_videos import numbered, numbers_of, write_video

NUM_VIDEOS = 8


class OneFrameClips:
    """The first frame of each video, whose number identifies the video."""

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths

    def __len__(self) -> int:
        return len(self.paths)

    def location(self, spec: SampleSpec) -> tuple[Path, float]:
        return self.paths[spec.index], 0.5

    def __getitem__(self, spec: SampleSpec) -> Clip:
        with VideoReader(self.paths[spec.index]) as video:
            frames = video.frames([0.5])
        return Clip(str(numbers_of(frames)[0]), 0.5, torch.from_numpy(frames).permute(3, 0, 1, 2))


class PairSampler(Sampler[list[SampleSpec]]):
    """Every clip once, in batches of two."""

    def __init__(self, num_clips: int = NUM_VIDEOS) -> None:
        self.specs = [SampleSpec(k, 1000 + k) for k in range(num_clips)]

    def __len__(self) -> int:
        return len(self.specs) // 2

    def __iter__(self) -> Iterator[list[SampleSpec]]:
        return iter(BatchSampler(self.specs, 2, drop_last=True))  # type: ignore[arg-type]  # a list is iterable too


def write_one_frame_videos(folder: Path) -> list[Path]:
    return [
        write_video(folder / f"video{k}.mp4", frames=[numbered(k)], num_frames=1) for k in range(NUM_VIDEOS)
    ]  # fmt: skip


def loader_of(
    clips: OneFrameClips,
    bad_clips: BadClipLog | None,
    *,
    workers: int = 0,
    limit_s: float = 60.0,
    start_method: StartMethod | None = None,
) -> ClipLoader[ClipBatch]:
    return ClipLoader(
        clips,
        PairSampler(len(clips)),
        collate,
        workers=workers,
        limit_s=limit_s,
        bad_clips=bad_clips,
        start_method=start_method,
    )


def video_names(loader: ClipLoader[ClipBatch]) -> list[str]:
    return [video for batch in loader for video, _ in batch.clips]
