import re
from pathlib import Path

import pytest

import ava_eval
from avdet.synthetic.ava_files import action_rows, detected_rows, excluded_rows, write_annotations
from avdet.synthetic.classes import CLASSES, POSE_IDS
from avdet.synthetic.scene_script import write_scenes
from avdet.synthetic.synthetic_settings import SampleSettings

SETTINGS = SampleSettings()
NAMES = {one.id: one.name for one in CLASSES}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("annotations")
    write_annotations(write_scenes(SETTINGS, "val", 0), "val", folder, SETTINGS)
    return folder


def test_rows_have_avas_form() -> None:
    scene = write_scenes(SETTINGS, "train", 0)[0]
    number = r"[01]\.\d{3}"
    rows, found = action_rows(scene, SETTINGS), detected_rows(scene, SETTINGS)
    assert all(re.fullmatch(rf"sample_train_00,00\d\d(,{number}){{4}},\d\d,\d", row) for row in rows)
    assert all(re.fullmatch(rf"sample_train_00,00\d\d(,{number}){{5}}", row) for row in found)
    assert all(re.fullmatch(r"sample_train_00,00\d\d", row) for row in excluded_rows(scene))


def test_everybody_has_one_pose_and_at_most_two_actions_more(folder: Path) -> None:
    truth = ava_eval.read_ground_truth(folder / "ava_val_v2.2.csv")
    people = truth.groupby(["video", "timestamp", "person_id"], observed=True)["action_id"]
    for _, ids in people:
        assert sum(action_id in POSE_IDS.values() for action_id in ids) == 1 and len(set(ids)) == len(ids) <= 3
    assert set(truth["action_id"]) == set(NAMES)


def test_the_evaluator_takes_the_truth_as_perfect_and_the_detected_boxes_as_nearly_so(folder: Path) -> None:
    truth = ava_eval.read_ground_truth(folder / "ava_val_v2.2.csv")
    excluded = ava_eval.read_excluded(folder / "ava_val_excluded_timestamps_v2.2.csv")
    perfect = ava_eval.evaluate(truth, truth.assign(score=1.0), NAMES, excluded=excluded)
    assert perfect.mean_ap == pytest.approx(1.0)
    boxes = ava_eval.read_boxes(folder / "ava_val_predicted_boxes.csv")
    sit = truth[truth["action_id"] == 11]
    wave = boxes.assign(action_id=11)
    found = ava_eval.evaluate(sit, wave, {11: "sit"}).ap["sit"]
    assert found is not None and 0.1 < found < 0.9  # boxes of all poses, scored as a detector does


def test_a_seed_gives_the_same_files_anywhere(folder: Path, tmp_path: Path) -> None:
    write_annotations(write_scenes(SETTINGS, "val", 0), "val", tmp_path, SETTINGS)
    for path in folder.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()
        assert b"\r" not in path.read_bytes()
