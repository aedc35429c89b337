from pathlib import Path
from typing import Literal

import pandas as pd
import pytest

from avdet.annotations.checks import Finding
from avdet.annotations.checks.check_videos import check_missing, check_times
from avdet.datasets.timestamp_offset import candidate_offsets

DURATIONS_S = {"a": 10.0, "b": 20.0}


def times(*timestamps: float, offset_s: float | Literal["auto"] = "auto") -> Finding:
    """The finding for labels of two videos, alternately, of 10 and 20 s."""
    keyframes = pd.DataFrame({"video": ["a", "b"] * (len(timestamps) // 2), "timestamp": timestamps})
    (finding,) = check_times("train", keyframes, DURATIONS_S, candidate_offsets(offset_s, {}), nominal_fps=30.0)
    return finding


@pytest.mark.parametrize(
    ("timestamps", "message"),
    [
        ((1.0, 2.0, 9.0, 19.0), "all timestamps lie inside 2 videos, counted from their starts"),
        ((901.0, 902.0, 909.0, 919.0), "all timestamps lie inside 2 videos, which start at timestamp 900"),
    ],
)
def test_timestamps_inside_the_videos_are_a_fact(timestamps: tuple[float, ...], message: str) -> None:
    assert times(*timestamps) == Finding("fact", "train", message)


@pytest.mark.parametrize(
    ("timestamps", "suggestion"),
    [
        ((1000.0, 2000.0, 9000.0, 19000.0), "they would fit as milliseconds: divide them by 1000"),
        ((30.0, 60.0, 270.0, 570.0), "they would fit as frame numbers at 30 fps: divide them by 30"),
        ((452.0, 452.0, 459.0, 469.0), "they would fit with data.timestamp_offset=450"),
        ((1.0, 2.0, 9.0, 30.0), "timestamps are seconds from the video's start; check whether the file is an excerpt"),
    ],
)
def test_timestamps_outside_the_videos_come_with_a_suggestion(timestamps: tuple[float, ...], suggestion: str) -> None:
    finding = times(*timestamps, offset_s=0.0)
    assert finding.level == "error"
    assert finding.message.startswith("labels before the start or after the end of") and suggestion in finding.message


def test_missing_videos_are_an_error_if_all_are() -> None:
    (finding,) = check_missing("val", ["a", "b.mp4"], {"b": Path("b.mp4"), "a": Path("a.mp4")})
    assert finding.level == "warning"
    assert "2 videos expected, 1 video: b.mp4 missing; if b.mp4 is the file b, write" in finding.message
    (finding,) = check_missing("val", ["a", "b"], {})
    assert finding == Finding("error", "val", "2 videos expected, none found (a, ...); add the files")
