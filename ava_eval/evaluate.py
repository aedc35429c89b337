"""From tables to mAP: select, match, rank."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from ava_eval.csv_format import DETECTIONS, EXCLUDED, GROUND_TRUTH
from ava_eval.keyframe_diagnosis import diagnose
from ava_eval.label_map import check_label_map
from ava_eval.matching import nearest_truth, true_positives
from ava_eval.protocols import PROTOCOLS
from ava_eval.ranking import Curve, curves
from ava_eval.result import Result
from ava_eval.selection import Selection, select
from ava_eval.tables import check_ids, check_table


def evaluate(
    ground_truth: pd.DataFrame,
    detections: pd.DataFrame,
    label_map: Mapping[int, str],
    *,
    excluded: pd.DataFrame | None = None,
    protocol: str = "official",
    iou: float = 0.5,
) -> Result:
    """Frame mAP of detections, with tables as the `read_*` functions give them.

    `protocol` is "official", "pyslowfast" or "mmaction2"; each equals its original to 1e-9 where scores do not
    tie. Tied scores enter the ranking together (`ranking.curves`). Raises ValueError for tables that
    cannot be scored at all.

    >>> result = evaluate(read_ground_truth("val.csv"), read_detections("found.csv"), read_label_map("map.pbtxt"))
    >>> result.mean_ap, result.ap["stand"]
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"protocol is {protocol!r}, not one of {', '.join(PROTOCOLS)}; choose one of them.")
    check_iou(iou)
    check_label_map(label_map)
    ground_truth = check_table(ground_truth, GROUND_TRUTH)
    detections = check_table(detections, DETECTIONS)
    excluded = None if excluded is None else check_table(excluded, EXCLUDED)
    check_ids(ground_truth, detections, label_map)
    selection = select(PROTOCOLS[protocol], label_map, ground_truth, detections, excluded)
    nearest = nearest_truth(selection)
    by_class = class_curves(selection, true_positives(selection, nearest, iou))
    names = selection.class_names
    rows = np.bincount(selection.rows.class_, minlength=len(names)).tolist()
    return Result(
        protocol=protocol,
        iou=iou,
        mean_ap=mean_ap(by_class),
        ap={name: None if curve is None else curve.ap for name, curve in zip(names, by_class, strict=True)},
        counts=_counts(selection, by_class),
        truth_boxes=dict(zip(names, selection.recall_base.tolist(), strict=True)),
        detection_rows=dict(zip(names, rows, strict=True)),
        notes=diagnose(selection, nearest, by_class, iou, ground_truth, excluded),
        selection=selection,
        nearest=nearest,
    )


def check_iou(iou: float) -> None:
    """Raise ValueError for a threshold that is none."""
    if not 0 < iou <= 1:
        raise ValueError(f"iou is {iou}, but a threshold lies above 0 and up to 1; AVA's is 0.5.")


def class_curves(selection: Selection, hit: npt.NDArray[np.bool_]) -> list[Curve | None]:
    """A curve for each class that the protocol averages, None for the others."""
    return curves(selection.rows.class_, selection.ranking_score, hit, selection.averaged_base)


def mean_ap(by_class: list[Curve | None]) -> float | None:
    aps = [curve.ap for curve in by_class if curve is not None]
    return float(np.mean(aps)) if aps else None


def _counts(selection: Selection, by_class: list[Curve | None]) -> dict[str, int]:
    detected = np.bincount(selection.rows.class_, minlength=len(selection.class_names)) > 0
    both = selection.has_truth & selection.has_detections
    return {
        "classes": len(by_class),
        "classes_averaged": sum(curve is not None for curve in by_class),
        "classes_without_ground_truth": int(np.sum(selection.recall_base == 0)),
        "classes_without_detections": int(np.sum(~detected)),
        "keyframes_scored": int(selection.counted.sum()),
        "keyframes_with_ground_truth": int(selection.has_truth.sum()),
        "keyframes_with_detections": int(selection.has_detections.sum()),
        "keyframes_with_both": int(both.sum()),
        "ground_truth_boxes": int(selection.recall_base.sum()),
        "detections": len(selection.detections),
        "detections_scored": len(selection.rows.row),
        **{f"dropped_{rule}": count for rule, count in selection.dropped.items()},
    }
