"""Pickles of ground truth and detections: what is read, and one sentence for what is not."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ava_eval import FormatError
from ava_eval.gttubes import is_pickle, read_gttubes
from ava_eval.tube_files import read_folder, read_pickle
from tests.ava_eval.tube_cases import tube, write_pickle, write_truth

TUBES = {"g/v0": {0: [tube(1, 4)]}, "g/v1": {1: [tube(2, 3), tube(5, 5)]}}
LABELS = ["run", "jump"]


@pytest.mark.parametrize("protocol", range(5))
def test_every_protocol_is_recognised_and_read(tmp_path: Path, protocol: int) -> None:
    path = write_truth(tmp_path / "gt.bin", TUBES, LABELS)
    path.write_bytes(pickle.dumps(pickle.loads(path.read_bytes()), protocol))
    assert is_pickle(path)
    truth = read_gttubes(path, None)
    assert (truth.labels, truth.videos) == (LABELS, ["g/v0", "g/v1"])
    assert truth.tubes.video.tolist() == [0, 1, 1] and truth.tubes.class_.tolist() == [0, 1, 1]
    assert truth.tubes.frame.tolist() == [1, 2, 3, 4, 2, 3, 5]
    assert truth.tubes.boxes[0].tolist() == [10.0, 10.0, 29.0, 49.0]


def test_splits(tmp_path: Path) -> None:
    path = write_truth(tmp_path / "gt.pkl", TUBES, LABELS, test_videos=[["g/v0"], ["g/v1"]])
    assert read_gttubes(path, 2).videos == ["g/v1"]
    with pytest.raises(FormatError, match="has 2 splits; give --split, from 1 to 2"):
        read_gttubes(path, None)
    for split in (0, 3):
        with pytest.raises(FormatError, match=f"has no split {split}, only 2"):
            read_gttubes(path, split)


@pytest.mark.parametrize(
    ("others", "rule"),
    [
        ({"labels": "run"}, "no valid 'labels'"),
        ({"gttubes": {}}, "no entry for the test video 'g/v0'"),
        ({"gttubes": {"g/v0": {7: [tube(1, 4)]}, "g/v1": {}}}, "label index '7' is not from 0 to 1"),
        ({"gttubes": {"g/v0": {0: [tube(1, 4)[::-1].copy()]}, "g/v1": {}}}, "not ascending whole numbers"),
        ({"gttubes": {"g/v0": {0: [tube(1, 4) * np.nan]}, "g/v1": {}}}, "holds NaN, Inf"),
        ({"gttubes": {"g/v0": {0: [tube(1, 4)[:, :4]]}, "g/v1": {}}}, r"a tube is \(4, 4\)"),
        ({"gttubes": {"g/v0": {0: [np.zeros((10**15, 0))]}, "g/v1": {}}}, r"must be an array \(frames, 5\)"),
        ({"gttubes": {"g/v0": {}, "g/v1": {}}}, "no tubes in the test videos"),
    ],
)
def test_other_ground_truth_is_refused(tmp_path: Path, others: dict[str, Any], rule: str) -> None:
    with pytest.raises(FormatError, match=rule):
        read_gttubes(write_truth(tmp_path / "gt.pkl", TUBES, LABELS, **others), None)


SHARED = tube(1, 2)


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (np.zeros((3, 7)), "neither frame detections"),
        ([[0, 6, 0, 0.9, 1, 2, 3, "x"]], "neither frame detections"),
        ([[0, 1, 0, 0.5, 0, 0, 1, np.inf]], "NaN, Inf"),
        ([[2, 1, 0, 0.5, 0, 0, 1, 1]], "video_index is 2, not from 0 to 1"),
        ({0: [("g/v0", 0.5)]}, "not a tuple of 3"),
        ({0: [("g/v0", float("nan"), tube(1, 2))]}, "score is 'nan'"),
        ({0: [("g/v0", 0.5, SHARED), ("g/v0", 0.4, SHARED)]}, "share one array"),
        ({0: 3}, "not a list"),
    ],
)
def test_other_detections_are_refused(tmp_path: Path, content: object, rule: str) -> None:
    truth = read_gttubes(write_truth(tmp_path / "gt.pkl", TUBES, LABELS), None)
    with pytest.raises(FormatError, match=rule):
        read_pickle(write_pickle(tmp_path / "found.pkl", content), truth)


def test_folder_of_act(tmp_path: Path) -> None:
    truth = read_gttubes(write_truth(tmp_path / "gt.pkl", TUBES, LABELS), None)
    (tmp_path / "g").mkdir()
    write_pickle(tmp_path / "g/v0_tubes.pkl", {0: [[tube(1, 4), 0.5]], 1: []})
    with pytest.raises(FormatError, match=r"v1_tubes\.pkl is missing"):
        read_folder(tmp_path, truth)
    write_pickle(tmp_path / "g/v1_tubes.pkl", {0: [], 1: [[tube(2, 3), 0.25]]})
    found = read_folder(tmp_path, truth)
    assert found.frames is None and found.tubes is not None
    assert found.tubes.score.tolist() == [0.5, 0.25] and found.tubes.video.tolist() == [0, 1]


def test_tubes_of_other_videos_are_noted(tmp_path: Path) -> None:
    truth = read_gttubes(write_truth(tmp_path / "gt.pkl", TUBES, LABELS), None)
    found = read_pickle(write_pickle(tmp_path / "found.pkl", {0: [("w", 0.5, tube(1, 2))]}), truth)
    assert found.notes == ["1 tubes are of videos outside the split and count as false positives; check --split."]
