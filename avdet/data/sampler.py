"""Which clips an epoch consists of and in which order: a function of seed, epoch and rank alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

from avdet.data.repeat_factor import repeat_indices

__all__ = ["EpochSampler", "HardNegativeSchedule", "SampleSpec"]


@dataclass(frozen=True)
class SampleSpec:
    """Which keyframe or segment, and the seed of its augmentation: the same clip in whichever worker reads it.

    hard_negative: the misaligned audio, if any, is of the same video.
    """

    index: int
    seed: int
    hard_negative: bool = False


class HardNegativeSchedule:
    """No hard negatives in the first half of training, then `fraction` of all (paper, section 3.3)."""

    def __init__(self, fraction: float, epochs: int) -> None:
        self.fraction, self.epochs = fraction, epochs

    def at(self, epoch: int) -> float:
        """Fraction of hard negatives in an epoch."""
        return self.fraction if 2 * epoch >= self.epochs else 0.0


class EpochSampler(Sampler[list[SampleSpec]]):
    """Batches of a shuffled epoch, split over the processes; an incomplete last batch is dropped.

    `start(epoch, iteration)` sets where the next iteration over the sampler begins, so that a run resumes mid-epoch.
    repeats: (size,) mean number of times an epoch has each clip, see `repeat_factors`; None: once each.
    hard_negatives: None if the model has no AVS loss.
    """

    def __init__(
        self,
        size: int,
        batch_size: int,
        *,
        seed: int,
        rank: int = 0,
        world_size: int = 1,
        repeats: NDArray[np.float64] | None = None,
        hard_negatives: HardNegativeSchedule | None = None,
    ) -> None:
        if batch_size % world_size:
            raise ValueError(
                f"train.batch_size {batch_size} cannot be split over {world_size} processes; choose a multiple of "
                f"{world_size}"
            )
        self.num_samples = size if repeats is None else int(repeats.sum())
        if self.num_samples < batch_size:
            raise ValueError(
                f"{size} training clips do not fill a batch of {batch_size}; lower train.batch_size or add clips"
            )
        self.size, self.batch_size, self.seed, self.rank, self.world_size = size, batch_size, seed, rank, world_size
        self.repeats, self.hard_negatives = repeats, hard_negatives
        self.epoch = self.iteration = 0

    def __len__(self) -> int:
        """Iterations of a whole epoch."""
        return self.num_samples // self.batch_size

    def start(self, epoch: int, iteration: int = 0) -> None:
        """Sets the epoch and iteration at which iterating over the sampler begins."""
        self.epoch, self.iteration = epoch, iteration

    def __iter__(self) -> Iterator[list[SampleSpec]]:
        rng = np.random.default_rng([self.seed, self.epoch])
        order = rng.permutation(self.size if self.repeats is None else repeat_indices(self.repeats, rng))
        seeds = rng.integers(2**31, size=self.num_samples)
        fraction = self.hard_negatives.at(self.epoch) if self.hard_negatives else 0.0
        hard = rng.random(self.num_samples) < fraction
        for iteration in range(self.iteration, len(self)):
            begin = iteration * self.batch_size
            of_rank = range(begin + self.rank, begin + self.batch_size, self.world_size)
            yield [SampleSpec(int(order[i]), int(seeds[i]), bool(hard[i])) for i in of_rank]
