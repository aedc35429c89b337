"""The best detections of each keyframe, as the official protocol keeps them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from ava_eval.grouping import order_by, place_in_run

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
_CELLS_AT_ONCE = 1 << 22


def best_rows(
    keyframe: IntArray, score: FloatArray, limit: int, row: IntArray, table: pd.DataFrame
) -> npt.NDArray[np.bool_]:
    """(N,) mask of the `limit` rows of highest score in each keyframe, over all classes.

    Rows of equal score at the limit are kept by the larger (action_id, y1, x1, y2, x2), which is what the
    official script's heap prefers; whole equals are kept in the file's order.
    """
    last_kept = _score_at(keyframe, score, limit)[keyframe]
    keep = score > last_kept
    tied = np.flatnonzero(score == last_kept)
    free = limit - np.bincount(keyframe[keep], minlength=int(keyframe.max(initial=0)) + 1)
    columns = [-table[name].to_numpy()[row[tied]] for name in ("x2", "y2", "x1", "y1", "action_id")]
    tied = tied[np.lexsort((*columns, keyframe[tied]))]
    sizes = np.bincount(keyframe[tied])
    keep[tied[place_in_run(sizes[sizes > 0]) < free[keyframe[tied]]]] = True
    return keep


def _score_at(keyframe: IntArray, score: FloatArray, limit: int) -> FloatArray:
    """The `limit`-th highest score of each keyframe, -inf where it has no more rows than that."""
    sizes = np.bincount(keyframe)
    wanted = np.full(len(sizes), -np.inf)
    is_sorted = bool(np.all(keyframe[1:] >= keyframe[:-1]))
    by_keyframe = score if is_sorted else score[order_by(keyframe)]
    starts = np.cumsum(sizes) - sizes
    crowded = np.flatnonzero(sizes > limit)
    crowded = crowded[np.argsort(sizes[crowded])]  # those of like size are padded to one width
    while len(crowded):
        at_once = max(1, _CELLS_AT_ONCE // int(sizes[crowded[-1]]))
        part, crowded = crowded[-at_once:], crowded[:-at_once]
        width = int(sizes[part[-1]])
        padded = np.full((len(part), width), -np.inf)
        rows = np.repeat(starts[part], sizes[part]) + place_in_run(sizes[part])
        padded[np.arange(width) < sizes[part][:, None]] = by_keyframe[rows]
        wanted[part] = np.partition(padded, width - limit, axis=1)[:, width - limit]
    return wanted
