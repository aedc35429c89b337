from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from avdet.people.detector_input import IMAGENET, Fit, InputConvention, Placement, input_array, place

LETTERBOX, CORNER = InputConvention("letterbox"), InputConvention("corner")
EDGES = (640, 640)
sides = st.integers(16, 2000)


@pytest.mark.parametrize(
    ("fit", "frame", "fixed", "expected"),
    [
        ("letterbox", (320, 160), (640, 640), Placement((320, 160), (640, 640), (640, 320), 0, 160)),
        ("letterbox", (100, 200), (64, 32), Placement((100, 200), (64, 32), (16, 32), 24, 0)),
        ("letterbox", (1920, 1080), None, Placement((1920, 1080), (640, 384), (640, 360), 0, 12)),
        ("corner", (100, 200), (64, 32), Placement((100, 200), (64, 32), (16, 32))),
        ("stretch", (100, 200), (64, 32), Placement((100, 200), (64, 32), (64, 32))),
        ("stretch", (100, 200), None, Placement((100, 200), (640, 640), (640, 640))),
        ("none", (100, 200), None, Placement((100, 200), (100, 200), (100, 200))),
        ("none", (100, 200), (64, 32), Placement((100, 200), (64, 32), (64, 32))),
        ("shortest_edge", (480, 360), None, Placement((480, 360), (1067, 800), (1067, 800))),
        ("shortest_edge", (1920, 1080), None, Placement((1920, 1080), (1333, 750), (1333, 750))),
    ],
)
def test_a_frame_is_placed(
    fit: Fit, frame: tuple[int, int], fixed: tuple[int, int] | None, expected: Placement
) -> None:
    edge = 800 if fit == "shortest_edge" else 640
    assert place(frame, fixed, InputConvention(fit, edge), edges=EDGES) == expected


@given(frame=st.tuples(sides, sides), size=st.tuples(sides, sides), fixed=st.booleans())
def test_boxes_return_to_the_frame(frame: tuple[int, int], size: tuple[int, int], fixed: bool) -> None:
    for convention in (LETTERBOX, CORNER, InputConvention("stretch")):
        placement = place(frame, size if fixed else None, convention, edges=size)
        (left, top), (width, height) = (placement.left, placement.top), placement.content
        assert left >= 0 and top >= 0 and left + width <= placement.size[0] and top + height <= placement.size[1]
        boxes_px = torch.tensor([[left, top, left + width, top + height], [left, top, left + width / 2, top]])
        expected = torch.tensor([[0.0, 0, 1, 1], [0, 0, 0.5, 0]])
        assert torch.allclose(placement.normalised(boxes_px), expected, atol=1e-6)


def test_the_frame_is_padded_with_grey() -> None:
    rgb = np.full((2, 4, 3), (255, 0, 51), np.uint8)
    placement = place((4, 2), (4, 4), LETTERBOX, edges=EDGES)
    array = input_array(rgb, placement, LETTERBOX, "float32")
    assert array.shape == (4, 4, 3) and array.dtype == np.float32
    assert array[1, 0].tolist() == pytest.approx([1.0, 0.0, 0.2]) and array[3, 0].tolist() == pytest.approx(
        [114 / 255] * 3
    )


def test_values_are_normalised_as_the_convention_states() -> None:
    rgb = np.full((2, 4, 3), (255, 0, 51), np.uint8)
    placement = place((4, 2), None, InputConvention("none"), edges=EDGES)
    assert input_array(rgb, placement, InputConvention("none"), "uint8")[0, 0].tolist() == [255, 0, 51]
    yolox = InputConvention("none", bgr=True, rescale=1.0)
    assert input_array(rgb, placement, yolox, "float32")[0, 0].tolist() == [51, 0, 255]
    detr = InputConvention("none", mean=IMAGENET[0], std=IMAGENET[1])
    expected = [(1 - 0.485) / 0.229, -0.456 / 0.224, (0.2 - 0.406) / 0.225]
    assert input_array(rgb, placement, detr, "float16")[0, 0].tolist() == pytest.approx(expected, abs=1e-3)
