"""The best detections of each keyframe, as the official protocol keeps them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from ava_eval.grouping import descending, order_by, place_in_run

IntArray = npt.NDArray[np.int64]


def best_rows(
    keyframe: IntArray, score: npt.NDArray[np.float64], limit: int, row: IntArray, table: pd.DataFrame
) -> npt.NDArray[np.bool_]:
    """(N,) mask of the `limit` rows of highest score in each keyframe, over all classes.

    Rows of equal score at the limit are kept by the larger (action_id, y1, x1, y2, x2), which is what the
    official script's heap prefers; whole equals are kept in the file's order.
    """
    per_keyframe = np.bincount(keyframe)
    keep = per_keyframe[keyframe] <= limit
    crowded = np.flatnonzero(~keep)
    if len(crowded) == 0:
        return keep
    order = crowded[descending(score[crowded])]
    order = order[order_by(keyframe[order])]
    place = place_in_run(per_keyframe[per_keyframe > limit])
    last_kept = np.full(len(per_keyframe), np.inf)
    at_limit = order[place == limit - 1]
    last_kept[keyframe[at_limit]] = score[at_limit]
    threshold = last_kept[keyframe[crowded]]
    keep[crowded[score[crowded] > threshold]] = True
    tied = crowded[score[crowded] == threshold]
    free = limit - np.bincount(keyframe[crowded[keep[crowded]]], minlength=len(per_keyframe))
    columns = [-table[name].to_numpy()[row[tied]] for name in ("x2", "y2", "x1", "y1", "action_id")]
    tied = tied[np.lexsort((*columns, keyframe[tied]))]
    tied_runs = np.bincount(keyframe[tied])
    keep[tied[place_in_run(tied_runs[tied_runs > 0]) < free[keyframe[tied]]]] = True
    return keep
