"""Sentences for a number that surprises: what is odd in the files, and what to look at next."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from ava_eval.csv_format import BOX_COLUMNS
from ava_eval.iou import paired_iou
from ava_eval.matching import Nearest
from ava_eval.ranking import Curve
from ava_eval.selection import Selection
from ava_eval.timeline import about_keyframes

FloatArray = npt.NDArray[np.float64]
PIXEL_THRESHOLD = 2.0  # fractions of the picture stay near 0..1, even for boxes that leave it
_CLEARLY_BETTER = 0.2  # of mean IoU
_BOXES_LOOKED_AT = 10_000


def diagnose(
    selection: Selection,
    nearest: Nearest,
    by_class: list[Curve | None],
    iou: float,
    ground_truth: pd.DataFrame,
    excluded: pd.DataFrame | None,
) -> list[str]:
    """Sentences, the gravest first; none for an ordinary evaluation."""
    return [
        *_about_emptiness(selection, by_class),
        *filter(None, [about_keyframes(selection)]),
        *_about_boxes(selection, nearest, iou),
        *_about_scores(selection),
        *_about_repeats(selection, nearest),
        *_about_ground_truth(selection, ground_truth),
        *_about_excluded(selection, excluded),
        *_about_undetected(selection),
    ]


def _about_emptiness(selection: Selection, by_class: list[Curve | None]) -> Iterator[str]:
    if len(selection.detections) == 0:
        yield "There are no detections: the file holds no row with a box."
    if len(selection.truth.row) == 0:
        yield "There is no ground truth to score against: no box of a class in the label map is left."
    elif all(curve is None for curve in by_class):
        yield "mAP is not defined: no class has both ground truth and a detection on its keyframes."


def _about_boxes(selection: Selection, nearest: Nearest, iou: float) -> Iterator[str]:
    truth, rows = selection.truth, selection.rows
    if len(truth.row) == 0 or len(rows.row) == 0:
        return
    largest_truth = float(truth.boxes.max())
    largest = max(float(selection.detections[name].max()) for name in BOX_COLUMNS)
    if (largest > PIXEL_THRESHOLD) != (largest_truth > PIXEL_THRESHOLD):
        which = "detections" if largest > largest_truth else "ground truth"
        yield (
            f"Boxes of the {which} are in pixels, it seems: they reach {max(largest, largest_truth):g}, the others"
            f" {min(largest, largest_truth):g}; divide x by the picture's width and y by its height."
        )
    elif len(nearest.iou):
        best = nearest.iou.max()
        if best < iou:
            yield f"No detection overlaps ground truth of its class by {iou:g} or more: the best IoU is {best:.3f}."
        yield from _other_reading(selection, nearest)
    else:
        yield "No detection shares its keyframe with ground truth of its class: are the action ids the label map's?"


def _other_reading(selection: Selection, nearest: Nearest) -> Iterator[str]:
    """A hint if the boxes would fit far better, were they written in another order."""
    some = slice(None, None, 1 + len(nearest.place) // _BOXES_LOOKED_AT)
    boxes, truth = selection.boxes_of(nearest.place[some]), selection.truth.boxes[nearest.truth[some]]
    now = nearest.iou[some].mean()
    x, y, width, height = boxes.T
    readings = {
        "y1,x1,y2,x2": np.stack([y, x, height, width], axis=1),
        "x,y,width,height": np.stack([x, y, x + width, y + height], axis=1),
    }
    for name, other in readings.items():
        better = paired_iou(other, truth).mean()
        if better > now + _CLEARLY_BETTER:
            yield (
                f"Read as {name}, the detections' boxes would overlap ground truth by {better:.2f} on average, and not"
                f" by {now:.2f}: is that how they are written?"
            )


def _about_scores(selection: Selection) -> Iterator[str]:
    score = selection.detections["score"].to_numpy()
    if len(score) < 2:
        return
    if np.all(score == score[0]):
        yield f"All scores are {score[0]:g}, so nothing ranks the detections: is the score column the right one?"
    elif score.max() > 1 and np.all(score == np.rint(score)):
        yield f"All scores are whole numbers, up to {score.max():g}: does the score column hold person ids?"


def _about_repeats(selection: Selection, nearest: Nearest) -> Iterator[str]:
    """Rows alike overlap the same box alike, which is seen at once; only then are all rows compared."""
    near = nearest.iou > 0
    if not pd.DataFrame({"truth": nearest.truth[near], "iou": nearest.iou[near]}).duplicated().any():
        return
    rows = selection.rows
    boxes = pd.DataFrame(selection.boxes_of(np.arange(len(rows.row))), columns=list(BOX_COLUMNS))
    repeated = int(boxes.assign(keyframe=rows.keyframe, class_=rows.class_).duplicated().sum())
    if repeated:
        yield (
            f"{repeated:,} of {len(rows.row):,} detections repeat the video, time, box and class of another row; only"
            " one of equals can hit, so the others are false alarms: was a file joined with itself?"
        )


def _about_ground_truth(selection: Selection, ground_truth: pd.DataFrame) -> Iterator[str]:
    kept = ground_truth.iloc[selection.truth.row]
    repeated = int(kept.duplicated(["video", "timestamp", *BOX_COLUMNS, "action_id"]).sum())
    if repeated:
        yield (
            f"{repeated:,} ground-truth rows repeat the box and class of another row; they count as boxes that"
            " nothing can find, as in the originals, so AP stays below 1."
        )


def _about_excluded(selection: Selection, excluded: pd.DataFrame | None) -> Iterator[str]:
    if excluded is None:
        return
    name, dropped = selection.protocol.name, selection.dropped
    if not selection.protocol.reads_excluded:
        yield f"The {name} protocol reads no excluded timestamps, so they change no mAP: its ground truth lacks them."
    elif len(excluded) and not dropped["truth_excluded"] and not dropped["excluded_keyframe"]:
        yield f"None of the {len(excluded):,} excluded keyframes is in the ground truth or the detections."
    elif selection.protocol.counts_excluded_ground_truth and dropped["truth_excluded"]:
        yield (
            f"{dropped['truth_excluded']:,} ground-truth boxes on excluded keyframes still count in recall,"
            f" as in {selection.protocol.source}."
        )


def _about_undetected(selection: Selection) -> Iterator[str]:
    detected = np.bincount(selection.rows.class_, minlength=len(selection.class_names)) > 0
    left_out = (selection.recall_base > 0) & ~detected
    if selection.protocol.averages_undetected or not left_out.any():
        return
    names = [name for name, out in zip(selection.class_names, left_out, strict=True) if out]
    yield (
        f"{len(names)} classes with ground truth but no detection are left out of the mean, as in"
        f" {selection.protocol.source}: {', '.join(names)}."
    )
