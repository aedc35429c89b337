"""The published evaluation protocols for tubes, and every rule in which they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class TubeProtocol:
    """The rules of one published evaluation code."""

    name: str
    source: str
    inclusive: bool  # the last pixel and the last frame count: width x2 - x1 + 1, duration last - first + 1
    takes_free: bool  # a detection gets the free box of highest IoU; otherwise that of highest IoU, free or not
    nms_iou: float | None  # a tube is dropped if its IoU with a better one of its video and class exceeds this
    trapezoid: bool  # AP is the area under the straight lines between precisions; otherwise under their envelope
    averages_empty: bool  # a class without ground truth has AP 0; otherwise it has no AP
    unscored: frozenset[str]  # classes without AP


ACT, MULTISPORTS = "act", "multisports"
TUBE_PROTOCOLS = {
    ACT: TubeProtocol(
        ACT,
        "ACT.py of ACT and MOC",
        inclusive=True,
        takes_free=True,
        nms_iou=0.3,
        trapezoid=True,
        averages_empty=True,
        unscored=frozenset(),
    ),
    MULTISPORTS: TubeProtocol(
        MULTISPORTS,
        "MultiSports' evaluate_multisports.py",
        inclusive=False,
        takes_free=False,
        nms_iou=None,
        trapezoid=False,
        averages_empty=False,
        unscored=frozenset(
            {
                "aerobic kick jump",
                "aerobic off axis jump",
                "aerobic butterfly jump",
                "aerobic balance turn",
                "basketball save",
                "basketball jump ball",
            }
        ),
    ),
}


def default_protocol(labels: Sequence[str]) -> str:
    """`multisports` if its unscored classes are among the labels, otherwise `act`."""
    return MULTISPORTS if TUBE_PROTOCOLS[MULTISPORTS].unscored <= set(labels) else ACT
