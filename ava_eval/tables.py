"""AVA's files as tables: ground truth, detections, person boxes, excluded timestamps.

All are read from .csv or .csv.gz with commas or tabs, with or without a header line. `video` is a categorical
column, `timestamp` float seconds, boxes are corners x1, y1, x2, y2 as fractions of the picture.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from ava_eval.csv_layout import ABSENT_ID, BOX_COLUMNS, BOXES, DETECTIONS, EXCLUDED, GROUND_TRUTH
from ava_eval.csv_reader import read_table
from ava_eval.format_error import FormatError


def read_ground_truth(path: str | Path) -> pd.DataFrame:
    """Columns video, timestamp, x1, y1, x2, y2, action_id, person_id, rows in the file's order.

    action_id 0 marks a row that only lists a keyframe where nobody acts; its box is nan.
    person_id is -1 where the file has none.
    """
    return read_table(path, GROUND_TRUTH)


def read_detections(path: str | Path) -> pd.DataFrame:
    """Columns video, timestamp, x1, y1, x2, y2, action_id, score, person_id, rows in the file's order.

    person_id is -1 where the file has none. Rows with only video,timestamp hold no detection and are left out.
    """
    table = read_table(path, DETECTIONS)
    has_box = table["action_id"].to_numpy() != ABSENT_ID["action_id"]
    return table if has_box.all() else table[has_box].reset_index(drop=True)


def read_boxes(path: str | Path) -> pd.DataFrame:
    """Columns video, timestamp, x1, y1, x2, y2, score, person_id: boxes of persons, rows in the file's order.

    The file's rows are video,timestamp,x1,y1,x2,y2[,score[,person_id]], score 1 and person_id -1 where left out.
    Also read is the form of PySlowFast's predicted boxes, ...,y2,action_id or nothing,score; there a person
    stands once for each of its labels, and is kept once.
    """
    table = read_table(path, BOXES)
    table = table[table["x1"].notna().to_numpy()].reset_index(drop=True)
    seventh, eighth = table.pop("action_id_or_score"), table.pop("score_or_person_id")
    if _is_pyslowfast_form(seventh.to_numpy(), eighth.to_numpy(), path):
        table["score"], table["person_id"] = eighth, ABSENT_ID["person_id"]
        table = table.drop_duplicates(["video", "timestamp", *BOX_COLUMNS], ignore_index=True)
    else:
        table["score"], table["person_id"] = seventh.fillna(1.0), eighth.fillna(ABSENT_ID["person_id"])
    table["person_id"] = table["person_id"].astype("int32")
    return table


def read_excluded(path: str | Path) -> pd.DataFrame:
    """Columns video, timestamp: keyframes that do not count."""
    return read_table(path, EXCLUDED)


def _is_pyslowfast_form(seventh: np.ndarray, eighth: np.ndarray, path: str | Path) -> bool:
    """Tell ...,action_id or nothing,score from ...,score,person_id by the values; refuse what is neither."""
    given7, given8 = seventh[~np.isnan(seventh)], eighth[~np.isnan(eighth)]
    is_whole7, is_whole8 = bool(np.all(given7 == np.rint(given7))), bool(np.all(given8 == np.rint(given8)))
    scores7, scores8 = bool(np.all((given7 >= 0) & (given7 <= 1))), bool(np.all((given8 >= 0) & (given8 <= 1)))
    if scores7 and is_whole8 and len(given7) >= len(given8):
        return False
    all_labelled, all_scored = len(given7) == len(seventh), len(given8) == len(eighth)
    persons0and1 = all_labelled and is_whole8 and bool(np.any(given8 == 0))  # a score may always be 1, but not 0 or 1
    if is_whole7 and scores8 and all_scored and not persons0and1:
        return True
    if is_whole7 and is_whole8 and all_labelled:
        raise FormatError(
            f"{path} looks like a ground truth, with action ids such as {given7.max():g} in column 7; person boxes are"
            f" {BOXES.form} with scores from 0 to 1, so leave the action ids out and write each box once."
        )
    raise FormatError(
        f"{path}: columns 7 and 8 are neither score,person_id (a score from 0 to 1, a whole number) nor"
        f" action_id,score (a score in every row); give person boxes as {BOXES.form}."
    )
