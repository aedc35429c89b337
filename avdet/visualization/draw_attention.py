"""Where the network looked, as heat within each person's box, and where it listened, as light on the clip's log-mel."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from avdet.models.explain import ExplainedPerson, Explanation
from avdet.visualization.label_box import label_box
from avdet.visualization.spectrogram import coloured

__all__ = ["draw_attention_map", "draw_audio_attention"]

_OPACITY = 0.6
_LIGHT = np.array((80, 255, 200), np.float32)
_TITLE = (80, 255, 200)
_DEVIATIONS = (-1.5, 1.9)  # of a normalised log-mel, from black to bright


def draw_attention_map(frame: NDArray[np.uint8], explanation: Explanation, time_s: float) -> None:
    """Colours an RGB frame (H, W, 3) in each box, the redder the more the place speaks for the person's first action.

    The brightest place of the clip's box has full colour; places that speak against it have none.
    """
    height, width = frame.shape[:2]
    best = {person.box: person for person in reversed(explanation.people)}  # the first of each box
    for person in best.values():
        rows, columns = _cells(person, height, width)
        if rows.start >= rows.stop or columns.start >= columns.stop:
            continue
        now = cv2.resize(_map_at(person, explanation, time_s), (width, height))[rows, columns]
        heat = np.clip(now / max(_highest(person), 1e-6), 0.0, 1.0)
        colour = np.asarray(mpl.colormaps["turbo"](0.5 + 0.36 * heat))[..., :3] * 255
        heat = heat[..., None]
        part = frame[rows, columns]
        part[:] = np.rint(part + _OPACITY * heat * (colour - part))


def draw_audio_attention(
    strip: NDArray[np.uint8], explanation: Explanation | None, time_s: float, names: Mapping[int, str]
) -> None:
    """Fills an RGB strip (h, W, 3) with the clip's log-mel: light where it speaks for the action that sound adds most
    to, whose name, person and logits, with its sound and without, stand beside. Black where there is nothing.
    """
    strip[:] = 0
    height, width = strip.shape[:2]
    heard = [person for person in (explanation.people if explanation else ()) if person.sound is not None]
    if explanation is None or explanation.log_mel is None or not heard:
        return
    person = max(heard, key=lambda one: one.logit - one.deaf_logit)
    assert person.sound is not None
    picture = cv2.resize(coloured(explanation.log_mel.T, _DEVIATIONS), (width, height))
    light = cv2.resize(np.ascontiguousarray(person.sound.T[::-1]), (width, height))
    light = np.clip(light / max(float(light.max()), 1e-6), 0.0, 1.0)[..., None]
    strip[:] = np.rint(picture * 0.75 + _OPACITY * light * (_LIGHT - picture * 0.75))
    x = round(np.clip((time_s - explanation.start_s) / explanation.span_s, 0, 1) * (width - 1))
    strip[:, max(x - 1, 0) : x + 2] = 255
    who = f"#{person.person_id} " if person.person_id >= 0 else ""
    what = names.get(person.action_id, f"action {person.action_id}")
    title = f"{who}{what}: logit {person.logit:+.1f}, without sound {person.deaf_logit:+.1f}"
    label_box((title,), _TITLE, max(height // 5, 9), width).put(strip, 0, 0)


def _map_at(person: ExplainedPerson, explanation: Explanation, time_s: float) -> NDArray[np.float32]:
    """(h, w): between the two steps in whose middles' midst the time lies."""
    steps = len(person.heat)
    place = np.clip((time_s - explanation.start_s) / explanation.span_s * steps - 0.5, 0, steps - 1)
    first = int(place)
    share = np.float32(place - first)
    return (1 - share) * person.heat[first] + share * person.heat[min(first + 1, steps - 1)]


def _cells(person: ExplainedPerson, height: int, width: int) -> tuple[slice, slice]:
    x1, y1, x2, y2 = np.clip(person.box, 0.0, 1.0)
    return slice(round(y1 * height), round(y2 * height)), slice(round(x1 * width), round(x2 * width))


def _highest(person: ExplainedPerson) -> float:
    """Of the box's cells, over the clip's time."""
    rows, columns = _cells(person, *person.heat.shape[1:])
    rows = slice(rows.start, max(rows.stop, rows.start + 1))
    columns = slice(columns.start, max(columns.stop, columns.start + 1))
    inside = person.heat[:, rows, columns]
    return float(inside.max()) if inside.size else 0.0
