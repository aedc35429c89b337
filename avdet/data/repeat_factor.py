"""Rare classes: repeated keyframes, and weights of the classes in the loss."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avdet.data.keyframes import KeyframeTable

__all__ = ["positive_weights", "repeat_factors", "repeat_indices"]


def repeat_factors(keyframes: KeyframeTable, threshold: float) -> NDArray[np.float64]:
    """(K,) mean number of times an epoch has each keyframe (LVIS: Gupta et al. 2019, section 4.2).

    A class in a fraction f of the keyframes has the factor max(1, sqrt(threshold / f)); a keyframe takes the largest
    factor of its classes.
    """
    person, label = np.nonzero(keyframes.labels.numpy())
    keyframe_of_person = np.repeat(np.arange(len(keyframes)), np.diff(keyframes.first))
    has_class = np.zeros((len(keyframes), keyframes.labels.shape[1]), dtype=bool)
    has_class[keyframe_of_person[person], label] = True
    fraction = has_class.mean(axis=0)
    factor = np.sqrt(threshold / np.maximum(fraction, 1 / len(keyframes))).clip(min=1.0)
    return (has_class * factor).max(axis=1, initial=1.0)


def repeat_indices(repeats: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """int(sum(repeats)) indices, index k about `repeats[k]` times: the integer part always, the rest by chance."""
    # One random offset under the running sum: counts are right on average and their total is the same in every epoch.
    total = int(repeats.sum())
    marks = np.floor(np.cumsum(repeats) * (total / repeats.sum()) + rng.random()).clip(max=total)
    marks[-1] = total
    return np.repeat(np.arange(len(repeats)), np.diff(marks, prepend=0).astype(np.int64))


def positive_weights(keyframes: KeyframeTable) -> Tensor:
    """(C,) proportional to 1 / sqrt(rows of the class), 1 on average; a class without rows counts as one row."""
    rows = keyframes.labels.sum(dim=0, dtype=torch.float64).clamp(min=1)
    weights = rows.rsqrt()
    return (weights / weights.mean()).float()
