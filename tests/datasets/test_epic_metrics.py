from __future__ import annotations

import json

import numpy as np
import pytest

from avdet.datasets.epic_metrics import EpicActions, EpicSubsets, epic_metrics, epic_submission

VERBS = np.array([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7]])
NOUNS = np.array([[0.2, 0.3, 0.5], [0.1, 0.8, 0.1], [0.5, 0.4, 0.1]])
LABELS = {"verb": np.array([0, 1, 1]), "noun": np.array([2, 1, 1])}
PARTICIPANTS = np.array(["P01", "P18", "P18"], object)
TRAINED = EpicActions.occurring(np.array([0, 1, 0, 1, -1]), np.array([2, 1, 2, 0, 1]))  # (0, 2), (1, 0), (1, 1)


def test_actions_are_the_pairs_in_the_training_set() -> None:
    assert TRAINED.pairs.tolist() == [[0, 2], [1, 0], [1, 1]]
    assert TRAINED.scores(VERBS, NOUNS) == pytest.approx(
        np.array([[0.45, 0.02, 0.03], [0.06, 0.04, 0.32], [0.03, 0.35, 0.28]])
    )
    assert TRAINED.labels(np.array([0, 1, 0]), np.array([2, 1, 0])).tolist() == [0, 2, -1]


def test_metrics_by_hand() -> None:
    """Correct in clips 0 to 2: verbs yes, no, yes; nouns yes, yes, no (0.5 for noun 0); actions yes, yes, no."""
    subsets = EpicSubsets(
        unseen=["P18"],
        tail={"verb": [1], "noun": [2]},
        many_shot={"verb": [0, 1], "noun": [1], "action": [(1, 1), (5, 5)]},
    )
    found = epic_metrics({"verb": VERBS, "noun": NOUNS}, LABELS, PARTICIPANTS, TRAINED, subsets)
    assert [found["all"][name]["top1"] for name in ("verb", "noun", "action")] == pytest.approx([2 / 3, 2 / 3, 2 / 3])
    assert [found["all"][name]["top5"] for name in ("verb", "noun", "action")] == [1, 1, 1]
    assert [found["unseen"][name]["top1"] for name in ("verb", "noun", "action")] == [0.5, 0.5, 0.5]
    assert found["seen"]["action"] == {"clips": 1, "top1": 1.0, "top5": 1.0}
    # the tail: verb 1 in clips 1 and 2, noun 2 in clip 0, actions in all three
    assert [found["tail"][name]["clips"] for name in ("verb", "noun", "action")] == [2, 1, 3]
    assert [found["tail"][name]["top1"] for name in ("verb", "noun", "action")] == pytest.approx([0.5, 1, 2 / 3])
    # verbs: precision 1/2 of verb 0 and 1/1 of verb 1; recall 1/1 and 1/2
    assert found["many_shot"]["verb"] == {"precision": 0.75, "recall": 0.75}
    assert found["many_shot"]["noun"] == {"precision": 1.0, "recall": 0.5}
    assert found["many_shot"]["action"] == {"precision": 1.0, "recall": 0.5, "not_in_training": 1}


def test_tail_classes_of_verbs_alone() -> None:
    found = epic_metrics({"verb": VERBS, "noun": NOUNS}, LABELS, PARTICIPANTS, TRAINED, EpicSubsets(tail={"verb": [1]}))
    assert [found["tail"][name]["clips"] for name in ("verb", "action")] == [2, 2] and "noun" not in found["tail"]


def test_a_model_of_verbs_alone_has_no_actions() -> None:
    found = epic_metrics(
        {"verb": VERBS}, {"verb": LABELS["verb"]}, PARTICIPANTS, TRAINED, EpicSubsets(tail={"verb": [1]})
    )
    assert set(found["all"]) == set(found["tail"]) == {"verb"}


def test_an_action_that_is_not_in_training_is_never_correct() -> None:
    labels = {"verb": np.array([0]), "noun": np.array([0])}
    found = epic_metrics({"verb": VERBS[:1], "noun": NOUNS[:1]}, labels, PARTICIPANTS[:1], TRAINED, EpicSubsets())
    assert found["all"]["action"] == {"clips": 1, "top1": 0.0, "top5": 0.0, "not_in_training": 1}


def test_a_clip_without_a_noun_is_scored_by_its_verb() -> None:
    """Correct nouns of the two labelled clips: yes, no; actions likewise."""
    labels = {**LABELS, "noun": np.array([2, -1, 1])}
    subsets = EpicSubsets(unseen=["P18"], tail={"verb": [1]}, many_shot={"noun": [1]})
    found = epic_metrics({"verb": VERBS, "noun": NOUNS}, labels, PARTICIPANTS, TRAINED, subsets)
    assert [found["all"][name]["clips"] for name in ("verb", "noun", "action")] == [3, 2, 2]
    assert [found["all"][name]["top1"] for name in ("verb", "noun", "action")] == pytest.approx([2 / 3, 0.5, 0.5])
    assert [found["unseen"][name]["clips"] for name in ("verb", "noun", "action")] == [2, 1, 1]
    assert [found["tail"][name]["clips"] for name in ("verb", "action")] == [2, 1]
    assert found["many_shot"]["noun"] == {"precision": 0.0, "recall": 0.0}


@pytest.mark.parametrize("version", ["0.1", "0.2"])
def test_the_submission_holds_every_class_by_its_id(version: str) -> None:
    ids = {"verb": [0, 3], "noun": [1, 2, 9]}
    content = epic_submission(["P01_11_0", "b", "c"], {"verb": VERBS, "noun": NOUNS}, ids, TRAINED, version=version)
    assert json.loads(json.dumps(content)) == content
    first = content["results"]["P01_11_0"]
    assert first["verb"] == {"0": 0.9, "3": 0.1} and first["noun"] == {"1": 0.2, "2": 0.3, "9": 0.5}
    assert list(first["action"]) == ["0,9", "3,2", "3,1"] and first["action"]["0,9"] == pytest.approx(0.45)
    assert content["version"] == version and content["challenge"] == "action_recognition"
    assert ("sls_pt" in content) == (version == "0.2")
