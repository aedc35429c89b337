"""Rare classes: seen more often, or weighing more."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avdet.datasets.keyframes import KeyframeTable

__all__ = ["positive_weights", "repeat_factors", "repeated"]


def repeat_factors(keyframes: KeyframeTable, rare_share: float) -> NDArray[np.float64]:
    """(K,) how often an epoch shows each keyframe (Gupta et al. 2019, LVIS, section 4.2).

    A class in a share f of all keyframes asks for max(1, sqrt(rare_share / f)); a keyframe follows its rarest class.
    """
    person, label = np.nonzero(keyframes.labels.numpy())
    keyframe_of = np.repeat(np.arange(len(keyframes)), np.diff(keyframes.first))
    shown = np.zeros((len(keyframes), keyframes.labels.shape[1]), dtype=bool)
    shown[keyframe_of[person], label] = True
    share = shown.mean(axis=0)
    wanted = np.sqrt(rare_share / np.maximum(share, 1 / len(keyframes))).clip(min=1.0)
    return (shown * wanted).max(axis=1, initial=1.0)


def repeated(repeats: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """int(sum(repeats)) indices, k about `repeats[k]` times: its whole part always, the rest by chance."""
    # One random offset under the running sum: counts are right on average and their total is the same in every epoch.
    total = int(repeats.sum())
    marks = np.floor(np.cumsum(repeats) * (total / repeats.sum()) + rng.random()).clip(max=total)
    marks[-1] = total
    return np.repeat(np.arange(len(repeats)), np.diff(marks, prepend=0).astype(np.int64))


def positive_weights(keyframes: KeyframeTable) -> Tensor:
    """(C,) proportional to 1 / sqrt(rows of the class), 1 on average; a class without rows counts as one with one."""
    rows = keyframes.labels.sum(dim=0, dtype=torch.float64).clamp(min=1)
    weights = rows.rsqrt()
    return (weights / weights.mean()).float()
