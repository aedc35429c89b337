"""Boxes with ids, names and scores on a frame, readable on any background and at any size."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from avdet.visualization.label_box import Colour, LabelBox, label_box
from avdet.visualization.person_timeline import ShownPerson

# Colours that differ in brightness as well as in hue (Okabe and Ito's, made brighter); white is the ground truth's.
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
_TRUTH: Colour = (255, 255, 255)
_CLOCK: Colour = (90, 90, 100)
_BLACK: Colour = (0, 0, 0)
_LEGEND = "with sound (without)"

Place = tuple[int, int, int, int]
"""left, top, right, bottom in pixels."""


def annotate(frame: NDArray[np.uint8], people: Sequence[ShownPerson], time_s: float, *, note: str = "") -> None:
    """Draws into an RGB frame (H, W, 3): each person's box, a plate with its id and lines of text, and the time.

    A person keeps the colour of its id. Plates stay inside the frame and, where there is room, off one another and
    off heads. The time stands in the lower left corner, as players and tables have it: 1:02.5 is 62.5 s;
    a `note` stands in the lower right one.
    """
    boxes = [_pixels(person, frame) for person in people]
    colours = [_colour(person, index) for index, person in enumerate(people)]
    for person, box, colour in zip(people, boxes, colours, strict=True):
        _draw_box(frame, box, colour, thin=person.is_truth)
    heads = [_head(box) for box in boxes]
    taken = [_draw_clock(frame, time_s)]
    note = note or (_LEGEND if any(person.bars for person in people) else "")
    if note:
        taken.append(_draw_corner(frame, note, _CLOCK, right=True))
    for person, box, colour in zip(people, boxes, colours, strict=True):
        label = label_box(_text(person), colour, _text_px(frame), frame.shape[1], person.bars)
        place = _free_place(label, box, frame, taken, heads)
        label.put(frame, place[0], place[1])
        taken.append(place)


def _draw_clock(frame: NDArray[np.uint8], time_s: float) -> Place:
    tenths = round(max(time_s, 0.0) * 10)
    return _draw_corner(frame, f"{tenths // 600}:{tenths % 600 / 10:04.1f}", _CLOCK)


def _draw_corner(frame: NDArray[np.uint8], text: str, colour: Colour, *, right: bool = False) -> Place:
    """A line in one of the lower corners."""
    label = label_box((text,), colour, _text_px(frame), frame.shape[1])
    place = _inside(frame.shape[1] if right else 0, frame.shape[0], label, frame)
    label.put(frame, place[0], place[1])
    return place


def _text_px(frame: NDArray[np.uint8]) -> int:
    return max(min(frame.shape[:2]) // 32, 9)


def _text(person: ShownPerson) -> tuple[str, ...]:
    """The id stands before the first line; annotated people are called so."""
    number = f"#{person.person_id}" if person.person_id >= 0 else ""
    title = " ".join(word for word in ("truth" if person.is_truth else "", number) if word)
    first, *others = person.lines or ("",)
    return f"{title} {first}".strip() or "?", *others


def _colour(person: ShownPerson, index: int) -> Colour:
    if person.is_truth:
        return _TRUTH
    return PALETTE[(person.person_id if person.person_id >= 0 else index) % len(PALETTE)]


def _pixels(person: ShownPerson, frame: NDArray[np.uint8]) -> Place:
    """The box in pixels, cut off where it leaves the frame."""
    height, width = frame.shape[:2]
    x1, y1, x2, y2 = (min(max(side, 0.0), 1.0) for side in person.box)
    return round(x1 * (width - 1)), round(y1 * (height - 1)), round(x2 * (width - 1)), round(y2 * (height - 1))


def _head(box: Place) -> Place:
    """Where a person's head is likely: the upper third of the box."""
    left, top, right, bottom = box
    return left, top, right, top + (bottom - top) // 3


def _draw_box(frame: NDArray[np.uint8], box: Place, colour: Colour, *, thin: bool) -> None:
    line_px = max(min(frame.shape[:2]) // (360 if thin else 180), 1 if thin else 2)
    left, top, right, bottom = box
    # The dark line beneath keeps a light box visible on light ground.
    cv2.rectangle(frame, (left, top), (right, bottom), _BLACK, line_px + 2, cv2.LINE_AA)
    cv2.rectangle(frame, (left, top), (right, bottom), colour, line_px, cv2.LINE_AA)


def _free_place(
    label: LabelBox, box: Place, frame: NDArray[np.uint8], taken: Sequence[Place], heads: Sequence[Place]
) -> Place:
    """Above or below the box, beside it or in its lower corners, wherever the plate hides least."""
    width, height = label.size
    left, top, right, bottom = box
    corners = [
        *((left, top - height), (right - width, top - height), (left, bottom), (right - width, bottom)),
        *((left, bottom - height), (right - width, bottom - height), (right, top), (left - width, top), (left, top)),
    ]
    # Where another plate is in the way, right above it.
    corners += [(x, other[1] - height) for x, _ in corners for other in taken]
    places = [_inside(x, y, label, frame) for x, y in corners]

    def hidden(place: Place) -> int:
        # Two plates on one another cannot be read at all.
        return 4 * sum(_shared_area(place, other) for other in taken) + sum(_shared_area(place, h) for h in heads)

    return min(places, key=hidden)


def _inside(left: int, top: int, label: LabelBox, frame: NDArray[np.uint8]) -> Place:
    width, height = label.size
    left, top = max(min(left, frame.shape[1] - width), 0), max(min(top, frame.shape[0] - height), 0)
    return left, top, left + width, top + height


def _shared_area(a: Place, b: Place) -> int:
    return max(min(a[2], b[2]) - max(a[0], b[0]), 0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0)
