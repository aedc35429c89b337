from __future__ import annotations

import numpy as np
import pytest

from avdet.visualization.blur_faces import blur_faces
from avdet.visualization.labelled_person import Box


@pytest.mark.parametrize(
    ("box", "bottom"), [((0.4, 0.2, 0.6, 0.8), 140), ((0.1, 0.2, 0.9, 0.8), 240), ((0.45, 0.2, 0.55, 0.8), 105)]
)
def test_the_top_of_a_box_is_blurred(box: Box, bottom: int) -> None:
    """On 400 x 300 pixels: a box 80 wide from row 60 is blurred to 140, a wide one whole, a thin one to a quarter."""
    noise = np.random.default_rng(0).integers(0, 256, (300, 400, 3)).astype(np.uint8)
    frame = noise.copy()
    blur_faces(frame, [box])
    inside = (slice(60, bottom), slice(round(box[0] * 400), round(box[2] * 400)))
    assert frame[inside].std() < 0.5 * noise[inside].std()
    outside = np.ones((300, 400), bool)
    margin = round(0.1 * (box[2] - box[0]) * 400) + 1
    outside[60 - margin : bottom, inside[1].start - margin : inside[1].stop + margin] = False
    np.testing.assert_array_equal(frame[outside], noise[outside])


def test_boxes_outside_the_frame_are_left_out() -> None:
    frame = np.zeros((30, 40, 3), np.uint8)
    blur_faces(frame, [(1.2, 0.1, 1.5, 0.4), (0.5, 0.5, 0.5, 0.5)])
    assert not frame.any()
