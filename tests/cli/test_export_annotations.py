"""export_annotations.py: round trips through import_annotations.py, the threshold, and wrong usage."""

from pathlib import Path

import pandas as pd
import pytest

from ava_eval import read_ground_truth, read_label_map
from avdet.cli import import_annotations
from avdet.cli.export_annotations import FORMS, main
from avdet.media.media_file import frame_times
from avdet.media.video_reader import VideoReader
from tests.cli.refusal import refusal

KEYS = ["video", "timestamp", "person_id", "action"]


@pytest.fixture
def ground_truth(sample: Path) -> Path:
    return sample / "annotations/ava_train_v2.2.csv"


@pytest.fixture
def options(sample: Path) -> list[str]:
    label_map = sample / "annotations/ava_action_list_v2.2.pbtxt"
    return ["--videos", str(sample / "videos"), "--label-map", str(label_map)]


def rows(table: Path, label_map: Path) -> pd.DataFrame:
    content = read_ground_truth(table)
    named = content.assign(
        video=content["video"].astype(str), action=content["action_id"].map(read_label_map(label_map))
    )
    return named.sort_values(KEYS, ignore_index=True)


def import_back(files: list[Path], sample: Path, output: Path) -> pd.DataFrame:
    argv = [*map(str, files), "--videos", str(sample / "videos"), "--output", str(output), "--val-fraction", "0"]
    assert import_annotations.main(argv) == 0
    return rows(output / "train.csv", output / "classes.txt")


@pytest.mark.parametrize("form", FORMS)
def test_a_form_brings_back_the_ground_truth(
    form: str, ground_truth: Path, sample: Path, options: list[str], tmp_path: Path
) -> None:
    """Boxes within half a pixel, times within half a frame; videos, persons and actions are equal."""
    argv = ["--ground-truth", str(ground_truth), *options, "--to", form, "--output", str(tmp_path / "out")]
    assert main(argv) == 0
    files = [
        path for path in sorted((tmp_path / "out").iterdir()) if path.name not in {"labels.json", "labeling_config.xml"}
    ]
    assert len(files) == (3 if form == "cvat" else 1)
    expected = rows(ground_truth, Path(options[-1]))
    found = import_back(files, sample, tmp_path / "back")
    pd.testing.assert_frame_equal(found[["video", "person_id", "action"]], expected[["video", "person_id", "action"]])
    for name, group in expected.groupby("video"):
        path = sample / f"videos/{name}.mp4"
        with VideoReader(path) as reader:
            size = [reader.info.width, reader.info.height] * 2
        times_s = frame_times(path)
        moved = (found.loc[group.index, ["x1", "y1", "x2", "y2"]] - group[["x1", "y1", "x2", "y2"]]).abs() * size
        delay_s = (found.loc[group.index, "timestamp"] - group["timestamp"]).abs()
        assert moved.to_numpy().max() <= 0.5 and delay_s.max() <= (times_s[1] - times_s[0]) / 2


def test_boxes_without_an_action_from_the_minimum_score_on_stay(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """label_map.txt beside the detections names the ids."""
    start = "sample_val_00,2,0.1,0.1,0.5,0.9"
    other = "sample_val_00,3,0.1,0.1,0.5,0.9"
    (tmp_path / "detections.csv").write_text(f"{start},1,0.8,0\n{start},2,0.2,0\n{other},1,0.4,0\n")
    (tmp_path / "label_map.txt").write_text("1: sit\n2: talk\n")
    argv = ["--detections", str(tmp_path / "detections.csv"), "--videos", str(sample / "videos"), "--to", "via"]
    assert main([*argv, "--min-score", "0.5", "--output", str(tmp_path / "out")]) == 0
    assert "1 videos, 2 boxes (1 without an action, 0 without a person id), 1 actions" in capsys.readouterr().out
    found = import_back([tmp_path / "out/via_project.json"], sample, tmp_path / "back")
    assert found[["timestamp", "action"]].to_numpy().tolist() == [[2.0, "sit"]]


def test_wrong_usage(
    ground_truth: Path, options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    argv = ["--ground-truth", str(ground_truth), "--to", "coco", "--output", str(tmp_path / "out")]
    assert "give the names of the action ids with --label-map" in refusal(main, capsys, *argv, *options[:2])
    assert "has no box to write (16 boxes before the start" in refusal(
        main, capsys, *argv, *options, "--timestamp-offset", "900"
    )
    (tmp_path / "names.txt").write_text("1: sit\n")
    assert "without a name; give their label map" in refusal(
        main, capsys, *argv, *options[:2], "--label-map", tmp_path / "names.txt"
    )
    (tmp_path / "out").mkdir()
    (tmp_path / "out/coco.json").touch()
    assert "has files, which are not overwritten" in refusal(main, capsys, *argv, *options)
