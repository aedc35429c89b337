"""Writes the small annotation files of these tests."""

from __future__ import annotations

from pathlib import Path


def write_file(folder: Path, name: str, text: str = "") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
