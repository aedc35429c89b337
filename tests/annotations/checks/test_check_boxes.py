import pandas as pd

from ava_eval import BOX_COLUMNS
from avdet.annotations.checks import Finding
from avdet.annotations.checks.check_boxes import check_person_boxes, check_training_boxes
from avdet.data.keyframes import KeyframeTable, labelled_keyframes
from avdet.datasets.class_names import ClassNames

LEFT, RIGHT = (0.0, 0.0, 0.4, 1.0), (0.5, 0.0, 0.9, 1.0)
NEAR_LEFT = (0.0, 0.0, 0.4, 0.95)  # IoU 0.95
HALF_LEFT = (0.0, 0.0, 0.4, 0.6)  # IoU 0.6


def boxes_of(*rows: tuple[str, float, tuple[float, ...], float]) -> pd.DataFrame:
    """Rows (video, timestamp, box, score)."""
    columns = ["video", "timestamp", *BOX_COLUMNS, "score", "person_id"]
    return pd.DataFrame([(video, time_s, *box, score, -1) for video, time_s, box, score in rows], columns=columns)


def two_persons() -> KeyframeTable:
    table = boxes_of(("a", 1.0, LEFT, 1.0), ("a", 1.0, RIGHT, 1.0)).assign(action_id=1)
    return labelled_keyframes(table, ClassNames((1,), ("sit",)))


def person_boxes(*rows: tuple[str, float, tuple[float, ...], float]) -> list[Finding]:
    return list(check_person_boxes(two_persons(), boxes_of(*rows), min_score=0.8))


def test_recall_is_measured_at_two_thresholds() -> None:
    (finding,) = person_boxes(("a", 1.0, NEAR_LEFT, 0.9), ("a", 1.0, RIGHT, 0.7), ("a", 1.0, HALF_LEFT, 0.95))
    message = "2.00 boxes per keyframe at score >= 0.8; recall of labelled persons: 50.0% at IoU 0.5, 50.0% at IoU 0.9"
    assert finding == Finding("fact", "val boxes", message)
    (finding,) = person_boxes(("a", 1.0, HALF_LEFT, 0.9))
    assert "50.0% at IoU 0.5, 0.0% at IoU 0.9" in finding.message


def test_boxes_elsewhere_are_an_error() -> None:
    (finding,) = person_boxes(("a", 1.0, LEFT, 0.7))
    assert finding.level == "error" and "the highest score is 0.70; lower data.min_box_score" in finding.message
    (finding,) = person_boxes(("a", 2.0, LEFT, 0.9))
    assert "its times (2, ...) differ from the table's (1, ...)" in finding.message
    (finding,) = person_boxes(("b", 1.0, LEFT, 0.9))
    assert "its videos (b, ...) differ from the table's (a, ...)" in finding.message


def test_training_boxes_must_overlap_a_labelled_person() -> None:
    def message(*rows: tuple[str, float, tuple[float, ...], float]) -> str:
        (finding,) = check_training_boxes(two_persons(), boxes_of(*rows), 0.0)
        return f"{finding.level}: {finding.message}"

    assert message(("a", 1.0, NEAR_LEFT, 0.9), ("a", 1.0, HALF_LEFT, 0.9)) == (
        "fact: 1 of 2 boxes overlap a labelled person enough to be trained on"
    )
    no_overlap = "warning: no box overlaps a labelled person enough to be trained on; "
    assert message(("a", 1.0, HALF_LEFT, 0.9)) == no_overlap + "check that they show the same persons"
    assert message(("a", 99.0, LEFT, 0.9)) == no_overlap + "its times (99, ...) differ from the table's (1, ...)"
    assert message(("b", 1.0, LEFT, 0.9)).startswith(no_overlap + "its videos (b, ...)")
