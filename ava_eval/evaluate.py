"""Frame mAP of detections: selects, matches and ranks."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ava_eval.average_precision import Curve, class_curves, mean_ap
from ava_eval.csv_format import DETECTIONS, EXCLUDED, GROUND_TRUTH
from ava_eval.input_diagnosis import diagnose
from ava_eval.label_map import check_label_map
from ava_eval.matching import match_detections, true_positives
from ava_eval.protocols import PROTOCOLS
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
    """Compute frame mAP from tables as the `read_*` functions return them.

    `protocol` is "official", "pyslowfast" or "mmaction2"; each equals its original script to 1e-9 if no scores tie.
    For tied scores see `average_precision.precision_recall_curves`. Raises ValueError for tables that cannot be
    scored.

    >>> result = evaluate(read_ground_truth("val.csv"), read_detections("found.csv"), read_label_map("map.pbtxt"))
    >>> result.mean_ap, result.ap["stand"]
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"protocol is {protocol!r}; choose one of {', '.join(PROTOCOLS)}.")
    check_iou(iou)
    check_label_map(label_map)
    ground_truth = check_table(ground_truth, GROUND_TRUTH)
    detections = check_table(detections, DETECTIONS)
    excluded = None if excluded is None else check_table(excluded, EXCLUDED)
    check_ids(ground_truth, detections, label_map)
    selection = select(PROTOCOLS[protocol], label_map, ground_truth, detections, excluded)
    match = match_detections(selection)
    curves = class_curves(selection, true_positives(selection, match, iou))
    names = selection.class_names
    detection_rows = np.bincount(selection.rows.class_, minlength=len(names)).tolist()
    return Result(
        protocol=protocol,
        iou=iou,
        mean_ap=mean_ap(curves),
        ap={name: None if curve is None else curve.ap for name, curve in zip(names, curves, strict=True)},
        counts=_counts(selection, curves),
        truth_boxes=dict(zip(names, selection.num_positives.tolist(), strict=True)),
        detection_rows=dict(zip(names, detection_rows, strict=True)),
        notes=diagnose(selection, match, curves, iou, ground_truth, excluded),
        selection=selection,
        match=match,
    )


def check_iou(iou: float) -> None:
    """Raise ValueError unless 0 < iou <= 1."""
    if not 0 < iou <= 1:
        raise ValueError(f"iou is {iou}; give a threshold above 0 and up to 1, such as AVA's 0.5.")


def _counts(selection: Selection, curves: list[Curve | None]) -> dict[str, int]:
    is_detected = np.bincount(selection.rows.class_, minlength=len(selection.class_names)) > 0
    has_both = selection.has_truth & selection.has_detections
    return {
        "classes": len(curves),
        "classes_averaged": sum(curve is not None for curve in curves),
        "classes_without_ground_truth": int(np.sum(selection.num_positives == 0)),
        "classes_without_detections": int(np.sum(~is_detected)),
        "keyframes_scored": int(selection.is_scored.sum()),
        "keyframes_with_ground_truth": int(selection.has_truth.sum()),
        "keyframes_with_detections": int(selection.has_detections.sum()),
        "keyframes_with_both": int(has_both.sum()),
        "ground_truth_boxes": int(selection.num_positives.sum()),
        "detections": len(selection.detections),
        "detections_scored": len(selection.rows.row),
        **{f"dropped_{rule}": count for rule, count in selection.dropped.items()},
    }
