"""EPIC-Kitchens: actions from verbs and nouns, metrics of all clips and of subsets, and the challenge's submission."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from avdet.datasets.metrics import Labels, Scores, precision_and_recall, top_k

__all__ = ["EpicActions", "EpicSubsets", "epic_metrics", "epic_submission"]

SUBMITTED_ACTIONS = 100
SUPERVISION = 5  # levels 0 to 5 of pre-training, labels and data; the highest


@dataclass(frozen=True)
class EpicSubsets:
    """Participants and class indices that are scored apart; None if the benchmark has no such list."""

    unseen: Collection[str] | None = None
    tail: Mapping[str, Collection[int]] | None = None  # by "verb", "noun"
    many_shot: Mapping[str, Collection[Any]] | None = None  # by "verb", "noun", "action" (pairs)


@dataclass(frozen=True)
class EpicActions:
    """The pairs (verb, noun) that occur in training, as rows of class indices (A, 2)."""

    pairs: Labels

    @classmethod
    def occurring(cls, verbs: Labels, nouns: Labels) -> EpicActions:
        known = (verbs >= 0) & (nouns >= 0)
        return cls(np.unique(np.stack([verbs[known], nouns[known]], axis=1), axis=0))

    def scores(self, verbs: Scores, nouns: Scores) -> Scores:
        """(N, A): the product of the verb's and the noun's score."""
        product: Scores = verbs[:, self.pairs[:, 0]] * nouns[:, self.pairs[:, 1]]
        return product

    def labels(self, verbs: Labels, nouns: Labels) -> Labels:
        """(N,) indices of pairs; -1 for a pair that does not occur in training and counts as wrong."""
        index = {(int(verb), int(noun)): i for i, (verb, noun) in enumerate(self.pairs)}
        return np.array([index.get((int(v), int(n)), -1) for v, n in zip(verbs, nouns, strict=True)], np.int64)


def epic_metrics(
    scores: Mapping[str, Scores],
    labels: Mapping[str, Labels],
    participants: NDArray[np.object_],
    actions: EpicActions,
    subsets: EpicSubsets,
) -> dict[str, Any]:
    """Top-1 and top-5 of verbs, nouns and, if both are predicted, actions; of all clips and of each subset.

    A clip belongs to the tail's actions if its verb or its noun is in the tail, as in the challenge. Labels of -1 are
    unknown and not scored.
    """
    scores, labels = dict(scores), dict(labels)
    known = {name: column >= 0 for name, column in labels.items()}
    if {"verb", "noun"} <= scores.keys():
        scores["action"] = actions.scores(scores["verb"], scores["noun"])
        labels["action"] = actions.labels(labels["verb"], labels["noun"])
        known["action"] = known["verb"] & known["noun"]
    metrics: dict[str, Any] = {"all": _accuracy(scores, labels, known, (1, 5))}
    if "action" in labels:
        metrics["all"]["action"]["not_in_training"] = int((known["action"] & (labels["action"] < 0)).sum())
    if subsets.unseen is not None:
        unseen = np.isin(participants.astype(str), list(subsets.unseen))
        for name, subset in (("unseen", unseen), ("seen", ~unseen)):
            metrics[name] = _accuracy(scores, labels, {kind: rows & subset for kind, rows in known.items()}, (1, 5))
    if subsets.tail is not None:
        rows = {name: np.isin(labels[name], list(rare)) for name, rare in subsets.tail.items() if name in labels}
        if "action" in scores and rows:
            rows["action"] = np.logical_or.reduce(list(rows.values())) & known["action"]
        metrics["tail"] = _accuracy(scores, labels, rows, (1,))
    if subsets.many_shot is not None:
        known_scores = {name: column[known[name]] for name, column in scores.items()}
        known_labels = {name: column[known[name]] for name, column in labels.items()}
        metrics["many_shot"] = _many_shot(known_scores, known_labels, actions, subsets.many_shot)
    return metrics


def _accuracy(
    scores: Mapping[str, Scores],
    labels: Mapping[str, Labels],
    rows: Mapping[str, NDArray[np.bool_]],
    ks: Sequence[int],
) -> dict[str, Any]:
    return {
        name: {"clips": int(keep.sum())} | {f"top{k}": top_k(scores[name][keep], labels[name][keep], k) for k in ks}
        for name, keep in rows.items()
    }


def _many_shot(
    scores: Mapping[str, Scores],
    labels: Mapping[str, Labels],
    actions: EpicActions,
    many: Mapping[str, Collection[Any]],
) -> dict[str, Any]:
    metrics = {}
    for name in scores.keys() & many.keys():
        classes = many[name]
        if name == "action":
            pairs = np.array(sorted(classes), np.int64).reshape(-1, 2)
            classes = [int(i) for i in actions.labels(pairs[:, 0], pairs[:, 1]) if i >= 0]
        precision, recall = precision_and_recall(scores[name], labels[name], classes)
        metrics[name] = {"precision": precision, "recall": recall}
        if name == "action":
            metrics[name]["not_in_training"] = len(many[name]) - len(classes)
    return dict(sorted(metrics.items(), key=lambda item: ("verb", "noun", "action").index(item[0])))


def epic_submission(
    ids: Sequence[str],
    scores: Mapping[str, Scores],
    class_ids: Mapping[str, Sequence[int]],
    actions: EpicActions,
    *,
    version: str,
) -> dict[str, Any]:
    """The action recognition challenge's JSON: scores of every verb and noun, and of the 100 best actions.

    version: "0.1" is EPIC-Kitchens-55's format, "0.2" that of -100, which adds the supervision levels.
    """
    products = actions.scores(scores["verb"], scores["noun"])
    results: dict[str, Any] = {}
    for row, clip in enumerate(ids):
        best = np.argsort(-products[row], kind="stable")[:SUBMITTED_ACTIONS]
        results[str(clip)] = {
            name: {str(i): float(score) for i, score in zip(class_ids[name], scores[name][row], strict=True)}
            for name in ("verb", "noun")
        } | {"action": {_pair_name(actions.pairs[i], class_ids): float(products[row, i]) for i in best}}
    header: dict[str, Any] = {"version": version, "challenge": "action_recognition"}
    if version != "0.1":
        header |= dict.fromkeys(("sls_pt", "sls_tl", "sls_td"), SUPERVISION)
    return header | {"results": results}


def _pair_name(pair: Labels, class_ids: Mapping[str, Sequence[int]]) -> str:
    return f"{class_ids['verb'][pair[0]]},{class_ids['noun'][pair[1]]}"
