from __future__ import annotations

import numpy as np
import pytest

from avdet.visualization.label_box import label_box

ORANGE, GREY = (255, 176, 32), (165, 165, 175)


@pytest.mark.parametrize("background", [0, 128, 255])
def test_letters_contrast_with_any_background(background: int) -> None:
    frame = np.full((480, 640, 3), background, np.uint8)
    label = label_box(("talk to 0.87",), ORANGE, 20, 640)
    label.blend_into(frame, 100, 100)
    inside = frame[100 : 100 + label.size[1], 110 : 100 + label.size[0]].astype(int).mean(axis=-1)
    letters, around = np.quantile(inside, 0.99), np.median(inside)
    # WCAG asks for a contrast of 3 for large text; the luminance of sRGB values is approximated by a gamma of 2.2.
    contrast = ((letters / 255) ** 2.2 + 0.05) / ((around / 255) ** 2.2 + 0.05)
    assert contrast > 4.5


def test_labels_are_clipped_to_the_frame() -> None:
    label = label_box(("sit",), ORANGE, 20, 640)
    whole, clipped = np.zeros((100, 100, 3), np.uint8), np.zeros((50, 100, 3), np.uint8)
    label.blend_into(whole, 10, 40)
    label.blend_into(clipped, 10, 40)
    label.blend_into(clipped, 200, 0)
    np.testing.assert_array_equal(clipped, whole[:50])


def test_a_long_line_ends_in_an_ellipsis_and_fits() -> None:
    assert label_box(("a very long name of an action 0.55",), ORANGE, 12, 90).size[0] <= 90
    assert label_box(("short",), ORANGE, 12, 90).size[0] < label_box(("shorter",), ORANGE, 12, 90).size[0]


def test_letters_beyond_ascii_are_drawn() -> None:
    texts = ("Händeschütteln", "говорить", "H?ndesch?tteln", "????????")
    drawn = [label_box((text,), ORANGE, 16, 300).rgb for text in texts]
    assert all((rgb > 200).sum() > 100 for rgb in drawn)
    assert not np.array_equal(drawn[0], drawn[2])


def test_score_bars_are_as_long_as_the_scores() -> None:
    """At 20 px text, score 1 is 160 px long, next to a stripe of 5 px and a margin of 6 px; the grey bar is lower."""
    label = label_box(("talk 0.75 (0.25)",), ORANGE, 20, 400, ((0.75, 0.25),))
    content = label.rgb[:, 11:]
    orange, grey = (content == ORANGE).all(axis=-1), (content == GREY).all(axis=-1)
    assert (orange.sum(axis=1).max(), grey.sum(axis=1).max()) == (120, 40)
    assert orange.any(axis=1).nonzero()[0].max() < grey.any(axis=1).nonzero()[0].min()
    assert (label.opacity[:, 11:, 0][orange | grey] == 1).all()


def test_a_long_name_is_shortened_before_its_score() -> None:
    """The score's letters are at the right end; with another score only they differ."""
    name = "a very long name of an action"
    one, other = (label_box((name,), ORANGE, 12, 120, (), (score,)) for score in (" 0.55", " 0.77"))
    assert one.size == other.size and one.size[0] <= 120
    differs = np.flatnonzero((one.rgb != other.rgb).any(axis=(0, 2)))
    assert len(differs) and differs.min() > 80
