from __future__ import annotations

import numpy as np
import pandas as pd

from avdet.datasets.keyframe_split import without_excluded

ROWS = pd.DataFrame(
    [("b", 902.0, 0.1, 12), ("b", 902.0, 0.5, 11), ("a", 902.5, 0.2, 79), ("a", 903.0, np.nan, 0)],
    columns=["video", "timestamp", "x1", "action_id"],
)


def test_excluded_keyframes_are_left_out() -> None:
    excluded = pd.DataFrame({"video": ["b"], "timestamp": [902.0]})
    assert set(without_excluded(ROWS, excluded)["video"]) == {"a"}
    assert without_excluded(ROWS, None).equals(ROWS)


def test_times_are_compared_in_microseconds() -> None:
    excluded = pd.DataFrame({"video": ["a"], "timestamp": [902.5 + 1e-9]})
    assert len(without_excluded(ROWS, excluded)) == len(ROWS) - 1
