"""What sound added: the scores of a model that hears beside those of one that does not."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ava_eval import BOX_COLUMNS

__all__ = ["WITHOUT_SOUND", "beside"]

WITHOUT_SOUND = "score_without_sound"
_PLACES = 1e4  # boxes are equal if they are to four digits, times if they are to a tenth of a millisecond


def beside(detections: pd.DataFrame, without_sound: pd.DataFrame) -> pd.DataFrame:
    """The detections with a column more: the same person's and action's score without sound, nan where there is none.

    Both tables are of one video, and found with the same person boxes: that is how the same person is told. ValueError
    where no box is in both.
    """
    keys = [*(f"_{name}" for name in ("timestamp", *BOX_COLUMNS)), "action_id"]
    known = _keyed(without_sound)[[*keys, "score"]].rename(columns={"score": WITHOUT_SOUND}).drop_duplicates(keys)
    joined = _keyed(detections).merge(known, on=keys, how="left")
    if joined[WITHOUT_SOUND].isna().all() and not detections.empty:
        raise ValueError(
            "no box of the detections is among those without sound; detect the actions twice with the same --boxes"
        )
    return joined.drop(columns=keys[:-1])


def _keyed(table: pd.DataFrame) -> pd.DataFrame:
    places = {f"_{name}": np.rint(table[name] * _PLACES).astype(np.int64) for name in ("timestamp", *BOX_COLUMNS)}
    return table.assign(**places)
