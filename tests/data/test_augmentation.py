from __future__ import annotations

import numpy as np
import torch

from avdet.data.augmentation import Augmentation


def test_frames_and_boxes_are_cropped_and_flipped_alike() -> None:
    frames = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)
    boxes = torch.tensor([[0.0, 1.0, 1.0, 3.0]])
    augmentation = Augmentation((4, 4), "uniform", 4, flip=1.0, colour_jitter=0.0, pca_lighting=0.0)
    flipped, flipped_boxes = augmentation.apply(frames, boxes, np.random.default_rng(0))
    assert np.array_equal(flipped, frames[:, :, ::-1])
    assert flipped_boxes.tolist() == [[3.0, 1.0, 4.0, 3.0]]


def test_short_sides_or_their_inverses_are_uniform() -> None:
    rng = np.random.default_rng(0)
    uniform, inverse = (
        np.array([Augmentation((256, 320), scale, 224, 0.0, 0.0, 0.0).draw_short_side(rng) for _ in range(4000)])
        for scale in ("uniform", "inverse_uniform")
    )
    assert {uniform.min(), inverse.min()} == {256} and {uniform.max(), inverse.max()} == {320}
    assert abs(uniform.mean() - 288) < 1.5
    assert abs((1 / inverse).mean() - (1 / 256 + 1 / 320) / 2) < 5e-6
