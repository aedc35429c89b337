from __future__ import annotations

from avdet.people.id_switches import id_switches
from tests.people.scenes import people

LEFT, RIGHT = (0.1, 0.1, 0.3, 0.9), (0.6, 0.1, 0.8, 0.9)


def test_swapped_ids_are_two_switches() -> None:
    truth = [people(LEFT, RIGHT, ids=[7, 8])] * 3
    found = [people(LEFT, RIGHT, ids=pair) for pair in ([0, 1], [1, 0], [1, 0])]
    assert id_switches(truth, found) == 2


def test_unseen_unnamed_and_misplaced_people_do_not_switch() -> None:
    truth = [people(LEFT, ids=[7])] * 4
    found = [people(LEFT, ids=[3]), people(), people(LEFT, RIGHT, ids=[-1, 5]), people(LEFT, ids=[3])]
    assert id_switches(truth, found) == 0


def test_people_whom_nobody_named_do_not_switch() -> None:
    """AVA-form boxes may have no ids: -1 is no person."""
    truth = [people(LEFT, RIGHT, ids=[-1, -1])] * 2
    assert id_switches(truth, [people(LEFT, RIGHT, ids=[0, 1])] * 2) == 0


def test_a_new_id_after_a_gap_is_one_switch() -> None:
    truth = [people(LEFT, ids=[7])] * 3
    assert id_switches(truth, [people(LEFT, ids=[3]), people(), people(LEFT, ids=[4])]) == 1
