"""The command line with a gttubes pickle: CSV files of avdet, pickles, and wrong options."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ava_eval.cli import main
from tests.ava_eval.tube_cases import tube, write_pickle, write_truth

MOVING = tube(1, 51)
MOVING[:, [1, 3]] += np.arange(51)[:, None]  # one pixel to the right per frame
TUBES = {"g/v0": {0: [MOVING]}, "g/v1": {1: [tube(1, 26)]}}


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """--ground-truth, with detections.csv and tubes.csv of one keyframe per 0.2 s in the same folder."""
    truth = write_truth(tmp_path / "gt.pkl", TUBES, ["run", "jump"])
    rows = []
    for video, true, id_, last in (("v0", MOVING, 1, 75), ("v1", TUBES["g/v1"][1][0], 2, 45)):
        for index in range(0, last + 1, 5):  # the detections go on after the action's end
            x1, y1, x2, y2 = true[min(index, len(true) - 1), 1:] / [200, 100, 200, 100]
            rows.append(f"{video},{index / 25},{x1},{y1},{x2},{y2},{id_},{0.9 if index < len(true) else 0.1},3\n")
    (tmp_path / "detections.csv").write_text("".join(rows) + "other,1,0,0,1,1,1,0.5,1\n", encoding="utf-8")
    header = "video,person_id,action_id,start_s,end_s,keyframes,score,action\n"
    spans = header + "v0,3,1,0.0,2.0,11,0.9,run\nv1,3,2,0.0,1.0,6,0.9,jump\n"
    (tmp_path / "tubes.csv").write_text(spans, encoding="utf-8")
    return ["--ground-truth", str(truth), "--fps", "25", "--detections", str(tmp_path / "detections.csv")]


def test_csv_detections(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whole tracks: 50/75 and 25/45 of the duration. 11 of 51 and 6 of 26 boxes are on keyframes."""
    out = tmp_path / "out.json"
    assert main([*files, "--protocol", "multisports", "--json", str(out)]) == 0
    numbers = json.loads(out.read_text(encoding="utf-8"))
    assert (numbers["protocol"], numbers["iou"], numbers["ties"]) == ("multisports", 0.5, "expected")
    assert numbers["AP"] == {"run": pytest.approx(11 / 51), "jump": pytest.approx(6 / 26)}
    assert {iou: tubes["mAP"] for iou, tubes in numbers["tubes"].items()} == {
        "0.2": 1.0, "0.5": 1.0, "0.75": 0.0, "0.5:0.95": pytest.approx((4 + 2) / 20),
    }  # fmt: skip
    assert numbers["counts"]["detection_tubes"] == 2
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == [
        "class",
        "frame",
        "0.5",
        "video",
        "0.2",
        "video",
        "0.5",
        "video",
        "0.75",
        "video",
        "0.5:0.95",
    ]
    assert lines[-1] == "note: 1 detections are of videos outside the split or of other actions, and are left out."


def test_tubes_csv_cuts_the_tracks(files: list[str], tmp_path: Path) -> None:
    """Boxes between the keyframes are interpolated, so the tubes are the true ones."""
    out = tmp_path / "out.json"
    assert main([*files, str(tmp_path / "tubes.csv"), "--json", str(out)]) == 0
    numbers = json.loads(out.read_text(encoding="utf-8"))
    assert numbers["protocol"] == "act"
    assert {tubes["mAP"] for tubes in numbers["tubes"].values()} == {1.0}


def test_label_map_names_the_ids(files: list[str], tmp_path: Path) -> None:
    (tmp_path / "map.txt").write_text("1: jump\n2: run\n", encoding="utf-8")
    out = tmp_path / "out.json"
    assert main([*files, "--label-map", str(tmp_path / "map.txt"), "--json", str(out)]) == 0
    assert json.loads(out.read_text(encoding="utf-8"))["mAP"] == 0.0


def test_pickles(files: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_pickle(tmp_path / "f.pkl", np.array([[0, 1, 0, 0.5, *MOVING[0, 1:]]]))
    write_pickle(tmp_path / "v.pkl", {0: [("g/v0", 0.5, MOVING)], 1: []})
    pair = [str(tmp_path / "f.pkl"), str(tmp_path / "v.pkl")]
    assert main([*files[:2], "--detections", *pair]) == 0
    mean = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("mean"))
    assert mean.split() == ["mean", "0.98", "50.00", "50.00", "50.00", "50.00"]  # 1 of 51 boxes in one of two classes
    assert main([*files[:2], "--detections", pair[0], pair[0]]) == 2
    assert "second set of detections" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "rule"),
    [
        (["--fps", "0"], "give the videos' frame rate"),
        (["--protocol", "official"], "choose act or multisports"),
        (["--breakdown"], "--breakdown is for ground truth in CSV files"),
        (["--split", "2"], "has no split 2"),
        (["--detections", "tubes.csv"], "has no boxes; give detections.csv"),
        (["--detections", "gt.pkl"], "label index"),
        (["--detections", "gone.csv"], "check this path"),
    ],
)
def test_wrong_options(
    files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    options: list[str], rule: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert main([*files, *options]) == 2
    error = capsys.readouterr().err
    assert rule in error and error.count("\n") == 1


def test_options_of_pickles_are_refused_for_csv(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "gt.csv").write_text("v,1,0,0,1,1,1,1\n", encoding="utf-8")
    files = ["--ground-truth", str(tmp_path / "gt.csv"), "--detections", str(tmp_path / "gt.csv")]
    for options in (["--fps", "25"], ["--protocol", "act", "--label-map", "x"], []):
        assert main([*files, *options]) == 2
    assert capsys.readouterr().err.count("\n") == 3
