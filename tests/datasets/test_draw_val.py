"""Every class with two videos or more is on both sides of a drawn split, and a group on one."""

from __future__ import annotations

import numpy as np
import pytest

from avdet.datasets.draw_val import draw_val, group_names, one_sided


def classes_of(*texts: str) -> dict[str, set[str]]:
    """Videos v0, v1, .. with a class per letter."""
    return {f"v{number}": set(text) for number, text in enumerate(texts)}


@pytest.mark.parametrize("seed", range(5))
def test_classes_with_two_videos_are_on_both_sides(seed: int) -> None:
    classes = classes_of("a", "a", "a", "a", "a", "a", "a", "a", "b", "b", "c")
    groups = group_names(classes, None)
    val = draw_val(classes, groups, fraction=0.2, seed=seed)
    assert len(val & {"v8", "v9"}) == 1 and "v10" not in val and 1 <= len(val & {f"v{k}" for k in range(8)}) <= 2
    assert one_sided(classes, groups, val) == ["c (1 video)"]
    assert val == draw_val(dict(reversed(classes.items())), groups, fraction=0.2, seed=seed)


def test_no_other_split_leaves_fewer_classes_on_one_side() -> None:
    """Compared with all splits of seven videos."""
    rng = np.random.default_rng(0)
    for seed in range(20):
        classes = {f"v{k}": {chr(97 + c) for c in range(5) if rng.random() < 0.3} or {"a"} for k in range(7)}
        groups = group_names(classes, None)
        val = draw_val(classes, groups, fraction=0.3, seed=seed)
        least = min(
            len(one_sided(classes, groups, [f"v{k}" for k in range(7) if mask >> k & 1])) for mask in range(1, 127)
        )
        assert len(one_sided(classes, groups, val)) == least


def test_a_group_is_on_one_side() -> None:
    classes = {f"cam{camera}_{day}": {"graze", "rest"} for camera in range(4) for day in range(3)}
    groups = group_names(classes, r"cam\d")
    val = draw_val(classes, groups, fraction=0.2, seed=0)
    assert len(val) == 3 and len({groups[name] for name in val}) == 1
    assert set(group_names(classes, r"cam(\d)").values()) == set("0123")


def test_what_cannot_be_split_is_reported() -> None:
    classes = {"cam1_a": {"x"}, "cam1_b": {"x", "y"}, "cam2_a": {"y"}}
    groups = group_names(classes, "cam.")
    val = draw_val(classes, groups, fraction=0.3, seed=0)
    assert "x (2 videos of 1 group)" in one_sided(classes, groups, val)


def test_faulty_groups_are_refused() -> None:
    with pytest.raises(ValueError, match=r"'cam' is not in 1 of 2 names, such as 'b'"):
        group_names(["cam1", "b"], "cam")
    with pytest.raises(ValueError, match="is no regular expression"):
        group_names(["a"], "(")
    with pytest.raises(ValueError, match="1 videos of one group cannot be both in train and in val"):
        draw_val({"a": {"x"}}, {"a": "a"}, fraction=0.2, seed=0)
