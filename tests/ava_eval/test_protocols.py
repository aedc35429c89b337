"""Each protocol against its reference implementation, and each rule in which they differ, by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from ava_eval import PROTOCOLS, Result, evaluate
from ava_eval.ties import Ties
from tests.ava_eval import reference_protocols
from tests.ava_eval.random_cases import LABEL_MAP, detection_table, excluded_table, random_case, truth_table
from tests.ava_eval.reference_protocols import Box, DetectionRow, TruthRow

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
LEFT: Box = (0.0, 0.0, 0.5, 1.0)
RIGHT: Box = (0.5, 0.0, 1.0, 1.0)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    ("ties", "decimals"), [("expected", 12), ("worst", 12), ("file", 12), ("file", 2), ("file", 1)]
)
@pytest.mark.parametrize("threshold", [0.5, 0.75])
def test_equal_to_the_reference(protocol: str, threshold: float, ties: Ties, decimals: int) -> None:
    """With any rule if the order of the rows does not matter, else with ties in the order of the file."""
    if protocol == "pyslowfast" and ties != "file":
        pytest.skip("matches in the order of the rows")
    for seed in range(30):
        case = random_case(seed)
        case.detections = [(*row[:4], round(row[4], decimals)) for row in case.detections]
        truth, detections, excluded = case.tables()
        expected = reference_protocols.PROTOCOLS[protocol](
            case.ground_truth, case.detections, set(LABEL_MAP), case.excluded, threshold
        )
        result = evaluate(truth, detections, LABEL_MAP, excluded=excluded, protocol=protocol, iou=threshold, ties=ties)
        found = {id_: result.ap[name] for id_, name in LABEL_MAP.items() if result.ap[name] is not None}
        assert found == pytest.approx(expected, abs=1e-9), seed
        mean = sum(expected.values()) / len(expected) if expected else None
        assert result.mean_ap == (mean if mean is None else pytest.approx(mean, abs=1e-9)), seed


def aps(
    truth: list[TruthRow], found: list[DetectionRow], excluded: set[tuple[str, float]] | None = None
) -> list[float | None]:
    """AP of "stand" under official, pyslowfast, mmaction2, in the order of the file."""
    results = [run(truth, found, excluded or set(), protocol) for protocol in PROTOCOLS]
    return [result.ap["stand"] for result in results]


def run(truth: list[TruthRow], found: list[DetectionRow], excluded: set[tuple[str, float]], protocol: str) -> Result:
    return evaluate(
        truth_table(truth),
        detection_table(found),
        LABEL_MAP,
        excluded=excluded_table(excluded),
        protocol=protocol,
        ties="file",
    )


def test_keyframes_without_ground_truth() -> None:
    """A true positive ranked after a false positive on another keyframe, which only pyslowfast counts."""
    truth: list[TruthRow] = [("v", 1, WHOLE, 3)]
    found: list[DetectionRow] = [("v", 2, WHOLE, 3, 0.9), ("v", 1, WHOLE, 3, 0.8)]
    assert aps(truth, found) == [1.0, 0.5, 1.0]


def test_keyframes_listed_without_boxes() -> None:
    """A row without a box makes the keyframe count in the official protocol."""
    found: list[DetectionRow] = [("v", 2, WHOLE, 3, 0.9), ("v", 1, WHOLE, 3, 0.8)]
    assert aps([("v", 1, WHOLE, 3), ("v", 2, None, 0)], found) == [0.5, 0.5, 1.0]
    assert aps([("v", 1, WHOLE, 3), ("v", 2, WHOLE, 12)], found) == [0.5, 0.5, 1.0]  # 12: not in the label map


def test_excluded_keyframes() -> None:
    """Official ignores them; pyslowfast drops the boxes; mmaction2 counts the boxes in recall without detections."""
    truth: list[TruthRow] = [("v", 1, WHOLE, 3), ("v", 2, WHOLE, 3)]
    found: list[DetectionRow] = [("v", 1, WHOLE, 3, 0.9), ("v", 2, WHOLE, 3, 0.8)]
    assert aps(truth, found, {("v", 2.0)}) == [1.0, 1.0, 0.5]


def test_fifty_detections_per_keyframe() -> None:
    """The true positive has rank 51 of its keyframe, over all classes of the label map; other classes do not count."""
    truth: list[TruthRow] = [("v", 1, WHOLE, 3)]
    correct: list[DetectionRow] = [("v", 1, WHOLE, 3, 0.1)]
    crowd: list[DetectionRow] = [("v", 1, LEFT, 1, 0.2 + i / 1000) for i in range(50)]
    assert aps(truth, correct + crowd) == [0.0, 1.0, 1.0]
    assert aps(truth, correct + crowd[1:]) == [1.0, 1.0, 1.0]
    unknown: list[DetectionRow] = [(*row[:3], 12, row[4]) for row in crowd]
    assert aps(truth, correct + unknown) == [1.0, 1.0, 1.0]


def test_order_of_matching() -> None:
    """Two detections overlap one box: it is matched with the higher score, or with the first in the file."""
    truth: list[TruthRow] = [("v", 1, WHOLE, 3)]
    found: list[DetectionRow] = [("v", 1, WHOLE, 3, 0.3), ("v", 1, WHOLE, 3, 0.9)]
    assert aps(truth, found) == [1.0, 0.5, 1.0]
    assert aps(truth, found[::-1]) == [1.0, 1.0, 1.0]


def test_a_detection_matches_only_the_box_of_highest_iou() -> None:
    """Both have the highest IoU with the left box, so the second is a false positive despite the right box."""
    truth: list[TruthRow] = [("v", 1, (0.0, 0.0, 0.5, 1.0), 3), ("v", 1, (0.25, 0.0, 0.75, 1.0), 3)]
    found: list[DetectionRow] = [("v", 1, (0.0, 0.0, 0.5, 1.0), 3, 0.9), ("v", 1, (0.05, 0.0, 0.55, 1.0), 3, 0.8)]
    assert aps(truth, found) == [0.5, 0.5, 0.5]


def test_iou_equal_to_the_threshold_is_a_true_positive() -> None:
    assert aps([("v", 1, WHOLE, 3)], [("v", 1, LEFT, 3, 0.9)]) == [1.0, 1.0, 1.0]


def test_single_precision_decides_at_the_threshold() -> None:
    """Half of a box in decimals: float32 changes the IoU from 0.5 to 0.499996, or from just below 0.5 to 0.5."""
    truth: list[TruthRow] = [("v", 1, (0.3, 0.0, 0.304, 1.0), 3)]
    found: list[DetectionRow] = [("v", 1, (0.3, 0.0, 0.302, 1.0), 3, 0.9)]
    assert aps(truth, found) == [1.0, 1.0, 0.0]
    truth, found = [("v", 1, (0.1, 0.0, 0.106, 1.0), 3)], [("v", 1, (0.1, 0.0, 0.103, 1.0), 3, 0.9)]
    assert aps(truth, found) == [0.0, 0.0, 1.0]


def test_empty_boxes_are_false_positives_only_under_mmaction2() -> None:
    truth: list[TruthRow] = [("v", 1, WHOLE, 3)]
    found: list[DetectionRow] = [("v", 1, (0.2, 0.0, 0.2, 1.0), 3, 0.9), ("v", 1, WHOLE, 3, 0.8)]
    assert aps(truth, found) == [1.0, 1.0, 0.5]


def test_ground_truth_without_area_counts_but_is_not_found() -> None:
    truth: list[TruthRow] = [("v", 1, LEFT, 3), ("v", 1, (0.6, 0.0, 0.6, 1.0), 3)]
    found: list[DetectionRow] = [("v", 1, LEFT, 3, 0.9), ("v", 1, (0.6, 0.0, 0.7, 1.0), 3, 0.8)]
    assert aps(truth, found) == [0.5, 0.5, 0.5]


def test_a_class_without_detections() -> None:
    """AP 0, or left out of the mean."""
    truth: list[TruthRow] = [("v", 1, WHOLE, 3), ("v", 1, WHOLE, 4)]
    found: list[DetectionRow] = [("v", 1, WHOLE, 3, 0.9)]
    results = [run(truth, found, set(), protocol) for protocol in PROTOCOLS]
    assert [result.ap["walk"] for result in results] == [0.0, 0.0, None]
    assert [result.mean_ap for result in results] == [0.5, 0.5, 1.0]


def test_classes_without_ground_truth_are_left_out() -> None:
    truth: list[TruthRow] = [("v", 1, WHOLE, 3)]
    found: list[DetectionRow] = [("v", 1, WHOLE, 3, 0.9), ("v", 1, WHOLE, 1, 0.8)]
    for protocol in PROTOCOLS:
        result = run(truth, found, set(), protocol)
        assert (result.ap["sit"], result.mean_ap) == (None, 1.0)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_times_are_float_seconds(protocol: str) -> None:
    """902.5 is another keyframe than 902; timestamps closer than a microsecond are equal."""
    truth: list[TruthRow] = [("v", 902, LEFT, 3), ("v", 902.5, RIGHT, 3)]
    found: list[DetectionRow] = [("v", 902.5, RIGHT, 3, 0.9), ("v", 902 + 1e-8, LEFT, 3, 0.8)]
    assert run(truth, found, set(), protocol).ap["stand"] == 1.0
    assert run(truth, [("v", 902.25, LEFT, 3, 0.9)], set(), protocol).counts["keyframes_with_both"] == 0


def test_person_ids_break_ties_of_iou() -> None:
    """Official and mmaction2 read the person id as a score and take the larger; pyslowfast takes the file's first."""
    truth = truth_table([("v", 1, LEFT, 3), ("v", 1, RIGHT, 3)])
    found = detection_table([("v", 1, WHOLE, 3, 0.9), ("v", 1, LEFT, 3, 0.8)])
    by_protocol = {
        (protocol, ids): evaluate(truth.assign(person_id=ids), found, LABEL_MAP, protocol=protocol, ties="file").ap[
            "stand"
        ]
        for protocol in PROTOCOLS
        for ids in ((1, 2), (2, 1))
    }
    assert by_protocol == {
        ("official", (1, 2)): 1.0,
        ("official", (2, 1)): 0.5,
        ("pyslowfast", (1, 2)): 0.5,
        ("pyslowfast", (2, 1)): 0.5,
        ("mmaction2", (1, 2)): 1.0,
        ("mmaction2", (2, 1)): 0.5,
    }


def test_protocol_and_iou_are_checked() -> None:
    truth, found = truth_table([("v", 1, WHOLE, 3)]), detection_table([("v", 1, WHOLE, 3, 0.9)])
    with pytest.raises(ValueError, match="protocol is 'coco'; choose one of official, pyslowfast, mmaction2"):
        evaluate(truth, found, LABEL_MAP, protocol="coco")
    with pytest.raises(ValueError, match=r"iou is 50; give a threshold above 0 and up to 1"):
        evaluate(truth, found, LABEL_MAP, iou=50)
    with pytest.raises(ValueError, match="ties is 'random'; choose one of expected, worst, best, file"):
        evaluate(truth, found, LABEL_MAP, ties="random")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="0 classes"):
        evaluate(truth, found, {})


def test_text_and_categorical_video_columns_are_equivalent() -> None:
    truth, found = truth_table([("v", 1, WHOLE, 3)]), detection_table([("v", 1, WHOLE, 3, 0.9)])
    categorical = truth.assign(video=pd.Categorical(truth["video"], categories=["w", "v"]))
    assert evaluate(truth, found, LABEL_MAP).to_json() == evaluate(categorical, found, LABEL_MAP).to_json()
