"""What an evaluation found: numbers by class, counts, and sentences about anything odd."""

from __future__ import annotations

from dataclasses import dataclass, field

from ava_eval.matching import Nearest
from ava_eval.selection import Selection


@dataclass
class Result:
    """Frame AP as fractions of 1. `ap` is None for a class the protocol leaves out of the mean.

    `selection` and `nearest` are what the breakdowns of this package start from.
    """

    protocol: str
    iou: float
    mean_ap: float | None
    ap: dict[str, float | None]
    counts: dict[str, int]
    truth_boxes: dict[str, int]
    detection_rows: dict[str, int]
    notes: list[str]
    selection: Selection = field(repr=False)
    nearest: Nearest = field(repr=False)

    def to_json(self) -> dict[str, object]:
        """`{"protocol", "iou", "mAP", "AP": {class name: number or None}, "counts"}`."""
        return {
            "protocol": self.protocol,
            "iou": self.iou,
            "mAP": self.mean_ap,
            "AP": dict(self.ap),
            "counts": dict(self.counts),
        }


def table(result: Result) -> str:
    """AP of each class with its counts and the means, as lines of text; `-` where a class has no AP."""
    boxes, rows = sum(result.truth_boxes.values()), sum(result.detection_rows.values())
    lines = [(name, ap, result.truth_boxes[name], result.detection_rows[name]) for name, ap in result.ap.items()]
    lines.append(("mean", result.mean_ap, boxes, rows))
    width = max(len(name) for name, *_ in lines)
    head = f"{'class':<{width}}      AP    boxes  detections"
    return "\n".join([head, *(f"{name:<{width}}  {percent(ap)}  {b:7d}  {r:10d}" for name, ap, b, r in lines)])


def percent(value: float | None) -> str:
    """Six characters: 34.25 for 0.3425, `-` for None."""
    return f"{'-':>6}" if value is None else f"{100 * value:6.2f}"
