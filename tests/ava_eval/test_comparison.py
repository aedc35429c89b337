"""Comparison of an audiovisual and a video-only detection file."""

from __future__ import annotations

import pytest

from ava_eval import evaluate
from ava_eval.comparison import compare, comparison_table
from tests.ava_eval.random_cases import LABEL_MAP, detection_table, truth_table
from tests.ava_eval.reference_protocols import Box, DetectionRow, TruthRow

BODY: Box = (0.2, 0.2, 0.6, 0.8)
TRUTH: list[TruthRow] = [(video, 1, BODY, id_) for video in "abcd" for id_ in (3, 9)]
VIDEO_ONLY: list[DetectionRow] = [(video, 1, BODY, 3, 0.9) for video in "abcd"]
AUDIOVISUAL: list[DetectionRow] = [*VIDEO_ONLY, *((video, 1, BODY, 9, 0.8) for video in "abc")]


def test_audio_gains_singing() -> None:
    """Audio finds singing in three of four videos; mAP gains in every sample except those of only the fourth video."""
    truth = truth_table(TRUTH)
    results = [evaluate(truth, detection_table(rows), LABEL_MAP) for rows in (VIDEO_ONLY, AUDIOVISUAL)]
    comparison = compare(results[0], results[1], "video", "both")
    assert comparison.gains() == {"sit": None, "stand": 0.0, "walk": None, "sing": 0.75}
    assert comparison.difference is not None
    assert comparison.fraction_second_better == pytest.approx(1 - 1 / 256, abs=0.01)
    lines = comparison_table(comparison).splitlines()
    assert lines[0].split() == ["class", "video", "both", "gain"]
    assert lines[1].split() == ["sing", "0.00", "75.00", "75.00"]
    assert [line.split()[0] for line in lines[2:4]] == ["stand", "mean"]
    assert lines[3].split() == ["mean", "50.00", "87.50", "37.50"]
    assert "both minus video: 95 % interval +" in lines[-1]


def test_different_settings_cannot_be_compared() -> None:
    truth, found = truth_table(TRUTH), detection_table(VIDEO_ONLY)
    first, second = evaluate(truth, found, LABEL_MAP), evaluate(truth, found, LABEL_MAP, iou=0.75)
    with pytest.raises(ValueError, match="different protocols, IoUs, rules for ties or label maps"):
        compare(first, second)
    with pytest.raises(ValueError, match="rules for ties"):
        compare(first, evaluate(truth, found, LABEL_MAP, ties="worst"))


def test_one_video_has_no_interval() -> None:
    truth, found = truth_table(TRUTH[:2]), detection_table(VIDEO_ONLY[:1])
    result = evaluate(truth, found, LABEL_MAP)
    comparison = compare(result, result)
    assert comparison.fraction_second_better is None
    assert comparison_table(comparison).endswith("Fewer than two videos: no interval for the difference.")
