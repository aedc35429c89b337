from __future__ import annotations

import numpy as np

from avdet.synthetic.scene_script import write_scenes
from avdet.synthetic.synthetic_settings import SampleSettings
from benchmarks.drawn_boxes import fit_of_drawn, fit_of_tracked, iou, walking_boxes

SETTINGS = SampleSettings(num_val=2)


def test_iou_of_pairs() -> None:
    boxes = np.array([[0.0, 0.0, 2.0, 2.0], [0.0, 0.0, 1.0, 1.0]])
    assert iou(boxes, np.array([[1.0, 0.0, 3.0, 2.0], [2.0, 2.0, 3.0, 3.0]])).tolist() == [1 / 3, 0.0]


def test_drawn_boxes_fit_walking_persons_the_better_the_denser_the_keyframes() -> None:
    """Between keyframes 1 s apart a person turns, and its strides change its box within a second."""
    walks = list(walking_boxes(write_scenes(SETTINGS, "val", 0), SETTINGS))
    fits = [np.concatenate([fit_of_drawn(boxes, 30, rate) for boxes in walks]) for rate in (1, 10)]
    assert [fit.mean() > least for fit, least in zip(fits, (0.7, 0.97), strict=True)] == [True] * 2
    assert (fits[1] >= 0.8).mean() > 0.98
    tracked = np.concatenate([fit_of_tracked(boxes, 30) for boxes in walks])
    assert fits[0].mean() < tracked.mean() < fits[1].mean() and tracked.min() < 0.8
