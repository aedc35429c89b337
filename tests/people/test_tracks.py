from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ava_eval import read_ground_truth
from avdet.people.box_table import people_of_rows
from avdet.people.box_table_detector import boxes_of_ground_truth
from avdet.people.id_switches import id_switches
from avdet.people.tracks import link_persons
from avdet.structures import PersonBoxes
from avdet.synthetic.ava_files import action_rows
from avdet.synthetic.scene_script import write_scenes
from avdet.synthetic.synthetic_settings import SampleSettings
from tests.people.scenes import people

NOBODY = people()


def standing(x: float) -> tuple[float, float, float, float]:
    """A box 0.2 wide around x."""
    return x - 0.1, 0.2, x + 0.1, 0.8


def ids(linked: list[PersonBoxes]) -> list[list[int]]:
    return [one.person_ids.tolist() for one in linked]


def test_two_who_walk_through_one_another_keep_their_ids() -> None:
    xs = np.linspace(0.2, 0.8, 13)
    frames = [people(standing(x), standing(1.0 - x)) for x in xs]
    assert ids(link_persons(list(range(13)), frames)) == [[0, 1]] * 13


def test_a_fast_walker_is_found_where_nothing_overlaps() -> None:
    frames = [people(standing(x)) for x in (0.1, 0.32, 0.54, 0.76)]
    assert ids(link_persons([1, 2, 3, 4], frames)) == [[0]] * 4


def test_an_id_survives_a_short_gap_and_no_long_one() -> None:
    seen = people(standing(0.5))
    assert ids(link_persons([0, 1, 2, 3], [seen, NOBODY, NOBODY, seen])) == [[0], [], [], [0]]
    assert ids(link_persons([0, 1, 2, 3.5], [seen, NOBODY, NOBODY, seen])) == [[0], [], [], [1]]
    assert ids(link_persons([0, 3.5], [seen, seen], max_gap_s=4.0)) == [[0], [0]]


def test_an_id_survives_from_one_keyframe_to_the_next_however_far_they_are_apart() -> None:
    times_s = [4.0, 8.0, 12.0, 28.0]
    assert ids(link_persons(times_s, [people(standing(0.3)) for _ in times_s])) == [[0], [0], [0], [1]]


def test_far_away_is_somebody_else() -> None:
    assert ids(link_persons([0, 1], [people(standing(0.1)), people(standing(0.9))])) == [[0], [1]]


def test_low_scores_go_on_but_do_not_begin() -> None:
    low = people(standing(0.5), scores=[0.3])
    high = people(standing(0.5), scores=[0.6])
    assert ids(link_persons([0, 1, 2], [low, high, low])) == [[-1], [0], [0]]


def test_an_unsure_box_never_takes_the_place_of_a_sure_one() -> None:
    """The upper half of a walker lies nearer to where they were than they do themselves."""
    there = people(standing(0.4), scores=[0.9])
    both = people((0.3, 0.2, 0.5, 0.7), standing(0.55), scores=[0.2, 0.9])
    assert ids(link_persons([0, 1], [there, both])) == [[0], [-1, 0]]


def test_boxes_and_scores_stay_as_they_are() -> None:
    frames = [people(standing(0.3), scores=[0.7]), people(standing(0.35), standing(0.8), scores=[0.9, 0.1])]
    for before, after in zip(frames, link_persons([0.0, 0.2], frames), strict=True):
        assert torch.equal(before.boxes, after.boxes) and torch.equal(before.scores, after.scores)


@pytest.mark.parametrize("times_s", [[1.0, 1.0], [2.0, 1.0]])
def test_times_must_rise(times_s: list[float]) -> None:
    with pytest.raises(ValueError, match="sort them by time"):
        link_persons(times_s, [NOBODY, NOBODY])


@given(st.lists(st.permutations([0, 1, 2]), min_size=2, max_size=8))
def test_the_order_of_a_keyframes_boxes_does_not_matter(orders: list[list[int]]) -> None:
    boxes = torch.tensor([standing(x) for x in (0.2, 0.5, 0.8)])
    linked = link_persons(range(len(orders)), [PersonBoxes.from_boxes(boxes[order]) for order in orders])
    first = linked[0].person_ids[torch.argsort(torch.tensor(orders[0]))]
    for order, one in zip(orders, linked, strict=True):
        assert torch.equal(one.person_ids[torch.argsort(torch.tensor(order))], first)


@pytest.fixture(scope="module")
def sample_people(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    """Every person of the sample set's keyframes, with the id that the truth gives them."""
    settings = SampleSettings()
    path: Path = tmp_path_factory.mktemp("truth") / "all.csv"
    with path.open("w") as file:
        for split in ("train", "val"):
            for scene in write_scenes(settings, split, 0):
                file.writelines(f"{row}\n" for row in action_rows(scene, settings))
    return boxes_of_ground_truth(read_ground_truth(path))


def switches_of(boxes: pd.DataFrame, rng: np.random.Generator, *, lost: float, shaken: float) -> tuple[int, int]:
    """(switches, tracked people) when a share of the boxes is lost and the others' sides are shaken."""
    switches = count = 0
    for _, rows in boxes.groupby("video", observed=True):
        truth = [people_of_rows(here) for _, here in rows.groupby("timestamp")]
        seen = [one.select(torch.from_numpy(rng.random(len(one)) >= lost)) for one in truth]
        found = [
            PersonBoxes.from_boxes(one.boxes + torch.from_numpy(rng.normal(0, shaken, one.boxes.shape)).float())
            for one in seen
        ]
        switches += id_switches(truth, link_persons(sorted(set(rows["timestamp"])), found))
        count += sum(len(one) for one in found)
    return switches, count


def test_identities_of_the_sample_set(sample_people: pd.DataFrame) -> None:
    """One keyframe a second, people who walk up to 1.3 times their width in it and turn around."""
    assert switches_of(sample_people, np.random.default_rng(0), lost=0.0, shaken=0.0)[0] == 0
    val = sample_people[sample_people["video"].astype(str).str.startswith("sample_val")]
    switches, count = switches_of(val, np.random.default_rng(0), lost=0.1, shaken=0.01)
    assert count > 300 and switches / count < 0.02
