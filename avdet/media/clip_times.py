"""Which seconds of a video a clip takes: plain arithmetic, tested without a video.

A recipe counts in frames of a nominal rate ("64 frames at 30 fps, every second one"); a clip is cut in seconds of the
video's own clock, whatever the video's rate is. The clip's span is divided into `num_frames` slots of 1 / fps seconds
and a slot is seen as the frame that is on screen in its middle. At the nominal rate this takes the very frames that
counting takes; at other rates it takes those that a conversion to the nominal rate shows (`ffmpeg -r 30`, with which
AVA's published frames were extracted), and timestamps rounded to a millisecond change nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def clip_times(center_s: float, *, num_frames: int = 64, stride: int = 2, fps: float = 30.0) -> NDArray[np.float64]:
    """Times in seconds, ascending, of the num_frames / stride frames of the clip around `center_s`.

    The frame that begins at `center_s` is number num_frames / 2 of the clip. Times before 0 are left as they are:
    the reader shows the first frame there.

        clip_times(902.0, num_frames=4, stride=2, fps=10.0)  # slots from 901.8: [901.85, 902.05]
    """
    start_s, _ = clip_span(center_s, num_frames=num_frames, fps=fps)
    if not 1 <= stride <= num_frames:
        raise ValueError(f"stride is {stride}; it must be at least 1 and at most the clip's {num_frames} frames")
    slots = np.arange(0, num_frames, stride, dtype=np.float64)
    return start_s + (slots + 0.5) / fps


def clip_span(center_s: float, *, num_frames: int = 64, fps: float = 30.0) -> tuple[float, float]:
    """(start, duration) in seconds of the clip around `center_s`; its sound is exactly this span.

    64 frames at 30 fps last 2.1333 s.
    """
    if num_frames < 1 or not fps > 0:
        raise ValueError(f"a clip of {num_frames} frames at {fps} fps is empty; both must be more than 0")
    duration_s = num_frames / fps
    return center_s - duration_s / 2, duration_s
