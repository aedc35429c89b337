"""Draws a detector's attention: class activation maps in the person boxes and, for the audio, on the log-mel."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from avdet.models.class_activation import ExplainedPerson, Explanation
from avdet.visualization.label_box import label_box
from avdet.visualization.spectrogram import log_mel_image

__all__ = ["draw_attention_map", "draw_audio_attention"]

_OPACITY = 0.6
_HIGHLIGHT = (80, 255, 200)
_LOG_MEL_RANGE = (-1.5, 1.9)  # of a normalised log-mel, from black to bright
_SPECTROGRAM_BRIGHTNESS = 0.75


def draw_attention_map(frame: NDArray[np.uint8], explanation: Explanation, time_s: float) -> None:
    """Colours each box of an RGB frame (H, W, 3) by its evidence for the person's most likely action, in place.

    The clip's highest value in the box has full colour; evidence against the action has none.
    """
    height, width = frame.shape[:2]
    first_of_box = {person.box: person for person in reversed(explanation.persons)}
    for person in first_of_box.values():
        rows, columns = _box_slices(person, height, width)
        if rows.start >= rows.stop or columns.start >= columns.stop:
            continue
        attention = cv2.resize(_map_at(person, explanation, time_s), (width, height))[rows, columns]
        attention = np.clip(attention / max(_maximum_in_box(person), 1e-6), 0.0, 1.0)
        colour = np.asarray(mpl.colormaps["turbo"](0.5 + 0.36 * attention))[..., :3] * 255
        region = frame[rows, columns]
        region[:] = np.rint(region + _OPACITY * attention[..., None] * (colour - region))


def draw_audio_attention(
    bar: NDArray[np.uint8], explanation: Explanation | None, time_s: float, action_names: Mapping[int, str]
) -> None:
    """Fills an RGB bar (h, W, 3) with the clip's log-mel and highlights the audio's evidence for one action.

    The action is the one whose score the audio raises most; its name, person and scores with and without audio are
    written on the bar. The bar is black if there is no explanation or no audio.
    """
    bar[:] = 0
    height, width = bar.shape[:2]
    with_audio = [person for person in (explanation.persons if explanation else ()) if person.audio_map is not None]
    if explanation is None or explanation.log_mel is None or not with_audio:
        return
    person = max(with_audio, key=lambda candidate: candidate.score - candidate.score_without_audio)
    assert person.audio_map is not None
    image = cv2.resize(log_mel_image(explanation.log_mel.T, _LOG_MEL_RANGE), (width, height))
    image = image * _SPECTROGRAM_BRIGHTNESS
    attention = cv2.resize(np.ascontiguousarray(person.audio_map.T[::-1]), (width, height))
    attention = np.clip(attention / max(float(attention.max()), 1e-6), 0.0, 1.0)[..., None]
    bar[:] = np.rint(image + _OPACITY * attention * (np.array(_HIGHLIGHT, np.float32) - image))
    cursor = round(np.clip((time_s - explanation.start_s) / explanation.span_s, 0, 1) * (width - 1))
    bar[:, max(cursor - 1, 0) : cursor + 2] = 255
    label_box((_title(person, action_names),), _HIGHLIGHT, max(height // 5, 9), width).blend_into(bar, 0, 0)


def _title(person: ExplainedPerson, action_names: Mapping[int, str]) -> str:
    person_id = f"#{person.person_id} " if person.person_id >= 0 else ""
    action = action_names.get(person.action_id, f"action {person.action_id}")
    return f"{person_id}{action}: {person.score:.2f}, without audio {person.score_without_audio:.2f}"


def _map_at(person: ExplainedPerson, explanation: Explanation, time_s: float) -> NDArray[np.float32]:
    """(h, w): interpolates linearly between the map's time steps."""
    steps = len(person.visual_map)
    position = np.clip((time_s - explanation.start_s) / explanation.span_s * steps - 0.5, 0, steps - 1)
    before = int(position)
    weight = np.float32(position - before)
    return (1 - weight) * person.visual_map[before] + weight * person.visual_map[min(before + 1, steps - 1)]


def _box_slices(person: ExplainedPerson, height: int, width: int) -> tuple[slice, slice]:
    x1, y1, x2, y2 = np.clip(person.box, 0.0, 1.0)
    return slice(round(y1 * height), round(y2 * height)), slice(round(x1 * width), round(x2 * width))


def _maximum_in_box(person: ExplainedPerson) -> float:
    """The highest value in the box over the clip's time; the box covers at least one cell of the map."""
    rows, columns = _box_slices(person, *person.visual_map.shape[1:])
    rows = slice(rows.start, max(rows.stop, rows.start + 1))
    columns = slice(columns.start, max(columns.stop, columns.start + 1))
    inside = person.visual_map[:, rows, columns]
    return float(inside.max()) if inside.size else 0.0
