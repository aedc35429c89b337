"""Which clips an epoch is made of, and in which order: a function of seed, epoch and process alone."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

from avdet.data.audio_negatives import HardNegativeSchedule
from avdet.data.detection_clips import Draw
from avdet.data.repeat_factor import repeated

__all__ = ["DistributedEvalSampler", "EpochSampler"]


class EpochSampler(Sampler[list[Draw]]):
    """Batches of a shuffled epoch; every process takes its share of each batch, and the odd clips at the end wait.

    `start(epoch, iteration)` says where the next iteration over the sampler begins, so that a run resumes in mid-epoch.
    repeats: (size,) how often each clip comes in an epoch on average, see `balance.repeat_factors`; None is once each.
    hard: the share of hard negatives by epoch; None where nothing learns synchrony.
    """

    def __init__(
        self,
        size: int,
        batch_size: int,
        *,
        seed: int,
        rank: int = 0,
        world: int = 1,
        repeats: NDArray[np.float64] | None = None,
        hard: HardNegativeSchedule | None = None,
    ) -> None:
        if batch_size % world:
            raise ValueError(
                f"train.batch_size {batch_size} cannot be shared by {world} processes; choose a multiple of {world}"
            )
        self.draws = size if repeats is None else int(repeats.sum())
        if self.draws < batch_size:
            raise ValueError(
                f"{size} training clips do not fill one batch of {batch_size}; lower train.batch_size or add keyframes"
            )
        self.size, self.batch_size, self.seed, self.rank, self.world = size, batch_size, seed, rank, world
        self.repeats, self.hard = repeats, hard
        self.epoch = self.iteration = 0

    def __len__(self) -> int:
        """Iterations of a whole epoch."""
        return self.draws // self.batch_size

    def start(self, epoch: int, iteration: int = 0) -> None:
        self.epoch, self.iteration = epoch, iteration

    def __iter__(self) -> Iterator[list[Draw]]:
        rng = np.random.default_rng([self.seed, self.epoch])
        order = rng.permutation(self.size) if self.repeats is None else rng.permutation(repeated(self.repeats, rng))
        seeds = rng.integers(2**31, size=self.draws)
        hard = rng.random(self.draws) < (self.hard.at(self.epoch) if self.hard else 0.0)
        for iteration in range(self.iteration, len(self)):
            begin = iteration * self.batch_size
            mine = range(begin + self.rank, begin + self.batch_size, self.world)
            yield [Draw(int(order[i]), int(seeds[i]), bool(hard[i])) for i in mine]


class DistributedEvalSampler(Sampler[int]):
    """A process's share of an evaluation: every index once over all processes, none twice to fill up."""

    def __init__(self, size: int, *, rank: int = 0, world: int = 1) -> None:
        self.indices = range(rank, size, world)

    def __len__(self) -> int:
        return len(self.indices)

    def __iter__(self) -> Iterator[int]:
        return iter(self.indices)
