"""Which videos, and what each is called: every name once, and a name of a file that stays in its folder."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["VideoJob", "read_list", "video_jobs"]

logger = logging.getLogger(__name__)
_SEPARATORS = set("/\\:,\"'*?<>|")  # of paths, of tables' columns, and what some file systems refuse
_MAX_BYTES = 180  # of 255 that a file's name may have; the rest is for suffixes


@dataclass(frozen=True)
class VideoJob:
    """`name` is what tables and files call the video."""

    path: Path
    name: str


def read_list(path: Path) -> list[Path]:
    """A path a line; those that are not absolute count from where the command runs. Empty lines count for nothing."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text in UTF-8 ({error.reason}); give a file with a path a line") from None
    return [Path(line.strip()) for line in lines if line.strip()]


def video_jobs(videos: Sequence[Path]) -> list[VideoJob]:
    """One a file, in the order given. What is named like one before it gets a number, which is said."""
    jobs: list[VideoJob] = []
    taken: set[str] = set()
    copies: Counter[str] = Counter()
    seen: set[Path] = set()
    for path in videos:
        if "\0" in str(path):
            raise ValueError(
                f"{str(path)!r} has a zero byte, which no file's name has; give a text file with a path a line"
            )
        real = path.resolve()
        if real in seen:
            logger.warning("%r is listed twice; it is done once", str(path))
            continue
        seen.add(real)
        plain = _plain(real.name if _is_folder(path) else path.stem)
        name = plain
        while name.casefold() in taken:
            copies[plain.casefold()] += 1
            name = f"{plain}-{copies[plain.casefold()] + 1}"
        if name not in {path.name, path.stem}:
            logger.warning("%r is called %s in the tables and files", str(path), name)
        taken.add(name.casefold())
        jobs.append(VideoJob(path, name))
    return jobs


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a line of a list may be longer than any name
        return False


def _plain(name: str) -> str:
    """Printable, without what separates paths and columns, and neither hidden nor too long."""
    plain = "".join("_" if not c.isprintable() or c in _SEPARATORS else c for c in name).strip()
    plain = plain.encode(errors="replace")[:_MAX_BYTES].decode(errors="ignore")
    return plain.lstrip(".") or "video"
