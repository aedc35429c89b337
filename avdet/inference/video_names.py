"""The videos of a run: folders and patterns become files, and each gets a unique name that is safe as a file name."""

from __future__ import annotations

import glob
import logging
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from avdet.datasets.video_files import is_video, videos_and_others

__all__ = ["VideoJob", "expand_videos", "read_list", "video_jobs"]

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


def expand_videos(paths: Iterable[Path]) -> list[Path]:
    """Replaces folders and patterns such as `videos/*.mp4` by the videos that they mean; all other paths stay.

    A folder means all videos below it and each folder of extracted frames; with numbered images and no video it is a
    folder of frames itself. A log line names the files that are passed over. A folder or pattern without a video
    stays as it is, so that it is reported like a video that cannot be read.
    """
    videos: list[Path] = []
    passed_over: list[Path] = []
    for path in paths:
        found: list[Path] = []
        for match in _matches(path):
            if match != path or _is_folder(match):
                inside, others = _videos_of(match)
                found, passed_over = found + inside, passed_over + others
        videos += found or [path]
    if passed_over:
        names = ", ".join(map(str, passed_over[:5])) + ", ..." * (len(passed_over) > 5)
        logger.warning("passed over, because the name is not a video's: %d files: %s", len(passed_over), names)
    return videos


def _matches(path: Path) -> list[Path]:
    """The path itself; of a pattern that is no existing file, what it matches."""
    if glob.has_magic(str(path)) and not _exists(path):
        return sorted(map(Path, glob.glob(str(path), recursive=True)))  # noqa: PTH207  (Path.glob takes no absolute one)
    return [path]


def _videos_of(path: Path) -> tuple[list[Path], list[Path]]:
    """The videos that a file or folder means, and the files that are passed over."""
    if path.is_dir():
        return videos_and_others(path)
    return ([path], []) if is_video(path) else ([], [path])


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
    return _exists(path) and path.is_dir()


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a line of the list may be longer than any path, or hold a zero byte
        return False


def _safe_name(name: str) -> str:
    """Printable, without unsafe characters, not hidden and not too long."""
    safe = "".join("_" if not c.isprintable() or c in _UNSAFE else c for c in name).strip()
    safe = safe.encode(errors="replace")[:_MAX_BYTES].decode(errors="ignore")
    return safe.lstrip(".") or "video"
