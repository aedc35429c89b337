"""What the audio adds: scores of an audiovisual model next to those of the same boxes without audio."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ava_eval import BOX_COLUMNS

__all__ = ["SCORE_WITHOUT_AUDIO", "add_scores_without_audio"]

SCORE_WITHOUT_AUDIO = "score_without_audio"
_ROUNDING = 1e4  # boxes match to four digits, times to a tenth of a millisecond


def add_scores_without_audio(detections: pd.DataFrame, without_audio: pd.DataFrame) -> pd.DataFrame:
    """Returns the detections of one video with the column SCORE_WITHOUT_AUDIO, NaN where no row matches.

    Rows match by time, box and action, so both tables must come from the same person boxes. Raises ValueError if no
    box is in both tables.
    """
    keys = [*(f"_{name}" for name in ("timestamp", *BOX_COLUMNS)), "action_id"]
    other = _with_rounded_keys(without_audio)[[*keys, "score"]]
    other = other.rename(columns={"score": SCORE_WITHOUT_AUDIO}).drop_duplicates(keys)
    joined = _with_rounded_keys(detections).merge(other, on=keys, how="left")
    if joined[SCORE_WITHOUT_AUDIO].isna().all() and not detections.empty:
        raise ValueError(
            "The detections with and without audio have no box in common; make both with the same --boxes file"
        )
    return joined.drop(columns=keys[:-1])


def _with_rounded_keys(table: pd.DataFrame) -> pd.DataFrame:
    keys = {f"_{name}": np.rint(table[name] * _ROUNDING).astype(np.int64) for name in ("timestamp", *BOX_COLUMNS)}
    return table.assign(**keys)
