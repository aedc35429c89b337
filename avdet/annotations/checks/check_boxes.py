"""Checks boxes: those of labelled persons, and those of a person detector."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ava_eval import BOX_COLUMNS
from ava_eval.csv_format import PIXEL_THRESHOLD
from avdet.annotations.checks import Finding, Level, counted
from avdet.boxes import iou_xyxy
from avdet.data.keyframes import KeyframeTable, detected_keyframes

__all__ = ["check_boxes", "check_person_boxes", "check_person_ids", "check_training_boxes"]

MIN_SIDE = 1e-3


def check_boxes(about: str, table: pd.DataFrame) -> Iterator[Finding]:
    """Finds boxes in pixels, outside the frame or without area."""
    boxes = table[BOX_COLUMNS].dropna().to_numpy()
    if not len(boxes):
        return
    sides = np.minimum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    outside = np.abs(boxes - 0.5).max(axis=1) > 0.5 + MIN_SIDE
    if boxes.max() > PIXEL_THRESHOLD:
        yield Finding(
            "error",
            about,
            f"coordinates go up to {boxes.max():g} and seem to be pixels; boxes must be normalised: divide x by the "
            "frame's width and y by its height",
        )
    elif outside.any():
        yield Finding(
            "warning",
            about,
            f"{counted(int(outside.sum()), 'box')} of {len(boxes):,} exceed the frame; clip them to 0..1",
        )
    if (sides < MIN_SIDE).any():
        yield Finding("warning", about, f"{counted(int((sides < MIN_SIDE).sum()), 'empty box')}; remove or correct")


def check_person_ids(split: str, table: pd.DataFrame) -> Iterator[Finding]:
    """Finds persons with several boxes at the same time."""
    known = table[table["person_id"] >= 0].drop_duplicates(["video", "timestamp", *BOX_COLUMNS, "person_id"])
    repeated = known[known.duplicated(["video", "timestamp", "person_id"])]
    if len(repeated):
        first = repeated.iloc[0]
        where = f"{first['video']} at {first['timestamp']:g} s, person {first['person_id']:.0f}"
        yield Finding(
            "warning",
            split,
            f"{counted(len(repeated), 'box')} of persons with another box at the same time; first: {where}",
        )


def check_person_boxes(truth: KeyframeTable, boxes: pd.DataFrame, min_score: float) -> Iterator[Finding]:
    """Counts the detected persons above the threshold and measures their recall of the labelled ones."""
    found = detected_keyframes(truth, boxes, min_score=min_score)
    are_labelled = {tuple(row) for row in truth.people.boxes.tolist()}
    detected = {tuple(row) for row in found.people.boxes.tolist()}
    if detected and detected <= are_labelled:
        message = "these are the labelled boxes themselves, so mAP is that of perfect person detection"
        yield Finding("fact", "val boxes", message)
    elif len(boxes) and (boxes["score"] == 1).all():
        yield Finding(
            "warning",
            "val boxes",
            "every score is 1, so the threshold keeps all boxes; check that the file has a score column",
        )
    if not len(found.people):
        yield Finding(
            "error", "val boxes", f"no box on an annotated keyframe has score >= {min_score:g}; {_reason(truth, boxes)}"
        )
        return
    recall = _recall(truth, found)
    recalls = ", ".join(f"{value:.1%} at IoU {iou}" for iou, value in recall.items())
    level: Level = "warning" if recall[0.5] < 0.5 else "fact"
    yield Finding(
        level,
        "val boxes",
        f"{len(found.people) / len(truth):.2f} boxes per keyframe at score >= {min_score:g}; recall of labelled "
        f"persons: {recalls}",
    )


def check_training_boxes(truth: KeyframeTable, boxes: pd.DataFrame, min_score: float) -> Iterator[Finding]:
    """Counts the detected boxes that become training samples because they overlap a labelled person."""
    if not len(truth):
        return
    added = len(truth.with_detected(boxes, min_score=min_score, negatives=False).people) - len(truth.people)
    if added:
        message = f"{added:,} of {counted(len(boxes), 'box')} overlap a labelled person enough to be trained on"
        yield Finding("fact", "train boxes", message)
    else:
        reason = _mismatch(truth, boxes) or "check that they show the same persons"
        message = f"no box overlaps a labelled person enough to be trained on; {reason}"
        yield Finding("warning", "train boxes", message)


def _reason(truth: KeyframeTable, boxes: pd.DataFrame) -> str:
    return _mismatch(truth, boxes) or f"the highest score is {boxes['score'].max():.2f}; lower data.min_box_score"


def _mismatch(truth: KeyframeTable, boxes: pd.DataFrame) -> str | None:
    """The reason if no box is on any keyframe, else None."""
    if not len(boxes):
        return "the file is empty"
    if not set(boxes["video"]) & set(truth.videos):
        return f"its videos ({boxes['video'].iloc[0]}, ...) differ from the table's ({truth.videos[0]}, ...)"
    if not len(detected_keyframes(truth, boxes, min_score=-np.inf).people):
        return f"its times ({boxes['timestamp'].iloc[0]:g}, ...) differ from the table's ({truth.times_s[0]:g}, ...)"
    return None


def _recall(truth: KeyframeTable, found: KeyframeTable) -> dict[float, float]:
    """Fraction of labelled persons that a detected box overlaps, by IoU threshold."""
    best = []
    for k in range(len(truth)):
        people, boxes = truth[k].people.boxes, found[k].people.boxes
        if len(people):
            best.append(iou_xyxy(people, boxes).max(dim=1).values.numpy() if len(boxes) else np.zeros(len(people)))
    overlaps = np.concatenate(best) if best else np.zeros(1)
    return {iou: float((overlaps >= iou).mean()) for iou in (0.5, 0.9)}
