"""Person boxes as AVA's table: a row a person and keyframe, and back."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from ava_eval import BOX_COLUMNS
from ava_eval.csv_format import PIXEL_THRESHOLD
from avdet.structures import PersonBoxes

__all__ = ["COLUMNS", "box_table", "csv_lines", "people_of_rows", "refuse_pixels"]

COLUMNS = ["video", "timestamp", *BOX_COLUMNS, "score", "person_id"]


def box_table(video: str, times_s: Sequence[float], people: Sequence[PersonBoxes]) -> pd.DataFrame:
    """The keyframes of one video, in the order given."""
    counts = [len(one) for one in people]
    if not sum(counts):
        return pd.DataFrame({name: [] for name in COLUMNS})
    columns = {
        "video": video,
        "timestamp": np.repeat(np.asarray(times_s, np.float64), counts),
        **dict(zip(BOX_COLUMNS, torch.cat([one.boxes for one in people]).numpy().T, strict=True)),
        "score": torch.cat([one.scores for one in people]).numpy(),
        "person_id": torch.cat([one.person_ids for one in people]).numpy(),
    }
    return pd.DataFrame(columns)


def people_of_rows(rows: pd.DataFrame) -> PersonBoxes:
    """One keyframe's rows."""
    return PersonBoxes.from_boxes(
        torch.from_numpy(rows[BOX_COLUMNS].to_numpy(np.float32, copy=True)),
        torch.from_numpy(rows["score"].to_numpy(np.float32, copy=True)),
        torch.from_numpy(rows["person_id"].to_numpy(np.int64, copy=True)),
    )


def csv_lines(table: pd.DataFrame) -> str:
    """Without a header; nine digits, so that every float32 reads back equal."""
    return table.to_csv(columns=COLUMNS, index=False, header=False, float_format="%.9g", lineterminator="\n")


def refuse_pixels(table: pd.DataFrame, source: str | Path) -> None:
    """Raises ValueError with the first row whose box is no share of the frame. `source`: where the table is from."""
    in_pixels = (table[BOX_COLUMNS].to_numpy() > PIXEL_THRESHOLD).any(axis=1)
    if in_pixels.any():
        video, *numbers = table[["video", "timestamp", *BOX_COLUMNS]].iloc[int(in_pixels.argmax())]
        row = ",".join([str(video), *(f"{number:.10g}" for number in numbers)])
        raise ValueError(
            f"{source} has the row {row}, a box in pixels; boxes are shares of the frame, from 0 to 1: divide x by "
            "its width and y by its height"
        )
