"""The official annotation files have the counts that the benchmarks' papers and pages state."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest

from avdet.datasets.charades import read_charades, read_charades_classes
from avdet.datasets.class_names import read_class_list
from avdet.datasets.epic import participants, read_class_ids, read_epic, read_epic_classes
from avdet.datasets.hmdb51 import read_hmdb51, read_hmdb51_classes
from avdet.datasets.kinetics import read_kinetics, select_classes, subset_classes
from avdet.datasets.ucf101 import read_ucf101, read_ucf101_classes
from tests.shared import SHARED, needs_shared

pytestmark = needs_shared
FILES = SHARED / "data/annotations"
KINETICS, EPIC55, EPIC100 = FILES / "kinetics", FILES / "epic/epic55", FILES / "epic/epic100"


@pytest.mark.parametrize("count", [400, 600, 700])
def test_kinetics_class_lists(count: int) -> None:
    assert len(read_class_list(KINETICS / f"label_map_k{count}.txt")) == count


def test_kinetics_400_val() -> None:
    classes = read_class_list(KINETICS / "label_map_k400.txt")
    segments, faults = read_kinetics(KINETICS / "kinetics-400_val.csv", classes, {})
    assert len(segments) == 19_906 and not faults
    assert segments.ids[0] == "0wR5jVB-WPk_000417_000427" and segments.labels["action"][0] == 0
    assert set(segments.labels["action"]) == set(range(400))


def test_kinetics_sounds_classes() -> None:
    """The list writes underscores; every name is found in the label map, and segments are selected by name."""
    classes = read_class_list(KINETICS / "label_map_k400.txt")
    sounds = subset_classes(KINETICS / "kinetics_sounds_classes_selavi.txt", classes)
    assert len(sounds) == 32 and "playing bass guitar" in sounds.names
    segments, _ = read_kinetics(KINETICS / "kinetics-400_val.csv", classes, {})
    subset = select_classes(segments, classes, sounds)
    expected = sum(",".join(line.split(",")[:1]).strip('"') in sounds.names for line in
                  (KINETICS / "kinetics-400_val.csv").read_text().splitlines())  # fmt: skip
    assert len(subset) == expected > 1500
    assert set(subset.labels["action"]) == set(range(32))


def test_epic_100_validation() -> None:
    classes = {"verb": read_epic_classes(EPIC100 / "EPIC_100_verb_classes.csv"),
               "noun": read_epic_classes(EPIC100 / "EPIC_100_noun_classes.csv")}  # fmt: skip
    assert (len(classes["verb"]), len(classes["noun"])) == (97, 300)
    segments, faults = read_epic(EPIC100 / "EPIC_100_validation.csv", classes)
    assert len(segments) == 9_668 and not faults
    assert segments.ids[1] == "P01_11_1" and (segments.start_s[1], segments.end_s[1]) == (1.56, 2.45)
    unseen = (EPIC100 / "EPIC_100_unseen_participant_ids_validation.csv").read_text().split()[1:]
    assert np.isin(participants(segments), unseen).sum() == 1_065
    assert len(read_class_ids(EPIC100 / "EPIC_100_tail_verbs.csv", ["verb"])) == 86
    assert len(read_class_ids(EPIC100 / "EPIC_100_tail_nouns.csv", ["noun"])) == 228


@pytest.mark.parametrize(("part", "count"), [("s1", 8_047), ("s2", 2_929)])
def test_epic_55_test_sets_have_no_labels(part: str, count: int) -> None:
    classes = {"verb": read_epic_classes(EPIC55 / "EPIC_verb_classes.csv"),
               "noun": read_epic_classes(EPIC55 / "EPIC_noun_classes.csv")}  # fmt: skip
    assert (len(classes["verb"]), len(classes["noun"])) == (125, 352)
    segments, faults = read_epic(EPIC55 / f"EPIC_test_{part}_timestamps.csv", classes)
    assert len(segments) == count and not faults
    assert set(segments.labels["verb"]) == set(segments.labels["noun"]) == {-1}


def test_epic_55_many_shot_classes() -> None:
    assert len(read_class_ids(EPIC55 / "EPIC_many_shot_verbs.csv", ["verb_class"])) == 26
    assert len(read_class_ids(EPIC55 / "EPIC_many_shot_nouns.csv", ["noun_class"])) == 71
    assert (12, 78) in read_class_ids(EPIC55 / "EPIC_many_shot_actions.csv", ["verb_class", "noun_class"])


@pytest.mark.parametrize(("split", "train", "test"), [(1, 9_537, 3_783), (2, 9_586, 3_734), (3, 9_624, 3_696)])
def test_ucf101_splits(split: Literal[1, 2, 3], train: int, test: int) -> None:
    classes = read_ucf101_classes(FILES / "ucf101")
    assert len(classes) == 101
    parts = [read_ucf101(FILES / "ucf101", split, part, classes) for part in ("train", "val")]
    assert [len(part) for part in parts] == [train, test]
    assert not set(parts[0].videos) & set(parts[1].videos)


@pytest.mark.parametrize("split", [1, 2, 3])
def test_hmdb51_splits(split: Literal[1, 2, 3]) -> None:
    classes = read_hmdb51_classes(FILES / "hmdb51", split)
    assert len(classes) == 51
    parts = [read_hmdb51(FILES / "hmdb51", split, part, classes) for part in ("train", "val")]
    assert [len(part) for part in parts] == [3_570, 1_530]
    assert np.bincount(parts[1].labels["action"]).tolist() == [30] * 51


def test_charades_test() -> None:
    classes = read_charades_classes(FILES / "charades/Charades_v1_classes.txt")
    segments, faults = read_charades(FILES / "charades/Charades_v1_test.csv", classes)
    assert (len(classes), len(segments)) == (157, 1_863) and not faults
    first = np.flatnonzero(segments.labels["action"][0])
    assert first.tolist() == [75, 76, 77, 79, 80]
    assert np.flatnonzero(segments.labels_at(0, 5.0, 6.0)["action"]).tolist() == [75]
