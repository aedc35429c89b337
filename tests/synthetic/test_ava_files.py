import re
from pathlib import Path

import numpy as np
import pytest

import ava_eval
from avdet.synthetic.ava_files import action_rows, detected_boxes, detected_rows, excluded_rows, write_annotations
from avdet.synthetic.classes import CLASSES, POSE_IDS
from avdet.synthetic.rng import Rng
from avdet.synthetic.scene_script import write_scenes
from avdet.synthetic.scene_video import Box
from avdet.synthetic.synthetic_settings import SampleSettings

SETTINGS = SampleSettings()
NAMES = {one.id: one.name for one in CLASSES}


def random_box(rng: Rng) -> Box:
    x, y = rng.uniform(0.0, 0.6), rng.uniform(0.0, 0.3)
    return x, y, x + rng.uniform(0.2, 0.35), y + rng.uniform(0.4, 0.65)


PERSONS = [random_box(Rng("people", index)) for index in range(800)]


def iou(one: Box, other: Box) -> float:
    width = max(min(one[2], other[2]) - max(one[0], other[0]), 0.0)
    height = max(min(one[3], other[3]) - max(one[1], other[1]), 0.0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, other)]
    return width * height / (sum(areas) - width * height)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("annotations")
    write_annotations(write_scenes(SETTINGS, "val", 0), "val", folder, SETTINGS)
    return folder


@pytest.fixture(scope="module")
def detections() -> list[list[tuple[Box, float]]]:
    """The simulated detections at 800 keyframes with one person each."""
    return [detected_boxes([person], str(index), 0.03) for index, person in enumerate(PERSONS)]


def test_rows_have_the_format_of_ava() -> None:
    scene = write_scenes(SETTINGS, "train", 0)[0]
    number = r"[01]\.\d{3}"
    actions, detected = action_rows(scene, SETTINGS), detected_rows(scene, SETTINGS)
    assert all(re.fullmatch(rf"sample_train_00,00\d\d(,{number}){{4}},\d\d,\d", row) for row in actions)
    assert all(re.fullmatch(rf"sample_train_00,00\d\d(,{number}){{5}}", row) for row in detected)
    assert all(re.fullmatch(r"sample_train_00,00\d\d", row) for row in excluded_rows(scene))


def test_each_person_has_one_pose_and_at_most_two_other_actions(folder: Path) -> None:
    truth = ava_eval.read_ground_truth(folder / "ava_val_v2.2.csv")
    for _, ids in truth.groupby(["video", "timestamp", "person_id"], observed=True)["action_id"]:
        assert sum(action_id in POSE_IDS.values() for action_id in ids) == 1 and len(set(ids)) == len(ids) <= 3
    assert set(truth["action_id"]) == set(NAMES)


def test_the_evaluator_scores_the_truth_1_and_the_detected_boxes_lower(folder: Path) -> None:
    truth = ava_eval.read_ground_truth(folder / "ava_val_v2.2.csv")
    excluded = ava_eval.read_excluded(folder / "ava_val_excluded_timestamps_v2.2.csv")
    perfect = ava_eval.evaluate(truth, truth.assign(score=1.0), NAMES, excluded=excluded)
    assert perfect.mean_ap == pytest.approx(1.0)
    boxes = ava_eval.read_boxes(folder / "ava_val_predicted_boxes.csv")
    sit = truth[truth["action_id"] == 11]
    ap = ava_eval.evaluate(sit, boxes.assign(action_id=11), {11: "sit"}).ap["sit"]
    assert ap is not None and 0.1 < ap < 0.9  # boxes of all poses with the detector's scores


def test_equal_seeds_give_equal_files(folder: Path, tmp_path: Path) -> None:
    write_annotations(write_scenes(SETTINGS, "val", 0), "val", tmp_path, SETTINGS)
    for path in folder.iterdir():
        assert (tmp_path / path.name).read_bytes() == path.read_bytes()
        assert b"\r" not in path.read_bytes()


def test_recall_and_precision_at_a_score_of_08(detections: list[list[tuple[Box, float]]]) -> None:
    confident = [[box for box, score in boxes if score >= 0.8] for boxes in detections]
    hits = sum(any(iou(box, person) > 0.5 for box in boxes) for boxes, person in zip(confident, PERSONS, strict=True))
    assert hits / len(PERSONS) == pytest.approx(0.93, abs=0.02)
    assert hits / sum(map(len, confident)) == pytest.approx(0.93, abs=0.03)


def test_true_positives_are_near_the_truth_but_not_equal(detections: list[list[tuple[Box, float]]]) -> None:
    pairs = zip(detections, PERSONS, strict=True)
    ious = [max(iou(box, person) for box, _ in boxes) for boxes, person in pairs if boxes]
    hits = np.array([value for value in ious if value > 0.5])
    assert np.mean(hits > 0.75) > 0.95 and hits.max() < 0.9999 and np.median(hits) < 0.95


def test_detections_are_in_the_frame_and_in_descending_order(detections: list[list[tuple[Box, float]]]) -> None:
    for boxes in detections:
        scores = [score for _, score in boxes]
        assert scores == sorted(scores, reverse=True) and all(0.0 < score <= 1.0 for score in scores)
        assert all(0.0 <= x1 < x2 <= 1.0 and 0.0 <= y1 < y2 <= 1.0 for (x1, y1, x2, y2), _ in boxes)


def test_no_person_gives_no_box() -> None:
    assert detected_boxes([], "empty", 0.03) == []


def test_each_person_and_keyframe_has_its_own_noise() -> None:
    twice = detected_boxes(PERSONS[:1] * 2, "one", 0.03)
    assert len({box for box, _ in twice}) == len(twice)
    assert detected_boxes(PERSONS[:1], "one", 0.03) != detected_boxes(PERSONS[:1], "two", 0.03)
