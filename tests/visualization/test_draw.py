from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from avdet.visualization.draw import PALETTE, draw_leader_line, draw_persons
from avdet.visualization.label_box import label_box
from avdet.visualization.labelled_person import Action, LabelledPerson
from avdet.visualization.place_labels import LabelPlacer

ORANGE = (255, 176, 32)
STAND = Action(12, "stand", 0.93)


def _frame(width: int, height: int, value: int = 128) -> NDArray[np.uint8]:
    return np.full((height, width, 3), value, np.uint8)


def _person(*box: float, person_id: int = 0, actions: tuple[Action, ...] = (STAND,)) -> LabelledPerson:
    return LabelledPerson((box[0], box[1], box[2], box[3]), person_id, actions)


@pytest.mark.parametrize("background", [0, 128, 255])
@pytest.mark.parametrize(("width", "height"), [(480, 360), (1920, 1080), (360, 640)])
def test_the_box_has_its_place_and_colour_on_any_background(width: int, height: int, background: int) -> None:
    frame = _frame(width, height, background)
    draw_persons(frame, [_person(0.25, 0.5, 0.75, 0.9)], 0.0)
    left, right, middle = round(0.25 * (width - 1)), round(0.75 * (width - 1)), round(0.7 * height)
    np.testing.assert_allclose(frame[middle, [left, right]], [ORANGE, ORANGE], atol=3)
    assert (frame[middle, width // 2] == background).all()


@pytest.mark.parametrize(
    "box", [(0.0, 0.0, 1.0, 1.0), (0.8, 0.0, 1.0, 0.2), (-0.2, -0.2, 0.1, 0.1), (0.9, 0.9, 1.3, 1.2)]
)
def test_labels_stay_inside_the_frame(box: tuple[float, float, float, float]) -> None:
    frame = _frame(640, 480, 7)
    actions = (Action(1, "listen to music and talk", 0.99), Action(2, "sit", 0.5))
    draw_persons(frame, [_person(*box, actions=actions)], 3.0)
    changed = (frame != 7).any(axis=-1)
    assert 500 < changed.sum() < changed.size
    label = label_box(("#0 listen to music and talk 0.99", "sit 0.50"), ORANGE, 480 // 32, 640)
    orange_pixels = (np.abs(frame.astype(int) - ORANGE).max(axis=-1) == 0).sum()
    assert orange_pixels >= label.size[1]  # the whole stripe of the label is drawn


def test_labels_of_neighbours_do_not_overlap() -> None:
    actions = (Action(1, "stand", 0.9), Action(2, "sit", 0.8))
    persons = [_person(x, 0.4, x + 0.2, 0.9, person_id=k, actions=actions) for k, x in enumerate((0.3, 0.34, 0.38))]

    def bright_pixels(*drawn: LabelledPerson) -> int:
        frame = _frame(640, 480)
        draw_persons(frame, drawn, 0.0)
        return int((frame > 240).all(axis=-1).sum())

    separate = sum(bright_pixels(person) for person in persons) - 2 * bright_pixels()  # the clock is drawn once
    assert bright_pixels(*persons) == pytest.approx(separate, rel=0.02)  # boxes shine through labels in few pixels


def test_a_person_keeps_the_colour_of_its_id() -> None:
    def colour_at_left_side(*persons: LabelledPerson) -> tuple[int, ...]:
        frame = _frame(480, 360)
        draw_persons(frame, persons, 0.0)
        return tuple(frame[250, round(0.5 * 479)].tolist())

    person = _person(0.5, 0.5, 0.9, 0.9, person_id=3)
    other = _person(0.1, 0.5, 0.3, 0.9, person_id=1)
    same_box = _person(0.5, 0.5, 0.9, 0.9, person_id=4)
    assert colour_at_left_side(person) == colour_at_left_side(other, person) != colour_at_left_side(same_box)


def test_ground_truth_is_white_and_thin() -> None:
    annotated, detected = _frame(720, 720), _frame(720, 720)
    sit = Action(1, "sit", 1.0)
    draw_persons(annotated, [LabelledPerson((0.5, 0.5, 0.9, 0.9), 3, (sit,), is_ground_truth=True)], 0.0)
    draw_persons(detected, [_person(0.5, 0.5, 0.9, 0.9)], 0.0)
    white = (annotated[500, 340:380] == 255).all(axis=-1).sum()
    orange = (detected[500, 340:380] == ORANGE).all(axis=-1).sum()
    assert 0 < white < orange


@pytest.mark.parametrize(
    ("person", "lines"),
    [
        (_person(0.2, 0.5, 0.9, 0.9, person_id=3), (("#3 stand", " 0.93"),)),
        (_person(0.2, 0.5, 0.9, 0.9, person_id=-1), (("stand", " 0.93"),)),
        (
            LabelledPerson((0.2, 0.5, 0.9, 0.9), 3, (STAND, STAND), is_ground_truth=True),
            (("truth #3 stand", ""), ("stand", "")),
        ),
    ],
)
def test_the_label_has_the_id_and_one_line_per_action(
    person: LabelledPerson, lines: tuple[tuple[str, str], ...]
) -> None:
    frame = _frame(640, 480)
    draw_persons(frame, [person], 0.0)
    left, top = round(0.2 * 639), round(0.5 * 479)
    colour = (255, 255, 255) if person.is_ground_truth else (0, 200, 140) if person.person_id == 3 else ORANGE
    names, scores = zip(*lines, strict=True)
    label = label_box(names, colour, 480 // 32, 320, (), scores)
    width, height = label.size
    expected = _frame(640, 480)
    label.blend_into(expected, left, top - height)
    region = (slice(top - height, top - 4), slice(left, left + width))  # above the box's line
    np.testing.assert_array_equal(frame[region], expected[region])


def test_the_clock_shows_minutes_and_tenths_of_seconds() -> None:
    frame = _frame(640, 480)
    draw_persons(frame, [], 62.46)
    label = label_box(("1:02.5",), (90, 90, 100), 480 // 32, 640)
    expected = _frame(640, 480)
    label.blend_into(expected, 0, 480 - label.size[1])
    np.testing.assert_array_equal(frame, expected)


def test_scores_without_audio_come_with_a_legend() -> None:
    compared, plain = _frame(640, 480), _frame(640, 480)
    draw_persons(compared, [_person(0.1, 0.1, 0.3, 0.5, actions=(Action(1, "sit", 0.9, 0.1),))], 0.0)
    draw_persons(plain, [_person(0.1, 0.1, 0.3, 0.5)], 0.0)
    corner = (slice(460, 480), slice(480, 640))
    assert (compared[corner] > 240).any() and not (plain[corner] > 240).any()


def test_a_person_without_an_action_is_thin_and_unlabelled() -> None:
    frame, labelled = _frame(720, 720), _frame(720, 720)
    draw_persons(frame, [_person(0.5, 0.5, 0.9, 0.9, actions=())], 0.0)
    draw_persons(labelled, [_person(0.5, 0.5, 0.9, 0.9)], 0.0)
    widths = [(image[500, 340:380] == ORANGE).all(axis=-1).sum() for image in (frame, labelled)]
    assert 0 < widths[0] < widths[1]
    assert (frame[:355] == 128).all() and (labelled[:355] != 128).any()  # above the box


@pytest.mark.parametrize(("count", "name"), [(24, "talk to"), (60, "listen to a person"), (300, "stand")])
def test_labels_of_a_crowd_leave_half_of_the_frame_free(count: int, name: str) -> None:
    rng = np.random.default_rng(count)
    actions = tuple(Action(k, name, 0.9 - k / 10) for k in range(1, 4))
    corners = rng.random((count, 2)) * 0.85
    persons = [_person(x, y, x + 0.1, y + 0.15, person_id=k, actions=actions) for k, (x, y) in enumerate(corners)]
    frame, boxes = _frame(1280, 720), _frame(1280, 720)
    draw_persons(frame, persons, 0.0)
    draw_persons(boxes, [replace(person, actions=()) for person in persons], 0.0)
    assert (frame != boxes).any(axis=-1).mean() < 0.5


def test_labels_of_persons_side_by_side_do_not_overlap() -> None:
    """The labels are wider than the persons."""
    sizes, boxes = [(100, 20)] * 8, [(192 + 13 * k, 192, 205 + 13 * k, 432) for k in range(8)]
    places = LabelPlacer().place(sizes, boxes, range(8), [], (640, 480))
    assert all(a[2] <= b[0] or b[2] <= a[0] or a[3] <= b[1] or b[3] <= a[1] for a, b in combinations(places, 2))


@pytest.mark.parametrize(("label", "rows"), [((90, 20, 190, 40), (41, 99)), ((90, 260, 190, 280), (201, 259))])
def test_a_line_connects_a_label_with_its_box(label: tuple[int, int, int, int], rows: tuple[int, int]) -> None:
    frame, touching = _frame(300, 300), _frame(300, 300)
    draw_leader_line(frame, label, (100, 100, 200, 200), ORANGE)
    assert (frame[rows[0] : rows[1], 100] == ORANGE).all()
    draw_leader_line(touching, (90, 80, 190, 100), (100, 100, 200, 200), ORANGE)
    assert (touching == 128).all()


def test_labels_keep_their_side_while_boxes_move() -> None:
    placer = LabelPlacer()
    blocked = placer.place([(80, 20)], [(100, 100, 200, 300)], ["a"], [(80, 70, 220, 100)], (640, 480))
    free = placer.place([(80, 20)], [(104, 100, 204, 300)], ["a"], [], (640, 480))
    assert blocked == [(100, 300, 180, 320)] and free == [(104, 300, 184, 320)]


def test_the_class_selects_the_colour() -> None:
    frame = _frame(480, 360)
    draw_persons(frame, [_person(0.5, 0.5, 0.9, 0.9, actions=(Action(3, "sit", 0.9),))], 0.0, colour_by="class")
    assert tuple(frame[250, round(0.5 * 479)]) == PALETTE[2]
