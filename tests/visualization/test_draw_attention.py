from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from avdet.models.explain import ExplainedPerson, Explanation
from avdet.visualization.draw_attention import draw_attention_map, draw_audio_attention

LEFT, RIGHT = (0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 1.0, 1.0)


def _person(box: tuple[float, float, float, float], action_id: int = 1) -> ExplainedPerson:
    """In the first half of the clip the upper left of its half speaks for it, then the lower right."""
    heat = np.full((4, 4, 8), -1.0, np.float32)
    first = 0 if box is LEFT else 4
    heat[:2, :2, first : first + 2] = heat[2:, 2:, first + 2 : first + 4] = 2.0
    sound = np.zeros((6, 5), np.float32)
    sound[4:, 3:] = 1.0
    return ExplainedPerson(box, 3, action_id, 2.0, 1.0, heat, sound)


EXPLANATION = Explanation(
    10.0, 2.0, (_person(LEFT), replace(_person(LEFT, 2), heat=np.ones((4, 4, 8), np.float32))), None
)


def _grey(height: int = 80, width: int = 160) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    return np.full((height, width, 3), 100, np.uint8)


@pytest.mark.parametrize(("time_s", "hot", "cold"), [(10.2, (10, 10), (70, 70)), (11.8, (70, 70), (10, 10))])
def test_heat_is_where_and_when_it_speaks_for_the_first_action(
    time_s: float, hot: tuple[int, int], cold: tuple[int, int]
) -> None:
    frame = _grey()
    draw_attention_map(frame, EXPLANATION, time_s)
    red, _, blue = (int(value) for value in frame[hot])
    assert red > 120 and blue < 80
    assert (frame[cold] == 100).all() and (frame[:, 80:] == 100).all()  # nothing outside the box


def test_what_speaks_against_and_boxes_outside_stay_as_they_are() -> None:
    frame = _grey()
    against = replace(_person(LEFT), heat=np.full((4, 4, 8), -1.0, np.float32))
    outside = replace(_person(RIGHT), box=(1.2, 0.0, 1.5, 1.0))
    draw_attention_map(frame, replace(EXPLANATION, people=(against, outside)), 11.0)
    assert (frame == 100).all()


def test_the_strip_shows_the_action_that_sound_adds_most_to() -> None:
    log_mel = np.full((20, 10), -1.5, np.float32)
    quiet = replace(_person(RIGHT, 2), deaf_logit=1.9, sound=np.ones((6, 5), np.float32))
    explanation = Explanation(10.0, 2.0, (quiet, _person(LEFT, 1)), log_mel)
    strip = _grey(100, 300)
    draw_audio_attention(strip, explanation, 11.0, {1: "talk"})
    assert strip[34, 280, 1] > 100 and strip[95, 20].max() < 20  # late and high notes shine
    assert (strip[50, 149] == 255).all()  # the cursor in the middle of the clip


def test_without_sound_the_strip_is_black() -> None:
    for explanation in (None, EXPLANATION, replace(EXPLANATION, log_mel=np.zeros((20, 10), np.float32), people=())):
        strip = _grey()
        draw_audio_attention(strip, explanation, 11.0, {})
        assert not strip.any()
