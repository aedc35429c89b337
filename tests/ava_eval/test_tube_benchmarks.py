"""Frame mAP and video mAP of the tube benchmarks: by hand, and by plain loops over random tubes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ava_eval.gttubes import read_gttubes
from ava_eval.tube_benchmarks import BenchmarkResult, evaluate_benchmark
from ava_eval.tube_files import read_pickle
from tests.ava_eval.tube_cases import UNSCORED, Found, loop_video_ap, random_case, tube, write_pickle, write_truth

ONE = {"g/v0": {0: [tube(1, 10)]}}


def scored(
    folder: Path, truth: dict[str, dict[int, list[np.ndarray]]], found: object, protocol: str, *labels: str
) -> BenchmarkResult:
    read = read_gttubes(write_truth(folder / "gt.pkl", truth, list(labels) or ["run"]), None)
    detections = read_pickle(write_pickle(folder / "found.pkl", found), read)
    return evaluate_benchmark(read, detections.frames, detections.tubes, protocol=protocol)


def video_map(folder: Path, found: Found, protocol: str) -> list[float | None]:
    """Video mAP at 0.2, 0.5, 0.75 and 0.5:0.95 against ONE."""
    return [average.mean_ap for average in scored(folder, ONE, {0: found}, protocol).video.values()]


def test_half_the_frames_at_half_the_box(tmp_path: Path) -> None:
    """ACT: 5 of 10 frames x 10 of 20 pixels = 0.25. MultiSports: 4 of 9 frame intervals x 9.5 of 19 pixels = 0.222."""
    half = tube(1, 5, width=9.0)
    assert video_map(tmp_path, [("g/v0", 0.9, half)], "act") == [1.0, 0.0, 0.0, 0.0]
    assert video_map(tmp_path, [("g/v0", 0.9, tube(1, 5, width=9.5))], "multisports") == [1.0, 0.0, 0.0, 0.0]
    assert video_map(tmp_path, [("g/v0", 0.9, tube(1, 4, width=9.5))], "multisports") == [0.0] * 4  # 3/9 x 1/2


def test_average_over_ten_thresholds(tmp_path: Path) -> None:
    """8 of 10 frames: IoU 0.8 reaches the seven thresholds 0.5, 0.55, ..., 0.8."""
    assert video_map(tmp_path, [("g/v0", 0.9, tube(1, 8))], "act") == [1.0, 1.0, 1.0, pytest.approx(0.7)]
    assert video_map(tmp_path, [("g/v0", 0.9, tube(1, 9))], "act")[3] == pytest.approx(0.9)


def test_areas_differ_after_a_false_positive(tmp_path: Path) -> None:
    """False, then true: precisions 1 (of none), 0, 1/2. Lines: (0 + 1/2) / 2; envelope: 1/2."""
    found: Found = [("g/v0", 0.9, tube(1, 10, x=100)), ("g/v0", 0.8, tube(1, 10))]
    assert video_map(tmp_path, found, "act")[:2] == [0.25, 0.25]
    assert video_map(tmp_path, found, "multisports")[:2] == [0.5, 0.5]


def test_act_takes_the_next_free_box_and_multisports_does_not(tmp_path: Path) -> None:
    """Both detections have the highest IoU with the first of two boxes, 5 pixels apart."""
    truth = {"g/v0": {0: [tube(1, 1), tube(1, 1, x=15.0)]}}
    rows = np.array([[0, 1, 0, score, 10.0, 10.0, 29.0, 49.0] for score in (0.9, 0.8)])
    for protocol, expected in (("act", 1.0), ("multisports", 0.5)):
        frame = scored(tmp_path, truth, rows, protocol).frame
        assert frame is not None and frame.mean_ap == expected


def test_act_drops_overlapping_tubes(tmp_path: Path) -> None:
    result = scored(tmp_path, ONE, {0: [("g/v0", 0.9, tube(1, 10)), ("g/v0", 0.8, tube(1, 9))]}, "act")
    assert result.counts["dropped_overlapping_tubes"] == 1


def test_a_frame_without_a_box_counts_as_zero(tmp_path: Path) -> None:
    """9 of 10 boxes within the same duration: 0.9."""
    rows = np.delete(tube(1, 10), 4, axis=0)
    assert video_map(tmp_path, [("g/v0", 0.9, rows)], "act")[3] == pytest.approx(0.9)


def test_classes_without_ground_truth(tmp_path: Path) -> None:
    found = {0: [("g/v0", 0.9, tube(1, 10))], 1: [], 2: [("g/v0", 0.9, tube(1, 10))]}
    labels = ("run", "jump", UNSCORED[0])
    truth = {"g/v0": {0: [tube(1, 10)], 2: [tube(1, 10)]}}
    act, multisports = (scored(tmp_path, truth, found, name, *labels).video["0.5"] for name in ("act", "multisports"))
    assert act.ap == {"run": 1.0, "jump": 0.0, UNSCORED[0]: 1.0} and act.mean_ap == pytest.approx(2 / 3)
    assert multisports.ap == {"run": 1.0, "jump": None, UNSCORED[0]: None} and multisports.mean_ap == 1.0


@pytest.mark.parametrize("protocol", ["act", "multisports"])
@pytest.mark.parametrize("seed", range(4))
def test_video_ap_equals_plain_loops(tmp_path: Path, seed: int, protocol: str) -> None:
    labels = ["a", "b", "c", "d"]
    truth, found = random_case(seed, len(labels))
    result = scored(tmp_path, truth, found, protocol, *labels)
    for iou, average in result.video.items():
        for class_, label in enumerate(labels[:3] if ":" not in iou else []):
            truths = {video: tubes[class_] for video, tubes in truth.items() if class_ in tubes}
            expected = loop_video_ap(truths, found[class_], float(iou), act=protocol == "act")
            assert average.ap[label] == pytest.approx(expected, abs=1e-9), (iou, label)


@pytest.mark.parametrize("protocol", ["act", "multisports"])
def test_row_order_changes_nothing(tmp_path: Path, protocol: str) -> None:
    """Scores of one decimal tie often."""
    truth, found = random_case(9, 4)
    rounded = {class_: [(v, round(score, 1), rows) for v, score, rows in tubes] for class_, tubes in found.items()}
    reverse = {class_: tubes[::-1] for class_, tubes in rounded.items()}
    first, second = (scored(tmp_path, truth, tubes, protocol, *"abcd") for tubes in (rounded, reverse))
    assert first.to_json() == second.to_json()
    frames = np.array([
        [int(v[-1]), row[0], class_, score, *row[1:]]
        for class_, tubes in rounded.items() for v, score, rows in tubes for row in rows
    ])  # fmt: skip
    first, second = (scored(tmp_path, truth, rows, protocol, *"abcd") for rows in (frames, frames[::-1]))
    assert first.to_json() == second.to_json()
    assert 0 < first.to_json()["mAP"] < 1  # type: ignore[operator]
