"""Frame times and span of a clip in seconds: plain arithmetic, tested without a video.

A config counts frames at a nominal rate ("64 frames at 30 fps, every second one"); a clip is extracted in seconds of
the video's own clock, at any frame rate. The clip's span is divided into `num_frames` slots of 1 / fps seconds; each
slot takes the frame on screen in its middle. At the nominal rate this selects the same frames as counting; at other
rates it selects the frames of a conversion to the nominal rate (`ffmpeg -r 30`, with which AVA's published frames were
extracted). Timestamps rounded to a millisecond change nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["clip_span", "clip_times"]


def clip_times(center_s: float, *, num_frames: int = 64, stride: int = 2, fps: float = 30.0) -> NDArray[np.float64]:
    """Returns the ascending times in seconds of the num_frames / stride frames of the clip around `center_s`.

    The frame that begins at `center_s` has index num_frames / 2. Times may be negative: readers return the first frame
    for them.

        clip_times(902.0, num_frames=4, stride=2, fps=10.0)  # slots from 901.8: [901.85, 902.05]
    """
    start_s, _ = clip_span(center_s, num_frames=num_frames, fps=fps)
    if not 1 <= stride <= num_frames:
        raise ValueError(f"stride is {stride}; it must be at least 1 and at most the clip's {num_frames} frames")
    slots = np.arange(0, num_frames, stride, dtype=np.float64)
    return start_s + (slots + 0.5) / fps


def clip_span(center_s: float, *, num_frames: int = 64, fps: float = 30.0) -> tuple[float, float]:
    """Returns (start, duration) in seconds of the clip around `center_s`; its audio has exactly this span.

    64 frames at 30 fps last 2.1333 s.
    """
    if num_frames < 1 or not fps > 0:
        raise ValueError(f"a clip of {num_frames} frames at {fps} fps is empty; both must be more than 0")
    duration_s = num_frames / fps
    return center_s - duration_s / 2, duration_s
