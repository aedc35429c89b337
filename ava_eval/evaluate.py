"""Frame mAP of detections: selects, matches and ranks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from ava_eval.average_precision import Curve, class_curves, mean_ap_by_order
from ava_eval.csv_format import DETECTIONS, EXCLUDED, GROUND_TRUTH
from ava_eval.input_diagnosis import diagnose
from ava_eval.label_map import check_label_map
from ava_eval.matching import is_matching_open, match_detections, true_positives
from ava_eval.protocols import PROTOCOLS, Protocol
from ava_eval.result import Draw, Result
from ava_eval.selection import Selection, select
from ava_eval.tables import check_ids, check_table
from ava_eval.ties import TieRule, Ties, num_draws, num_orders


def evaluate(
    ground_truth: pd.DataFrame,
    detections: pd.DataFrame,
    label_map: Mapping[int, str],
    *,
    excluded: pd.DataFrame | None = None,
    protocol: str = "official",
    iou: float = 0.5,
    ties: Ties = "expected",
) -> Result:
    """Compute frame mAP from tables as the `read_*` functions return them.

    `protocol` is "official", "pyslowfast" or "mmaction2"; each equals its original script to 1e-9 if the order of the
    rows does not matter there, and always with `ties` "file". Else it is the expected value over the orders of tied
    detections, the "worst" or the "best"; see `ties.TieRule`. Raises ValueError for tables that cannot be scored.

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
    draws = _draws(PROTOCOLS[protocol], label_map, ground_truth, detections, excluded, TieRule(ties))
    curves = [class_curves(draw.selection, true_positives(draw.selection, draw.match, iou)) for draw in draws]
    selection = draws[0].selection
    names = selection.class_names
    ap = {name: _mean_ap([one[index] for one in curves]) for index, name in enumerate(names)}
    by_order = np.concatenate([mean_ap_by_order(one) for one in curves])
    tie_range = None
    if ties == "expected" and len(by_order):
        tie_range = float(np.quantile(by_order, 0.025)), float(np.quantile(by_order, 0.975))
    detection_rows = np.bincount(selection.rows.class_, minlength=len(names)).tolist()
    return Result(
        protocol=protocol,
        iou=iou,
        ties=ties,
        mean_ap=float(np.mean([value for value in ap.values() if value is not None])) if len(by_order) else None,
        ap=ap,
        counts=_counts(selection, curves[0], tie_range),
        truth_boxes=dict(zip(names, selection.num_positives.tolist(), strict=True)),
        detection_rows=dict(zip(names, detection_rows, strict=True)),
        tie_range=tie_range,
        notes=diagnose(selection, draws[0].match, curves[0], iou, ground_truth, excluded, tie_range),
        draws=draws,
    )


def _draws(
    protocol: Protocol,
    label_map: Mapping[int, str],
    ground_truth: pd.DataFrame,
    detections: pd.DataFrame,
    excluded: pd.DataFrame | None,
    ties: TieRule,
) -> list[Draw]:
    """One draw, or several where ties leave open which rows count or match."""
    selection = select(protocol, label_map, ground_truth, detections, excluded, ties)
    match = match_detections(selection)
    num_rows = len(selection.rows.row)
    draws, orders = 1, num_orders(num_rows)
    if selection.is_limit_tied or is_matching_open(selection, match):
        draws = num_draws(num_rows, reselects=selection.is_limit_tied)
        orders = -(-orders // draws)
    selection.ties = replace(ties, draws=draws, orders=orders)
    found = [Draw(selection, match)]
    for draw in range(1, draws):
        rule = replace(ties, draw=draw, draws=draws, orders=orders)
        if selection.is_limit_tied:
            other = select(protocol, label_map, ground_truth, detections, excluded, rule)
            found.append(Draw(other, match_detections(other)))
        else:
            found.append(Draw(replace(selection, ties=rule), match))
    return found


def _mean_ap(curves: list[Curve | None]) -> float | None:
    """Mean AP of one class over the draws."""
    known = [curve.ap for curve in curves if curve is not None]
    return float(np.mean(known)) if known else None


def check_iou(iou: float) -> None:
    """Raise ValueError unless 0 < iou <= 1."""
    if not 0 < iou <= 1:
        raise ValueError(f"iou is {iou}; give a threshold above 0 and up to 1, such as AVA's 0.5.")


def _counts(
    selection: Selection, curves: list[Curve | None], tie_range: tuple[float, float] | None
) -> dict[str, int | float]:
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
        **({} if tie_range is None else {"tie_spread": tie_range[1] - tie_range[0]}),
    }
