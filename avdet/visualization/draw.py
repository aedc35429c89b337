"""Draws person boxes and their labels (id, actions, scores) on a frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from avdet.visualization.label_box import Colour, LabelBox, label_box
from avdet.visualization.labelled_person import Action, LabelledPerson
from avdet.visualization.place_labels import LabelPlacer, Rectangle

__all__ = ["PALETTE", "ColourBy", "draw_leader_line", "draw_persons"]

ColourBy = Literal["person", "class"]

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
_NO_CLASS_COLOUR: Colour = (190, 190, 195)
_CLOCK_COLOUR: Colour = (90, 90, 100)
_BLACK: Colour = (0, 0, 0)
_SCORES_LEGEND = "with audio (without)"
_MAX_COVERED = 0.25  # of the frame, by all labels

LabelText = tuple[tuple[str, str], ...]
"""Per line, the text that may be shortened and the score that may not."""


def draw_persons(
    frame: NDArray[np.uint8],
    persons: Sequence[LabelledPerson],
    time_s: float,
    *,
    note: str = "",
    colour_by: ColourBy = "person",
    placer: LabelPlacer | None = None,
) -> None:
    """Draws boxes, labels and the time into an RGB frame (H, W, 3), in place.

    A person without an action has a thin box and no label. Labels stay inside the frame and avoid one another and
    heads where there is room; a line connects a label that is not at its box. Where labels would cover a quarter of
    the frame they have one line, then the id alone, then the smallest persons have none. The time is in the lower left
    corner, as m:ss.s (62.5 s is 1:02.5); `note` is in the lower right corner.

    colour_by: the person id or the best action selects the colour. placer: remembers the labels' places.
    """
    boxes = [_box_px(person, frame) for person in persons]
    colours = [_colour(person, index, colour_by) for index, person in enumerate(persons)]
    for person, box, colour in zip(persons, boxes, colours, strict=True):
        _draw_box(frame, box, colour, thin=person.is_ground_truth or not person.actions)
    occupied = [_draw_clock(frame, time_s)]
    note = note or (_SCORES_LEGEND if any(map(_score_bars, persons)) else "")
    if note:
        occupied.append(_draw_in_corner(frame, note, right=True))
    labels = _labels(frame, persons, boxes, colours)
    places = (placer or LabelPlacer()).place(
        [label.size for label in labels.values()],
        [boxes[index] for index in labels],
        [_key(persons[index], index) for index in labels],
        occupied,
        (frame.shape[1], frame.shape[0]),
    )
    for index, place in zip(labels, places, strict=True):
        draw_leader_line(frame, place, boxes[index], colours[index])
    for label, place in zip(labels.values(), places, strict=True):
        label.blend_into(frame, place[0], place[1])


def _draw_clock(frame: NDArray[np.uint8], time_s: float) -> Rectangle:
    tenths = round(max(time_s, 0.0) * 10)
    return _draw_in_corner(frame, f"{tenths // 600}:{tenths % 600 / 10:04.1f}")


def _draw_in_corner(frame: NDArray[np.uint8], text: str, *, right: bool = False) -> Rectangle:
    """Draws a line of text in the lower left or lower right corner."""
    label = label_box((text,), _CLOCK_COLOUR, _text_px(frame), frame.shape[1])
    left, top = frame.shape[1] - label.size[0] if right else 0, max(frame.shape[0] - label.size[1], 0)
    label.blend_into(frame, left, top)
    return left, top, left + label.size[0], top + label.size[1]


def _text_px(frame: NDArray[np.uint8]) -> int:
    return max(min(frame.shape[:2]) // 32, 9)


def _labels(
    frame: NDArray[np.uint8],
    persons: Sequence[LabelledPerson],
    boxes: Sequence[Rectangle],
    colours: Sequence[Colour],
) -> dict[int, LabelBox]:
    """Labels by index of their person, with as much text as there is room for."""
    text_px, max_area = _text_px(frame), _MAX_COVERED * frame.shape[0] * frame.shape[1]
    texts = {index: _lines(person) for index, person in enumerate(persons) if person.actions}
    is_compared = any(map(_score_bars, persons))
    if sum(_estimated_area(text, text_px, is_compared) for text in texts.values()) > max_area:
        texts = {index: text[:1] for index, text in texts.items()}
    if sum(_estimated_area(text, text_px, is_compared) for text in texts.values()) > max_area:
        titles = {index: _title(persons[index]) for index in texts}
        texts = {index: ((title, ""),) for index, title in titles.items() if title}
        is_compared = False
    labels: dict[int, LabelBox] = {}
    covered = 0
    for index in sorted(texts, key=lambda index: _area(boxes[index]), reverse=True):
        text, bars = texts[index], _score_bars(persons[index])[: len(texts[index])] if is_compared else ()
        lines, scores = tuple(line for line, _ in text), tuple(score for _, score in text)
        label = label_box(lines, colours[index], text_px, frame.shape[1] // 2, bars, scores)
        covered += label.size[0] * label.size[1]
        if covered > max_area and labels:
            break
        labels[index] = label
    return {index: labels[index] for index in sorted(labels)}


def _estimated_area(text: LabelText, text_px: int, is_compared: bool) -> float:
    """In pixels, about; does not draw the text."""
    width = max(len(line) + len(score) for line, score in text) * 0.6 * text_px + text_px
    return width * len(text) * text_px * (2.0 if is_compared else 1.3)


def _title(person: LabelledPerson) -> str:
    title = ["truth"] if person.is_ground_truth else []
    if person.person_id >= 0:
        title.append(f"#{person.person_id}")
    return " ".join(title)


def _lines(person: LabelledPerson) -> LabelText:
    """One line per action; the first one starts with the person id."""
    names = [action.name for action in person.actions]
    names[0] = f"{_title(person)} {names[0]}".strip()
    scores = ["" if person.is_ground_truth else _score(action) for action in person.actions]
    return tuple(zip(names, scores, strict=True))


def _score(action: Action) -> str:
    comparison = "" if action.score_without_audio is None else f" ({action.score_without_audio:.2f})"
    return f" {action.score:.2f}{comparison}"


def _score_bars(person: LabelledPerson) -> tuple[tuple[float, float], ...]:
    """The scores with and without audio, where both are known."""
    return tuple(
        (action.score, action.score_without_audio)
        for action in person.actions
        if action.score_without_audio is not None
    )


def _colour(person: LabelledPerson, index: int, colour_by: ColourBy) -> Colour:
    if person.is_ground_truth:
        return _GROUND_TRUTH_COLOUR
    if colour_by == "class":
        return PALETTE[(person.actions[0].action_id - 1) % len(PALETTE)] if person.actions else _NO_CLASS_COLOUR
    return PALETTE[(person.person_id if person.person_id >= 0 else index) % len(PALETTE)]


def _key(person: LabelledPerson, index: int) -> tuple[bool, int]:
    """The same for a person on all frames; ids are not negative."""
    return person.is_ground_truth, person.person_id if person.person_id >= 0 else -1 - index


def _box_px(person: LabelledPerson, frame: NDArray[np.uint8]) -> Rectangle:
    """The person box in pixels, clipped to the frame."""
    height, width = frame.shape[:2]
    x1, y1, x2, y2 = (min(max(side, 0.0), 1.0) for side in person.box)
    return round(x1 * (width - 1)), round(y1 * (height - 1)), round(x2 * (width - 1)), round(y2 * (height - 1))


def _area(box: Rectangle) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def _draw_box(frame: NDArray[np.uint8], box: Rectangle, colour: Colour, *, thin: bool) -> None:
    line_px = max(min(frame.shape[:2]) // (360 if thin else 180), 1 if thin else 2)
    left, top, right, bottom = box
    # A dark outline keeps a light box visible on a light background.
    cv2.rectangle(frame, (left, top), (right, bottom), _BLACK, line_px + 2)
    cv2.rectangle(frame, (left, top), (right, bottom), colour, line_px)


def draw_leader_line(frame: NDArray[np.uint8], label: Rectangle, box: Rectangle, colour: Colour) -> None:
    """Connects a label with its box, unless they touch."""
    x = min(max(label[0], box[0]), box[2])
    above, below = box[1] - label[3], label[1] - box[3]
    if max(above, below) > 1:
        ends = ((x, label[3]), (x, box[1])) if above > below else ((x, box[3]), (x, label[1]))
        cv2.line(frame, *ends, _BLACK, 3)
        cv2.line(frame, *ends, colour, 1)
