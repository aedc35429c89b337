"""Person boxes as a table in AVA's form, one row per person and keyframe, and the CSV that holds it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from ava_eval import BOX_COLUMNS
from ava_eval.csv_format import PIXEL_THRESHOLD
from avdet.atomic_write import atomic_write
from avdet.media.file_names import table_name
from avdet.resume_journal import append_durably, plain_settings, require_same_settings
from avdet.structures import PersonBoxes

__all__ = [
    "COLUMNS",
    "ResumableBoxesFile",
    "box_table",
    "complete_boxes",
    "csv_lines",
    "persons_from_rows",
    "require_normalized",
]

COLUMNS = ["video", "timestamp", *BOX_COLUMNS, "score", "person_id"]


def box_table(video: str, times_s: Sequence[float], persons: Sequence[PersonBoxes]) -> pd.DataFrame:
    """Table of one video's keyframes, in the order given."""
    counts = [len(boxes) for boxes in persons]
    if not sum(counts):
        return pd.DataFrame({name: [] for name in COLUMNS})
    columns = {
        "video": video,
        "timestamp": np.repeat(np.asarray(times_s, np.float64), counts),
        **dict(zip(BOX_COLUMNS, torch.cat([boxes.boxes for boxes in persons]).numpy().T, strict=True)),
        "score": torch.cat([boxes.scores for boxes in persons]).numpy(),
        "person_id": torch.cat([boxes.person_ids for boxes in persons]).numpy(),
    }
    return pd.DataFrame(columns)


def complete_boxes(boxes: pd.DataFrame) -> pd.DataFrame:
    """The table with the columns of COLUMNS: no score is 1, no person id is -1, and videos are named as files are.

    Raises ValueError if it has no video, time or box.
    """
    missing = [name for name in COLUMNS[:6] if name not in boxes]
    if missing:
        raise ValueError(
            f"the table of boxes has no column {missing[0]} (it has {', '.join(map(str, boxes.columns))}); it needs "
            f"{', '.join(COLUMNS[:6])}, and may have score and person_id"
        )
    names = boxes["video"].map({name: table_name(str(name)) for name in boxes["video"].unique()}).astype(str)
    defaults = {name: value for name, value in (("score", 1.0), ("person_id", -1)) if name not in boxes}
    return boxes.assign(video=names, **defaults)


def persons_from_rows(rows: pd.DataFrame) -> PersonBoxes:
    """Person boxes of one keyframe's rows."""
    return PersonBoxes.from_boxes(
        torch.from_numpy(rows[BOX_COLUMNS].to_numpy(np.float32, copy=True)),
        torch.from_numpy(rows["score"].to_numpy(np.float32, copy=True)),
        torch.from_numpy(rows["person_id"].to_numpy(np.int64, copy=True)),
    )


def csv_lines(table: pd.DataFrame) -> str:
    """The rows as CSV without a header, with nine digits, so that every float32 reads back equal."""
    return table.to_csv(columns=COLUMNS, index=False, header=False, float_format="%.9g", lineterminator="\n")


def require_normalized(table: pd.DataFrame, source: str | Path) -> None:
    """Raises ValueError with the first row whose box is in pixels. `source` names the table in the message."""
    in_pixels = (table[BOX_COLUMNS].to_numpy() > PIXEL_THRESHOLD).any(axis=1)
    if in_pixels.any():
        video, *numbers = table[["video", "timestamp", *BOX_COLUMNS]].iloc[int(in_pixels.argmax())]
        row = ",".join([str(video), *(f"{number:.10g}" for number in numbers)])
        raise ValueError(
            f"{source} has the row {row}, a box in pixels; boxes must be normalised to the frame, from 0 to 1: divide "
            "x by the frame's width and y by its height"
        )


class ResumableBoxesFile:
    """A CSV of boxes that is written video by video and resumes after an interruption.

    A journal beside it has one line with the settings, then one per finished video: its version and the size of the CSV
    after it. Rows after the last of these sizes are incomplete and are cut off. A finished CSV has no journal.
    """

    def __init__(self, path: Path, settings: Mapping[str, object], versions: Mapping[str, object]) -> None:
        """Starts or resumes the file. Raises ValueError if it is finished or was begun with other settings.

        versions: plain data by video, which changes with the video or its keyframes; the rows of a changed video are
        removed.
        """
        self.path = path
        self.done: set[str] = set()  # names of the videos in the file
        self._versions = versions
        self._journal = path.with_name(f"{path.name}.journal")
        self._settings = plain_settings(settings)
        if self._journal.exists():
            self._resume()
        elif path.exists():
            raise ValueError(f"{path} exists and is finished; remove it or give another --output")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._note({"settings": self._settings})
            path.touch()

    def add(self, video: str, boxes: pd.DataFrame) -> None:
        """Appends the rows, then notes in the journal that they are complete."""
        size = append_durably(self.path, csv_lines(boxes).encode())
        self._note({"video": video, "version": self._versions.get(video), "bytes": size})
        self.done.add(video)

    def finish(self) -> None:
        """Removes the journal: every video is in the file."""
        self._journal.unlink()

    def _note(self, entry: Mapping[str, object]) -> None:
        append_durably(self._journal, f"{json.dumps(entry)}\n".encode())

    def _resume(self) -> None:
        entries = _complete_entries(self._journal)
        if len(entries) < 2:  # no video is finished, so the settings may differ
            entries = [{"settings": self._settings}]
        require_same_settings(self.path, entries[0]["settings"], self._settings, remove=f"it and {self._journal.name}")
        size = entries[-1]["bytes"] if entries[1:] else 0
        if size > (self.path.stat().st_size if self.path.exists() else 0):
            raise ValueError(
                f"{self.path} is missing or shorter than {self._journal.name} records; remove both to start again"
            )
        self.path.touch()
        kept = self._keep_current(entries[1:])
        with atomic_write(self._journal) as partial:
            partial.write_text("".join(f"{json.dumps(entry)}\n" for entry in [entries[0], *kept]), encoding="utf-8")
        self.done = {entry["video"] for entry in kept}

    def _keep_current(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Keeps only the rows of unchanged videos; returns their entries with the new sizes."""
        kept: list[dict[str, Any]] = []
        with atomic_write(self.path) as partial, self.path.open("rb") as old, partial.open("wb") as new:
            for entry in entries:
                rows = old.read(entry["bytes"] - old.tell())
                version = self._versions.get(entry["video"])  # None: the video is missing or not in this run
                if version is None or entry.get("version", version) == version:
                    new.write(rows)
                    kept.append({**entry, "bytes": new.tell()})
        return kept


def _complete_entries(journal: Path) -> list[dict[str, Any]]:
    """Entries up to the first damaged line: the settings, then videos at ascending sizes."""
    entries: list[dict[str, Any]] = []
    size = 0
    for line in journal.read_bytes().split(b"\n")[:-1]:
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            break
        kinds = {"video": str, "bytes": int} if entries else {"settings": dict}
        if not isinstance(entry, dict) or not all(isinstance(entry.get(key), kind) for key, kind in kinds.items()):
            break
        if not size <= entry.get("bytes", size):
            break
        size = entry.get("bytes", size)
        entries.append(entry)
    return entries
