"""Which keyframes, ground-truth boxes and detections count under a protocol, and what was dropped why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ava_eval.csv_format import BOX_COLUMNS
from ava_eval.keyframes import KeyframeIndex
from ava_eval.protocols import Protocol
from ava_eval.top_k_rows import best_rows

IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float64]


@dataclass
class Truth:
    """(T,) ground-truth boxes that can be found; of equally near ones in a keyframe and class the first counts."""

    row: IntArray  # place in the ground-truth table
    keyframe: IntArray
    class_: IntArray
    boxes: FloatArray  # (T, 4)


@dataclass
class Rows:
    """(N,) detections that count, in the file's order."""

    row: IntArray  # place in the detections table
    keyframe: IntArray
    class_: IntArray
    score: FloatArray

    def keep(self, mask: BoolArray) -> Rows:
        if mask.all():
            return self
        return Rows(self.row[mask], self.keyframe[mask], self.class_[mask], self.score[mask])


@dataclass
class Selection:
    """What counts. Classes are numbered as in the label map, keyframes by `keyframes`, both from 0."""

    protocol: Protocol
    class_ids: list[int]
    class_names: list[str]
    keyframes: KeyframeIndex
    counted: BoolArray  # (keyframes,)
    has_truth: BoolArray  # (keyframes,) holds a box of a known class
    has_detections: BoolArray  # (keyframes,) holds a detection of a known class
    truth: Truth
    base_class: IntArray  # (boxes,) class and keyframe of every box that recall is divided by
    base_keyframe: IntArray
    rows: Rows
    detections: pd.DataFrame
    dropped: dict[str, int]  # rows by rule

    @property
    def recall_base(self) -> IntArray:
        """(classes,) boxes that recall is divided by."""
        return np.bincount(self.base_class, minlength=len(self.class_names))

    @property
    def averaged_base(self) -> IntArray:
        """(classes,) `recall_base`, 0 for classes that the protocol leaves out of the mean."""
        if self.protocol.averages_undetected:
            return self.recall_base
        detected = np.bincount(self.rows.class_, minlength=len(self.class_names)) > 0
        return np.where(detected, self.recall_base, 0)

    @property
    def ranking_score(self) -> npt.NDArray[np.floating]:
        """(N,) scores as the protocol ranks them."""
        return self.rows.score.astype(np.float32) if self.protocol.single_precision else self.rows.score

    def boxes_of(self, places: IntArray) -> FloatArray:
        """(len(places), 4) boxes of `rows`."""
        row = self.rows.row[places]
        return np.stack([self.detections[name].to_numpy()[row] for name in BOX_COLUMNS], axis=1)


def select(
    protocol: Protocol,
    label_map: Mapping[int, str],
    ground_truth: pd.DataFrame,
    detections: pd.DataFrame,
    excluded: pd.DataFrame | None,
) -> Selection:
    """Apply the protocol's rules to tables as the readers give them."""
    class_ids = np.array(list(label_map), dtype=np.int64)
    keyframes = KeyframeIndex()
    boxes = _numbered(ground_truth, class_ids, keyframes)
    found = _numbered(detections, class_ids, keyframes)
    excluded_keyframe = keyframes.add(excluded) if excluded is not None else np.zeros(0, dtype=np.int64)
    is_excluded = _flags(len(keyframes), excluded_keyframe) & protocol.reads_excluded
    has_truth = _flags(len(keyframes), boxes.keyframe[boxes.class_ >= 0])
    has_detections = _flags(len(keyframes), found.keyframe[found.class_ >= 0])
    counted = _flags(len(keyframes), boxes.keyframe) if protocol.listed_keyframes else has_truth
    counted = (counted | (has_detections & protocol.detected_keyframes)) & ~is_excluded

    dropped = {"truth_unknown_class": int(np.sum((boxes.class_ < 0) & (ground_truth["action_id"].to_numpy() != 0)))}
    boxes = boxes.keep(boxes.class_ >= 0)
    base = boxes if protocol.counts_excluded_ground_truth else boxes.keep(~is_excluded[boxes.keyframe])
    dropped["truth_excluded"] = int(is_excluded[boxes.keyframe].sum())
    found, dropped_detections = _drop(found, detections, protocol, is_excluded, counted)
    return Selection(
        protocol,
        list(label_map),
        list(label_map.values()),
        keyframes,
        counted,
        has_truth,
        has_detections,
        _truth(boxes.keep(~is_excluded[boxes.keyframe]), ground_truth, protocol),
        base.class_,
        base.keyframe,
        found,
        detections,
        dropped | dropped_detections,
    )


def _numbered(table: pd.DataFrame, class_ids: IntArray, keyframes: KeyframeIndex) -> Rows:
    score = table["score"].to_numpy() if "score" in table else np.zeros(len(table))
    class_ = _class_indices(table["action_id"].to_numpy(), class_ids)
    return Rows(np.arange(len(table)), keyframes.add(table), class_, score)


def _class_indices(action_ids: IntArray, class_ids: IntArray) -> IntArray:
    """Place of each id in the label map, -1 for ids outside it."""
    return pd.Index(class_ids).get_indexer(pd.Index(action_ids.astype(np.int64))).astype(np.int64)


def _flags(length: int, places: IntArray) -> BoolArray:
    flags = np.zeros(length, dtype=bool)
    flags[places] = True
    return flags


def _drop(
    rows: Rows, table: pd.DataFrame, protocol: Protocol, is_excluded: BoolArray, counted: BoolArray
) -> tuple[Rows, dict[str, int]]:
    """The rows left, and how many each rule took."""

    def rules() -> Iterator[tuple[str, BoolArray]]:
        yield "unknown_class", rows.class_ >= 0
        yield "excluded_keyframe", ~is_excluded[rows.keyframe]
        yield "uncounted_keyframe", counted[rows.keyframe]
        if protocol.rows_per_keyframe is not None:
            yield "over_limit", best_rows(rows.keyframe, rows.score, protocol.rows_per_keyframe, rows.row, table)
        if protocol.drops_empty_boxes:
            x1, y1, x2, y2 = (table[name].to_numpy()[rows.row] for name in BOX_COLUMNS)
            yield "empty_box", (x1 < x2) & (y1 < y2)

    dropped = dict.fromkeys(("unknown_class", "excluded_keyframe", "uncounted_keyframe", "over_limit", "empty_box"), 0)
    for rule, mask in rules():
        dropped[rule] = len(mask) - int(mask.sum())
        rows = rows.keep(mask)
    return rows, dropped


def _truth(boxes: Rows, table: pd.DataFrame, protocol: Protocol) -> Truth:
    """Of boxes that overlap a detection equally the originals take the first they read.

    Official and MMAction2 read the person id as a score and sort by it; what it leaves open is settled by
    the box itself, so that the order of rows changes nothing. PySlowFast keeps the file's order.
    """
    corners = table[list(BOX_COLUMNS)].to_numpy(dtype=np.float64)[boxes.row]
    if protocol.matches_by_score:
        person = table["person_id"].to_numpy()[boxes.row] if "person_id" in table else np.zeros(len(boxes.row))
        x1, y1, x2, y2 = corners.T
        order = np.lexsort((x2, y2, x1, y1, -person))
        boxes = Rows(boxes.row[order], boxes.keyframe[order], boxes.class_[order], boxes.score[order])
        corners = corners[order]
    return Truth(boxes.row, boxes.keyframe, boxes.class_, corners)
