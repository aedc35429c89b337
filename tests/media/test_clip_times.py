"""clip_times and clip_span: worked examples and the paper's clip."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from avdet.media.clip_times import clip_span, clip_times


def test_worked_example() -> None:
    # 4 slots of 0.1 s around 902.0: 901.8, 901.9, 902.0, 902.1; every second one, in its middle.
    assert clip_times(902.0, num_frames=4, stride=2, fps=10.0).tolist() == pytest.approx([901.85, 902.05])
    assert clip_span(902.0, num_frames=4, fps=10.0) == pytest.approx((901.8, 0.4))


def test_clip_of_the_paper() -> None:
    times = clip_times(10.0)
    assert len(times) == 32
    assert clip_span(10.0) == pytest.approx((10 - 32 / 30, 2.13333333))
    # At 30 fps these are frames 300 - 32, 300 - 30, .. 300 + 30, as counting frames selects.
    assert np.floor(times * 30).astype(int).tolist() == list(range(268, 332, 2))


@given(
    center_s=st.floats(-5, 1e5),
    num_frames=st.integers(1, 128),
    stride=st.integers(1, 16),
    fps=st.floats(1, 120),
)
def test_frame_times_lie_in_the_audio_span(center_s: float, num_frames: int, stride: int, fps: float) -> None:
    stride = min(stride, num_frames)
    times = clip_times(center_s, num_frames=num_frames, stride=stride, fps=fps)
    start_s, duration_s = clip_span(center_s, num_frames=num_frames, fps=fps)
    assert len(times) == -(-num_frames // stride)
    assert start_s < times[0] and times[-1] < start_s + duration_s
    assert np.diff(times) == pytest.approx(stride / fps, abs=1e-6)
    assert start_s + duration_s / 2 == pytest.approx(center_s)


@pytest.mark.parametrize(
    ("num_frames", "stride", "fps", "message"),
    [(0, 1, 30.0, "0 frames"), (8, 1, 0.0, "0.0 fps"), (8, 9, 30.0, "stride is 9"), (8, 0, 30.0, "stride is 0")],
)
def test_empty_clips_are_rejected(num_frames: int, stride: int, fps: float, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        clip_times(1.0, num_frames=num_frames, stride=stride, fps=fps)
