from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from avdet.visualization.draw import draw_persons
from avdet.visualization.label_box import label_box
from avdet.visualization.person_timeline import Action, LabelledPerson

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
        (_person(0.2, 0.5, 0.9, 0.9, person_id=3), ("#3 stand 0.93",)),
        (_person(0.2, 0.5, 0.9, 0.9, person_id=-1), ("stand 0.93",)),
        (_person(0.2, 0.5, 0.9, 0.9, person_id=-1, actions=()), ("?",)),
        (LabelledPerson((0.2, 0.5, 0.9, 0.9), 3, (STAND, STAND), is_ground_truth=True), ("truth #3 stand", "stand")),
    ],
)
def test_the_label_has_the_id_and_one_line_per_action(person: LabelledPerson, lines: tuple[str, ...]) -> None:
    frame = _frame(640, 480)
    draw_persons(frame, [person], 0.0)
    left, top = round(0.2 * 639), round(0.5 * 479)
    colour = (255, 255, 255) if person.is_ground_truth else (0, 200, 140) if person.person_id == 3 else ORANGE
    label = label_box(lines, colour, 480 // 32, 640)
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
