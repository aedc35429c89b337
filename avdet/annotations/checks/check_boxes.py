"""Boxes: of people in the tables, and those a detector proposes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ava_eval import BOX_COLUMNS
from ava_eval.csv_format import PIXEL_THRESHOLD
from avdet.annotations.checks.finding import Finding, Level, counted
from avdet.boxes import iou_xyxy
from avdet.datasets.keyframes import KeyframeTable, detected_keyframes

__all__ = ["about_boxes", "about_persons", "about_proposals", "about_training_boxes"]

SMALLEST_SIDE = 1e-3


def about_boxes(about: str, table: pd.DataFrame) -> Iterator[Finding]:
    """Are the boxes shares of the frame, and boxes at all?"""
    boxes = table[BOX_COLUMNS].dropna().to_numpy()
    if not len(boxes):
        return
    sides = np.minimum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    outside = np.abs(boxes - 0.5).max(axis=1) > 0.5 + SMALLEST_SIDE
    if boxes.max() > PIXEL_THRESHOLD:
        yield Finding(
            "error",
            about,
            f"boxes reach {boxes.max():g} and seem to be pixels; they are shares of the frame: divide x by its width "
            "and y by its height",
        )
    elif outside.any():
        yield Finding(
            "warning", about, f"{counted(int(outside.sum()), 'box')} of {len(boxes):,} outside the frame; clip to 0..1"
        )
    if (sides < SMALLEST_SIDE).any():
        yield Finding(
            "warning", about, f"{counted(int((sides < SMALLEST_SIDE).sum()), 'empty box')}; remove or correct"
        )


def about_persons(split: str, table: pd.DataFrame) -> Iterator[Finding]:
    """Is each person in one place at a time?"""
    known = table[table["person_id"] >= 0].drop_duplicates(["video", "timestamp", *BOX_COLUMNS, "person_id"])
    twice = known[known.duplicated(["video", "timestamp", "person_id"])]
    if len(twice):
        first = twice.iloc[0]
        where = f"{first['video']} at {first['timestamp']:g} s, person {first['person_id']:.0f}"
        yield Finding(
            "warning", split, f"{counted(len(twice), 'box')} of a person who has another at that time; first: {where}"
        )


def about_proposals(truth: KeyframeTable, boxes: pd.DataFrame, min_score: float) -> Iterator[Finding]:
    """How many of the proposed people survive the threshold, and how many of the labelled ones they find."""
    found = detected_keyframes(truth, boxes, min_score=min_score)
    if len(boxes) and (boxes["score"] == 1).all():
        yield Finding(
            "warning", "val boxes", "every score is 1: is the score column missing? the threshold keeps all of them"
        )
    if not len(found.people):
        yield Finding(
            "error", "val boxes", f"no box on an annotated keyframe has score >= {min_score:g}; {_why(truth, boxes)}"
        )
        return
    recall = _recall(truth, found)
    shares = ", ".join(f"{share:.1%} at IoU {iou}" for iou, share in recall.items())
    level: Level = "warning" if recall[0.5] < 0.5 else "fact"
    yield Finding(
        level,
        "val boxes",
        f"{len(found.people) / len(truth):.2f} a keyframe at score >= {min_score:g}; of the labelled people they find "
        f"{shares}",
    )


def about_training_boxes(truth: KeyframeTable, boxes: pd.DataFrame) -> Iterator[Finding]:
    """How many of the detected people are learned beside the labelled ones."""
    if not len(truth):
        return
    added = len(truth.with_detected(boxes).people) - len(truth.people)
    if added:
        said = f"{added:,} of {counted(len(boxes), 'box')} overlap a labelled person enough to be learned too"
        yield Finding("fact", "train boxes", said)
    else:
        why = _elsewhere(truth, boxes) or "are they of other people?"
        yield Finding("warning", "train boxes", f"no box overlaps a labelled person enough to be learned; {why}")


def _why(truth: KeyframeTable, boxes: pd.DataFrame) -> str:
    return _elsewhere(truth, boxes) or f"the highest is {boxes['score'].max():.2f}; lower data.min_box_score"


def _elsewhere(truth: KeyframeTable, boxes: pd.DataFrame) -> str | None:
    """Why no box is on any of the keyframes, if none is."""
    if not len(boxes):
        return "the file is empty"
    if not set(boxes["video"]) & set(truth.videos):
        return f"its videos ({boxes['video'].iloc[0]}, ...) are others than the table's ({truth.videos[0]}, ...)"
    if not len(detected_keyframes(truth, boxes, min_score=-np.inf).people):
        return (
            f"its times ({boxes['timestamp'].iloc[0]:g}, ...) are others than the table's ({truth.times_s[0]:g}, ...)"
        )
    return None


def _recall(truth: KeyframeTable, found: KeyframeTable) -> dict[float, float]:
    """Share of labelled people that some proposed box overlaps so much."""
    best = []
    for k in range(len(truth)):
        people, boxes = truth[k].people.boxes, found[k].people.boxes
        if len(people):
            best.append(iou_xyxy(people, boxes).max(dim=1).values.numpy() if len(boxes) else np.zeros(len(people)))
    overlaps = np.concatenate(best) if best else np.zeros(1)
    return {iou: float((overlaps >= iou).mean()) for iou in (0.5, 0.9)}
