"""The numbers of each classification benchmark, from the scores of its clips."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from rich import box
from rich.console import Console
from rich.table import Table

from avdet.datasets.data_settings import CharadesData, ClipData
from avdet.datasets.epic import participants
from avdet.datasets.epic_scores import epic_metrics
from avdet.datasets.keyframes import ClassNames
from avdet.datasets.metrics import Labels, Scores, charades_ap, class_accuracy, ranked, top_k
from avdet.datasets.segments import Segments
from avdet.engine.epic_lists import EpicLists

__all__ = ["Numbers", "score_clips"]


MANY_CLASSES = 30  # more are in results.json alone


@dataclass(frozen=True)
class Numbers:
    """`score`, called `name`, sums them up; None where no clip has a label."""

    name: str
    score: float | None
    content: dict[str, Any]

    def text(self) -> str:
        """Every number that is no list of classes, a line each."""
        table = Table("measure", "value", box=box.SIMPLE)
        for name, value in _flat(self.content):
            table.add_row(name, _shown(value))
        text = io.StringIO()
        Console(file=text, width=100).print(table)
        return "\n".join(line.rstrip() for line in text.getvalue().splitlines() if line.strip())


def score_clips(
    data: ClipData,
    classes: Mapping[str, ClassNames],
    segments: Segments,
    scores: Mapping[str, Scores],
    *,
    listed: Segments,
    epic: EpicLists | None,
) -> Numbers:
    """By the benchmark's own measures. `listed`: the clips that its annotations have, found or not.

    Charades counts those without a prediction as found last, as its own script does; others leave them out.
    """
    counts = {
        "clips": len(segments),
        "expected_clips": len(listed),
        "views": f"{data.test_num_clips} x {data.test_num_crops}",
    }
    if isinstance(data, CharadesData):
        ranks = pd.DataFrame(scores["action"], index=segments.ids).reindex(listed.ids, fill_value=-np.inf)
        numbers = _charades(classes["action"], listed, ranks.to_numpy())
    elif epic is not None:
        numbers = _epic(epic, classes, segments, scores)
    else:
        numbers = _one_class(classes["action"], segments, scores["action"])
    return Numbers(numbers.name, numbers.score, {**numbers.content, **counts, "pooling": data.test_aggregation})


def _one_class(classes: ClassNames, segments: Segments, scores: Scores) -> Numbers:
    labels = segments.labels["action"]
    top1 = top_k(scores, labels, 1)
    content = {"top1": top1, "top5": top_k(scores, labels, 5), "mean_class_accuracy": class_accuracy(scores, labels)}
    return Numbers("top1", top1, {**content, "accuracy": _each_class(classes, labels, scores)})


def _each_class(classes: ClassNames, labels: Labels, scores: Scores) -> dict[str, float | None]:
    """Top-1 of each class's clips; None where it has none."""
    hits = ranked(scores)[:, 0] == labels
    return {
        name: float(hits[labels == i].mean()) if (labels == i).any() else None
        for i, name in enumerate(classes.names)
    }  # fmt: skip


def _charades(classes: ClassNames, segments: Segments, scores: Scores) -> Numbers:
    labels = segments.labels["action"]
    ap = charades_ap(scores, labels)
    mean = None if np.isnan(ap).all() else float(np.nanmean(ap))
    each = {name: None if np.isnan(value) else float(value) for name, value in zip(classes.names, ap, strict=True)}
    content = {"mAP": mean, "classes_averaged": int((~np.isnan(ap)).sum()), "AP": each}
    return Numbers("mAP", mean, {**content, "videos_without_a_class": int((~labels.any(axis=1)).sum())})


def _epic(
    lists: EpicLists, classes: Mapping[str, ClassNames], segments: Segments, scores: Mapping[str, Scores]
) -> Numbers:
    content = epic_metrics(scores, segments.labels, participants(segments), lists.actions, lists.subsets)
    content["accuracy"] = {
        name: _each_class(classes[name], labels, scores[name]) for name, labels in segments.labels.items()
    }  # fmt: skip
    main = "action" if "action" in content["all"] else next(iter(classes))
    return Numbers(f"{main}_top1", content["all"][main]["top1"], content)


def _flat(content: Mapping[str, Any], path: Sequence[str] = ()) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in content.items():
        if isinstance(value, Mapping):
            rows += [] if len(value) > MANY_CLASSES else _flat(value, (*path, name))
        else:
            rows.append((" ".join((*path, name)).replace("_", " "), value))
    return rows


def _shown(value: Any) -> str:  # noqa: ANN401  (whatever JSON holds)
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
