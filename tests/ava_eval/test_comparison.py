"""Two detection files side by side."""

from __future__ import annotations

import pytest

from ava_eval import evaluate
from ava_eval.comparison import compare, comparison_table
from tests.ava_eval.random_tables import LABEL_MAP, detection_table, truth_table
from tests.ava_eval.slow_protocols import Box, DetectionRow, TruthRow

BODY: Box = (0.2, 0.2, 0.6, 0.8)
TRUTH: list[TruthRow] = [(video, 1, BODY, id_) for video in "abcd" for id_ in (3, 9)]
SILENT: list[DetectionRow] = [(video, 1, BODY, 3, 0.9) for video in "abcd"]
WITH_SOUND: list[DetectionRow] = [*SILENT, *((video, 1, BODY, 9, 0.8) for video in "abc")]


def test_sound_buys_singing() -> None:
    """Singing is found in three of four videos; it gains in every draw but one of only the fourth."""
    truth = truth_table(TRUTH)
    results = [evaluate(truth, detection_table(rows), LABEL_MAP) for rows in (SILENT, WITH_SOUND)]
    comparison = compare(results[0], results[1], "video", "both")
    assert comparison.gains() == {"sit": None, "stand": 0.0, "walk": None, "sing": 0.75}
    assert comparison.difference is not None
    assert comparison.chance_second_is_better == pytest.approx(1 - 1 / 256, abs=0.01)
    lines = comparison_table(comparison).splitlines()
    assert lines[0].split() == ["class", "video", "both", "gain"]
    assert lines[1].split() == ["sing", "0.00", "75.00", "75.00"]
    assert [line.split()[0] for line in lines[2:4]] == ["stand", "mean"]
    assert lines[3].split() == ["mean", "50.00", "87.50", "37.50"]
    assert "both minus video: 95 % interval +" in lines[-1]


def test_only_alike_can_be_compared() -> None:
    truth, found = truth_table(TRUTH), detection_table(SILENT)
    first, second = evaluate(truth, found, LABEL_MAP), evaluate(truth, found, LABEL_MAP, iou=0.75)
    with pytest.raises(ValueError, match="different protocols, IoUs or label maps"):
        compare(first, second)


def test_one_video_has_no_interval() -> None:
    truth, found = truth_table(TRUTH[:2]), detection_table(SILENT[:1])
    result = evaluate(truth, found, LABEL_MAP)
    comparison = compare(result, result)
    assert comparison.chance_second_is_better is None
    assert comparison_table(comparison).endswith("Fewer than two videos: no interval for the difference.")
