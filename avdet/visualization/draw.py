"""Draws person boxes and their labels (id, actions, scores) on a frame."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from avdet.visualization.label_box import Colour, LabelBox, label_box
from avdet.visualization.person_timeline import LabelledPerson

__all__ = ["PALETTE", "draw_persons"]

# Colours that differ in brightness and hue (a brighter Okabe-Ito palette); ground truth is white.
PALETTE: tuple[Colour, ...] = (
    (255, 176, 32),
    (86, 190, 255),
    (240, 228, 66),
    (0, 200, 140),
    (255, 110, 80),
    (230, 140, 210),
    (120, 130, 255),
    (170, 220, 60),
)
_GROUND_TRUTH_COLOUR: Colour = (255, 255, 255)
_CLOCK_COLOUR: Colour = (90, 90, 100)
_BLACK: Colour = (0, 0, 0)
_SCORES_LEGEND = "with audio (without)"

Rectangle = tuple[int, int, int, int]
"""left, top, right, bottom in pixels."""


def draw_persons(frame: NDArray[np.uint8], persons: Sequence[LabelledPerson], time_s: float, *, note: str = "") -> None:
    """Draws boxes, labels and the time into an RGB frame (H, W, 3), in place.

    The person id selects the colour. Labels stay inside the frame and avoid one another and heads where there is
    room. The time is in the lower left corner, as m:ss.s (62.5 s is 1:02.5); `note` is in the lower right corner.
    """
    boxes = [_box_px(person, frame) for person in persons]
    colours = [_colour(person, index) for index, person in enumerate(persons)]
    for person, box, colour in zip(persons, boxes, colours, strict=True):
        _draw_box(frame, box, colour, thin=person.is_ground_truth)
    heads = [_head(box) for box in boxes]
    occupied = [_draw_clock(frame, time_s)]
    note = note or (_SCORES_LEGEND if any(map(_score_bars, persons)) else "")
    if note:
        occupied.append(_draw_in_corner(frame, note, right=True))
    for person, box, colour in zip(persons, boxes, colours, strict=True):
        label = label_box(_lines(person), colour, _text_px(frame), frame.shape[1], _score_bars(person))
        rectangle = _place_label(label, box, frame, occupied, heads)
        label.blend_into(frame, rectangle[0], rectangle[1])
        occupied.append(rectangle)


def _draw_clock(frame: NDArray[np.uint8], time_s: float) -> Rectangle:
    tenths = round(max(time_s, 0.0) * 10)
    return _draw_in_corner(frame, f"{tenths // 600}:{tenths % 600 / 10:04.1f}")


def _draw_in_corner(frame: NDArray[np.uint8], text: str, *, right: bool = False) -> Rectangle:
    """Draws a line of text in the lower left or lower right corner."""
    label = label_box((text,), _CLOCK_COLOUR, _text_px(frame), frame.shape[1])
    rectangle = _moved_inside(frame.shape[1] if right else 0, frame.shape[0], label, frame)
    label.blend_into(frame, rectangle[0], rectangle[1])
    return rectangle


def _text_px(frame: NDArray[np.uint8]) -> int:
    return max(min(frame.shape[:2]) // 32, 9)


def _lines(person: LabelledPerson) -> tuple[str, ...]:
    """One line per action; the first one starts with the person id."""
    title = ["truth"] if person.is_ground_truth else []
    if person.person_id >= 0:
        title.append(f"#{person.person_id}")
    first, *others = [_line(person, index) for index in range(len(person.actions))] or [""]
    return " ".join([*title, first]).strip() or "?", *others


def _line(person: LabelledPerson, index: int) -> str:
    action = person.actions[index]
    if person.is_ground_truth:
        return action.name
    comparison = "" if action.score_without_audio is None else f" ({action.score_without_audio:.2f})"
    return f"{action.name} {action.score:.2f}{comparison}"


def _score_bars(person: LabelledPerson) -> tuple[tuple[float, float], ...]:
    """The scores with and without audio, where both are known."""
    return tuple(
        (action.score, action.score_without_audio)
        for action in person.actions
        if action.score_without_audio is not None
    )


def _colour(person: LabelledPerson, index: int) -> Colour:
    if person.is_ground_truth:
        return _GROUND_TRUTH_COLOUR
    return PALETTE[(person.person_id if person.person_id >= 0 else index) % len(PALETTE)]


def _box_px(person: LabelledPerson, frame: NDArray[np.uint8]) -> Rectangle:
    """The person box in pixels, clipped to the frame."""
    height, width = frame.shape[:2]
    x1, y1, x2, y2 = (min(max(side, 0.0), 1.0) for side in person.box)
    return round(x1 * (width - 1)), round(y1 * (height - 1)), round(x2 * (width - 1)), round(y2 * (height - 1))


def _head(box: Rectangle) -> Rectangle:
    """The likely place of the head: the upper third of the box."""
    left, top, right, bottom = box
    return left, top, right, top + (bottom - top) // 3


def _draw_box(frame: NDArray[np.uint8], box: Rectangle, colour: Colour, *, thin: bool) -> None:
    line_px = max(min(frame.shape[:2]) // (360 if thin else 180), 1 if thin else 2)
    left, top, right, bottom = box
    # A dark outline keeps a light box visible on a light background.
    cv2.rectangle(frame, (left, top), (right, bottom), _BLACK, line_px + 2, cv2.LINE_AA)
    cv2.rectangle(frame, (left, top), (right, bottom), colour, line_px, cv2.LINE_AA)


def _place_label(
    label: LabelBox, box: Rectangle, frame: NDArray[np.uint8], occupied: Sequence[Rectangle], heads: Sequence[Rectangle]
) -> Rectangle:
    """Chooses the place around the box, or above another label, that covers least of other labels and heads."""
    width, height = label.size
    left, top, right, bottom = box
    corners = [
        *((left, top - height), (right - width, top - height), (left, bottom), (right - width, bottom)),
        *((left, bottom - height), (right - width, bottom - height), (right, top), (left - width, top), (left, top)),
    ]
    corners += [(x, other[1] - height) for x, _ in corners for other in occupied]
    candidates = [_moved_inside(x, y, label, frame) for x, y in corners]

    def covered_area(candidate: Rectangle) -> int:
        # Labels on top of each other are illegible, so they cost more than covered heads.
        on_labels = sum(_intersection(candidate, other) for other in occupied)
        return 4 * on_labels + sum(_intersection(candidate, head) for head in heads)

    return min(candidates, key=covered_area)


def _moved_inside(left: int, top: int, label: LabelBox, frame: NDArray[np.uint8]) -> Rectangle:
    width, height = label.size
    left, top = max(min(left, frame.shape[1] - width), 0), max(min(top, frame.shape[0] - height), 0)
    return left, top, left + width, top + height


def _intersection(a: Rectangle, b: Rectangle) -> int:
    return max(min(a[2], b[2]) - max(a[0], b[0]), 0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0)
