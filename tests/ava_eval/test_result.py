"""The text of a result: AP by class, and the summary of counted and dropped rows."""

from __future__ import annotations

from ava_eval import evaluate, table
from ava_eval.result import percent, summary
from tests.ava_eval.random_cases import LABEL_MAP, detection_table, excluded_table, random_case, truth_table
from tests.ava_eval.reference_protocols import Box, DetectionRow, TruthRow

BODY: Box = (0.2, 0.2, 0.6, 0.8)
TRUTH: list[TruthRow] = [("v", 902 + t, BODY, 3) for t in range(4)]
FOUND: list[DetectionRow] = [(video, second, BODY, 3, 0.9 - second / 1e4) for video, second, _, _ in TRUTH]


def test_table_prints_a_dash_where_there_is_no_ap() -> None:
    truth, detections, _ = random_case(3).tables()
    lines = table(evaluate(truth[truth["action_id"] != 4], detections, LABEL_MAP)).splitlines()
    assert lines[0].split() == ["class", "AP", "boxes", "detections"]
    assert [line.split()[0] for line in lines[1:]] == ["sit", "stand", "walk", "sing", "mean"]
    assert lines[3].split()[:3] == ["walk", "-", "0"]


def test_percent_is_six_characters_wide() -> None:
    assert [percent(value) for value in (0.3425, 1.0, None)] == [" 34.25", "100.00", "     -"]


def test_summary_counts_every_rule() -> None:
    truth: list[TruthRow] = [*TRUTH, ("v", 902, BODY, 77), ("v", 990, BODY, 3)]
    found: list[DetectionRow] = [
        *FOUND,
        ("v", 902, BODY, 77, 0.1),
        ("v", 1, BODY, 3, 0.1),
        ("v", 902, (0, 0, 0, 1), 3, 0.2),
    ]
    crowd: list[DetectionRow] = [("v", 903, BODY, 4, i / 100) for i in range(60)]
    result = evaluate(truth_table(truth), detection_table(found + crowd), LABEL_MAP)
    assert summary(result) == [
        "protocol: official, as ActivityNet's get_ava_performance.py; IoU 0.5; ties expected",
        "classes: 1 of 4 averaged; 3 without ground truth, 2 without detections",
        "keyframes: 5 with ground truth, 5 with detections, 4 with both; 5 scored",
        "ground truth: 5 boxes; dropped: 1 of classes outside the label map",
        "detections: 67 rows, 53 scored; dropped: 1 of classes outside the label map, 1 on keyframes without ground"
        " truth, 11 beyond the 50 best of their keyframe, 1 with an empty or inverted box",
    ]
    excluded = excluded_table({("v", 902.0)})
    lines = summary(
        evaluate(truth_table(truth), detection_table(found), LABEL_MAP, protocol="pyslowfast", excluded=excluded)
    )
    assert lines[3] == "ground truth: 4 boxes; dropped: 1 of classes outside the label map, 1 on excluded keyframes"
    assert "2 on excluded keyframes" in lines[4]
