"""Fine-tunes a person detector on labelled frames: data set, loader and training loop."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch.optim.lr_scheduler import LambdaLR
from torch.utils.data import DataLoader, Dataset

from avdet.boxes import flip_xyxy
from avdet.media.media_file import DecodeError
from avdet.media.video_source import open_video
from avdet.people.find_persons import video_name
from avdet.people.person_detector import KeyframeImage, TrainablePersonDetector
from avdet.structures import PersonBoxes

__all__ = ["LabelledFrame", "LabelledFrameLoader", "LabelledFrames", "fine_tune", "horizontal_flip"]

MOMENTUM, WEIGHT_DECAY = 0.9, 1e-4
WARMUP_FRACTION = 0.1  # of the steps
GRAD_CLIP_NORM = 10.0

Sample = tuple[KeyframeImage, PersonBoxes]


@dataclass(frozen=True)
class LabelledFrame:
    """A frame, by its video and time, and the persons labelled in it."""

    video: Path
    time_s: float
    persons: PersonBoxes


class LabelledFrames(Dataset[Sample]):
    """Decodes labelled frames; with `flip`, half of them are flipped horizontally, at random."""

    def __init__(self, frames: Sequence[LabelledFrame], *, flip: bool) -> None:
        self.frames = frames
        self.flip = flip

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int) -> Sample:
        frame = self.frames[index]
        with open_video(frame.video) as video:
            image = KeyframeImage(video_name(frame.video), frame.time_s, video.frames([frame.time_s])[0])
        if self.flip and torch.rand(()) < 0.5:
            return horizontal_flip(image, frame.persons)
        return image, frame.persons


def horizontal_flip(image: KeyframeImage, persons: PersonBoxes) -> Sample:
    """Mirrors an image and its boxes."""
    rgb = np.ascontiguousarray(image.rgb[:, ::-1])
    boxes = flip_xyxy(persons.boxes, 1.0)
    return KeyframeImage(image.video, image.time_s, rgb), PersonBoxes(boxes, persons.scores, persons.person_ids)


class _ReturnsErrors(Dataset[Sample | DecodeError]):
    """Returns a DecodeError instead of raising it: DataLoader would wrap it in a worker's traceback."""

    def __init__(self, frames: LabelledFrames) -> None:
        self.frames = frames

    def __len__(self) -> int:
        return len(self.frames)

    def __getitem__(self, index: int) -> Sample | DecodeError:
        try:
            return self.frames[index]
        except DecodeError as error:
            return error


class LabelledFrameLoader:
    """Batches of (image, person boxes) as lists, because images differ in size.

    The seed determines the order and the flips. Raises DecodeError for a frame that cannot be read.
    """

    def __init__(self, frames: LabelledFrames, *, batch_size: int, workers: int, shuffle: bool, seed: int = 0) -> None:
        self._loader: DataLoader[Sample | DecodeError] = DataLoader(
            _ReturnsErrors(frames),
            batch_size,
            shuffle=shuffle,
            drop_last=shuffle and len(frames) > batch_size,
            num_workers=workers,
            collate_fn=list,
            generator=torch.Generator().manual_seed(seed),
            persistent_workers=workers > 0,
            worker_init_fn=_ignore_interrupts,
        )

    def __len__(self) -> int:
        return len(self._loader)

    def __iter__(self) -> Iterator[list[Sample]]:
        for batch in self._loader:
            for item in batch:
                if isinstance(item, DecodeError):
                    raise item
            yield batch


def _ignore_interrupts(worker: int) -> None:
    """A terminal sends Ctrl-C to the workers as well; only the main process handles it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def fine_tune(
    detector: TrainablePersonDetector,
    batches: Iterable[list[Sample]],
    *,
    epochs: int,
    steps_per_epoch: int,
    lr: float,
    on_step: Callable[[float], None] = lambda loss: None,
) -> None:
    """Trains with SGD: linear warm-up over a tenth of the steps, then cosine decay to 0.

    `batches` is iterated once per epoch; `on_step` is called with each step's loss. Raises ValueError if the loss
    becomes NaN or Inf.
    """
    parameters = [parameter for parameter in detector.module.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(parameters, lr, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY, nesterov=True)
    steps = epochs * steps_per_epoch
    schedule = LambdaLR(optimizer, lambda step: _lr_factor(step, steps))
    for _ in range(epochs):
        for batch in batches:
            images, persons = zip(*batch, strict=True)
            loss = torch.stack(list(detector.losses(images, persons).values())).sum()
            if not torch.isfinite(loss):
                raise ValueError(f"the loss is {loss.item()} at a learning rate of {lr:g}; lower the learning rate")
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, GRAD_CLIP_NORM)
            optimizer.step()
            schedule.step()
            on_step(loss.item())


def _lr_factor(step: int, steps: int) -> float:
    warmup_steps = max(1, round(WARMUP_FRACTION * steps))
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    return 0.5 * (1 + math.cos(math.pi * (step - warmup_steps) / max(1, steps - warmup_steps)))
