import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from avdet.data.keyframes import KeyframeTable, labelled_keyframes
from avdet.data.repeat_factor import positive_weights, repeat_factors, repeat_indices
from avdet.data.sampler import EpochSampler
from avdet.datasets.class_names import ClassNames

CLASSES = ClassNames((1, 2, 3), ("stand", "wave", "fly"))


def keyframes(actions: list[list[int]]) -> KeyframeTable:
    """One keyframe per list with one person per action; an empty list is a keyframe without a person."""
    rows = [("v", float(k), i) for k, ids in enumerate(actions) for i in ids or [0]]
    table = pd.DataFrame(rows, columns=["video", "timestamp", "action_id"])
    has_action = table["action_id"] > 0
    box = {
        name: np.where(has_action, value, np.nan)
        for name, value in {"x1": 0.1, "y1": 0.1, "x2": 0.9, "y2": 0.9}.items()
    }
    return labelled_keyframes(table.assign(**box, person_id=table.index), CLASSES)


def test_repeat_factors_by_hand() -> None:
    """stand is in 3 of 4 keyframes, wave in 1: sqrt(0.5 / 0.25) = 1.414; the empty keyframe is not repeated."""
    table = keyframes([[1], [1, 2], [1, 1], []])
    assert repeat_factors(table, 0.5) == pytest.approx([1, 2**0.5, 1, 1])
    assert repeat_factors(table, 0.0) == pytest.approx([1, 1, 1, 1])


@given(st.lists(st.floats(1, 5), min_size=1, max_size=40), st.integers(0, 2**32 - 1))
def test_repeats_have_a_fixed_total_and_differ_from_their_factor_by_under_one(repeats: list[float], seed: int) -> None:
    factors = np.array(repeats)
    counts = np.bincount(repeat_indices(factors, np.random.default_rng(seed)), minlength=len(repeats))
    assert counts.sum() == int(factors.sum())
    assert (np.abs(counts - factors) < 1 + 1e-6 + 5 / factors.sum()).all()


def test_repeats_average_to_their_factors() -> None:
    rng = np.random.default_rng(0)
    factors = np.array([1.0, 1.5, 2.25, 1.25])
    counts = np.mean([np.bincount(repeat_indices(factors, rng), minlength=4) for _ in range(4000)], axis=0)
    assert counts == pytest.approx(factors, abs=0.05)


def test_an_epoch_repeats_keyframes_by_their_factor() -> None:
    repeats = np.array([1.0] * 8 + [4.0])
    sampler = EpochSampler(9, 4, seed=0, repeats=repeats)
    specs = [spec for batch in sampler for spec in batch]
    assert len(sampler) == 3 and sum(spec.index == 8 for spec in specs) == 4
    assert len({spec.seed for spec in specs}) == 12  # each with its own augmentation


def test_positive_weights_by_hand() -> None:
    """Four rows of stand, one of wave, none of fly: 1/2, 1, 1 over their mean 5/6."""
    weights = positive_weights(keyframes([[1, 1], [1, 1, 2]]))
    assert weights.tolist() == pytest.approx([0.6, 1.2, 1.2])
    assert weights.mean() == pytest.approx(1.0) and weights.dtype == torch.float32
