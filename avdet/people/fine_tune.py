"""Fine-tunes any of the detectors on labelled pictures: a loop that one can see."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import torch
from torch.optim.lr_scheduler import LambdaLR

from avdet.people.labelled_frames import LabelledPicture
from avdet.people.person_detector import TrainablePersonDetector

__all__ = ["fine_tune"]

MOMENTUM, WEIGHT_DECAY = 0.9, 1e-4
WARM_UP = 0.1  # share of the steps in which the rate rises
MAX_GRADIENT = 10.0


def fine_tune(
    detector: TrainablePersonDetector,
    batches: Iterable[list[LabelledPicture]],
    *,
    epochs: int,
    steps_per_epoch: int,
    lr: float,
    on_step: Callable[[float], None] = lambda loss: None,
) -> None:
    """SGD, its rate rising for a tenth of the steps and then falling to 0 as a cosine.

    `batches` is gone through once an epoch; `on_step` hears each step's loss. Raises ValueError where the
    loss is no longer a number.
    """
    parameters = [parameter for parameter in detector.module.parameters() if parameter.requires_grad]
    optimizer = torch.optim.SGD(parameters, lr, momentum=MOMENTUM, weight_decay=WEIGHT_DECAY, nesterov=True)
    steps = epochs * steps_per_epoch
    schedule = LambdaLR(optimizer, lambda step: _share_of_rate(step, steps))
    for _ in range(epochs):
        for batch in batches:
            pictures, people = zip(*batch, strict=True)
            loss = torch.stack(list(detector.losses(pictures, people).values())).sum()
            if not torch.isfinite(loss):
                raise ValueError(f"the loss is {loss.item()} at a learning rate of {lr:g}; lower the rate")
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(parameters, MAX_GRADIENT)
            optimizer.step()
            schedule.step()
            on_step(loss.item())


def _share_of_rate(step: int, steps: int) -> float:
    warm_up = max(1, round(WARM_UP * steps))
    if step < warm_up:
        return (step + 1) / warm_up
    return 0.5 * (1 + math.cos(math.pi * (step - warm_up) / max(1, steps - warm_up)))
