import pytest

from avdet.synthetic.class_balance import counted_people, unbalance
from avdet.synthetic.scene import Scene, Span
from avdet.synthetic.scene_script import write_scenes
from avdet.synthetic.synthetic_settings import SampleSettings
from tests.synthetic.test_motion import person


def test_the_largest_difference_counts() -> None:
    """Two people in nine seconds; keyframes 2 to 7 but for 5, a change. All ten stand, half of the claps are heard."""
    people = (person("clap", heard=True), person("clap"))
    scene = Scene("two", "val", 0, 9.0, people, (Span(0.0, 3.5),), ())
    assert [(actor is people[0], second) for _, actor, second in counted_people([scene])] == [
        (first, second) for second in (2, 3, 4, 6, 7) for first in (True, False)
    ]
    assert unbalance([scene]) == pytest.approx(2 / 3)  # all stand where a third should; claps are at one half


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_small_split_is_told_anew_until_it_is_balanced(seed: int) -> None:
    for split in ("train", "val"):
        assert unbalance(write_scenes(SampleSettings(), split, seed)) < 0.05
