import numpy as np
import pandas as pd
import pytest
import torch

from avdet.data.keyframes import detected_keyframes, keyframes_of_boxes, labelled_keyframes
from avdet.datasets.class_names import ClassNames

CLASSES = ClassNames.from_label_map({12: "stand", 11: "sit", 80: "watch"})
TRUTH = pd.DataFrame(
    # Two persons at 902 s of "b", one with two actions; at 902.5 s of "a" one whose action is not in CLASSES.
    [
        ("b", 902.0, 0.1, 0.1, 0.4, 0.9, 12, 3),
        ("b", 902.0, 0.5, 0.1, 0.9, 0.9, 11, 4),
        ("b", 902.0, 0.1, 0.1, 0.4, 0.9, 80, 3),
        ("a", 902.5, 0.2, 0.2, 0.3, 0.3, 79, 1),
        ("a", 903.0, np.nan, np.nan, np.nan, np.nan, 0, -1),
    ],
    columns=["video", "timestamp", "x1", "y1", "x2", "y2", "action_id", "person_id"],
)


def boxes(*rows: tuple[str, float, float, float, float, float, float]) -> pd.DataFrame:
    columns = ["video", "timestamp", "x1", "y1", "x2", "y2", "score"]
    return pd.DataFrame(list(rows), columns=columns).assign(person_id=-1)


def test_rows_become_persons_with_multi_hot_labels() -> None:
    table = labelled_keyframes(TRUTH, CLASSES)
    assert CLASSES.ids == (11, 12, 80)
    assert list(zip(table.videos, table.times_s, strict=True)) == [("a", 902.5), ("a", 903.0), ("b", 902.0)]
    assert [len(table[k].people) for k in range(3)] == [1, 0, 2]
    assert table[0].labels.tolist() == [[0, 0, 0]]
    assert table[2].labels.tolist() == [[0, 1, 1], [1, 0, 0]]
    assert table[2].people.person_ids.tolist() == [3, 4]
    assert torch.allclose(table[2].people.boxes[1], torch.tensor([0.5, 0.1, 0.9, 0.9]))


def test_select_keeps_persons_with_their_keyframe() -> None:
    table = labelled_keyframes(TRUTH, CLASSES).select(np.array([True, False, True]))
    assert [len(table[k].people) for k in range(2)] == [1, 2]
    assert table[1].people.person_ids.tolist() == [3, 4]


def test_times_are_compared_in_microseconds() -> None:
    table = labelled_keyframes(TRUTH, CLASSES)
    detected = detected_keyframes(table, boxes(("a", 902.5 - 1e-9, 0.1, 0.1, 0.2, 0.2, 0.9)), min_score=0.5)
    assert [len(detected[k].people) for k in range(3)] == [1, 0, 0]
    twice = boxes(("a", 1.0, 0.1, 0.1, 0.2, 0.2, 0.9), ("a", 1.0 + 1e-9, 0.3, 0.1, 0.4, 0.2, 0.9))
    assert len(keyframes_of_boxes(twice, min_score=0.5)) == 1


def test_detected_persons_are_assigned_to_labelled_keyframes() -> None:
    table = labelled_keyframes(TRUTH, CLASSES)
    detected = detected_keyframes(
        table,
        boxes(
            ("b", 902.0, 0.0, 0.0, 0.5, 0.5, 0.95),
            ("b", 904.0, 0.0, 0.0, 0.5, 0.5, 0.95),  # no keyframe at that time
            ("a", 902.5, 0.2, 0.2, 0.3, 0.4, 0.85),
            ("b", 902.0, 0.5, 0.5, 0.9, 0.9, 0.79),  # below the threshold
        ),
        min_score=0.8,
    )
    assert [len(detected[k].people) for k in range(3)] == [1, 0, 1]
    assert detected[2].people.scores.item() == pytest.approx(0.95)
    assert detected.labels.shape == (2, 0)


def test_detected_boxes_take_the_labels_of_the_person_they_match() -> None:
    detected = boxes(
        ("b", 902.0, 0.1, 0.1, 0.4, 0.89, 0.5),  # IoU 79/80 with person 3
        ("b", 902.0, 0.2, 0.1, 0.5, 0.9, 0.99),  # IoU 1/2 with person 3
    )
    table = labelled_keyframes(TRUTH, CLASSES).with_detected(detected, min_score=0.5, negatives=False)
    assert [len(table[k].people) for k in range(3)] == [1, 0, 3]
    assert table[2].people.person_ids.tolist() == [3, 4, 3]
    assert table[2].labels.tolist() == [[0, 1, 1], [1, 0, 0], [0, 1, 1]]


def test_detected_boxes_of_no_labelled_person_are_negatives_on_demand() -> None:
    detected = boxes(
        ("b", 902.0, 0.1, 0.1, 0.4, 0.89, 0.7),  # person 3, below the threshold
        ("b", 902.0, 0.1, 0.1, 0.4, 0.6, 0.9),  # IoU 5/8 with person 3: neither the same nor another person
        ("b", 902.0, 0.0, 0.9, 0.1, 1.0, 0.9),
        ("b", 902.0, 0.0, 0.0, 0.1, 0.1, 0.79),
        ("a", 903.0, 0.0, 0.0, 0.1, 0.1, 0.9),  # a keyframe without labelled persons
    )
    truth = labelled_keyframes(TRUTH, CLASSES)
    table = truth.with_detected(detected, min_score=0.8, negatives=True)
    assert [len(table[k].people) for k in range(3)] == [1, 0, 3]
    assert table[2].people.person_ids.tolist() == [3, 4, -1] and table[2].labels[2].tolist() == [0, 0, 0]
    without = truth.with_detected(detected, min_score=0.8, negatives=False)
    assert len(without.people) == len(truth.people)


def test_keyframes_of_boxes_alone() -> None:
    table = keyframes_of_boxes(
        boxes(
            ("v", 2.0, 0, 0, 1, 1, 0.9), ("v", 1.25, 0, 0, 1, 1, 0.9), ("v", 2.0, 0, 0, 0.5, 1, 0.9),
            ("v", 3.0, 0, 0, 1, 1, 0.1),
        ),
        min_score=0.5,
    )  # fmt: skip
    assert table.times_s.tolist() == [1.25, 2.0]
    assert [len(table[k].people) for k in range(2)] == [1, 2]


def test_no_boxes() -> None:
    assert len(keyframes_of_boxes(boxes(), min_score=0.5)) == 0
    assert len(detected_keyframes(labelled_keyframes(TRUTH, CLASSES), boxes(), min_score=0.5).people) == 0


def test_labels_of_a_hundred_thousand_rows() -> None:
    rng = np.random.default_rng(0)
    many = pd.DataFrame(
        {
            "video": rng.choice(["v0", "v1", "v2"], 100_000),
            "timestamp": rng.integers(900, 1800, 100_000).astype(float),
            "x1": 0.1, "y1": 0.1, "x2": 0.5, "y2": rng.choice([0.5, 0.6], 100_000),
            "action_id": rng.choice([11, 12, 80], 100_000),
            "person_id": 0,
        }
    )  # fmt: skip
    table = labelled_keyframes(many, CLASSES)
    actions = many.groupby(["video", "timestamp", "y2"])["action_id"].nunique()
    assert len(table.people) == len(actions)
    assert int(table.labels.sum()) == int(actions.sum())
