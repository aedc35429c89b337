"""Which files are videos by their name, and how tables name them."""

from __future__ import annotations

import unicodedata
from pathlib import Path, PurePosixPath

__all__ = ["VIDEO_SUFFIXES", "is_hidden", "is_video", "nfc", "strip_video_suffix", "table_name"]

VIDEO_SUFFIXES = {
    ".mp4", ".mkv", ".webm", ".avi", ".mov", ".m4v", ".mpg", ".mpeg", ".ts", ".flv", ".3gp", ".wmv", ".mts", ".m2ts",
    ".vob", ".asf", ".ogv", ".mxf", ".dav",
}  # fmt: skip


def is_video(path: Path) -> bool:
    """Returns whether the file's name is that of a video; hidden files are not."""
    return path.suffix.lower() in VIDEO_SUFFIXES and not is_hidden(path)


def is_hidden(path: Path) -> bool:
    """Returns whether the name begins with a dot, such as the `._NAME` that macOS writes beside files."""
    return path.name.startswith(".")


def strip_video_suffix(path: str) -> str:
    """Returns `class/clip.avi` as `class/clip`; dots that do not begin a video suffix stay."""
    pure = PurePosixPath(path.replace("\\", "/"))
    return str(pure.with_suffix("")) if pure.suffix.lower() in VIDEO_SUFFIXES else str(pure)


def table_name(name: str) -> str:
    """Returns the name of a video in tables: without its suffix, in Unicode's form NFC."""
    return nfc(strip_video_suffix(name))


def nfc(text: str) -> str:
    """Returns composed letters: macOS decomposes them in the names of files."""
    return unicodedata.normalize("NFC", text)
