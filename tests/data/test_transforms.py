import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from avdet.data.transforms import Crop, clip_and_keep, crop, flip, random_crop

WIDTH, HEIGHT = 60, 40


def white_rectangle(x1: int, y1: int, x2: int, y2: int) -> tuple[NDArray[np.uint8], torch.Tensor]:
    """Two black frames with a white rectangle, and its box."""
    frames = np.zeros((2, HEIGHT, WIDTH, 3), np.uint8)
    frames[:, y1:y2, x1:x2] = 255
    return frames, torch.tensor([[x1, y1, x2, y2]], dtype=torch.float32)


def bounds(frames: NDArray[np.uint8]) -> list[float]:
    """The bounding box of the white pixels."""
    rows, columns = np.nonzero(frames[0, :, :, 0])
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


@given(
    x1=st.integers(0, WIDTH - 6), y1=st.integers(0, HEIGHT - 6), width=st.integers(5, 40), height=st.integers(5, 30),
    size=st.integers(8, HEIGHT), seed=st.integers(0, 1000), flipped=st.booleans(),
)  # fmt: skip
def test_boxes_follow_the_pixels(
    x1: int, y1: int, width: int, height: int, size: int, seed: int, flipped: bool
) -> None:
    frames, boxes = white_rectangle(x1, y1, min(x1 + width, WIDTH), min(y1 + height, HEIGHT))
    frames, boxes = crop(frames, boxes, random_crop(HEIGHT, WIDTH, size, np.random.default_rng(seed)))
    if flipped:
        frames, boxes = flip(frames, boxes)
    clipped, keep = clip_and_keep(boxes, size, size)
    assert frames.shape == (2, size, size, 3)
    if frames.any():
        assert clipped[0].tolist() == bounds(frames)
    else:
        assert not keep.any()


def test_boxes_with_a_fifth_of_their_area_inside_are_kept() -> None:
    boxes = torch.tensor([[-40.0, 0, 10, 10], [-41.0, 0, 9, 10], [2.0, 2, 5, 5]])
    clipped, keep = clip_and_keep(boxes, 20, 20)
    assert keep.tolist() == [True, False, True]
    assert clipped[0].tolist() == [0, 0, 10, 10]


def test_random_crops_cover_every_position() -> None:
    positions = {(c.left, c.top) for c in (random_crop(3, 4, 2, np.random.default_rng(seed)) for seed in range(200))}
    assert positions == {(left, top) for left in range(3) for top in range(2)}


def test_no_boxes() -> None:
    frames, _ = white_rectangle(1, 1, 2, 2)
    _, boxes = flip(*crop(frames, torch.zeros(0, 4), Crop(0, 0, 20)))
    assert clip_and_keep(boxes, 20, 20)[0].shape == (0, 4)
