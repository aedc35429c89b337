"""Each note on input that explains a surprising mAP."""

from __future__ import annotations

import pandas as pd
import pytest

from ava_eval import FormatError, evaluate
from tests.ava_eval.random_cases import LABEL_MAP, detection_table, excluded_table, truth_table
from tests.ava_eval.reference_protocols import Box, DetectionRow, TruthRow

BODY: Box = (0.2, 0.2, 0.6, 0.8)
TRUTH: list[TruthRow] = [("v", 902 + t, BODY, 3) for t in range(4)]
FOUND: list[DetectionRow] = [(video, second, BODY, 3, 0.9 - second / 1e4) for video, second, _, _ in TRUTH]


def notes(
    truth: list[TruthRow], found: list[DetectionRow], protocol: str = "official", excluded: pd.DataFrame | None = None
) -> list[str]:
    tables = truth_table(truth), detection_table(found)
    return evaluate(*tables, LABEL_MAP, protocol=protocol, excluded=excluded).notes


def moved(seconds: float = 0.0, video: str = "v", box: Box = BODY) -> list[DetectionRow]:
    return [(video, row[1] + seconds, box, *row[3:]) for row in FOUND]


def test_valid_input_has_no_notes() -> None:
    assert notes(TRUTH, FOUND) == []


def test_no_detections() -> None:
    result = evaluate(truth_table(TRUTH), detection_table([]), LABEL_MAP)
    assert result.mean_ap == 0.0
    assert result.notes == ["There are no detections: the file has no row with a box."]


def test_no_ground_truth() -> None:
    result = evaluate(truth_table([("v", 902, None, 0)]), detection_table(FOUND), LABEL_MAP)
    assert result.mean_ap is None
    assert "There is no ground truth: no box" in result.notes[0]


def test_wrong_time_origin() -> None:
    assert notes(TRUTH, moved(seconds=-900))[0] == (
        "Only 0 of 4 keyframes with detections have ground truth. The most likely time offset is -900 s; check the time"
        " origin."
    )
    assert "most likely time offset is 0.5 s" in notes(TRUTH, moved(seconds=0.5))[0]


def test_offset_explains_most_keyframes() -> None:
    """Detections start a second earlier and end later than the ground truth, which all lies 900 s later."""
    found: list[DetectionRow] = [("v", float(second), BODY, 3, second / 100) for second in range(1, 9)]
    assert (
        "Only 0 of 8 keyframes with detections have ground truth. The most likely time offset is -900 s"
        in notes([*TRUTH, ("v", 908, BODY, 3)], found)[0]
    )


def test_offset_is_preferred_to_another_unit() -> None:
    """Timestamps 900 s later are hundreds of times as large, but an offset explains all of them."""
    truth: list[TruthRow] = [("v", 2 + t, BODY, 3) for t in range(4)]
    assert "most likely time offset is 900 s" in notes(truth, FOUND)[0]


def test_other_videos() -> None:
    """One video is in both files; the others are in one file only."""
    truth: list[TruthRow] = [*TRUTH[:1], *((name, 902, BODY, 3) for name in "abc")]
    found: list[DetectionRow] = [*FOUND[:1], *((name, 902, BODY, 3, 0.5) for name in "xyz")]
    assert notes(truth, found)[0] == (
        "Only 1 of 4 keyframes with detections have ground truth:"
        " 3 of 4 videos with detections are not in the ground truth."
    )


def test_another_unit_of_time() -> None:
    found: list[DetectionRow] = [(row[0], row[1] * 1000, *row[2:]) for row in FOUND]
    assert notes(TRUTH, found)[0] == (
        "Only 0 of 4 keyframes with detections have ground truth: timestamps of the detections are 1,000 times as"
        " large; check whether they are milliseconds or frame numbers."
    )
    truth: list[TruthRow] = [(row[0], row[1] * 1000, *row[2:]) for row in TRUTH]
    assert "timestamps of the ground truth are 1,000 times as large" in notes(truth, FOUND)[0]


def test_names_with_suffix() -> None:
    assert notes(TRUTH, moved(video="v.mp4"))[0] == (
        "Only 0 of 4 keyframes with detections have ground truth: no video is in both files ('v.mp4' and 'v': write"
        " names without their suffix in both)."
    )
    assert "('w' in the detections, 'v' in the ground truth)" in notes(TRUTH, moved(video="w"))[0]


def test_pixels() -> None:
    in_pixels: Box = (64.0, 48.0, 192.0, 192.0)
    assert notes(TRUTH, moved(box=in_pixels)) == [
        "Boxes of the detections seem to be in pixels: their largest coordinate is 192, that of the other file 0.8."
        " Divide x by the frame's width and y by its height."
    ]
    truth: list[TruthRow] = [(*row[:2], in_pixels, 3) for row in TRUTH]
    assert "Boxes of the ground truth seem to be in pixels" in notes(truth, FOUND)[0]
    assert notes(truth, moved(box=in_pixels)) == []


def test_boxes_below_the_threshold() -> None:
    """0.1 x 0.6 shared of 0.4 x 0.6 + 0.4 x 0.6 - 0.1 x 0.6: a seventh."""
    assert notes(TRUTH, moved(box=(0.5, 0.2, 0.9, 0.8))) == [
        "No detection overlaps ground truth of its class by IoU 0.5 or more; the best IoU is 0.143."
    ]


def test_boxes_in_another_order() -> None:
    wide: Box = (0.1, 0.4, 0.9, 0.6)
    truth: list[TruthRow] = [(*row[:2], wide, 3) for row in TRUTH]
    assert notes(truth, moved(box=(0.4, 0.1, 0.6, 0.9)))[1] == (
        "The mean IoU of detections with ground truth is 0.14, but 1.00 if their boxes are read as y1,x1,y2,x2;"
        " check the order of their coordinates."
    )
    truth = [(*row[:2], (0.1, 0.1, 0.4, 0.5), 3) for row in TRUTH]
    assert "if their boxes are read as x,y,width,height" in notes(truth, moved(box=(0.1, 0.1, 0.3, 0.3)))[-1]
    truth = [("v", 901, (0.2, 0.2, 0.8, 0.8), 3), *((*row[:2], wide, 3) for row in TRUTH)]
    found: list[DetectionRow] = [("v", 901, (0.2, 0.2, 0.8, 0.8), 3, 0.9), *moved(box=(0.4, 0.1, 0.6, 0.9))]
    assert "is 0.31, but 1.00 if" in notes(truth, found)[0]


def test_other_classes_only() -> None:
    found: list[DetectionRow] = [(*row[:3], 4, row[4]) for row in FOUND]
    assert notes(TRUTH, found) == [
        "No detection shares its keyframe with ground truth of its class; check that both files use the label map's"
        " action ids."
    ]


def test_scores_without_a_ranking() -> None:
    assert "All scores are 1, so detections cannot be ranked" in notes(TRUTH, [(*row[:4], 1.0) for row in FOUND])[0]
    persons: list[DetectionRow] = [(*row[:4], float(index)) for index, row in enumerate(FOUND)]
    assert notes(TRUTH, persons) == [
        "All scores are whole numbers, up to 3; check that the column does not hold person ids."
    ]


def test_repeated_detections() -> None:
    again: list[DetectionRow] = [(*row[:4], row[4] / 2) for row in FOUND[:3]]
    assert notes(TRUTH, FOUND + again)[0].startswith("3 of 7 detections repeat the video, timestamp, box and class of")
    mirrored: Box = (0.3, 0.2, 0.7, 0.8)  # the same IoU as of (0.1, 0.2, 0.5, 0.8)
    equal_iou: list[DetectionRow] = [("v", 902, mirrored, 3, 0.1), ("v", 902, (0.1, 0.2, 0.5, 0.8), 3, 0.2)]
    assert notes(TRUTH, FOUND + equal_iou) == []


def test_inverted_boxes() -> None:
    """One of a hundred is no reason for a note, five of a hundred are."""
    x1, y1, x2, y2 = BODY
    inverted: list[DetectionRow] = [("v", 902, (x2, y1, x1, y2), 3, 0.1 + i / 1000) for i in range(5)]
    others: list[DetectionRow] = [("v", 902, (x1, y1, x2, y2 + i / 1000), 3, 0.2 + i / 1000) for i in range(95)]
    assert not any("x1 > x2" in note for note in notes(TRUTH, others + inverted[:1], "mmaction2"))
    for protocol in ("pyslowfast", "mmaction2"):
        (note,) = (note for note in notes(TRUTH, others + inverted, protocol) if "x1 > x2" in note)
        assert note.startswith("5 of 100 detections have x1 > x2 or y1 > y2 and do not count")


def test_repeated_ground_truth() -> None:
    assert notes(TRUTH + TRUTH[:2], FOUND)[0].startswith("2 ground-truth rows repeat the box and class of another row")


def test_excluded_keyframes() -> None:
    two, elsewhere = excluded_table({("v", 902.0), ("v", 903.0)}), excluded_table({("w", 1.0)})
    assert notes(TRUTH, FOUND, excluded=two) == [
        "The official protocol does not use excluded timestamps: AVA's ground truth does not list them."
    ]
    assert notes(TRUTH, FOUND, "pyslowfast", excluded=two) == []
    assert notes(TRUTH, FOUND, "pyslowfast", excluded=elsewhere) == [
        "None of the 1 excluded keyframes is in the ground truth or the detections."
    ]
    assert "2 ground-truth boxes on excluded keyframes still count" in notes(TRUTH, FOUND, "mmaction2", excluded=two)[0]


def test_mmaction2_leaves_classes_out() -> None:
    truth: list[TruthRow] = [*TRUTH, ("v", 902, BODY, 4)]
    assert notes(truth, FOUND, "mmaction2") == [
        "1 classes with ground truth but without detections are left out of the mean, as in"
        " MMAction2's ava_utils.py: walk."
    ]
    assert notes(truth, FOUND) == []


def test_undefined_map_under_mmaction2() -> None:
    found: list[DetectionRow] = [("v", 1, BODY, 3, 0.5)]
    result = evaluate(truth_table(TRUTH), detection_table(found), LABEL_MAP, protocol="mmaction2")
    assert result.mean_ap is None
    assert result.notes[0] == "mAP is undefined: no class has both ground truth and a detection on its keyframes."


def test_ids_outside_the_label_map() -> None:
    found: list[DetectionRow] = [(*row[:3], 77, row[4]) for row in FOUND]
    message = r"no action id of the detections \(77\) is in the label map \(4 ids from 1 to 9\)"
    with pytest.raises(FormatError, match=message):
        evaluate(truth_table(TRUTH), detection_table(found), LABEL_MAP)
    with pytest.raises(FormatError, match="no action id of the ground truth"):
        evaluate(truth_table([(*row[:3], 5) for row in TRUTH]), detection_table(FOUND), LABEL_MAP)
