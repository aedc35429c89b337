from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from avdet.visualization.draw import annotate
from avdet.visualization.label_box import label_box
from avdet.visualization.person_timeline import ShownPerson

ORANGE = (255, 176, 32)


def _frame(width: int, height: int, value: int = 128) -> NDArray[np.uint8]:
    return np.full((height, width, 3), value, np.uint8)


def _person(*box: float, person_id: int = 0, lines: tuple[str, ...] = ("stand 0.93",)) -> ShownPerson:
    return ShownPerson((box[0], box[1], box[2], box[3]), person_id, lines)


@pytest.mark.parametrize("ground", [0, 128, 255])
@pytest.mark.parametrize(("width", "height"), [(480, 360), (1920, 1080), (360, 640)])
def test_the_box_is_where_it_says_on_any_ground(width: int, height: int, ground: int) -> None:
    frame = _frame(width, height, ground)
    annotate(frame, [_person(0.25, 0.5, 0.75, 0.9)], 0.0)
    left, right, middle = round(0.25 * (width - 1)), round(0.75 * (width - 1)), round(0.7 * height)
    np.testing.assert_allclose(frame[middle, [left, right]], [ORANGE, ORANGE], atol=3)
    assert (frame[middle, width // 2] == ground).all()


@pytest.mark.parametrize("ground", [0, 128, 255])
def test_letters_stand_out_from_any_ground(ground: int) -> None:
    frame = _frame(640, 480, ground)
    label = label_box(("talk to 0.87",), ORANGE, 20, 640)
    label.put(frame, 100, 100)
    inside = frame[100 : 100 + label.size[1], 110 : 100 + label.size[0]].astype(int).mean(axis=-1)
    letters, around = np.quantile(inside, 0.99), np.median(inside)
    # WCAG's contrast of large text is 3; here by luminance of the sRGB values.
    contrast = ((letters / 255) ** 2.2 + 0.05) / ((around / 255) ** 2.2 + 0.05)
    assert contrast > 4.5


@pytest.mark.parametrize(
    "box", [(0.0, 0.0, 1.0, 1.0), (0.8, 0.0, 1.0, 0.2), (-0.2, -0.2, 0.1, 0.1), (0.9, 0.9, 1.3, 1.2)]
)
def test_plates_stay_inside_the_frame(box: tuple[float, float, float, float]) -> None:
    """Seen from the frame around it: whatever is drawn is drawn inside."""
    canvas = _frame(680, 520, 7)
    frame = np.ascontiguousarray(canvas[20:-20, 20:-20])
    annotate(frame, [_person(*box, lines=("listen to music and talk 0.99", "sit 0.50"))], 3.0)
    changed = (frame != 7).any(axis=-1)
    assert 500 < changed.sum() < changed.size
    lone = label_box(("#0 listen to music and talk 0.99", "sit 0.50"), ORANGE, 480 // 32, 640)
    stripes = (np.abs(frame.astype(int) - ORANGE).max(axis=-1) == 0).sum()
    assert stripes >= lone.size[1]  # the whole plate is there


def test_plates_of_neighbours_do_not_cover_one_another() -> None:
    people = [
        _person(x, 0.4, x + 0.2, 0.9, person_id=k, lines=("stand 0.9", "sit 0.8"))
        for k, x in enumerate((0.3, 0.34, 0.38))
    ]
    together = _frame(640, 480)
    annotate(together, people, 0.0)
    bright = (together > 240).all(axis=-1).sum()
    alone = 0
    for person in people:
        frame = _frame(640, 480)
        annotate(frame, [person], 0.0)
        alone += (frame > 240).all(axis=-1).sum()
    clock = _frame(640, 480)
    annotate(clock, [], 0.0)
    letters = alone - 2 * (clock > 240).all(axis=-1).sum()
    assert bright == pytest.approx(letters, rel=0.02)  # a box shines through here and there


def test_a_person_keeps_the_colour_of_its_id() -> None:
    def colour_of(people: list[ShownPerson]) -> tuple[int, ...]:
        frame = _frame(480, 360)
        annotate(frame, people, 0.0)
        return tuple(frame[250, round(0.5 * 479)].tolist())

    me = _person(0.5, 0.5, 0.9, 0.9, person_id=3)
    other = _person(0.1, 0.5, 0.3, 0.9, person_id=1)
    assert colour_of([me]) == colour_of([other, me]) != colour_of([_person(0.5, 0.5, 0.9, 0.9, person_id=4)])


def test_the_truth_is_white_and_thin() -> None:
    truth, prediction = _frame(720, 720), _frame(720, 720)
    annotate(truth, [ShownPerson((0.5, 0.5, 0.9, 0.9), 3, ("sit",), is_truth=True)], 0.0)
    annotate(prediction, [_person(0.5, 0.5, 0.9, 0.9)], 0.0)
    white = (truth[500, 340:380] == 255).all(axis=-1).sum()
    orange = (prediction[500, 340:380] == ORANGE).all(axis=-1).sum()
    assert 0 < white < orange


def test_the_clock_says_minutes_and_tenths() -> None:
    frame = _frame(640, 480)
    annotate(frame, [], 62.46)
    label = label_box(("1:02.5",), (90, 90, 100), 480 // 32, 640)
    expected = _frame(640, 480)
    label.put(expected, 0, 480 - label.size[1])
    np.testing.assert_array_equal(frame, expected)


def test_a_long_line_ends_in_an_ellipsis_and_fits() -> None:
    assert label_box(("a very long name of an action 0.55",), ORANGE, 12, 90).size[0] <= 90
    assert label_box(("short",), ORANGE, 12, 90).size[0] < label_box(("shorter",), ORANGE, 12, 90).size[0]


def test_letters_beyond_ascii_are_drawn() -> None:
    drawn = [
        label_box((text,), ORANGE, 16, 300).rgb for text in ("Händeschütteln", "говорить", "H?ndesch?tteln", "????????")
    ]
    assert all((rgb > 200).sum() > 100 for rgb in drawn)
    assert not np.array_equal(drawn[0], drawn[2])


def test_bars_are_as_long_as_the_scores() -> None:
    """At 20 px a whole bar has 160 px, beside a stripe of 5 px and a margin of 6 px; the grey one is below."""
    label = label_box(("talk 0.75 (0.25)",), ORANGE, 20, 400, ((0.75, 0.25),))
    beside_stripe = label.rgb[:, 11:]
    orange = (beside_stripe == ORANGE).all(axis=-1)
    grey = (beside_stripe == (165, 165, 175)).all(axis=-1)
    assert (orange.sum(axis=1).max(), grey.sum(axis=1).max()) == (120, 40)
    assert orange.any(axis=1).nonzero()[0].max() < grey.any(axis=1).nonzero()[0].min()
    assert (label.opacity[:, 11:, 0][orange | grey] == 1).all()


def test_bars_come_with_their_legend() -> None:
    with_bars, without = _frame(640, 480), _frame(640, 480)
    annotate(with_bars, [ShownPerson((0.1, 0.1, 0.3, 0.5), 0, ("sit 0.90 (0.10)",), bars=((0.9, 0.1),))], 0.0)
    annotate(without, [_person(0.1, 0.1, 0.3, 0.5)], 0.0)
    corner = (slice(460, 480), slice(480, 640))
    assert (with_bars[corner] > 240).any() and not (without[corner] > 240).any()
