"""Frame mAP and video mAP of UCF101-24, JHMDB and MultiSports, as their published codes compute them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from ava_eval.average_precision import Curve, mean_ap_by_order, precision_recall_curves
from ava_eval.evaluate import check_iou
from ava_eval.grouping import first_argmax, stable_argsort
from ava_eval.gttubes import TubeTruth
from ava_eval.input_diagnosis import MAX_TIE_SPREAD, tie_note
from ava_eval.matching import BoxLookup, greedy_true_positives
from ava_eval.ties import TieRule, Ties
from ava_eval.tube_arrays import (
    FRAME_BITS,
    AnyArray,
    FloatArray,
    FrameBoxes,
    IntArray,
    Tubes,
    box_iou,
    suppress,
    tube_iou,
)
from ava_eval.tube_protocols import TUBE_PROTOCOLS, TubeProtocol

AVERAGED_IOUS = tuple(0.5 + 0.05 * step for step in range(10))
VIDEO_IOUS = (0.2, 0.5, 0.75)
AVERAGE = "0.5:0.95"


@dataclass
class Average:
    """mAP and AP by class as fractions of 1; None for a class without AP."""

    mean_ap: float | None
    ap: dict[str, float | None]


@dataclass
class BenchmarkResult:
    """`frame` is None without frame detections, `video` (by IoU) empty without tubes. `counts` are totals."""

    protocol: str
    iou: float
    ties: str
    frame: Average | None
    video: dict[str, Average]
    counts: dict[str, int | float]
    notes: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, object]:
        """As `Result.to_json`, with video mAP as `evaluate_tubes`' in `tubes`; None for what was not scored."""
        return {
            "protocol": self.protocol,
            "iou": self.iou,
            "ties": self.ties,
            "mAP": self.frame.mean_ap if self.frame else None,
            "AP": self.frame.ap if self.frame else None,
            "counts": dict(self.counts),
            "tubes": {iou: {"mAP": average.mean_ap, "AP": average.ap} for iou, average in self.video.items()},
        }


def evaluate_benchmark(
    truth: TubeTruth,
    frames: FrameBoxes | None,
    tubes: Tubes | None,
    *,
    protocol: str,
    iou: float = 0.5,
    ties: Ties = "expected",
) -> BenchmarkResult:
    """Compute frame mAP at `iou`, and video mAP at IoU 0.2, 0.5, 0.75 and the mean of 0.5 to 0.95.

    With `ties` "file", both equal the published code on the same arrays. Otherwise, where equal scores compete for a
    box, the higher IoU gets it.
    """
    check_iou(iou)
    rules = TUBE_PROTOCOLS[protocol]
    counts: dict[str, int | float] = {"classes": len(truth.labels), "videos": len(truth.videos)}
    result = BenchmarkResult(protocol, iou, ties, None, {}, counts)
    if frames is not None:
        match = _match_frames(truth.tubes.frame_boxes(), frames, rules, ties)
        curves = match.curves(iou, truth, rules, ties)
        result.frame = _average(truth, curves, rules)
        counts |= {"ground_truth_boxes": len(truth.tubes.frame), "detections": len(frames.frame)}
        scored = [curve for curve, ap in zip(curves, result.frame.ap.values(), strict=True) if ap is not None]
        by_order = mean_ap_by_order(scored) * sum(curve is not None for curve in scored) / max(len(scored), 1)
        if ties == "expected" and len(by_order):
            low, high = float(np.quantile(by_order, 0.025)), float(np.quantile(by_order, 0.975))
            counts["tie_spread"] = high - low
            result.notes += [tie_note(low, high)] if high - low > MAX_TIE_SPREAD else []
    if tubes is not None:
        match, num_kept = _match_tubes(truth.tubes, tubes, rules, ties)
        averages = {
            threshold: _average(truth, match.curves(threshold, truth, rules, ties), rules)
            for threshold in (*VIDEO_IOUS, *AVERAGED_IOUS)
        }
        result.video = {f"{threshold:g}": averages[threshold] for threshold in VIDEO_IOUS}
        result.video[AVERAGE] = _mean([averages[threshold] for threshold in AVERAGED_IOUS])
        counts |= {"ground_truth_tubes": len(truth.tubes.video), "detection_tubes": len(tubes.video)}
        counts["dropped_overlapping_tubes"] = len(tubes.video) - num_kept
    return result


@dataclass
class _Match:
    """Detections, and the pairs of a detection and a true box or tube of its class with their IoU."""

    class_: IntArray  # (detections,)
    rank: AnyArray  # (detections,) ascending: minus the score, or the place in the file's order
    truth_class: IntArray  # (true boxes,)
    detection: IntArray  # (pairs,)
    truth: IntArray  # (pairs,)
    iou: FloatArray  # (pairs,)

    def curves(self, iou: float, truth: TubeTruth, rules: TubeProtocol, ties: Ties) -> list[Curve | None]:
        """The precision-recall curve of each class, None without ground truth."""
        is_tp = greedy_true_positives(self.detection, self.truth, self.iou, self.rank, iou)
        num_positives = np.bincount(self.truth_class, minlength=len(truth.labels))
        return precision_recall_curves(
            self.class_, -self.rank, is_tp, num_positives, TieRule(ties), trapezoid=rules.trapezoid
        )


def _match_frames(truth: FrameBoxes, found: FrameBoxes, rules: TubeProtocol, ties: Ties) -> _Match:
    if ties != "file":
        found = found.take(np.lexsort((*found.boxes.T, found.frame, found.video)))
    num_classes = int(max(truth.class_.max(initial=0), found.class_.max(initial=0))) + 1
    keys, truth_keys = (
        ((boxes.video << FRAME_BITS) + boxes.frame) * num_classes + boxes.class_ for boxes in (found, truth)
    )
    detection, box, sizes = _pairs(keys, truth_keys)
    iou = box_iou(truth.boxes[box], found.boxes[detection], inclusive=rules.inclusive)
    pairs = _candidates(detection, box, iou, sizes, rules)
    return _Match(found.class_, _rank(found.class_, found.score, ties), truth.class_, *pairs)


def _match_tubes(truth: Tubes, found: Tubes, rules: TubeProtocol, ties: Ties) -> tuple[_Match, int]:
    """The match, and the number of tubes that non-maximum suppression leaves."""
    if ties != "file":
        found = found.take(np.lexsort((*found.boxes[found.start[:-1]].T, found.last, found.first, found.video)))
    if rules.nms_iou is not None:
        found = suppress(found, rules.nms_iou, inclusive=rules.inclusive)
    num_classes = int(max(truth.class_.max(initial=0), found.class_.max(initial=0))) + 1
    keys, truth_keys = (tubes.video * num_classes + tubes.class_ for tubes in (found, truth))
    detection, tube, sizes = _pairs(keys, truth_keys)
    iou = tube_iou(truth, tube, found, detection, inclusive=rules.inclusive)
    pairs = _candidates(detection, tube, iou, sizes, rules)
    return _Match(found.class_, _rank(found.class_, found.score, ties), truth.class_, *pairs), len(found.video)


def _pairs(keys: IntArray, truth_keys: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Detection and true box of all pairs of equal key, and the number of pairs of each detection that has any."""
    index, sizes, box = BoxLookup(truth_keys).find(keys)
    return np.repeat(index, sizes), box, sizes


def _candidates(
    detection: IntArray, truth: IntArray, iou: FloatArray, sizes: IntArray, rules: TubeProtocol
) -> tuple[IntArray, IntArray, FloatArray]:
    """The pairs that the protocol may match: all, or that of the highest IoU of each detection."""
    chosen = slice(None) if rules.takes_free else first_argmax(iou, sizes)
    return detection[chosen], truth[chosen], iou[chosen]


def _rank(class_: IntArray, score: AnyArray, ties: Ties) -> AnyArray:
    """(detections,) ascending ranks: minus the score, or each class's places in numpy's default sort of it."""
    if ties != "file":
        return -score
    rank = np.zeros(len(class_), dtype=np.int64)
    by_class = stable_argsort(class_)
    for rows in np.split(by_class, np.flatnonzero(np.diff(class_[by_class])) + 1):
        rank[rows[np.argsort(-score[rows])]] = np.arange(len(rows))
    return rank


def _average(truth: TubeTruth, curves: Sequence[Curve | None], rules: TubeProtocol) -> Average:
    empty = 0.0 if rules.averages_empty else None
    aps = {label: curve.ap if curve else empty for label, curve in zip(truth.labels, curves, strict=True)}
    return _mean([Average(None, {label: None if label in rules.unscored else ap for label, ap in aps.items()})])


def _mean(averages: Sequence[Average]) -> Average:
    """AP of each class averaged over all thresholds, and their mean over the classes that have an AP."""
    ap: dict[str, float | None] = {}
    for label in averages[0].ap:
        values = [value for average in averages if (value := average.ap[label]) is not None]
        ap[label] = float(np.mean(values)) if values else None
    known = [value for value in ap.values() if value is not None]
    return Average(float(np.mean(known)) if known else None, ap)
