"""From rows to a data set: a train and a val table in AVA's form, and the list of class names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

__all__ = ["require_free", "split_videos", "thin_out", "write_data_set"]

TOLERANCE_S = 0.001


def require_free(folder: Path, *, has_val: bool) -> None:
    """Raises ValueError where `write_data_set` could not make the folder, or would write over a file."""
    blocking = next((place for place in (folder, *folder.parents) if place.is_file()), None)
    if blocking is not None:
        raise ValueError(f"--output {folder}: {blocking} is a file; give a folder for the data set")
    for name in ("train.csv", "val.csv", "classes.txt"):
        if (folder / name).exists() and (has_val or name != "val.csv"):
            raise ValueError(f"{folder / name} exists and is not written over; remove it or give another --output")


def thin_out(table: pd.DataFrame, every_s: float) -> pd.DataFrame:
    """The rows of keyframes that are at least `every_s` apart, from each video's first one on."""
    kept = []
    for video, times in table.groupby("video", sort=True)["timestamp"]:
        last_s = -np.inf
        for time_s in sorted(set(times)):
            if time_s >= last_s + every_s - TOLERANCE_S:
                kept.append((video, time_s))
                last_s = time_s
    return table[pd.MultiIndex.from_frame(table[["video", "timestamp"]]).isin(kept)]


def split_videos(names: Sequence[str], val_share: float, seed: int) -> set[str]:
    """The videos of the val split, by chance: that share of all, at least one and not all.

    Raises ValueError for fewer than two.
    """
    if len(names) < 2:
        raise ValueError(
            "one video cannot be both trained on and tested on; annotate a second one, or give --val-share 0 and a "
            "val.csv of your own"
        )
    count = min(max(1, round(val_share * len(names))), len(names) - 1)
    return set(np.random.default_rng(seed).permutation(sorted(names))[:count])


def write_data_set(table: pd.DataFrame, val: set[str], folder: Path) -> list[str]:
    """Writes train.csv, val.csv and classes.txt (ids from 1 on, in alphabetical order); gives the names.

    Without videos for val there is no val.csv: one that is there is the user's.
    """
    names = sorted(set(table["action"]))
    ids = {name: place for place, name in enumerate(names, start=1)}
    times = table["timestamp"].map("{:.13g}".format)  # microseconds, up to eleven days
    rows = table.assign(action_id=table["action"].map(ids), timestamp=times)
    columns = ["video", "timestamp", "x1", "y1", "x2", "y2", "action_id", "person_id"]
    folder.mkdir(parents=True, exist_ok=True)
    is_val = rows["video"].isin(val)
    for split, part in (("train", rows[~is_val]), ("val", rows[is_val])):
        if len(part):
            part[columns].to_csv(folder / f"{split}.csv", header=False, index=False, float_format="%.6g")
    (folder / "classes.txt").write_text("".join(f"{ids[name]}: {name}\n" for name in names), encoding="utf-8")
    return names
