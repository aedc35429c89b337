"""Selects the keyframes, ground-truth boxes and detections that count under a protocol, and counts the dropped rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ava_eval.csv_format import BOX_COLUMNS
from ava_eval.grouping import index_in_run, stable_argsort
from ava_eval.keyframes import KeyframeIndex
from ava_eval.protocols import Protocol

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]
_CHUNK_CELLS = 1 << 22


@dataclass
class GroundTruth:
    """(T,) ground-truth boxes that detections can match. If IoUs tie within a keyframe and class, the first wins."""

    row: IntArray  # in the ground-truth table
    keyframe: IntArray
    class_: IntArray
    boxes: FloatArray  # (T, 4)


@dataclass
class Rows:
    """(N,) rows of a table, in the table's order."""

    row: IntArray  # in the table
    keyframe: IntArray
    class_: IntArray
    score: FloatArray

    def keep(self, mask: BoolArray) -> Rows:
        """The rows where `mask` is true."""
        if mask.all():
            return self
        return Rows(self.row[mask], self.keyframe[mask], self.class_[mask], self.score[mask])


@dataclass
class Selection:
    """Everything that counts. Classes are numbered as in the label map, keyframes as in `keyframes`, both from 0."""

    protocol: Protocol
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
) -> Selection:
    """Apply the protocol's rules to tables as the read functions return them."""
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
    rows, dropped_detections = _drop(rows, detections, protocol, is_excluded, is_scored)
    return Selection(
        protocol,
        list(label_map),
        list(label_map.values()),
        keyframes,
        is_scored,
        has_truth,
        has_detections,
        _ground_truth(matchable, ground_truth, protocol),
        positives.class_,
        positives.keyframe,
        rows,
        detections,
        dropped | dropped_detections,
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


def _drop(
    rows: Rows, table: pd.DataFrame, protocol: Protocol, is_excluded: BoolArray, is_scored: BoolArray
) -> tuple[Rows, dict[str, int]]:
    """Apply the rules in the order of the original scripts; return the rows left and the number dropped by each."""

    def rules() -> Iterator[tuple[str, BoolArray]]:
        yield "unknown_class", rows.class_ >= 0
        yield "excluded_keyframe", ~is_excluded[rows.keyframe]
        yield "uncounted_keyframe", is_scored[rows.keyframe]
        if protocol.max_detections is not None:
            yield "over_limit", top_k_rows(rows.keyframe, rows.score, protocol.max_detections, rows.row, table)
        if protocol.drops_empty_boxes:
            x1, y1, x2, y2 = (table[name].to_numpy()[rows.row] for name in BOX_COLUMNS)
            yield "empty_box", (x1 < x2) & (y1 < y2)

    dropped = dict.fromkeys(("unknown_class", "excluded_keyframe", "uncounted_keyframe", "over_limit", "empty_box"), 0)
    for rule, mask in rules():
        dropped[rule] = len(mask) - int(mask.sum())
        rows = rows.keep(mask)
    return rows, dropped


def _ground_truth(boxes: Rows, table: pd.DataFrame, protocol: Protocol) -> GroundTruth:
    """Order the boxes so that the first of equal IoU is the one that the original script matches.

    The official script and MMAction2 read the person id as a score and sort by it. The box coordinates break the
    remaining ties, so the order of the file's rows does not matter. PySlowFast keeps the file's order.
    """
    corners = table[list(BOX_COLUMNS)].to_numpy(dtype=np.float64)[boxes.row]
    if protocol.matches_by_score:
        person = table["person_id"].to_numpy()[boxes.row] if "person_id" in table else np.zeros(len(boxes.row))
        x1, y1, x2, y2 = corners.T
        order = np.lexsort((x2, y2, x1, y1, -person))
        boxes = Rows(boxes.row[order], boxes.keyframe[order], boxes.class_[order], boxes.score[order])
        corners = corners[order]
    return GroundTruth(boxes.row, boxes.keyframe, boxes.class_, corners)


def top_k_rows(keyframe: IntArray, score: FloatArray, k: int, row: IntArray, table: pd.DataFrame) -> BoolArray:
    """(N,) mask of the k rows of highest score in each keyframe, over all classes.

    Equal scores at the limit: the larger (action_id, y1, x1, y2, x2) is kept, as by the official script's heap;
    of identical rows, the first in the file. `row` indexes `table`.
    """
    limit = _kth_score(keyframe, score, k)[keyframe]
    keep = score > limit
    tied = np.flatnonzero(score == limit)
    num_free = k - np.bincount(keyframe[keep], minlength=int(keyframe.max(initial=0)) + 1)
    columns = [-table[name].to_numpy()[row[tied]] for name in ("x2", "y2", "x1", "y1", "action_id")]
    tied = tied[np.lexsort((*columns, keyframe[tied]))]
    sizes = np.bincount(keyframe[tied])
    keep[tied[index_in_run(sizes[sizes > 0]) < num_free[keyframe[tied]]]] = True
    return keep


def _kth_score(keyframe: IntArray, score: FloatArray, k: int) -> FloatArray:
    """(keyframes,) k-th highest score of each keyframe, -inf for keyframes of at most k rows."""
    sizes = np.bincount(keyframe)
    kth = np.full(len(sizes), -np.inf)
    is_sorted = bool(np.all(keyframe[1:] >= keyframe[:-1]))
    by_keyframe = score if is_sorted else score[stable_argsort(keyframe)]
    starts = np.cumsum(sizes) - sizes
    crowded = np.flatnonzero(sizes > k)
    crowded = crowded[np.argsort(sizes[crowded])]  # keyframes of similar size are padded to one width
    while len(crowded):
        chunk_size = max(1, _CHUNK_CELLS // int(sizes[crowded[-1]]))
        chunk, crowded = crowded[-chunk_size:], crowded[:-chunk_size]
        width = int(sizes[chunk[-1]])
        padded = np.full((len(chunk), width), -np.inf)
        rows = np.repeat(starts[chunk], sizes[chunk]) + index_in_run(sizes[chunk])
        padded[np.arange(width) < sizes[chunk][:, None]] = by_keyframe[rows]
        kth[chunk] = np.partition(padded, width - k, axis=1)[:, width - k]
    return kth
