"""Each sentence that explains a surprising number."""

from __future__ import annotations

import pandas as pd
import pytest

from ava_eval import FormatError, evaluate
from ava_eval.summary import summary
from tests.ava_eval.random_tables import LABEL_MAP, detection_table, excluded_table, truth_table
from tests.ava_eval.slow_protocols import Box, DetectionRow, TruthRow

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


def test_an_ordinary_evaluation_needs_no_notes() -> None:
    assert notes(TRUTH, FOUND) == []


def test_no_detections() -> None:
    result = evaluate(truth_table(TRUTH), detection_table([]), LABEL_MAP)
    assert result.mean_ap == 0.0
    assert result.notes == ["There are no detections: the file holds no row with a box."]


def test_no_ground_truth() -> None:
    result = evaluate(truth_table([("v", 902, None, 0)]), detection_table(FOUND), LABEL_MAP)
    assert result.mean_ap is None
    assert "There is no ground truth to score against" in result.notes[0]


def test_wrong_time_origin() -> None:
    assert notes(TRUTH, moved(seconds=-900))[0] == (
        "0 of 4 keyframes with detections have ground truth (nearest offset -900 s: is the time origin wrong?)."
    )
    assert "nearest offset 0.5 s" in notes(TRUTH, moved(seconds=0.5))[0]


def test_the_offset_is_the_one_that_explains_most() -> None:
    """Detections start a second early and end late, yet all ground truth is met 900 s on."""
    found: list[DetectionRow] = [("v", float(second), BODY, 3, second / 100) for second in range(1, 9)]
    assert (
        "0 of 8 keyframes with detections have ground truth (nearest offset -900 s"
        in notes([*TRUTH, ("v", 908, BODY, 3)], found)[0]
    )


def test_an_origin_is_no_unit() -> None:
    """Times 900 s later are hundreds of times as large, yet all of them meet when moved."""
    truth: list[TruthRow] = [("v", 2 + t, BODY, 3) for t in range(4)]
    assert "nearest offset 900 s" in notes(truth, FOUND)[0]


def test_other_videos() -> None:
    """The one video in both files meets; the others are in one file only."""
    truth: list[TruthRow] = [*TRUTH[:1], *((name, 902, BODY, 3) for name in "abc")]
    found: list[DetectionRow] = [*FOUND[:1], *((name, 902, BODY, 3, 0.5) for name in "xyz")]
    assert notes(truth, found)[0] == (
        "1 of 4 keyframes with detections have ground truth: 3 of 4 videos with detections are not in the ground truth."
    )


def test_another_unit_of_time() -> None:
    found: list[DetectionRow] = [(row[0], row[1] * 1000, *row[2:]) for row in FOUND]
    assert notes(TRUTH, found)[0] == (
        "0 of 4 keyframes with detections have ground truth: the detections' times are 1,000 times as large; are they"
        " milliseconds or frame numbers?"
    )
    truth: list[TruthRow] = [(row[0], row[1] * 1000, *row[2:]) for row in TRUTH]
    assert "the ground truth's times are 1,000 times as large" in notes(truth, FOUND)[0]


def test_names_with_suffix() -> None:
    assert notes(TRUTH, moved(video="v.mp4"))[0] == (
        "0 of 4 keyframes with detections have ground truth: no video is in both files ('v.mp4' and 'v': write names"
        " without their suffix in both)."
    )
    assert "('w' in the detections, 'v' in the ground truth)" in notes(TRUTH, moved(video="w"))[0]


def test_pixels() -> None:
    in_pixels: Box = (64.0, 48.0, 192.0, 192.0)
    assert notes(TRUTH, moved(box=in_pixels)) == [
        "Boxes of the detections are in pixels, it seems: they reach 192, the others 0.8; divide x by the picture's"
        " width and y by its height."
    ]
    truth: list[TruthRow] = [(*row[:2], in_pixels, 3) for row in TRUTH]
    assert "Boxes of the ground truth are in pixels" in notes(truth, FOUND)[0]
    assert notes(truth, moved(box=in_pixels)) == []


def test_boxes_that_miss() -> None:
    """0.1 x 0.6 shared of 0.4 x 0.6 + 0.4 x 0.6 - 0.1 x 0.6: a seventh."""
    assert notes(TRUTH, moved(box=(0.5, 0.2, 0.9, 0.8))) == [
        "No detection overlaps ground truth of its class by 0.5 or more: the best IoU is 0.143."
    ]


def test_boxes_in_another_order() -> None:
    wide: Box = (0.1, 0.4, 0.9, 0.6)
    truth: list[TruthRow] = [(*row[:2], wide, 3) for row in TRUTH]
    assert notes(truth, moved(box=(0.4, 0.1, 0.6, 0.9)))[1] == (
        "Read as y1,x1,y2,x2, the detections' boxes would overlap ground truth by 1.00 on average, and not by 0.14:"
        " is that how they are written?"
    )
    truth = [(*row[:2], (0.1, 0.1, 0.4, 0.5), 3) for row in TRUTH]
    assert "Read as x,y,width,height" in notes(truth, moved(box=(0.1, 0.1, 0.3, 0.3)))[-1]
    truth = [("v", 901, (0.2, 0.2, 0.8, 0.8), 3), *((*row[:2], wide, 3) for row in TRUTH)]
    found: list[DetectionRow] = [("v", 901, (0.2, 0.2, 0.8, 0.8), 3, 0.9), *moved(box=(0.4, 0.1, 0.6, 0.9))]
    assert "would overlap ground truth by 1.00 on average, and not by 0.31" in notes(truth, found)[0]


def test_other_classes_only() -> None:
    found: list[DetectionRow] = [(*row[:3], 4, row[4]) for row in FOUND]
    assert notes(TRUTH, found) == [
        "No detection shares its keyframe with ground truth of its class: are the action ids the label map's?"
    ]


def test_scores_that_rank_nothing() -> None:
    assert "All scores are 1, so nothing ranks" in notes(TRUTH, [(*row[:4], 1.0) for row in FOUND])[0]
    persons: list[DetectionRow] = [(*row[:4], float(place)) for place, row in enumerate(FOUND)]
    assert notes(TRUTH, persons) == ["All scores are whole numbers, up to 3: does the score column hold person ids?"]


def test_repeated_detections() -> None:
    again: list[DetectionRow] = [(*row[:4], row[4] / 2) for row in FOUND[:3]]
    assert notes(TRUTH, FOUND + again)[0].startswith("3 of 7 detections repeat the video, time, box and class of")
    mirrored: Box = (0.3, 0.2, 0.7, 0.8)  # overlaps as (0.1, 0.2, 0.5, 0.8) does
    alike: list[DetectionRow] = [("v", 902, mirrored, 3, 0.1), ("v", 902, (0.1, 0.2, 0.5, 0.8), 3, 0.2)]
    assert notes(TRUTH, FOUND + alike) == []


def test_repeated_ground_truth() -> None:
    assert notes(TRUTH + TRUTH[:2], FOUND)[0].startswith("2 ground-truth rows repeat the box and class of another row")


def test_excluded_keyframes() -> None:
    two, elsewhere = excluded_table({("v", 902.0), ("v", 903.0)}), excluded_table({("w", 1.0)})
    assert notes(TRUTH, FOUND, excluded=two) == [
        "The official protocol reads no excluded timestamps, so they change no mAP: its ground truth lacks them."
    ]
    assert notes(TRUTH, FOUND, "pyslowfast", excluded=two) == []
    assert notes(TRUTH, FOUND, "pyslowfast", excluded=elsewhere) == [
        "None of the 1 excluded keyframes is in the ground truth or the detections."
    ]
    assert "2 ground-truth boxes on excluded keyframes still count" in notes(TRUTH, FOUND, "mmaction2", excluded=two)[0]


def test_mmaction2_leaves_classes_out() -> None:
    truth: list[TruthRow] = [*TRUTH, ("v", 902, BODY, 4)]
    assert notes(truth, FOUND, "mmaction2") == [
        "1 classes with ground truth but no detection are left out of the mean, as in MMAction2's ava_utils.py: walk."
    ]
    assert notes(truth, FOUND) == []


def test_mean_of_nothing_under_mmaction2() -> None:
    found: list[DetectionRow] = [("v", 1, BODY, 3, 0.5)]
    result = evaluate(truth_table(TRUTH), detection_table(found), LABEL_MAP, protocol="mmaction2")
    assert result.mean_ap is None
    assert result.notes[0] == "mAP is not defined: no class has both ground truth and a detection on its keyframes."


def test_ids_that_the_label_map_lacks() -> None:
    found: list[DetectionRow] = [(*row[:3], 77, row[4]) for row in FOUND]
    message = r"no action id of the detections \(77\) is in the label map \(4 ids from 1 to 9\)"
    with pytest.raises(FormatError, match=message):
        evaluate(truth_table(TRUTH), detection_table(found), LABEL_MAP)
    with pytest.raises(FormatError, match="no action id of the ground truth"):
        evaluate(truth_table([(*row[:3], 5) for row in TRUTH]), detection_table(FOUND), LABEL_MAP)


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
        "protocol: official, as ActivityNet's get_ava_performance.py; IoU 0.5",
        "classes: 1 of 4 averaged; 3 without ground truth, 2 without detections",
        "keyframes: 5 with ground truth, 5 with detections, 4 with both; 5 scored",
        "ground truth: 5 boxes; dropped: 1 of classes outside the label map",
        "detections: 67 rows, 53 scored; dropped: 1 of classes outside the label map, 1 on keyframes without ground"
        " truth, 11 beyond the 50 best of their keyframe, 1 with an empty box",
    ]
    excluded = excluded_table({("v", 902.0)})
    lines = summary(
        evaluate(truth_table(truth), detection_table(found), LABEL_MAP, protocol="pyslowfast", excluded=excluded)
    )
    assert lines[3] == "ground truth: 4 boxes; dropped: 1 of classes outside the label map, 1 on excluded keyframes"
    assert "2 on excluded keyframes" in lines[4]
