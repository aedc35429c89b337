"""Selects the keyframes, ground-truth boxes and detections that count under a protocol, and counts the dropped rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ava_eval.csv_format import BOX_COLUMNS
from ava_eval.grouping import top_k_rows
from ava_eval.keyframes import KeyframeIndex
from ava_eval.protocols import Protocol
from ava_eval.ties import EXPECTED, TieRule, draw_tied_rows, heap_order, keyframe_order, score_order

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


@dataclass
class GroundTruth:
    """(T,) ground-truth boxes that detections can match. If IoUs tie within a keyframe and class, the first wins."""

    row: IntArray  # in the ground-truth table
    keyframe: IntArray
    class_: IntArray
    boxes: FloatArray  # (T, 4)


@dataclass
class Rows:
    """(N,) rows of a table, in the table's order, or in that of the original script's arrays."""

    row: IntArray  # in the table
    keyframe: IntArray
    class_: IntArray
    score: FloatArray

    def keep(self, mask: BoolArray) -> Rows:
        """The rows where `mask` is true."""
        return self if mask.all() else self.take(mask)

    def take(self, chosen: BoolArray | IntArray) -> Rows:
        """The rows of a mask, or of indices in their order."""
        return Rows(self.row[chosen], self.keyframe[chosen], self.class_[chosen], self.score[chosen])


@dataclass
class Selection:
    """Everything that counts. Classes are numbered as in the label map, keyframes as in `keyframes`, both from 0."""

    protocol: Protocol
    ties: TieRule
    class_ids: list[int]
    class_names: list[str]
    keyframes: KeyframeIndex
    is_scored: BoolArray  # (keyframes,)
    has_truth: BoolArray  # (keyframes,) holds a ground-truth box of a known class
    has_detections: BoolArray  # (keyframes,) holds a detection of a known class
    truth: GroundTruth
    positive_class: IntArray  # (positives,) class of every box in the denominator of recall
    positive_keyframe: IntArray  # (positives,)
    rows: Rows  # detections that count
    detections: pd.DataFrame  # the whole table
    dropped: dict[str, int]  # number of rows by rule
    is_limit_tied: bool  # equal scores at the limit per keyframe, so that the draw decides which rows count

    @property
    def num_positives(self) -> IntArray:
        """(classes,) denominators of recall."""
        return np.bincount(self.positive_class, minlength=len(self.class_names))

    @property
    def num_positives_averaged(self) -> IntArray:
        """(classes,) `num_positives`, 0 for classes that the protocol leaves out of the mean."""
        if self.protocol.averages_undetected:
            return self.num_positives
        is_detected = np.bincount(self.rows.class_, minlength=len(self.class_names)) > 0
        return np.where(is_detected, self.num_positives, 0)

    @property
    def ranking_score(self) -> npt.NDArray[np.floating]:
        """(N,) scores in the protocol's precision."""
        return self.rows.score.astype(np.float32) if self.protocol.single_precision else self.rows.score

    def boxes_of(self, indices: IntArray) -> FloatArray:
        """(len(indices), 4) boxes of these `rows`."""
        row = self.rows.row[indices]
        return np.stack([self.detections[name].to_numpy()[row] for name in BOX_COLUMNS], axis=1)


def select(
    protocol: Protocol,
    label_map: Mapping[int, str],
    ground_truth: pd.DataFrame,
    detections: pd.DataFrame,
    excluded: pd.DataFrame | None,
    ties: TieRule = EXPECTED,
) -> Selection:
    """Apply the protocol's rules to tables as the read functions return them.

    With ties in the order of the file, ground truth and rows are ordered as the original script's arrays.
    """
    class_ids = np.array(list(label_map), dtype=np.int64)
    keyframes = KeyframeIndex()
    boxes = _index_rows(ground_truth, class_ids, keyframes)
    rows = _index_rows(detections, class_ids, keyframes)
    excluded_keyframe = keyframes.add(excluded) if excluded is not None else np.zeros(0, dtype=np.int64)
    is_excluded = _mask(len(keyframes), excluded_keyframe) & protocol.uses_excluded
    has_truth = _mask(len(keyframes), boxes.keyframe[boxes.class_ >= 0])
    has_detections = _mask(len(keyframes), rows.keyframe[rows.class_ >= 0])
    is_scored = _mask(len(keyframes), boxes.keyframe) if protocol.scores_listed_keyframes else has_truth
    is_scored = (is_scored | (has_detections & protocol.scores_detected_keyframes)) & ~is_excluded

    dropped = {"truth_unknown_class": int(np.sum((boxes.class_ < 0) & (ground_truth["action_id"].to_numpy() != 0)))}
    boxes = boxes.keep(boxes.class_ >= 0)
    matchable = boxes.keep(~is_excluded[boxes.keyframe])
    positives = boxes if protocol.counts_excluded_boxes else matchable
    dropped["truth_excluded"] = int(is_excluded[boxes.keyframe].sum())
    rows, dropped_detections = _drop(rows, is_excluded, is_scored)
    rows, over_limit, is_limit_tied = _limit(rows, detections, protocol, keyframes, matchable.keyframe, ties)
    rows, empty = _drop_empty(rows, detections, protocol)
    return Selection(
        protocol,
        ties,
        list(label_map),
        list(label_map.values()),
        keyframes,
        is_scored,
        has_truth,
        has_detections,
        _ground_truth(matchable, ground_truth, protocol, keyframes, ties),
        positives.class_,
        positives.keyframe,
        rows,
        detections,
        dropped | dropped_detections | {"over_limit": over_limit, "empty_box": empty},
        is_limit_tied,
    )


def _index_rows(table: pd.DataFrame, class_ids: IntArray, keyframes: KeyframeIndex) -> Rows:
    """All rows of a table; the class is -1 for ids outside the label map."""
    score = table["score"].to_numpy() if "score" in table else np.zeros(len(table))
    action_ids = pd.Index(table["action_id"].to_numpy().astype(np.int64))
    class_ = pd.Index(class_ids).get_indexer(action_ids).astype(np.int64)
    return Rows(np.arange(len(table)), keyframes.add(table), class_, score)


def _mask(length: int, indices: IntArray) -> BoolArray:
    mask = np.zeros(length, dtype=bool)
    mask[indices] = True
    return mask


def _drop(rows: Rows, is_excluded: BoolArray, is_scored: BoolArray) -> tuple[Rows, dict[str, int]]:
    """Apply the rules on classes and keyframes; return the rows left and the number dropped by each."""

    def rules() -> Iterator[tuple[str, BoolArray]]:
        yield "unknown_class", rows.class_ >= 0
        yield "excluded_keyframe", ~is_excluded[rows.keyframe]
        yield "uncounted_keyframe", is_scored[rows.keyframe]

    dropped = {}
    for rule, mask in rules():
        dropped[rule] = len(mask) - int(mask.sum())
        rows = rows.keep(mask)
    return rows, dropped


def _limit(
    rows: Rows,
    table: pd.DataFrame,
    protocol: Protocol,
    keyframes: KeyframeIndex,
    truth_keyframe: IntArray,
    ties: TieRule,
) -> tuple[Rows, int, bool]:
    """The rows within the limit per keyframe, the number beyond it, and whether ties leave the choice open."""
    k = protocol.max_detections
    if ties.name == "file":
        kept = rows.take(_original_order(rows, table, protocol, truth_keyframe))
        return kept, len(rows.row) - len(kept.row), False
    if k is None:
        return rows, 0, False
    keep, tied = top_k_rows(rows.keyframe, rows.score, k)
    if len(tied):
        num_above = np.bincount(rows.keyframe[keep], minlength=len(keyframes))[rows.keyframe[tied]]
        number = keyframes.sorted_numbers()[rows.keyframe[tied]]
        keep[tied[draw_tied_rows(number, num_above, k, table.iloc[rows.row[tied]], ties)]] = True
    return rows.keep(keep), len(keep) - int(keep.sum()), len(tied) > 0


def _original_order(rows: Rows, table: pd.DataFrame, protocol: Protocol, truth_keyframe: IntArray) -> IntArray:
    """The rows of the original script's arrays, in their order."""
    if protocol.max_detections is not None:
        return heap_order(rows.keyframe, [rows.score, *_heap_columns(rows, table)], protocol.max_detections)
    if protocol.scores_detected_keyframes:
        return keyframe_order(rows.keyframe, rows.keyframe)
    return score_order(rows.keyframe, rows.score, truth_keyframe)


def _heap_columns(rows: Rows, table: pd.DataFrame) -> list[npt.NDArray[Any]]:
    return [table[name].to_numpy()[rows.row] for name in ("action_id", "y1", "x1", "y2", "x2")]


def _drop_empty(rows: Rows, table: pd.DataFrame, protocol: Protocol) -> tuple[Rows, int]:
    """Drop inverted boxes, and those without area where the protocol does; return the number dropped."""
    x1, y1, x2, y2 = (table[name].to_numpy() for name in BOX_COLUMNS)
    is_valid = (x1 < x2) & (y1 < y2) if protocol.drops_empty_boxes else (x1 <= x2) & (y1 <= y2)
    mask = is_valid[rows.row]
    return rows.keep(mask), len(mask) - int(mask.sum())


def _ground_truth(
    boxes: Rows, table: pd.DataFrame, protocol: Protocol, keyframes: KeyframeIndex, ties: TieRule
) -> GroundTruth:
    """Order the boxes so that the first of equal IoU is the one that the original script matches.

    The official script and MMAction2 read the person id as a score and sort by it. The box coordinates break the
    remaining ties, so the order of the file's rows does not matter. PySlowFast keeps the file's order: the first
    of equal IoU is the one of the smallest coordinates, unless ties are in the order of the file.
    """
    corners = table[list(BOX_COLUMNS)].to_numpy(dtype=np.float64)[boxes.row]
    person = np.zeros(len(boxes.row))
    if protocol.matches_by_score and "person_id" in table:
        person = table["person_id"].to_numpy(dtype=np.float64)[boxes.row]
    if ties.name != "file":
        x1, y1, x2, y2 = corners.T
        number = keyframes.sorted_numbers()[boxes.keyframe]
        order = np.lexsort((x2, y2, x1, y1, -person, boxes.class_, number))
    elif protocol.max_detections is not None:
        order = heap_order(boxes.keyframe, [person, *_heap_columns(boxes, table)])
    else:
        order = np.argsort(-person, kind="stable")
    boxes = boxes.take(order)
    return GroundTruth(boxes.row, boxes.keyframe, boxes.class_, corners[order])
