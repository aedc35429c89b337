"""Labelled pictures to learn from: a keyframe of a video, decoded by time, and the people on it."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from avdet.boxes import flip_xyxy
from avdet.media.media_file import DecodeError
from avdet.media.video_source import open_video
from avdet.people.find_persons import video_name
from avdet.people.person_detector import Picture
from avdet.structures import PersonBoxes

__all__ = ["LabelledFrame", "LabelledFrameLoader", "LabelledFrames", "mirrored", "read_picture"]

LabelledPicture = tuple[Picture, PersonBoxes]


@dataclass(frozen=True)
class LabelledFrame:
    """Where a picture is to be found, and who is on it."""

    video: Path
    time_s: float
    people: PersonBoxes


class LabelledFrames(Dataset[LabelledPicture]):
    """Shots in the order given, each mirrored by chance in training."""

    def __init__(self, shots: Sequence[LabelledFrame], *, mirror: bool) -> None:
        self.shots = shots
        self.mirror = mirror

    def __len__(self) -> int:
        return len(self.shots)

    def __getitem__(self, index: int) -> LabelledPicture:
        shot = self.shots[index]
        picture = read_picture(shot)
        return mirrored(picture, shot.people) if self.mirror and torch.rand(()) < 0.5 else (picture, shot.people)


def read_picture(shot: LabelledFrame) -> Picture:
    with open_video(shot.video) as video:
        return Picture(video_name(shot.video), shot.time_s, video.frames([shot.time_s])[0])


def mirrored(picture: Picture, people: PersonBoxes) -> LabelledPicture:
    """Left is right."""
    rgb = np.ascontiguousarray(picture.rgb[:, ::-1])
    boxes = flip_xyxy(people.boxes, 1.0)
    return Picture(picture.video, picture.time_s, rgb), PersonBoxes(boxes, people.scores, people.person_ids)


class _Tried(Dataset[LabelledPicture | DecodeError]):
    """What a worker raises comes out as another error with a long text, so it gives the error back."""

    def __init__(self, pictures: LabelledFrames) -> None:
        self.pictures = pictures

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: int) -> LabelledPicture | DecodeError:
        try:
            return self.pictures[index]
        except DecodeError as error:
            return error


class LabelledFrameLoader:
    """Batches are lists of pairs: pictures may differ in size. The seed decides the order and what is mirrored.

    Raises DecodeError for a picture that cannot be read.
    """

    def __init__(
        self, pictures: LabelledFrames, *, batch_size: int, workers: int, shuffle: bool, seed: int = 0
    ) -> None:
        self._loader: DataLoader[LabelledPicture | DecodeError] = DataLoader(
            _Tried(pictures),
            batch_size,
            shuffle=shuffle,
            drop_last=shuffle and len(pictures) > batch_size,
            num_workers=workers,
            collate_fn=list,
            generator=torch.Generator().manual_seed(seed),
            persistent_workers=workers > 0,
            worker_init_fn=_ignore_interrupts,
        )

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[list[LabelledPicture]]:
        for batch in self._loader:
            for item in batch:
                if isinstance(item, DecodeError):
                    raise item
            yield batch


def _ignore_interrupts(worker: int) -> None:
    """A terminal sends Ctrl-C to the workers too, but only the main process may decide."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
