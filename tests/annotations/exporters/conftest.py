from pathlib import Path

import pytest

from avdet.annotations.exporters.labelled_videos import FrameBox, LabelledVideo

ACTIONS = ("sit", "talk to (e.g., self)")


@pytest.fixture
def video() -> LabelledVideo:
    """A person on frames 5, 6 and 19, the last, who sits and then talks, and one without an id; 64 x 48 pixels."""
    boxes = [
        FrameBox(5, 0.5, (0.25, 0.25, 0.5, 1.0), 3, ("sit",)),
        FrameBox(6, 0.6, (0.5, 0.25, 0.75, 1.0), 3, ("sit",)),
        FrameBox(6, 0.6, (0.0, 0.0, 0.5, 0.5), -1, ()),
        FrameBox(19, 1.9, (0.5, 0.25, 0.75, 1.0), 3, ACTIONS),
    ]
    return LabelledVideo("kitchen one", Path("videos/kitchen one.mp4"), (64, 48), 20, 2.0, boxes)
