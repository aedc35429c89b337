"""The list of videos of a run, each with a unique name that is safe in tables and as a file name."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["VideoJob", "read_list", "video_jobs"]

logger = logging.getLogger(__name__)
_UNSAFE = set("/\\:,\"'*?<>|")  # separators of paths and of tables' columns, and characters some file systems refuse
_MAX_BYTES = 180  # a file name may have 255; the rest is for suffixes


@dataclass(frozen=True)
class VideoJob:
    """A video's path, and its name in tables and output files."""

    path: Path
    name: str


def read_list(path: Path) -> list[Path]:
    """Reads one path per line, relative to the working directory; blank lines are skipped."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not UTF-8 text ({error.reason}); give a text file with one path per line"
        ) from None
    return [Path(line.strip()) for line in lines if line.strip()]


def video_jobs(videos: Sequence[Path]) -> list[VideoJob]:
    """One job per file, in the order given. Repeated names get a number, and changed names are logged."""
    jobs: list[VideoJob] = []
    taken: set[str] = set()
    copies: Counter[str] = Counter()
    listed: set[Path] = set()
    for path in videos:
        if "\0" in str(path):
            raise ValueError(f"{str(path)!r} contains a zero byte; give a text file with one path per line")
        resolved = path.resolve()
        if resolved in listed:
            logger.warning("%r is listed twice; the repetition is skipped", str(path))
            continue
        listed.add(resolved)
        base = _safe_name(resolved.name if _is_folder(path) else path.stem)
        name = base
        while name.casefold() in taken:
            copies[base.casefold()] += 1
            name = f"{base}-{copies[base.casefold()] + 1}"
        if name not in {path.name, path.stem}:
            logger.warning("%r is named %s in the tables and files", str(path), name)
        taken.add(name.casefold())
        jobs.append(VideoJob(path, name))
    return jobs


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # a line of the list may be longer than any path
        return False


def _safe_name(name: str) -> str:
    """Printable, without unsafe characters, not hidden and not too long."""
    safe = "".join("_" if not c.isprintable() or c in _UNSAFE else c for c in name).strip()
    safe = safe.encode(errors="replace")[:_MAX_BYTES].decode(errors="ignore")
    return safe.lstrip(".") or "video"
