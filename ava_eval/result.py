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
    """AP of each class with its counts, as lines of text; `-` where a class has no AP."""
    width = max(len(name) for name in ("class", "mean", *result.ap))
    lines = [f"{'class':<{width}}      AP   boxes  detections"]
    for name, ap in result.ap.items():
        lines.append(
            f"{name:<{width}}  {percent(ap)}  {result.truth_boxes[name]:6d}  {result.detection_rows[name]:10d}"
        )
    boxes, rows = sum(result.truth_boxes.values()), sum(result.detection_rows.values())
    lines.append(f"{'mean':<{width}}  {percent(result.mean_ap)}  {boxes:6d}  {rows:10d}")
    return "\n".join(lines)


def percent(value: float | None) -> str:
    """Six characters: 34.25 for 0.3425, `-` for None."""
    return f"{'-':>6}" if value is None else f"{100 * value:6.2f}"
