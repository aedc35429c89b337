from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ava_eval import read_ground_truth
from avdet.people.box_table import persons_from_rows
from avdet.people.box_table_detector import ground_truth_boxes
from avdet.people.person_metrics import id_switches
from avdet.people.tracks import link_persons
from avdet.structures import PersonBoxes
from avdet.synthetic.ava_files import action_rows
from avdet.synthetic.scene_script import write_scenes
from avdet.synthetic.synthetic_settings import SampleSettings
from tests.people.scenes import person_boxes

NO_BOXES = person_boxes()


def box_at(x: float) -> tuple[float, float, float, float]:
    """A box 0.2 wide around x."""
    return x - 0.1, 0.2, x + 0.1, 0.8


def ids(linked: list[PersonBoxes]) -> list[list[int]]:
    return [one.person_ids.tolist() for one in linked]


def test_crossing_persons_keep_their_ids() -> None:
    xs = np.linspace(0.2, 0.8, 13)
    frames = [person_boxes(box_at(x), box_at(1.0 - x)) for x in xs]
    assert ids(link_persons(list(range(13)), frames)) == [[0, 1]] * 13


def test_a_fast_person_is_linked_without_overlap() -> None:
    frames = [person_boxes(box_at(x)) for x in (0.1, 0.32, 0.54, 0.76)]
    assert ids(link_persons([1, 2, 3, 4], frames)) == [[0]] * 4


def test_an_id_survives_a_short_gap_but_not_a_long_one() -> None:
    boxes = person_boxes(box_at(0.5))
    assert ids(link_persons([0, 1, 2, 3], [boxes, NO_BOXES, NO_BOXES, boxes])) == [[0], [], [], [0]]
    assert ids(link_persons([0, 1, 2, 3.5], [boxes, NO_BOXES, NO_BOXES, boxes])) == [[0], [], [], [1]]
    assert ids(link_persons([0, 3.5], [boxes, boxes], max_gap_s=4.0)) == [[0], [0]]


def test_consecutive_keyframes_are_never_a_gap() -> None:
    times_s = [4.0, 8.0, 12.0, 28.0]
    assert ids(link_persons(times_s, [person_boxes(box_at(0.3)) for _ in times_s])) == [[0], [0], [0], [1]]


def test_a_distant_box_is_another_person() -> None:
    assert ids(link_persons([0, 1], [person_boxes(box_at(0.1)), person_boxes(box_at(0.9))])) == [[0], [1]]


def test_low_scores_continue_tracks_but_start_none() -> None:
    low = person_boxes(box_at(0.5), scores=[0.3])
    high = person_boxes(box_at(0.5), scores=[0.6])
    assert ids(link_persons([0, 1, 2], [low, high, low])) == [[-1], [0], [0]]


def test_a_low_scoring_box_does_not_take_a_confident_ones_track() -> None:
    """The box of a person's upper half is nearer to the last box than the whole person's."""
    first = person_boxes(box_at(0.4), scores=[0.9])
    second = person_boxes((0.3, 0.2, 0.5, 0.7), box_at(0.55), scores=[0.2, 0.9])
    assert ids(link_persons([0, 1], [first, second])) == [[0], [-1, 0]]


def test_boxes_and_scores_do_not_change() -> None:
    frames = [person_boxes(box_at(0.3), scores=[0.7]), person_boxes(box_at(0.35), box_at(0.8), scores=[0.9, 0.1])]
    for before, after in zip(frames, link_persons([0.0, 0.2], frames), strict=True):
        assert torch.equal(before.boxes, after.boxes) and torch.equal(before.scores, after.scores)


@pytest.mark.parametrize("times_s", [[1.0, 1.0], [2.0, 1.0]])
def test_times_must_ascend(times_s: list[float]) -> None:
    with pytest.raises(ValueError, match="sort them by time"):
        link_persons(times_s, [NO_BOXES, NO_BOXES])


@given(st.lists(st.permutations([0, 1, 2]), min_size=2, max_size=8))
def test_the_order_of_a_keyframes_boxes_does_not_matter(orders: list[list[int]]) -> None:
    boxes = torch.tensor([box_at(x) for x in (0.2, 0.5, 0.8)])
    linked = link_persons(range(len(orders)), [PersonBoxes.from_boxes(boxes[order]) for order in orders])
    first = linked[0].person_ids[torch.argsort(torch.tensor(orders[0]))]
    for order, one in zip(orders, linked, strict=True):
        assert torch.equal(one.person_ids[torch.argsort(torch.tensor(order))], first)


@pytest.fixture(scope="module")
def synthetic_persons(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Every person of the synthetic data set's keyframes, with ground-truth ids."""
    settings = SampleSettings()
    path: Path = tmp_path_factory.mktemp("truth") / "all.csv"
    with path.open("w") as file:
        for split in ("train", "val"):
            for scene in write_scenes(settings, split, 0):
                file.writelines(f"{row}\n" for row in action_rows(scene, settings))
    return ground_truth_boxes(read_ground_truth(path))


def count_switches(boxes: pd.DataFrame, rng: np.random.Generator, *, miss_rate: float, noise: float) -> tuple[int, int]:
    """(ID switches, boxes) if a fraction of the boxes is missed and the others have noisy sides."""
    switches = count = 0
    for _, rows in boxes.groupby("video", observed=True):
        truth = [persons_from_rows(keyframe) for _, keyframe in rows.groupby("timestamp")]
        detected = [one.select(torch.from_numpy(rng.random(len(one)) >= miss_rate)) for one in truth]
        found = [
            PersonBoxes.from_boxes(one.boxes + torch.from_numpy(rng.normal(0, noise, one.boxes.shape)).float())
            for one in detected
        ]
        switches += id_switches(truth, link_persons(sorted(set(rows["timestamp"])), found))
        count += sum(len(one) for one in found)
    return switches, count


def test_id_switches_on_the_synthetic_data_set(synthetic_persons: pd.DataFrame) -> None:
    """One keyframe per second, in which persons move up to 1.3 times their width and turn around."""
    assert count_switches(synthetic_persons, np.random.default_rng(0), miss_rate=0.0, noise=0.0)[0] == 0
    val = synthetic_persons[synthetic_persons["video"].astype(str).str.startswith("sample_val")]
    switches, count = count_switches(val, np.random.default_rng(0), miss_rate=0.1, noise=0.01)
    assert count > 300 and switches / count < 0.02
