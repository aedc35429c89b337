"""Protocols of person detectors: frames in, person boxes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from avdet.structures import PersonBoxes

__all__ = ["MIN_SCORES", "KeyframeImage", "PersonDetector", "TrainablePersonDetector"]

# The default threshold of each detector, in all tools. The boxes of a table are used as they are.
MIN_SCORES = {"detectron2": 0.8, "torchvision": 0.8, "onnx": 0.5, "csv": 0.0, "ground_truth": 0.0}


@dataclass(frozen=True)
class KeyframeImage:
    """One frame of a video, with the video's name and the frame's time; rgb: (H, W, 3) uint8."""

    video: str
    time_s: float
    rgb: NDArray[np.uint8]

    def __post_init__(self) -> None:
        assert self.rgb.ndim == 3 and self.rgb.shape[2] == 3, f"rgb is {self.rgb.shape}, not (H, W, 3)"

    @classmethod
    def without_frame(cls, video: str, time_s: float) -> KeyframeImage:
        """Input for a detector with `needs_frames` False: a single black pixel stands for the frame."""
        return cls(video, time_s, np.zeros((1, 1, 3), np.uint8))

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height."""
        return self.rgb.shape[1], self.rgb.shape[0]


class PersonDetector(Protocol):
    """Detects the persons of a batch of frames, which may differ in size.

    Returns one PersonBoxes per image, on the CPU. Models sort them by descending score.
    """

    @property
    def needs_frames(self) -> bool:
        """False if only `video` and `time_s` are read, so that no frame has to be decoded."""

    @property
    def min_score(self) -> float:
        """Boxes with a lower score are persons only where the user sets a lower threshold."""

    def __call__(self, images: Sequence[KeyframeImage]) -> list[PersonBoxes]: ...


class TrainablePersonDetector(PersonDetector, Protocol):
    """A person detector whose weights, those of `module`, can be trained."""

    @property
    def module(self) -> nn.Module:
        """The model."""

    @property
    def model_config(self) -> dict[str, Any]:
        """Plain data from which `build_person_detector` rebuilds the model; the weights are in `module`."""

    def losses(self, images: Sequence[KeyframeImage], persons: Sequence[PersonBoxes]) -> dict[str, Tensor]:
        """Named losses of one batch, in training mode; training minimises their sum."""
