from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from avdet.models.class_activation import ExplainedPerson, Explanation
from avdet.visualization.draw_attention import draw_attention_map, draw_audio_attention

LEFT, RIGHT = (0.0, 0.0, 0.5, 1.0), (0.5, 0.0, 1.0, 1.0)


def _person(box: tuple[float, float, float, float], action_id: int = 1) -> ExplainedPerson:
    """Attention is in the upper left of the box in the first half of the clip, then in the lower right."""
    attention_map = np.full((4, 4, 8), -1.0, np.float32)
    column = 0 if box is LEFT else 4
    attention_map[:2, :2, column : column + 2] = attention_map[2:, 2:, column + 2 : column + 4] = 2.0
    audio_attention = np.zeros((6, 5), np.float32)
    audio_attention[4:, 3:] = 1.0
    return ExplainedPerson(box, 3, action_id, 0.9, 0.5, attention_map, audio_attention)


SECOND_ACTION = replace(_person(LEFT, 2), visual_map=np.ones((4, 4, 8), np.float32))
EXPLANATION = Explanation(10.0, 2.0, (_person(LEFT), SECOND_ACTION), None)


def _grey(height: int = 80, width: int = 160) -> NDArray[np.uint8]:
    return np.full((height, width, 3), 100, np.uint8)


@pytest.mark.parametrize(("time_s", "hot", "cold"), [(10.2, (10, 10), (70, 70)), (11.8, (70, 70), (10, 10))])
def test_the_first_actions_attention_is_drawn_at_its_time(
    time_s: float, hot: tuple[int, int], cold: tuple[int, int]
) -> None:
    frame = _grey()
    draw_attention_map(frame, EXPLANATION, time_s)
    red, _, blue = (int(value) for value in frame[hot])
    assert red > 120 and blue < 80
    assert (frame[cold] == 100).all() and (frame[:, 80:] == 100).all()  # nothing outside the box


def test_negative_evidence_and_boxes_outside_the_frame_are_not_drawn() -> None:
    frame = _grey()
    negative = replace(_person(LEFT), visual_map=np.full((4, 4, 8), -1.0, np.float32))
    outside = replace(_person(RIGHT), box=(1.2, 0.0, 1.5, 1.0))
    draw_attention_map(frame, replace(EXPLANATION, persons=(negative, outside)), 11.0)
    assert (frame == 100).all()


def test_the_bar_shows_the_action_with_the_largest_audio_gain() -> None:
    log_mel = np.full((20, 10), -1.5, np.float32)
    small_gain = replace(_person(RIGHT, 2), score_without_audio=0.85, audio_map=np.ones((6, 5), np.float32))
    explanation = Explanation(10.0, 2.0, (small_gain, _person(LEFT, 1)), log_mel)
    bar = _grey(100, 300)
    draw_audio_attention(bar, explanation, 11.0, {1: "talk"})
    assert bar[34, 280, 1] > 100 and bar[95, 20].max() < 20  # late and high bins are highlighted
    assert (bar[50, 149] == 255).all()  # the cursor is in the middle of the clip


def test_the_bar_is_black_without_audio() -> None:
    for explanation in (None, EXPLANATION, replace(EXPLANATION, log_mel=np.zeros((20, 10), np.float32), persons=())):
        bar = _grey()
        draw_audio_attention(bar, explanation, 11.0, {})
        assert not bar.any()
