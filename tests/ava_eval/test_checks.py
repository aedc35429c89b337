"""Tables from anywhere are held to what the readers promise."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ava_eval import FormatError, evaluate
from tests.ava_eval.random_tables import LABEL_MAP

TRUTH = pd.DataFrame(
    {"video": ["v"], "timestamp": [1], "x1": [0.0], "y1": [0.0], "x2": [1.0], "y2": [1.0], "action_id": [3]}
)


def test_whole_seconds_and_whole_boxes_are_numbers_too() -> None:
    assert evaluate(TRUTH.astype({"x1": int, "x2": int}), TRUTH.assign(score=1), LABEL_MAP).mean_ap == 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"score": np.nan}, "row 0 of the detections table has score nan; it must be a number up to 1e\\+30"),
        ({"timestamp": 1e12}, "timestamp 1000000000000.0; it must be a number up to 1e\\+09"),
        ({"x1": np.inf}, "x1 inf"),
        ({"x1": 2.0}, "x1 2.0; it must be up to x2; boxes are corners"),
        ({"y1": 2.0}, "y1 2.0; it must be up to y2"),
        ({"action_id": 1.5}, "action_id 1.5; it must be a whole number"),
        ({"action_id": 0}, "action_id 0; it must be 1 or more; if your ids start at 0, add 1 to all"),
        ({"x2": "wide"}, "the detections table's x2 column holds .*; make it numbers"),
        ({"person_id": None}, "the detections table's person_id column holds object; make it numbers"),
        ({"video": None}, "row 0 of the detections table has video .*; it must be a video's name"),
    ],
)
def test_bad_detections(change: dict[str, float | str | None], message: str) -> None:
    detections = TRUTH.assign(score=0.5)
    for name, value in change.items():
        detections[name] = value
    with pytest.raises(FormatError, match=message):
        evaluate(TRUTH, detections, LABEL_MAP)


def test_bad_ground_truth() -> None:
    with pytest.raises(FormatError, match="row 0 of the ground truth table has action_id 0"):
        evaluate(TRUTH.assign(action_id=0), TRUTH.assign(score=0.5), LABEL_MAP)


def test_paths_and_lists_are_no_tables() -> None:
    with pytest.raises(FormatError, match=r"the ground truth is 'gt\.csv', no table; use ava_eval's read functions"):
        evaluate("gt.csv", TRUTH, LABEL_MAP)  # type: ignore[arg-type]
    for label_map in (["sit", "stand"], {"1": "sit"}):
        with pytest.raises(FormatError, match=r"the label map is .*; write it as \{id: name\}, ids as whole numbers"):
            evaluate(TRUTH, TRUTH.assign(score=0.5), label_map)  # type: ignore[arg-type]


def test_missing_column() -> None:
    with pytest.raises(FormatError, match="the detections table has no column 'score', only video, timestamp"):
        evaluate(TRUTH, TRUTH, LABEL_MAP)
    with pytest.raises(FormatError, match="the excluded timestamps table has no column 'timestamp'"):
        evaluate(TRUTH, TRUTH.assign(score=0.5), LABEL_MAP, excluded=TRUTH[["video"]])
