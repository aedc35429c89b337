"""Class names for checkpoints without names: which list, its ids and its order."""

from __future__ import annotations

import logging

import pytest

from ava_eval.label_map import read_label_map
from avdet.checkpoints.public_class_names import FOLDER, OF_BOXES, OF_CLIPS, public_class_names
from avdet.datasets.charades import read_charades_classes
from avdet.datasets.class_names import read_class_list
from avdet.datasets.hmdb51 import read_hmdb51_classes
from avdet.datasets.ucf101 import read_ucf101_classes
from tests.shared import SHARED, needs_shared

ANNOTATIONS = SHARED / "data" / "annotations"


@pytest.mark.parametrize(
    ("count", "detector", "first", "last", "owner"),
    [
        (80, True, (1, "bend/bow (at the waist)"), (80, "watch (a person)"), "AVA's"),
        (60, None, (1, "bend/bow (at the waist)"), (80, "watch (a person)"), "the 60 that AVA scores"),
        (400, False, (0, "abseiling"), (399, "zumba"), "Kinetics-400's"),
        (600, None, (0, "abseiling"), (599, "zumba"), "Kinetics-600's"),
        (700, False, (0, "abseiling"), (699, "zumba"), "Kinetics-700's"),
        (157, False, (0, "Holding some clothes"), (156, "Someone is eating something"), "Charades'"),
        (174, False, (0, "Approaching something with your camera"), (173, "Wiping something off of something"),
         "Something-Something v2's"),
        (101, False, (0, "ApplyEyeMakeup"), (100, "YoYo"), "UCF101's"),
        (51, False, (0, "brush_hair"), (50, "wave"), "HMDB51's"),
    ],
)  # fmt: skip
def test_the_list_with_as_many_classes_is_taken_and_logged(
    count: int,
    detector: bool | None,
    first: tuple[int, str],
    last: tuple[int, str],
    owner: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    names = public_class_names(count, detector=detector)
    assert len(names) == count == len(set(names.values()))
    assert (min(names), names[min(names)]) == first and (max(names), names[max(names)]) == last
    assert caplog.messages == [f"{count} classes without names: {owner}"]


@pytest.mark.parametrize(("count", "detector", "first"), [(80, False, 0), (400, True, 1), (3, False, 0), (3, None, 1)])
def test_other_numbers_of_classes_keep_placeholders(
    count: int, detector: bool | None, first: int, caplog: pytest.LogCaptureFixture
) -> None:
    """No list of boxes names clips, and none of clips names boxes."""
    caplog.set_level(logging.INFO)
    names = public_class_names(count, detector=detector)
    assert names == {i: f"class {i}" for i in range(first, first + count)} and not caplog.messages


def test_avas_60_classes_have_their_ids_among_the_80() -> None:
    every, scored = (public_class_names(count, detector=True) for count in (80, 60))
    assert scored.items() < every.items()
    assert {2: "crawl", 16: "brush teeth", 71: "kick (a person)"}.items() <= (every.items() - scored.items())


def test_the_order_is_that_of_pyslowfasts_class_names_file() -> None:
    names = public_class_names(400, detector=False)
    published = {
        8: "assembling computer", 46: "carving pumpkin", 58: "clay pottery making", 59: "clean and jerk",
        100: "drinking", 161: "hurling (sport)", 183: "lunge", 208: "passing American football (in game)",
        273: "riding or walking with horse", 290: "sharpening knives", 308: "skiing (not slalom or crosscountry)",
        346: "tai chi", 376: "vault", 395: "wrestling",
    }  # fmt: skip
    assert {i: names[i] for i in published} == published


@needs_shared
def test_the_lists_are_the_benchmarks_own() -> None:
    """So heads are loaded by name into a model of the benchmark."""
    ava, kinetics = ANNOTATIONS / "ava", ANNOTATIONS / "kinetics"
    assert public_class_names(80, detector=True) == read_label_map(ava / "ava_action_list_v2.2.pbtxt")
    for version in ("v2.2_for_activitynet_2019.pbtxt", "v2.1_for_activitynet_2018.pbtxt.txt"):
        assert public_class_names(60, detector=True) == read_label_map(ava / f"ava_action_list_{version}")
    for count in (400, 600, 700):
        listed = read_class_list(kinetics / f"label_map_k{count}.txt").label_map
        assert public_class_names(count, detector=False) == listed
    for count, classes in (
        (157, read_charades_classes(ANNOTATIONS / "charades" / "Charades_v1_classes.txt")),
        (101, read_ucf101_classes(ANNOTATIONS / "ucf101")),
        (51, read_hmdb51_classes(ANNOTATIONS / "hmdb51", 1)),
    ):
        assert public_class_names(count, detector=False) == classes.label_map


def test_every_list_is_used() -> None:
    files = {name for name, _ in (*OF_BOXES.values(), *OF_CLIPS.values())}
    assert {path.name for path in FOLDER.iterdir()} == files
