"""Video AP by hand: one person over four seconds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ava_eval import FormatError
from ava_eval.tubes import evaluate_tubes, tube_table
from tests.ava_eval.random_cases import LABEL_MAP, detection_table, excluded_table, truth_table
from tests.ava_eval.reference_protocols import Box, DetectionRow, TruthRow

BODY: Box = (0.2, 0.2, 0.6, 0.8)
HALF: Box = (0.2, 0.2, 0.4, 0.8)
ELSEWHERE: Box = (0.7, 0.2, 0.9, 0.8)


def truth(seconds: range = range(4), person: int = 1, id_: int = 3) -> pd.DataFrame:
    rows: list[TruthRow] = [("v", second, BODY, id_) for second in seconds]
    return truth_table(rows).assign(person_id=person)


def found(seconds: range, box: Box, score: float, person: int = 7, id_: int = 3) -> pd.DataFrame:
    rows: list[DetectionRow] = [("v", second, box, id_, score) for second in seconds]
    return detection_table(rows).assign(person_id=person)


def video_ap(truths: pd.DataFrame, detections: pd.DataFrame, *ious: float) -> list[float | None]:
    return list(evaluate_tubes(truths, detections, LABEL_MAP, ious=ious).mean_ap.values())


def test_tube_iou_is_temporal_times_spatial() -> None:
    """Three of four seconds at IoU 0.5: 3/4 x 0.5 = 0.375."""
    assert video_ap(truth(), found(range(1, 4), HALF, 0.9), 0.37, 0.375, 0.38) == [1.0, 1.0, 0.0]


def test_tube_iou_counts_keyframes_of_either_tube() -> None:
    """Two of six seconds are shared: IoU 1/3. The last two are listed by another person's rows."""
    truths = pd.concat([truth(), truth(range(4, 6), person=2, id_=1)])
    result = evaluate_tubes(truths, found(range(2, 6), BODY, 0.9), LABEL_MAP, ious=(1 / 3, 0.34))
    assert [result.ap[iou]["stand"] for iou in result.ap] == [1.0, 0.0]


def test_unlisted_keyframes_do_not_count() -> None:
    assert video_ap(truth(), found(range(9), BODY, 0.9), 1.0) == [1.0]


def test_tubes_match_the_best_free_tube_by_score() -> None:
    """The second tube has the highest IoU with the first person, who is matched already, so it gets the second."""
    low: Box = (0.2, 0.25, 0.6, 0.85)
    truths = pd.concat([truth(), truth(person=2).assign(y1=0.3, y2=0.9)])
    detections = pd.concat([found(range(4), BODY, 0.9), found(range(4), low, 0.8, person=8)])
    assert video_ap(truths, detections, 0.5) == [1.0]
    assert video_ap(truths.iloc[:4], detections, 0.5) == [1.0]  # the second is then a false positive of lower score


def test_tubes_are_ranked_by_mean_score() -> None:
    """A false tube of scores 0.2 and 0.8 ranks before a true one of 0.4: precision is 1/2 at the true positive."""
    false = pd.concat([found(range(1), ELSEWHERE, 0.2, person=8), found(range(1, 2), ELSEWHERE, 0.8, person=8)])
    detections = pd.concat([false, found(range(4), BODY, 0.4)])
    assert video_ap(truth(), detections, 0.5) == [0.5]
    assert video_ap(
        truth(), detections.assign(score=detections["score"] / 2 + (detections["person_id"] == 7)), 0.5
    ) == [1.0]


def test_only_the_best_row_of_a_tube_on_a_keyframe_counts() -> None:
    detections = pd.concat([found(range(4), ELSEWHERE, 0.3), found(range(4), BODY, 0.4)])
    result = evaluate_tubes(truth(), detections, LABEL_MAP, ious=(0.5,))
    assert result.mean_ap == {0.5: 1.0}
    assert result.counts == {
        "classes_averaged": 1,
        "ground_truth_tubes": 1,
        "detection_tubes": 1,
        "dropped_without_person_or_repeated": 4,
    }


def test_excluded_keyframes_shorten_the_tubes() -> None:
    excluded = excluded_table({("v", 3.0)})
    result = evaluate_tubes(truth(), found(range(3), BODY, 0.9), LABEL_MAP, excluded=excluded, ious=(1.0,))
    assert result.mean_ap == {1.0: 1.0}


def test_order_of_rows_does_not_matter() -> None:
    rng = np.random.default_rng(0)
    truths = pd.concat([truth(range(9), person, id_) for person in (1, 2, 3) for id_ in (3, 4)], ignore_index=True)
    detections = pd.concat([truths.assign(score=rng.random(len(truths)).round(1)) for _ in range(3)], ignore_index=True)
    detections["x2"] += rng.random(len(detections)) / 4
    first = evaluate_tubes(truths, detections, LABEL_MAP, ious=(0.5, 0.8))
    second = evaluate_tubes(
        truths.sample(frac=1, random_state=1), detections.sample(frac=1, random_state=2), LABEL_MAP, ious=(0.5, 0.8)
    )
    assert first.mean_ap == pytest.approx(second.mean_ap)


def test_no_detections() -> None:
    result = evaluate_tubes(truth(), found(range(0), BODY, 0.9), LABEL_MAP)
    assert result.mean_ap == {0.2: 0.0, 0.5: 0.0}
    assert result.ap[0.2]["walk"] is None


def test_tubes_need_person_ids() -> None:
    with pytest.raises(FormatError, match="the detections has no person_id; write it as column 9 of each row"):
        evaluate_tubes(truth(), found(range(4), BODY, 0.9, person=-1), LABEL_MAP)
    with pytest.raises(FormatError, match="the ground truth has no person_id; write it as column 8"):
        evaluate_tubes(truth().drop(columns="person_id"), found(range(4), BODY, 0.9), LABEL_MAP)
    with_keyframe = pd.concat([truth().assign(person_id=-1), truth_table([("v", 9, None, 0)]).assign(person_id=-1)])
    with pytest.raises(FormatError, match="the ground truth has no person_id"):
        evaluate_tubes(with_keyframe, found(range(4), BODY, 0.9), LABEL_MAP)


def test_table() -> None:
    lines = tube_table(evaluate_tubes(truth(), found(range(1, 4), HALF, 0.9), LABEL_MAP)).splitlines()
    assert lines[0].split() == ["class", "IoU", "0.20", "IoU", "0.50"]
    assert lines[2].split() == ["stand", "100.00", "0.00"]
    assert lines[3].split() == ["walk", "-", "-"]
    assert lines[5].split() == ["mean", "100.00", "0.00"]
    assert lines[-1].startswith("tubes: 1 in the ground truth, 1 detected; 1 classes averaged")
