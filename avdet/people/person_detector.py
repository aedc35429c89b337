"""Pictures in, people out: what every person detector answers to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from avdet.structures import PersonBoxes

__all__ = ["PersonDetector", "Picture", "TrainablePersonDetector"]


@dataclass(frozen=True)
class Picture:
    """One frame of a video, with where it comes from; rgb: (H, W, 3) uint8."""

    video: str
    time_s: float
    rgb: NDArray[np.uint8]

    def __post_init__(self) -> None:
        assert self.rgb.ndim == 3 and self.rgb.shape[2] == 3, f"a picture is {self.rgb.shape}, not (H, W, 3)"

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        return self.rgb.shape[1], self.rgb.shape[0]


class PersonDetector(Protocol):
    """Takes pictures of any sizes together, and gives the people of each, on the CPU, the surest first."""

    @property
    def needs_frames(self) -> bool:
        """False where only the pictures' names and times are read, so that nothing has to be decoded."""

    def __call__(self, pictures: Sequence[Picture]) -> list[PersonBoxes]: ...


class TrainablePersonDetector(PersonDetector, Protocol):
    """A detector that learns: `module` holds what is learned."""

    @property
    def module(self) -> nn.Module: ...

    @property
    def recipe(self) -> dict[str, Any]:
        """Plain data from which `build.py` makes the same network again; its weights are `module`'s."""

    def losses(self, pictures: Sequence[Picture], people: Sequence[PersonBoxes]) -> dict[str, Tensor]:
        """Named losses of one batch, in training mode; their sum is what falls."""
