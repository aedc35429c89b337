"""A CSV of boxes that grows video by video and can be gone on with after an interruption.

Beside it lies a journal: one line with the settings, then one a finished video with its version and the file's size
after it. What a crash left half written lies past the last of those sizes and goes. A finished file has no journal.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from avdet.people.box_table import csv_lines

__all__ = ["BoxesFile"]


class BoxesFile:
    """`done`: the names of the videos that are in it."""

    def __init__(self, path: Path, settings: Mapping[str, object], versions: Mapping[str, object]) -> None:
        """Begins the file, or goes on with it. Raises ValueError where it is finished, or was begun otherwise.

        versions: by name, plain data that is another once a video or its keyframes are; its rows go then.
        """
        self.path = path
        self.done: set[str] = set()
        self._versions = versions
        self._journal = path.with_name(f"{path.name}.journal")
        self._settings = json.loads(json.dumps(settings, default=str))
        if self._journal.exists():
            self._go_on()
        elif path.exists():
            raise ValueError(f"{path} exists and is finished; remove it or give another --output")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._append(self._journal, json.dumps({"settings": self._settings}) + "\n")
            path.touch()

    def add(self, video: str, boxes: pd.DataFrame) -> None:
        """The rows first, then the journal's word that they are whole."""
        self._append(self.path, csv_lines(boxes))
        size = self.path.stat().st_size
        self._append(
            self._journal, json.dumps({"video": video, "version": self._versions.get(video), "bytes": size}) + "\n"
        )
        self.done.add(video)

    def finish(self) -> None:
        """Nothing is left to do."""
        self._journal.unlink()

    def _go_on(self) -> None:
        entries = _whole_lines(self._journal)
        if len(entries) < 2:  # no video was finished, so nothing has to fit
            entries = [{"settings": self._settings}]
        begun = entries[0]["settings"]
        if begun != self._settings:
            changed = sorted(key for key in {*begun, *self._settings} if begun.get(key) != self._settings.get(key))
            raise ValueError(
                f"{self.path} was begun with other settings ({', '.join(changed)}); give the same ones to go on, or "
                f"remove it and {self._journal.name} to start anew"
            )
        size = entries[-1]["bytes"] if entries[1:] else 0
        if size > (self.path.stat().st_size if self.path.exists() else 0):
            raise ValueError(
                f"{self.path} is gone or shorter than {self._journal.name} says; remove both to start anew"
            )
        self.path.touch()
        kept = self._keep_current(entries[1:])
        partial = self._journal.with_suffix(".part")
        partial.write_text("".join(f"{json.dumps(entry)}\n" for entry in [entries[0], *kept]), encoding="utf-8")
        partial.replace(self._journal)
        self.done = {entry["video"] for entry in kept}

    def _keep_current(self, entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The rows of the videos that are still what they were, alone, and the entries that fit them."""
        kept: list[dict[str, Any]] = []
        partial = self.path.with_name(f"{self.path.name}.part")
        with self.path.open("rb") as old, partial.open("wb") as new:
            for entry in entries:
                rows = old.read(entry["bytes"] - old.tell())
                version = self._versions.get(entry["video"])  # None: it is gone, or was not asked for again
                if version is None or entry.get("version", version) == version:
                    new.write(rows)
                    kept.append({**entry, "bytes": new.tell()})
        partial.replace(self.path)
        return kept

    @staticmethod
    def _append(path: Path, text: str) -> None:
        with path.open("ab") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())


def _whole_lines(journal: Path) -> list[dict[str, Any]]:
    """Its entries up to the first that a crash left unfinished."""
    entries: list[dict[str, Any]] = []
    for line in journal.read_bytes().split(b"\n")[:-1]:
        try:
            entries.append(json.loads(line))
        except ValueError:
            break
    return entries
