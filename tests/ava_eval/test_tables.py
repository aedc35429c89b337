"""The columns that each read function returns, and the checks of tables from other sources."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ava_eval import PROTOCOLS, FormatError, evaluate, read_boxes, read_detections, read_excluded, read_ground_truth
from tests.ava_eval.random_cases import LABEL_MAP
from tests.shared import SHARED, needs_shared

ANNOTATIONS = SHARED / "data/annotations"
Write = Callable[[str], Path]
BOX = "a,1,0,0,1,1"
TRUTH = pd.DataFrame(
    {"video": ["v"], "timestamp": [1], "x1": [0.0], "y1": [0.0], "x2": [1.0], "y2": [1.0], "action_id": [3]}
)


def test_ground_truth_without_person_ids_and_with_keyframes_alone(write: Write) -> None:
    table = read_ground_truth(write("a,902,0.1,0.2,0.3,0.4,12\na,903\na,904,,,,,,\na,905,0,0,1,1,3,\n"))
    assert table["action_id"].tolist() == [12, 0, 0, 3]
    assert table["person_id"].tolist() == [-1, -1, -1, -1]
    assert np.isnan(table["x1"]).tolist() == [False, True, True, False]


def test_detections(write: Write) -> None:
    table = read_detections(write("a,902,0.1,0.2,0.3,0.4,12,0.5\na,903\na,902,0.1,0.2,0.3,0.4,12,1e-3,4\n"))
    assert list(table.columns) == ["video", "timestamp", "x1", "y1", "x2", "y2", "action_id", "score", "person_id"]
    assert table["score"].tolist() == [0.5, 0.001]
    assert table["person_id"].tolist() == [-1, 4]


def test_excluded(write: Write) -> None:
    table = read_excluded(write("video,timestamp\na,0902\nb,903.5"))
    assert table["video"].tolist() == ["a", "b"]
    assert table["timestamp"].tolist() == [902.0, 903.5]
    assert len(read_excluded(write("\n"))) == 0


@pytest.mark.parametrize(
    ("rows", "scores", "persons"),
    [
        ([BOX], [1.0], [-1]),
        ([f"{BOX},0.7", "a,2"], [0.7], [-1]),
        ([f"{BOX},0.7,3", f"{BOX},1,12"], [0.7, 1.0], [3, 12]),
        ([f"{BOX},,0.7", "b,1,0,0,1,1,,0.8"], [0.7, 0.8], [-1, -1]),
        (
            [f"{BOX},12,0.7", f"{BOX},80,0.7", "b,1,0,0,1,1,,0.8"],
            [0.7, 0.8],
            [-1, -1],
        ),  # one row per person
        ([f"{BOX},1,0.7"], [0.7], [-1]),
        ([f"{BOX},1,1"], [1.0], [1]),
    ],
)
def test_boxes_with_score_and_person_id_or_with_action_id_and_score(
    write: Write, rows: list[str], scores: list[float], persons: list[int]
) -> None:
    table = read_boxes(write("\n".join(rows)))
    assert list(table.columns) == ["video", "timestamp", "x1", "y1", "x2", "y2", "score", "person_id"]
    assert table["score"].tolist() == scores
    assert table["person_id"].tolist() == persons


@pytest.mark.parametrize(
    "rows",
    [
        [f"{BOX},12,178"],
        [f"{BOX},12", f"{BOX},80"],
        [f"{BOX},12,0", "a,2", f"{BOX},80,1"],  # two persons, 0 and 1
        [f"{BOX},12,3", f"{BOX},80,"],
    ],
)
def test_ground_truth_given_as_boxes_is_refused(write: Write, rows: list[str]) -> None:
    with pytest.raises(FormatError, match=r"seems to be a ground truth: .* Person boxes are video.*\[,score.* once"):
        read_boxes(write("\n".join(rows)))


@pytest.mark.parametrize("rows", [[f"{BOX},,12"], [BOX, f"{BOX},,0.7"], [f"{BOX},1.5"]])
def test_boxes_with_missing_scores_are_refused(write: Write, rows: list[str]) -> None:
    with pytest.raises(FormatError, match="columns 7 and 8 are neither score,person_id"):
        read_boxes(write("\n".join(rows)))


@needs_shared
def test_real_files() -> None:
    ava, birds = ANNOTATIONS / "ava", ANNOTATIONS / "custom_ava/ethereal311_birds/annotations"
    assert len(read_ground_truth(ava / "derenlei_pose_only/ava_val_v2.1_pose_only.csv")) == 93_400
    assert len(read_ground_truth(ava / "ava_val_v2.2_excerpt_9Y_l9NsnYE0_1315-1333.csv")) == 114
    assert len(read_excluded(ava / "ava_train_excluded_timestamps_v2.2.csv")) == 161
    assert len(read_ground_truth(birds / "ava_train_v2.2.csv")) == 176
    assert len(read_excluded(birds / "ava_val_excluded_timestamps_v2.2.csv")) == 0
    folder = birds / "person_box_67091280_iou90"
    assert len(read_boxes(folder / "ava _detection_val_boxes_and_labels.csv")) == 22
    assert len(read_boxes(folder / "ava_detection _train_boxes_and _labels_include_ negative_v2.2.csv")) == 88
    with pytest.raises(FormatError, match="line 16: person_id is '3_'"):
        read_ground_truth(ava / "ava_val_v2.2_excerpt_1j20qq1JyX4_0902-0912.csv")


def test_integer_columns_are_accepted() -> None:
    assert evaluate(TRUTH.astype({"x1": int, "x2": int}), TRUTH.assign(score=1), LABEL_MAP).mean_ap == 1.0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"score": np.nan}, "row 0 of the detections table has score nan; it must be a number up to 1e\\+30"),
        ({"timestamp": 1e12}, "timestamp 1000000000000.0; it must be a number up to 1e\\+09"),
        ({"x1": np.inf}, "x1 inf"),
        ({"x1": 2.0}, r"1 of 1 boxes have x1 >= x2 or y1 >= y2, such as 2,0,1,1; boxes are x1,y1,x2,y2 \(corners\)"),
        ({"y1": 2.0}, "such as 0,2,1,1; .* convert them if they are x,y,width,height"),
        ({"action_id": 1.5}, "action_id 1.5; it must be a whole number"),
        ({"action_id": 0}, "action_id 0; it must be 1 or more; if your ids start at 0, add 1 to all"),
        ({"x2": "wide"}, "the detections table's x2 column holds .*; make it numeric"),
        ({"person_id": None}, "the detections table's person_id column holds object; make it numeric"),
        ({"video": None}, "row 0 of the detections table has video .*; it must be a video's name"),
    ],
)
def test_bad_detections(change: dict[str, float | str | None], message: str) -> None:
    detections = TRUTH.assign(score=0.5)
    for name, value in change.items():
        detections[name] = value
    with pytest.raises(FormatError, match=message):
        evaluate(TRUTH, detections, LABEL_MAP)


def test_inverted_boxes_of_detections_are_dropped_unless_they_are_most(write: Callable[[str], Path]) -> None:
    """Under every protocol: the scripts of ActivityNet and PySlowFast drop them, that of MMAction2 stops."""
    rows = "v,1,0,0,1,1,3,0.5\nv,1,1,0,0,1,3,0.9\nv,1,0,1,1,0,3,0.8\nv,1,0,0,1,1,3,0.4\n"
    detections = read_detections(write(rows))
    assert len(detections) == 4
    for protocol in PROTOCOLS:
        result = evaluate(TRUTH, detections, LABEL_MAP, protocol=protocol)
        assert result.mean_ap == 1.0 or protocol == "pyslowfast"
        assert result.counts["dropped_empty_box"] == 2
    with pytest.raises(FormatError, match=r"file.csv: 3 of 5 boxes have .* such as 1,0,0,1; .* x,y,width,height"):
        read_detections(write(rows + "v,1,0.5,0,0.5,1,3,0.8\n"))
    empty = "v,1,0,0,1,1,3,0.5\nv,1,0.5,0,0.5,1,3,0.9\nv,1,0.5,0,0.5,1,3,0.9\n"
    assert len(read_detections(write(empty))) == 3  # without area, but none is inverted


def test_bad_ground_truth() -> None:
    with pytest.raises(FormatError, match="must be up to x2; boxes are corners"):
        evaluate(TRUTH.assign(x1=2.0), TRUTH.assign(score=0.5), LABEL_MAP)
    with pytest.raises(FormatError, match="row 0 of the ground truth table has action_id 0"):
        evaluate(TRUTH.assign(action_id=0), TRUTH.assign(score=0.5), LABEL_MAP)


def test_paths_and_lists_are_refused() -> None:
    with pytest.raises(
        FormatError, match=r"the ground truth is 'gt\.csv', not a table; read files with ava_eval's read functions"
    ):
        evaluate("gt.csv", TRUTH, LABEL_MAP)  # type: ignore[arg-type]
    for label_map in (["sit", "stand"], {"1": "sit"}):
        with pytest.raises(
            FormatError, match=r"the label map is .*; write it as \{id: name\} with whole numbers as ids"
        ):
            evaluate(TRUTH, TRUTH.assign(score=0.5), label_map)  # type: ignore[arg-type]


def test_missing_column() -> None:
    with pytest.raises(FormatError, match="the detections table has no column 'score', only video, timestamp"):
        evaluate(TRUTH, TRUTH, LABEL_MAP)
    with pytest.raises(FormatError, match="the excluded timestamps table has no column 'timestamp'"):
        evaluate(TRUTH, TRUTH.assign(score=0.5), LABEL_MAP, excluded=TRUTH[["video"]])
